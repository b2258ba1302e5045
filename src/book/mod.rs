//! One market's liquidity, as YES and as NO.
//!
//! A [`Book`] holds the bids and the asks of YES. The book of NO is its mirror: whoever offers to
//! buy YES at `p` offers to sell NO at `1 - p`. Both venues have one pool of orders per market, so
//! nothing is counted twice.
//!
//! Invariants: no level is empty, no level appears twice, and a book that missed anything is never
//! [`Health::Whole`]. Whether a whole book is also *fresh* depends on the time of its last proof,
//! see [`Book::proven`].

pub mod health;
pub mod ladder;
pub mod update;

pub use health::{Health, Loss};
pub use ladder::{Ladder, Level, level_checksum};
pub use update::{Lane, Reading, Update};

use crate::domain::{Change, Outcome, Price, Quantity, Side, Timestamp};

/// The best prices the venue says hold once a batch is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Announcement {
    bid: Option<Price>,
    ask: Option<Price>,
    /// Since when the book has disagreed with what was announced.
    open_since: Timestamp,
}

/// All that rests in one market.
#[derive(Debug, Clone)]
pub struct Book {
    bids: Ladder,
    asks: Ladder,
    health: Health,
    lane: Option<Lane>,
    lane_epoch: u32,
    sequence: u64,
    source: Option<Timestamp>,
    proven: Timestamp,
    announced: Option<Announcement>,
    crossed_since: Option<Timestamp>,
    refuted: bool,
}

impl Default for Book {
    fn default() -> Self {
        Self::new()
    }
}

impl Book {
    /// A book that awaits its first image.
    pub const fn new() -> Self {
        Self {
            bids: Ladder::new(Side::Bid),
            asks: Ladder::new(Side::Ask),
            health: Health::Awaiting,
            lane: None,
            lane_epoch: 0,
            sequence: 0,
            source: None,
            proven: Timestamp::ZERO,
            announced: None,
            crossed_since: None,
            refuted: false,
        }
    }

    /// Offers to buy YES.
    pub const fn bids(&self) -> &Ladder {
        &self.bids
    }

    /// Offers to sell YES.
    pub const fn asks(&self) -> &Ladder {
        &self.asks
    }

    /// The ladder that a buyer of `outcome` takes from. Its prices are of YES: mirror them for NO.
    pub const fn offers(&self, outcome: Outcome) -> &Ladder {
        match outcome {
            Outcome::Yes => &self.asks,
            Outcome::No => &self.bids,
        }
    }

    /// The cheapest offer to a buyer of `outcome`, at the outcome's own price.
    pub fn best_offer(&self, outcome: Outcome) -> Option<Level> {
        let level = self.offers(outcome).best()?;
        Some(match outcome {
            Outcome::Yes => level,
            Outcome::No => Level { price: level.price.mirror(), ..level },
        })
    }

    /// Where the book is in its life.
    pub const fn health(&self) -> Health {
        self.health
    }

    /// The connection that keeps the book, and that connection's epoch when the image came.
    pub fn lane(&self) -> Option<(Lane, u32)> {
        self.lane.map(|lane| (lane, self.lane_epoch))
    }

    /// The source's sequence number of the newest frame, zero where it has none.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// When the venue made the newest frame applied.
    pub const fn source(&self) -> Option<Timestamp> {
        self.source
    }

    /// The time of the last proof of its own that the book is whole and live.
    pub const fn proven(&self) -> Timestamp {
        self.proven
    }

    /// Since when the book has not agreed with the announced best, `None` when the batch is
    /// complete.
    pub fn batch_open_since(&self) -> Option<Timestamp> {
        self.announced.map(|announced| announced.open_since)
    }

    /// Since when the best bid has not been below the best ask.
    pub const fn crossed_since(&self) -> Option<Timestamp> {
        self.crossed_since
    }

    /// A value that equal books share.
    pub fn checksum(&self) -> u64 {
        self.bids.checksum() ^ self.asks.checksum()
    }

    /// Begins a full image that `lane` brings.
    pub fn begin(&mut self, lane: Lane, lane_epoch: u32) {
        self.bids.clear();
        self.asks.clear();
        self.health = Health::Loading;
        (self.lane, self.lane_epoch) = (Some(lane), lane_epoch);
        self.announced = None;
        self.crossed_since = None;
        self.refuted = false;
    }

    /// Ends a full image: the book is whole as of `now`.
    pub fn end(&mut self, now: Timestamp) {
        if self.health == Health::Loading {
            self.health = Health::Whole;
            self.prove(now);
            self.note_crossing(now);
        }
    }

    /// Makes `quantity` what rests at a level.
    pub fn set(&mut self, side: Side, price: Price, quantity: Quantity, now: Timestamp) {
        self.ladder_mut(side).set(price, quantity);
        self.settle(now);
    }

    /// Applies a signed change to a level; a change that no level can bear loses the book.
    pub fn change(&mut self, side: Side, price: Price, change: Change, now: Timestamp) {
        let ladder = self.ladder_mut(side);
        match ladder.at(price).changed_by(change) {
            Some(quantity) => {
                ladder.set(price, quantity);
                self.settle(now);
            }
            None if self.health == Health::Whole => self.lose(Loss::Broken, now),
            None => {}
        }
    }

    /// Notes the place of the newest frame in its source's order.
    pub fn stamp(&mut self, sequence: u64, source: Option<Timestamp>) {
        self.sequence = sequence;
        if source.is_some() {
            self.source = source;
        }
    }

    /// Notes what the venue says is best once the batch is complete.
    pub fn announce(&mut self, bid: Option<Price>, ask: Option<Price>, now: Timestamp) {
        let open_since = self.announced.map_or(now, |earlier| earlier.open_since);
        self.announced = Some(Announcement { bid, ask, open_since });
        self.settle(now);
    }

    /// Notes evidence that this book is live.
    pub fn prove(&mut self, now: Timestamp) {
        if self.health == Health::Whole {
            self.proven = self.proven.max(now);
        }
    }

    /// Compares the book with a REST reading. One that is older than the newest frame says nothing.
    /// Agreement is proof; two disagreements in a row lose the book.
    pub fn read(&mut self, reading: &Reading, now: Timestamp) {
        let older = match (reading.source, self.source) {
            (Some(theirs), Some(ours)) => theirs < ours,
            _ => false,
        };
        if self.health != Health::Whole || older {
            return;
        }
        if reading.checksum == self.checksum() {
            self.refuted = false;
            self.prove(now);
        } else if std::mem::replace(&mut self.refuted, true) {
            self.lose(Loss::Refuted, now);
        }
    }

    /// Stops believing the book until its next image.
    pub fn lose(&mut self, why: Loss, now: Timestamp) {
        if self.health != Health::Awaiting {
            self.health = Health::Lost { why, since: now };
        }
        self.announced = None;
        self.crossed_since = None;
    }

    const fn ladder_mut(&mut self, side: Side) -> &mut Ladder {
        match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        }
    }

    fn settle(&mut self, now: Timestamp) {
        if self.health != Health::Whole {
            return;
        }
        if let Some(announced) = self.announced {
            let bid = self.bids.best().map(|level| level.price);
            let ask = self.asks.best().map(|level| level.price);
            if announced.bid == bid && announced.ask == ask {
                self.announced = None;
            }
        }
        self.note_crossing(now);
    }

    fn note_crossing(&mut self, now: Timestamp) {
        let crossed = match (self.bids.best(), self.asks.best()) {
            (Some(bid), Some(ask)) => bid.price >= ask.price,
            _ => false,
        };
        self.crossed_since = if crossed { self.crossed_since.or(Some(now)) } else { None };
    }
}

#[cfg(test)]
mod tests;
