//! What came into the wallet and went out of it without a trade.

use std::collections::BTreeMap;

use crate::domain::report::Listing;
use crate::domain::{Report, Timestamp, Venue};
use crate::venue::gateway::{Answer, Call, Subject, Taken};
use crate::venue::polymarket::parse::movement::{TYPES, moved};

use super::Gateway;
use super::holding::{PAGES_MAX, ROWS_MAX, page};

pub(super) const NAME: &str = "movements";

/// A list of movements that is under way.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Which, from 1: answers to an earlier one are passed over.
    number: u64,
    asked: Timestamp,
    /// The list is asked for from here on, in seconds.
    start: String,
    pages: u32,
    has_hole: bool,
    /// How often each name was met: rows that are alike are told apart by their number. All rows of
    /// a transaction bear one time, so that a list has either all or none of them.
    met: BTreeMap<String, u32>,
}

impl Gateway {
    pub(super) fn movements_first(&mut self, since: Timestamp, now: Timestamp) -> Call {
        let start = since.secs().max(0).to_string();
        let number = self.movements.number + 1;
        self.movements = Reading { number, asked: now, start, ..Reading::default() };
        self.movements_page("")
    }

    fn movements_page(&self, cursor: &str) -> Call {
        let mut query = vec![
            ("user", self.account.maker_text()),
            ("type", TYPES),
            // Without it deposits and withdrawals are left out although they are asked for.
            ("exclude_deposits_withdrawals", "false"),
            ("limit", ROWS_MAX),
            ("start", self.movements.start.as_str()),
        ];
        if !cursor.is_empty() {
            query.push(("cursor", cursor));
        }
        let subject = Subject::Other(NAME, self.movements.number.to_string());
        Self::open(subject, &self.settings.data_url, "/v2/activity", &query)
    }

    pub(super) fn read_movements(&mut self, number: &str, answer: &Answer<'_>, taken: &mut Taken) {
        let reading = &mut self.movements;
        if number != reading.number.to_string() {
            return;
        }
        let Some(page) = page(NAME, answer, taken) else { return };
        for row in page.data {
            match moved(row) {
                Ok(None) => {}
                Ok(Some(mut movement)) => {
                    let met = reading.met.entry(movement.id.clone()).or_default();
                    *met += 1;
                    if *met > 1 {
                        movement.id = format!("{}/{met}", movement.id);
                    }
                    taken.reports.push(Report::Moved { venue: Venue::Polymarket, movement });
                }
                Err(error) => {
                    reading.has_hole = true;
                    taken.notices.push(error.to_string());
                }
            }
        }
        reading.pages += 1;
        let cursor = page.pagination.next_cursor.filter(|cursor| !cursor.is_empty());
        match cursor {
            _ if !page.pagination.has_more => {
                if !reading.has_hole {
                    taken.whole.push((Listing::Movements, reading.asked));
                }
            }
            Some(cursor) if reading.pages < PAGES_MAX => {
                taken.calls.push(self.movements_page(&cursor));
            }
            _ => taken.notices.push("polymarket lists movements without end".to_owned()),
        }
    }
}
