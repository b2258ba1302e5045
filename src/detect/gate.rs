//! Whether a book may be believed now.
//!
//! Freshness is proof, not movement: a quiet book is not stale. The age of a book is the time since
//! the last evidence that it is whole and live. On Kalshi a heartbeat or any frame of the
//! connection with an unbroken sequence proves every book of the connection; on Polymarket, where a
//! connection can answer `PONG` for hours while an asset is dead, only the market's own frames and
//! readings do.

use std::time::Duration;

use crate::book::{Book, Health};
use crate::domain::market::Status;
use crate::domain::{FeePlan, Market, Minimum, Money, Price, Timestamp, Venue};

use super::NoEdge;

/// What is known of a connection.
#[derive(Debug, Clone, Copy, Default)]
pub struct LaneState {
    /// How often the connection lost its books; a book is whole only within one epoch.
    pub epoch: u32,
    /// The last proof for all books of the connection.
    pub proven: Timestamp,
    /// How long the newest frame was under way, by both clocks.
    pub lag: Duration,
}

/// What money and belief depend on, of all that is known of a market.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Where it trades.
    pub venue: Venue,
    /// Taker fee over time.
    pub fee: FeePlan,
    /// When the facts were read.
    pub read: Timestamp,
    /// Smallest order.
    pub minimum: Minimum,
    /// Whether orders are taken.
    pub status: Status,
    /// When trading ends.
    pub closes: Option<Timestamp>,
    /// When the game begins.
    pub starts: Option<Timestamp>,
}

impl Facts {
    /// The facts of a market, read at `read`.
    pub fn of(market: &Market, read: Timestamp) -> Self {
        Self {
            venue: market.venue,
            fee: market.fee.clone(),
            read,
            minimum: market.minimum,
            status: market.status,
            closes: market.closes,
            starts: market.starts,
        }
    }
}

/// How much is asked of a book.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Oldest proof on Kalshi.
    pub kalshi_book_age_max: Duration,
    /// Oldest proof on Polymarket.
    pub polymarket_book_age_max: Duration,
    /// Longest way of a frame.
    pub feed_lag_max: Duration,
    /// Largest distance of clocks.
    pub clock_offset_max: Duration,
    /// No edge this long before trading ends.
    pub near_close: Duration,
    /// No edge this long before and after the game begins.
    pub near_start: Duration,
    /// Oldest reading of the fee.
    pub fee_age_max: Duration,
}

/// Whether a book may be believed and its market traded at `now`; the most fundamental doubt first.
pub fn check(
    book: &Book,
    lane: Option<&LaneState>,
    facts: &Facts,
    settings: &Settings,
    clock_offset: Duration,
    now: Timestamp,
) -> Result<(), NoEdge> {
    let epoch = book.lane().map(|(_, epoch)| epoch);
    let (Health::Whole, Some(lane)) = (book.health(), lane) else {
        return Err(NoEdge::FeedNotLive);
    };
    if epoch != Some(lane.epoch) {
        return Err(NoEdge::FeedNotLive);
    }
    trading(facts, settings, now)?;
    if book.batch_open_since().is_some() {
        return Err(NoEdge::BatchOpen);
    }
    if book.crossed_since().is_some() {
        return Err(NoEdge::Crossed);
    }
    let oldest = match facts.venue {
        Venue::Kalshi => settings.kalshi_book_age_max,
        Venue::Polymarket => settings.polymarket_book_age_max,
    };
    if book_age(book, Some(lane), facts.venue, now) > oldest {
        return Err(NoEdge::Stale);
    }
    if lane.lag > settings.feed_lag_max {
        return Err(NoEdge::FeedLag);
    }
    if clock_offset > settings.clock_offset_max {
        return Err(NoEdge::ClockOffset);
    }
    if facts.fee.at(now).is_none() {
        return Err(NoEdge::FeeUnknown);
    }
    if now.since(facts.read) > settings.fee_age_max {
        return Err(NoEdge::FeeOutdated);
    }
    Ok(())
}

fn trading(facts: &Facts, settings: &Settings, now: Timestamp) -> Result<(), NoEdge> {
    if facts.status != Status::Open {
        return Err(NoEdge::MarketPaused);
    }
    if facts.closes.is_some_and(|closes| now >= closes.before(settings.near_close)) {
        return Err(NoEdge::NearClose);
    }
    let near = |starts: Timestamp| {
        now >= starts.before(settings.near_start) && now <= starts.after(settings.near_start)
    };
    if facts.starts.is_some_and(near) {
        return Err(NoEdge::NearStart);
    }
    Ok(())
}

/// The time since the last proof that a book is whole and live.
pub fn book_age(book: &Book, lane: Option<&LaneState>, venue: Venue, now: Timestamp) -> Duration {
    let own = book.proven();
    let proven = match (venue, lane) {
        (Venue::Kalshi, Some(lane)) => own.max(lane.proven),
        _ => own,
    };
    // A proof from the future was made before the clock stepped back: it says nothing.
    if proven > now { Duration::MAX } else { now.since(proven) }
}

/// How far the mids of two books are apart, in terms of the same contract; `None` where a side is
/// empty. `same` tells whether YES of the one pays with YES of the other.
pub fn mids_apart(kalshi: &Book, polymarket: &Book, same: Same) -> Option<Money> {
    /// Half a price unit, in micro-dollars.
    const HALF: u32 = 50;
    let kalshi = doubled_mid(kalshi)?;
    let polymarket = doubled_mid(polymarket)?;
    let polymarket = match same {
        Same::Yes => polymarket,
        Same::No => 2 * u32::from(Price::ONE) - polymarket,
    };
    Some(Money::from_micros(i64::from(kalshi.abs_diff(polymarket) * HALF)))
}

/// Whether YES of two markets pays on the same event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Same {
    /// It does.
    Yes,
    /// YES of the one pays with NO of the other.
    No,
}

fn doubled_mid(book: &Book) -> Option<u32> {
    let (bid, ask) = (book.bids().best()?, book.asks().best()?);
    Some(u32::from(bid.price.units()) + u32::from(ask.price.units()))
}

#[cfg(test)]
mod tests;
