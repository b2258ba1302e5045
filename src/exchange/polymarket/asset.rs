//! One token of a market: its view of the book, and numbers as the venue writes them.
//!
//! YES and NO share one pool: a bid for YES at `p` is an offer of NO at `1 - p`. Everything here
//! derives NO from the book of YES, so the two can never disagree.

use std::fmt;

use serde_json::Value;

use crate::domain::decimal::write_scaled;
use crate::domain::{Outcome, Price, Quantity, Side};

use super::super::matching::{Book, opposite};
use super::super::{Floor, Listing};

/// One of the two tokens of a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asset {
    /// Index of the market.
    pub(super) market: usize,
    /// Which contract the token is.
    pub(super) outcome: Outcome,
}

impl Asset {
    /// The two tokens of a market.
    pub(super) const fn both(market: usize) -> [Self; 2] {
        [Self { market, outcome: Outcome::Yes }, Self { market, outcome: Outcome::No }]
    }

    /// Finds a token by its id.
    pub(super) fn find(floor: &Floor, token: &str) -> Option<Self> {
        floor.listings.iter().enumerate().find_map(|(market, listing)| {
            let [yes, no] = Self::both(market);
            match token {
                "" => None,
                _ if token == listing.tokens.0 => Some(yes),
                _ if token == listing.tokens.1 => Some(no),
                _ => None,
            }
        })
    }

    /// The token's id.
    pub(super) fn id(self, listing: &Listing) -> &str {
        match self.outcome {
            Outcome::Yes => &listing.tokens.0,
            Outcome::No => &listing.tokens.1,
        }
    }

    /// A price of YES as a price of this token; its own inverse.
    pub(super) const fn price(self, of_yes: Price) -> Price {
        match self.outcome {
            Outcome::Yes => of_yes,
            Outcome::No => of_yes.mirror(),
        }
    }

    /// A side of YES as a side of this token; its own inverse.
    pub(super) const fn side(self, of_yes: Side) -> Side {
        match self.outcome {
            Outcome::Yes => of_yes,
            Outcome::No => opposite(of_yes),
        }
    }

    /// The levels of one side of this token's book, best first.
    pub(super) fn levels(self, book: &Book, side: Side) -> Vec<(Price, Quantity)> {
        let of_yes = self.side(side);
        book.levels(of_yes).map(|(price, quantity)| (self.price(price), quantity)).collect()
    }

    /// The best prices of this token.
    pub(super) fn quote(self, book: &Book) -> Quote {
        let best = |side| book.best(self.side(side)).map(|(price, _)| self.price(price).units());
        Quote { bid: best(Side::Bid).unwrap_or(0), ask: best(Side::Ask).unwrap_or(Price::ONE) }
    }
}

/// Best prices in 1/10,000 dollars. A side without orders reads as the end of the range, `0` for
/// bids and `1` for asks, which keeps the two tokens mirrored; no recorded frame shows an empty
/// side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quote {
    pub(super) bid: u16,
    pub(super) ask: u16,
}

impl Quote {
    /// The distance of the two, never negative.
    pub(super) const fn spread(self) -> u16 {
        self.ask.saturating_sub(self.bid)
    }

    /// The price halfway, as text.
    pub(super) fn middle(self) -> String {
        // Half a price unit needs a fifth decimal, and (bid + ask) / 2 is (bid + ask) * 5 there.
        Shortest(5 * (i64::from(self.bid) + i64::from(self.ask)), 5).to_string()
    }
}

/// A scaled integer written with the fewest decimals.
struct Shortest(i64, u32);

impl fmt::Display for Shortest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.0, self.1, 0)
    }
}

/// Price units as the venue writes them: `0.41`, `0.001`, `1`.
pub(super) fn dollars(units: u16) -> String {
    Shortest(i64::from(units), 4).to_string()
}

/// A size as the venue writes it: `120`, `46.02`.
pub(super) fn shares(quantity: Quantity) -> String {
    Shortest(quantity.units(), 6).to_string()
}

/// A side as the venue writes it.
pub(super) const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Bid => "BUY",
        Side::Ask => "SELL",
    }
}

/// A decimal text as a JSON number.
pub(super) fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

/// A market's tick in price units: the finest step of its bands.
pub(super) fn tick(listing: &Listing) -> u16 {
    listing.bands.iter().map(|band| band.step).min().unwrap_or(100)
}
