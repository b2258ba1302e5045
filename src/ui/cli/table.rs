//! Aligned columns for people.

use super::text::{Colour, Tone, clean};

/// How a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Widest cell; what is longer is cut.
const CELL_WIDTH: usize = 60;

/// Rows below a head. All cells are made safe for a terminal.
#[derive(Debug)]
pub struct Table {
    head: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new(head: &[(&'static str, Align)]) -> Self {
        Self { head: head.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; it has a cell for each column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| clean(&cell, CELL_WIDTH)).collect());
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines, each with its end.
    pub fn text(&self, colour: Colour) -> String {
        let widths: Vec<usize> = (0..self.head.len())
            .map(|at| {
                let cells = self.rows.iter().filter_map(|row| row.get(at));
                let widest = cells.map(|cell| cell.chars().count()).max().unwrap_or(0);
                widest.max(self.head.get(at).map_or(0, |(name, _)| name.len()))
            })
            .collect();
        let head = self.head.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        let mut text = colour.paint(Tone::Dim, &self.line(&head, &widths));
        text.push('\n');
        for row in &self.rows {
            text.push_str(&self.line(row, &widths));
            text.push('\n');
        }
        text
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let cells = cells.iter().zip(widths).zip(&self.head);
        let placed = cells.map(|((cell, width), (_, align))| match align {
            Align::Left => format!("{cell:<width$}"),
            Align::Right => format!("{cell:>width$}"),
        });
        placed.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&[("pair", Align::Left), ("held", Align::Right)]);
        assert!(table.is_empty());
        table.row(["fed-hold".to_owned(), "5.00".to_owned()]);
        table.row(["a\x1b[2J".to_owned(), "120.00".to_owned()]);
        let lines = "pair        held\nfed-hold    5.00\na[2J      120.00\n";
        assert_eq!(table.text(Colour::Off), lines);
    }
}
