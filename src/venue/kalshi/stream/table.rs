//! The markets of one lane and how far each has come.

use rustc_hash::FxHashMap;

use crate::domain::{MarketIndex, Timestamp};

use super::Counts;

/// How far the book of a market has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Image {
    /// None yet; it is missed from `by` on, which is [`Timestamp::MAX`] until it is asked for.
    Awaited {
        /// When it is missed.
        by: Timestamp,
    },
    /// Lost together with the lane; the ladder of remedies brings it back.
    Resyncing,
    /// Here: changes may be applied.
    Here,
}

/// One watched market.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) market: MarketIndex,
    pub(super) ticker: Box<str>,
    pub(super) image: Image,
    /// Whether the present subscription has been told of the market.
    pub(super) asked: bool,
    /// How often its image has been missed since the last one.
    pub(super) missed: u32,
    /// When an image of this market alone was last asked for.
    pub(super) asked_alone: Timestamp,
    pub(super) counts: Counts,
}

/// All watched markets, found by ticker or by index.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Row>,
    by_ticker: FxHashMap<Box<str>, usize>,
    by_market: FxHashMap<MarketIndex, usize>,
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub(super) fn rows_mut(&mut self) -> &mut [Row] {
        &mut self.rows
    }

    pub(super) fn of_ticker(&mut self, ticker: &str) -> Option<&mut Row> {
        self.by_ticker.get(ticker).and_then(|at| self.rows.get_mut(*at))
    }

    pub(super) fn of_market(&self, market: MarketIndex) -> Option<&Row> {
        self.by_market.get(&market).and_then(|at| self.rows.get(*at))
    }

    pub(super) fn of_market_mut(&mut self, market: MarketIndex) -> Option<&mut Row> {
        self.by_market.get(&market).and_then(|at| self.rows.get_mut(*at))
    }

    /// Adds a market; one whose ticker or index is there already is left as it is.
    pub(super) fn add(&mut self, market: MarketIndex, ticker: &str) {
        if self.by_ticker.contains_key(ticker) || self.by_market.contains_key(&market) {
            return;
        }
        let at = self.rows.len();
        self.rows.push(Row {
            market,
            ticker: ticker.into(),
            image: Image::Awaited { by: Timestamp::MAX },
            asked: false,
            missed: 0,
            asked_alone: Timestamp::ZERO,
            counts: Counts::default(),
        });
        self.by_ticker.insert(ticker.into(), at);
        self.by_market.insert(market, at);
    }

    pub(super) fn remove(&mut self, market: MarketIndex) -> Option<Row> {
        let at = self.by_market.remove(&market)?;
        let row = self.rows.swap_remove(at);
        self.by_ticker.remove(&row.ticker);
        if let Some(moved) = self.rows.get(at) {
            self.by_market.insert(moved.market, at);
            self.by_ticker.insert(moved.ticker.clone(), at);
        }
        Some(row)
    }

    /// Turns every image that is here into `into`, counting the gap where it cost a book.
    pub(super) fn lose(&mut self, into: Image) {
        for row in &mut self.rows {
            if row.image == Image::Here {
                row.image = into;
                row.counts.gaps += 1;
            }
        }
    }

    /// A new connection: nothing is here and nothing has been asked for.
    pub(super) fn restart(&mut self) {
        for row in &mut self.rows {
            row.image = Image::Awaited { by: Timestamp::MAX };
            row.asked = false;
        }
    }

    pub(super) fn resyncing(&self) -> usize {
        self.rows.iter().filter(|row| row.image == Image::Resyncing).count()
    }
}
