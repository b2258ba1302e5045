//! What was last said about each market, and how one step of matching becomes frames.
//!
//! One step comes as several frames with one timestamp, and each `price_change` among them already
//! announces the best prices and the hash as they are after the last of them. A reader that looks
//! between two frames may see a book that never was: the remainder of an order that took appears
//! before the level that it took is gone.

use crate::domain::{Outcome, Price, Quantity, Side, Timestamp};

use super::super::{Fact, Floor};
use super::asset::{Asset, Quote};
use super::frame::{self, After, Image, Moved, Print};

/// Every this many batches a removal is told twice, as was seen of the venue.
const REPEAT_EVERY: u64 = 7;

/// Who gets a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// Those who have the token and asked for custom features.
    Custom(Asset),
    /// Those who have one of the market's tokens; the number tells levels of a batch apart.
    Level(usize),
    /// Those who have the token.
    Token(Asset),
    /// Those who asked for custom features.
    Everyone,
}

/// A frame and who gets it.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) to: Audience,
    pub(super) text: String,
}

/// The last trade, as it was printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastTrade {
    /// Price of the token that was printed.
    pub(super) price: u16,
    /// What the taker did with it.
    pub(super) side: Side,
}

/// One step of matching in one market.
#[derive(Debug)]
pub(super) struct Step {
    market: usize,
    nonce: u64,
    best_moved: bool,
    moves: Vec<Moved>,
    prints: Vec<Print>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    changed: Timestamp,
    quote: Quote,
    last: Option<LastTrade>,
}

/// What was said about every market.
#[derive(Debug, Default)]
pub(super) struct Tape {
    entries: Vec<Entry>,
    batches: u64,
}

impl Tape {
    /// Takes notice of markets that were not there before; says how many were known.
    pub(super) fn notice(&mut self, floor: &Floor, now: Timestamp) -> usize {
        let known = self.entries.len();
        for market in known..floor.listings.len() {
            let [yes, _] = Asset::both(market);
            let quote = yes.quote(&floor.books[market]);
            // Trades before the first look have no side; the price is that of YES.
            let last = floor.books[market]
                .last_trade()
                .map(|price| LastTrade { price: price.units(), side: Side::Bid });
            self.entries.push(Entry { changed: now, quote, last });
        }
        known
    }

    /// The last trade of a market.
    pub(super) fn last(&self, market: usize) -> Option<LastTrade> {
        self.entries.get(market).and_then(|entry| entry.last)
    }

    /// A token's book, stamped with the time of its last change, like the venue's: two readings of
    /// a book that did not move are equal, hash included.
    pub(super) fn image(&self, asset: Asset, floor: &Floor) -> Image {
        let entry = self.entries.get(asset.market);
        let changed = entry.map_or(Timestamp::ZERO, |entry| entry.changed);
        Image::of(asset, floor, changed, self.last(asset.market).map(|last| last.price))
    }

    /// Takes down what happened in one market.
    pub(super) fn note(
        &mut self,
        market: usize,
        facts: &[Fact],
        floor: &Floor,
        now: Timestamp,
    ) -> Step {
        self.batches = self.batches.wrapping_add(1);
        let nonce = self.batches;
        let prints = prints(market, facts, nonce);
        let [yes, _] = Asset::both(market);
        let quote = yes.quote(&floor.books[market]);
        let mut best_moved = false;
        if let Some(entry) = self.entries.get_mut(market) {
            best_moved = entry.quote != quote;
            entry.changed = now;
            entry.quote = quote;
            if let Some(print) = prints.last() {
                entry.last = Some(LastTrade { price: print.price.units(), side: print.side });
            }
        }
        Step { market, nonce, best_moved, moves: moves(facts), prints }
    }

    /// Turns the step that was noted last into frames.
    pub(super) fn frames(&self, step: &Step, floor: &Floor, now: Timestamp) -> Vec<Frame> {
        let (market, prints) = (step.market, &step.prints);
        let [yes, no] = Asset::both(market);
        let quote = yes.quote(&floor.books[market]);
        let images = [self.image(yes, floor), self.image(no, floor)];
        let tokens = [
            After { asset: yes, image: &images[0], quote },
            After { asset: no, image: &images[1], quote: no.quote(&floor.books[market]) },
        ];
        let mut frames = Vec::new();
        if step.best_moved {
            frames.extend(tokens.map(|token| Frame {
                to: Audience::Custom(token.asset),
                text: frame::best_bid_ask(token, now).to_string(),
            }));
        }
        push_levels(&mut frames, step, tokens, now);
        let listing = &floor.listings[market];
        frames.extend(prints.iter().map(|print| Frame {
            to: Audience::Token(print.asset),
            text: frame::last_trade_price(*print, listing, now).to_string(),
        }));
        if !prints.is_empty() {
            frames.extend(tokens.map(|token| Frame {
                to: Audience::Token(token.asset),
                text: token.image.frame().to_string(),
            }));
        }
        frames
    }

    /// Announces another tick: the change for each token, then the books that follow it.
    pub(super) fn ticks(
        &mut self,
        market: usize,
        old: u16,
        floor: &Floor,
        now: Timestamp,
    ) -> Vec<Frame> {
        if let Some(entry) = self.entries.get_mut(market) {
            entry.changed = now;
        }
        let listing = &floor.listings[market];
        let change = Asset::both(market).map(|asset| Frame {
            to: Audience::Token(asset),
            text: frame::tick_size_change(asset, listing, old, now).to_string(),
        });
        let books = Asset::both(market).map(|asset| Frame {
            to: Audience::Token(asset),
            text: self.image(asset, floor).frame().to_string(),
        });
        change.into_iter().chain(books).collect()
    }
}

fn push_levels(frames: &mut Vec<Frame>, step: &Step, tokens: [After<'_>; 2], now: Timestamp) {
    let swapped = [tokens[1], tokens[0]];
    let repeats = step.nonce.is_multiple_of(REPEAT_EVERY);
    let mut first_no = !step.nonce.is_multiple_of(2);
    for (level, moved) in step.moves.iter().enumerate() {
        let times = if repeats && moved.after.is_zero() { 2 } else { 1 };
        for _ in 0..times {
            // Either token may come first, and a repetition turns them around.
            let order = if first_no { swapped } else { tokens };
            let text = frame::price_change(*moved, order, now).to_string();
            frames.push(Frame { to: Audience::Level(level), text });
            first_no = !first_no;
        }
    }
}

/// The levels that are different after the batch, each once: first those on the side of the order
/// that took, which hold its remainder, then those it took from.
fn moves(facts: &[Fact]) -> Vec<Moved> {
    let mut levels: Vec<(Moved, Quantity)> = Vec::new();
    let mut taker_side = None;
    for fact in facts {
        match *fact {
            Fact::Trade { taker, .. } => taker_side = Some(taker),
            Fact::Level { side, price, before, after } => {
                let known = levels.iter_mut().find(|(m, _)| m.side == side && m.price == price);
                match known {
                    Some((moved, _)) => moved.after = after,
                    None => levels.push((Moved { side, price, after }, before)),
                }
            }
        }
    }
    levels.retain(|(moved, before)| moved.after != *before);
    if let Some(taker) = taker_side {
        levels.sort_by_key(|(moved, _)| moved.side != taker);
    }
    levels.into_iter().map(|(moved, _)| moved).collect()
}

/// The trades of a batch, one for each price, as one of the tokens prints them: who sells YES may
/// as well have bought NO.
fn prints(market: usize, facts: &[Fact], nonce: u64) -> Vec<Print> {
    let [yes, no] = Asset::both(market);
    let mut runs: Vec<(Price, Quantity, Side)> = Vec::new();
    for fact in facts {
        let Fact::Trade { price, quantity, taker, .. } = *fact else { continue };
        match runs.last_mut() {
            Some((last, sum, side)) if *last == price && *side == taker => {
                *sum = sum.saturating_add(quantity);
            }
            _ => runs.push((price, quantity, taker)),
        }
    }
    let print = |(index, (price, quantity, taker)): (u64, (Price, Quantity, Side))| {
        let asset = if taker == Side::Ask && !nonce.is_multiple_of(2) { no } else { yes };
        let (price, side) = (asset.price(price), asset.side(taker));
        debug_assert!(asset.outcome == Outcome::Yes || side == Side::Bid);
        // There are fewer than ten thousand prices, so no two trades share a nonce.
        Print { asset, price, quantity, side, nonce: nonce.wrapping_mul(10_000) + index }
    };
    (0..).zip(runs).map(print).collect()
}
