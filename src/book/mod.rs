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
pub use update::{Lane, Reading, Stamped, Update};

use std::time::Duration;

use crate::domain::{Change, Outcome, Price, Quantity, Side, Timestamp};

/// The best prices the venue says hold once a batch is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Announcement {
    bid: Option<Price>,
    ask: Option<Price>,
    /// Since when the book has disagreed with what was announced.
    open_since: Timestamp,
}

/// A reading that disagreed, until the book has caught up with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Doubt {
    source: Option<Timestamp>,
    checksum: u64,
    since: Timestamp,
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
    doubt: Option<Doubt>,
    /// Readings in a row that the book did not agree with when it had caught up.
    refuted: u8,
}

impl Default for Book {
    fn default() -> Self {
        Self::new()
    }
}

impl Book {
    /// How many readings in a row lose the book.
    const REFUTED_MAX: u8 = 2;
    /// How long the frames behind a reading may be under way.
    const DOUBT_MIN: Duration = Duration::from_secs(1);

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
            doubt: None,
            refuted: 0,
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
        (self.doubt, self.refuted) = (None, 0);
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
        if self.doubt.is_some_and(|doubt| doubt.checksum == self.checksum()) {
            (self.doubt, self.refuted) = (None, 0);
        }
    }

    /// Decides a doubt that a frame of this time leaves behind: the book has taken in all that came
    /// before, and never was what the reading showed. The second in a row loses the book.
    pub fn overtake(&mut self, source: Option<Timestamp>, now: Timestamp) {
        let Some(Doubt { source: Some(theirs), .. }) = self.doubt else { return };
        if source.is_none_or(|ours| ours <= theirs) {
            return;
        }
        debug_assert!(self.health == Health::Whole, "a doubt of a book that is not believed");
        self.doubt = None;
        self.refuted += 1;
        if self.refuted == Self::REFUTED_MAX {
            self.lose(Loss::Refuted, now);
        }
    }

    /// Notes what the venue says is best once the batch is complete. To a book that is not whole it
    /// says nothing: the image that is due holds the batch already.
    pub fn announce(&mut self, bid: Option<Price>, ask: Option<Price>, now: Timestamp) {
        if self.health != Health::Whole {
            return;
        }
        let open_since = self.announced.map_or(now, |earlier| earlier.open_since);
        self.announced = Some(Announcement { bid, ask, open_since });
        self.settle(now);
    }

    /// Notes evidence that this book is live. The newest evidence counts, even where the clock was
    /// set back: a time in the future would hide how old the book is.
    pub fn prove(&mut self, now: Timestamp) {
        if self.health == Health::Whole {
            self.proven = now;
        }
    }

    /// Compares the book with a REST reading. One that is older than the newest frame says nothing.
    ///
    /// Agreement is proof. A disagreement may be no more than frames on their way, or the rest of
    /// a batch: it counts when a frame newer than the reading has come and the book did not agree
    /// in between, or when nothing has come by a later reading that disagrees. Two such readings in
    /// a row lose the book.
    pub fn read(&mut self, reading: &Reading, now: Timestamp) {
        let older = match (reading.source, self.source) {
            (Some(theirs), Some(ours)) => theirs < ours,
            _ => false,
        };
        if self.health != Health::Whole || older {
            return;
        }
        if reading.checksum == self.checksum() {
            (self.doubt, self.refuted) = (None, 0);
            self.prove(now);
            return;
        }
        match self.doubt {
            // Frames take this long only if they do not come at all.
            Some(doubt) if now.since(doubt.since) >= Self::DOUBT_MIN => {
                self.lose(Loss::Refuted, now);
            }
            Some(_) => {}
            None => {
                let (source, checksum) = (reading.source, reading.checksum);
                self.doubt = Some(Doubt { source, checksum, since: now });
            }
        }
    }

    /// Stops believing the book until its next image.
    pub fn lose(&mut self, why: Loss, now: Timestamp) {
        if self.health != Health::Awaiting {
            self.health = Health::Lost { why, since: now };
        }
        self.announced = None;
        self.crossed_since = None;
        (self.doubt, self.refuted) = (None, 0);
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
