//! Two small floors, and the few who quote and trade there.
//!
//! The catalogue's own agents keep books that are deep and never still. Here a book has a handful
//! of levels and moves a few times a second, so that thousands of seeds fit into minutes; gaps
//! between the venues open more often, and on request.

use std::sync::OnceLock;
use std::time::Duration;

use crossbook::domain::market::Status;
use crossbook::domain::{Price, Quantity, Side, Timestamp, Venue};
use crossbook::exchange::catalogue::Relation;
use crossbook::exchange::dice::Dice;
use crossbook::exchange::matching::{Book, Owner, Remainder};
use crossbook::exchange::world::World;
use crossbook::exchange::{Fact, Floor, Listing};

use crate::harness::at;

use super::process;

/// What happened in one market in one breath.
pub(super) type Batch = (Venue, usize, Vec<Fact>);

const MAKER: Owner = Owner(1);
const NOISE: Owner = Owner(100);
/// Levels a side.
const LEVELS: i64 = 4;
/// Contracts at a level.
const SIZE: (i64, i64) = (8, 140);
/// Cents between what the makers of the two venues believe after news: both spreads and both fees
/// are paid out of it, and it stays below what is too good to be true.
const GAP: (i64, i64) = (8, 13);
/// How long the makers of one venue stay behind.
const LAG_MS: (i64, i64) = (700, 6_000);
/// Values stay where both sides have room.
const FAIR: (i64, i64) = (22, 78);
/// How often things happen, per thousand breaths of a question or of a market.
const NEWS: u64 = 55;
const DRIFT: u64 = 60;
const RESTOCK: u64 = 350;
const RESIZE: u64 = 160;
const TRADE: u64 = 40;

/// What one question is worth, and what each venue's makers hold it to be worth: cents of Kalshi's
/// YES.
#[derive(Debug, Clone, Copy)]
struct Value {
    fair: i64,
    believed: [i64; 2],
    /// Whether Polymarket's YES is Kalshi's NO.
    mirrored: bool,
    /// Whose makers are behind, and until when.
    lag: Option<(usize, Timestamp)>,
    /// Whether the markets took orders a breath ago.
    open: [bool; 2],
}

/// Both floors.
#[derive(Debug)]
pub(super) struct Square {
    pub(super) floors: [Floor; 2],
    values: Vec<Value>,
    dice: Dice,
}

/// The catalogue's listings; a world is made once to read them.
fn listings() -> &'static [Vec<Listing>; 2] {
    static LISTINGS: OnceLock<[Vec<Listing>; 2]> = OnceLock::new();
    LISTINGS.get_or_init(|| {
        let world = World::new(0);
        Venue::ALL.map(|venue| world.floor(venue).listings.clone())
    })
}

impl Square {
    /// Lists these questions of the catalogue, with quotes.
    pub(super) fn new(seed: u64, questions: &[usize]) -> Self {
        let mut dice = Dice::stream(seed, 0x59a4);
        let floors = Venue::ALL.map(|venue| {
            let listings: Vec<_> =
                questions.iter().map(|at_| listings()[at(venue)][*at_].clone()).collect();
            let books = listings.iter().map(|_| Book::default()).collect();
            Floor { venue, listings, books }
        });
        let pairs = process::pairs();
        let values = questions.iter().map(|question| {
            let fair = dice.between(FAIR.0 + 10, FAIR.1 - 10);
            let mirrored = pairs[*question].relation == Relation::Opposite;
            Value { fair, believed: [fair; 2], mirrored, lag: None, open: [true; 2] }
        });
        let values = values.collect();
        let mut square = Self { floors, values, dice };
        for market in 0..questions.len() {
            for venue in 0..2 {
                square.quote(venue, market, &mut Vec::new());
            }
        }
        square
    }

    /// Everybody acts, or not.
    pub(super) fn breathe(&mut self, now: Timestamp) -> Vec<Batch> {
        let mut batches = Vec::new();
        // Nobody acts in the last market yet.
        for market in 0..self.values.len() - 1 {
            let before = self.values[market].believed;
            self.learn(market, now);
            for (place, venue) in Venue::ALL.into_iter().enumerate() {
                let mut facts = Vec::new();
                let moved = before[place] != self.values[market].believed[place];
                self.act(place, market, moved, now, &mut facts);
                if !facts.is_empty() {
                    batches.push((venue, market, facts));
                }
            }
        }
        batches
    }

    /// Only the makers act, and nothing is worth anything else than before: books fill up again.
    pub(super) fn refill(&mut self, now: Timestamp) -> Vec<Batch> {
        let mut batches = Vec::new();
        for market in 0..self.values.len() {
            for (place, venue) in Venue::ALL.into_iter().enumerate() {
                let mut facts = Vec::new();
                if self.is_open(place, market, now) {
                    self.quote(place, market, &mut facts);
                }
                if !facts.is_empty() {
                    batches.push((venue, market, facts));
                }
            }
        }
        batches
    }

    /// Opens a gap in a market that pays for both legs, and leaves it open until it is closed.
    pub(super) fn plant(&mut self, market: usize) {
        let value = &mut self.values[market];
        value.fair = value.fair.clamp(FAIR.0 + GAP.1, FAIR.1 - GAP.1);
        let behind = usize::from(value.fair % 2 == 0);
        value.believed = [value.fair; 2];
        value.believed[behind] += GAP.0 + 2;
        value.lag = Some((behind, Timestamp::MAX));
    }

    /// Lets both venues' makers believe the same.
    pub(super) fn calm(&mut self) {
        for value in &mut self.values {
            value.believed = [value.fair; 2];
            value.lag = None;
        }
    }

    fn learn(&mut self, market: usize, now: Timestamp) {
        let news = self.dice.chance(NEWS);
        let drift = self.dice.chance(DRIFT);
        let value = &mut self.values[market];
        match value.lag {
            Some((_, until)) if now < until => return,
            Some((behind, _)) => {
                value.believed[behind] = value.fair;
                value.lag = None;
            }
            None => {}
        }
        if drift {
            value.fair = (value.fair + self.dice.between(-1, 1)).clamp(FAIR.0, FAIR.1);
            value.believed = [value.fair; 2];
        }
        if news {
            let gap = self.dice.between(GAP.0, GAP.1);
            let up = if value.fair - gap < FAIR.0 {
                true
            } else {
                value.fair + gap <= FAIR.1 && self.dice.chance(500)
            };
            let behind = self.dice.index(2);
            value.fair += if up { gap } else { -gap };
            value.believed[1 - behind] = value.fair;
            let lag = self.dice.between(LAG_MS.0, LAG_MS.1).unsigned_abs();
            value.lag = Some((behind, now.after(Duration::from_millis(lag))));
        }
    }

    fn is_open(&self, place: usize, market: usize, now: Timestamp) -> bool {
        let listing = &self.floors[place].listings[market];
        listing.status == Status::Open && now < listing.closes
    }

    fn act(
        &mut self,
        place: usize,
        market: usize,
        moved: bool,
        now: Timestamp,
        facts: &mut Vec<Fact>,
    ) {
        let open = self.is_open(place, market, now);
        let was_open = std::mem::replace(&mut self.values[market].open[place], open);
        if !open {
            return;
        }
        // "When a market goes inactive and active again, all its resting orders are cancelled"
        // (Kalshi, maintenance and pauses): the makers begin anew.
        let resumed = !was_open;
        if resumed {
            let book = &mut self.floors[place].books[market];
            let own: Vec<_> = book.orders_of(MAKER).map(|order| order.0).collect();
            for number in own {
                book.cancel(number, facts);
            }
        }
        if moved || resumed || self.dice.chance(RESTOCK) {
            self.quote(place, market, facts);
        }
        if self.dice.chance(RESIZE) {
            self.resize(place, market, facts);
        }
        if self.dice.chance(TRADE) {
            let side = if self.dice.chance(500) { Side::Bid } else { Side::Ask };
            let quantity = Quantity::contracts(u32::try_from(self.dice.between(3, 60)).unwrap());
            let book = &mut self.floors[place].books[market];
            let against = if side == Side::Bid { Side::Ask } else { Side::Bid };
            if let Some((price, _)) = book.best(against) {
                book.submit(NOISE, side, price, quantity, Remainder::Dropped, facts);
            }
        }
    }

    /// The makers' ladder is where it belongs: first all cancels, then all new quotes.
    fn quote(&mut self, place: usize, market: usize, facts: &mut Vec<Fact>) {
        let value = self.values[market];
        let middle = value.believed[place];
        let middle = if value.mirrored && place == 1 { 100 - middle } else { middle };
        let price = |cents: i64| Price::from_units(u16::try_from(cents * 100).unwrap()).unwrap();
        let wanted: Vec<(Side, Price)> = (1..=LEVELS)
            .flat_map(|step| [(Side::Bid, price(middle - step)), (Side::Ask, price(middle + step))])
            .collect();
        let book = &mut self.floors[place].books[market];
        let own: Vec<_> =
            book.orders_of(MAKER).map(|(n, side, price, _)| (n, side, price)).collect();
        for (number, side, price) in &own {
            if !wanted.contains(&(*side, *price)) {
                book.cancel(*number, facts);
            }
        }
        for (side, price) in wanted {
            if !own.iter().any(|order| (order.1, order.2) == (side, price)) {
                let quantity = size(&mut self.dice);
                book.submit(MAKER, side, price, quantity, Remainder::Rests, facts);
            }
        }
    }

    fn resize(&mut self, place: usize, market: usize, facts: &mut Vec<Fact>) {
        let book = &mut self.floors[place].books[market];
        let own: Vec<_> = book.orders_of(MAKER).collect();
        let Some((number, side, price, _)) = own.get(self.dice.index(own.len())).copied() else {
            return;
        };
        book.cancel(number, facts);
        let quantity = size(&mut self.dice);
        book.submit(MAKER, side, price, quantity, Remainder::Rests, facts);
    }
}

/// Whole contracts, or now and then a size with two decimals.
fn size(dice: &mut Dice) -> Quantity {
    let contracts = dice.between(SIZE.0, SIZE.1);
    let lots = if dice.chance(250) { dice.between(1, 99) } else { 0 };
    Quantity::from_units(contracts * Quantity::CONTRACT + lots * Quantity::LOT).unwrap()
}
