//! Both exchanges' floors and the agents on them, moved step by step from a seed.
//!
//! The history of the markets depends on the seed, the number of steps and the faults that touch
//! the markets at given steps, and on nothing else: [`World::digest`] proves it.

use sha2::{Digest, Sha256};

use crate::domain::{Side, Timestamp, Venue};

use super::agents::{self, Opinion, Stall};
use super::catalogue::{self, QUESTIONS, Relation};
use super::dice::Dice;
use super::matching::Book;
use super::{Fact, Floor};

/// What one step did: per market that saw anything, one batch of facts in their order.
pub type Batches = Vec<(Venue, usize, Vec<Fact>)>;

/// Both floors and everyone who trades there.
#[derive(Debug)]
pub struct World {
    /// Kalshi's markets.
    pub kalshi: Floor,
    /// Polymarket's markets.
    pub polymarket: Floor,
    opinions: Vec<Opinion>,
    /// Per venue and market: the step from which on the agents trade again after a pause.
    resumes: [Vec<Option<u64>>; 2],
    steps: u64,
    history: Sha256,
}

impl World {
    /// Lists the catalogue on both venues and lets the makers set up their first quotes.
    pub fn new(seed: u64) -> Self {
        let opinions = QUESTIONS
            .iter()
            .zip(0_u64..)
            .map(|(question, number)| Opinion::new(question.anchor, Dice::stream(seed, number + 1)))
            .collect::<Vec<_>>();
        let resumes = [vec![None; QUESTIONS.len()], vec![None; QUESTIONS.len()]];
        let mut world = Self {
            kalshi: floor(Venue::Kalshi),
            polymarket: floor(Venue::Polymarket),
            opinions,
            resumes,
            steps: 0,
            history: Sha256::new(),
        };
        world.step(Timestamp::ZERO);
        world
    }

    /// A venue's floor.
    pub const fn floor(&self, venue: Venue) -> &Floor {
        match venue {
            Venue::Kalshi => &self.kalshi,
            Venue::Polymarket => &self.polymarket,
        }
    }

    /// A venue's floor, to be changed.
    pub const fn floor_mut(&mut self, venue: Venue) -> &mut Floor {
        match venue {
            Venue::Kalshi => &mut self.kalshi,
            Venue::Polymarket => &mut self.polymarket,
        }
    }

    /// How many steps were made; the first quotes are step one.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// Keeps the agents out of a market for so many steps. The pause of the market itself is the
    /// `Core`'s affair; counting steps here keeps the history free of wall time.
    pub fn pause(&mut self, venue: Venue, market: usize, steps: u64) {
        let until = self.steps + steps;
        if let Some(entry) = self.resumes[place(venue)].get_mut(market) {
            *entry = Some(entry.map_or(until, |present| present.max(until)));
        }
    }

    /// Lets every agent act once. Markets that are past their close stand still.
    pub fn step(&mut self, now: Timestamp) -> Batches {
        self.steps += 1;
        let step = self.steps;
        let mut batches = Vec::new();
        for (market, opinion) in self.opinions.iter_mut().enumerate() {
            let mirrored = QUESTIONS[market].relation == Relation::Opposite;
            let mut stalls = [
                stall(&mut self.kalshi, market, now, false),
                stall(&mut self.polymarket, market, now, mirrored),
            ];
            for (venue, stall) in stalls.iter_mut().enumerate() {
                let entry = &mut self.resumes[venue][market];
                match *entry {
                    Some(until) if step <= until => stall.open = false,
                    Some(_) => {
                        // "When a market goes inactive and active again, all its resting orders
                        // are cancelled" (Kalshi, maintenance and pauses).
                        agents::withdraw(stall);
                        *entry = None;
                    }
                    None => {}
                }
            }
            opinion.step(step, &mut stalls);
            for (stall, venue) in stalls.into_iter().zip(Venue::ALL) {
                if !stall.facts.is_empty() {
                    batches.push((venue, market, stall.facts));
                }
            }
        }
        for (venue, market, facts) in &batches {
            note(&mut self.history, step, *venue, *market, facts);
        }
        batches
    }

    /// The SHA-256 of the whole market history of both exchanges, in hex.
    pub fn digest(&self) -> String {
        super::hex(&self.history.clone().finalize())
    }
}

const fn place(venue: Venue) -> usize {
    match venue {
        Venue::Kalshi => 0,
        Venue::Polymarket => 1,
    }
}

fn floor(venue: Venue) -> Floor {
    let listings = catalogue::listings(venue);
    let books = listings.iter().map(|_| Book::default()).collect();
    Floor { venue, listings, books }
}

fn stall(floor: &mut Floor, market: usize, now: Timestamp, mirrored: bool) -> Stall<'_> {
    let listing = &floor.listings[market];
    Stall {
        book: &mut floor.books[market],
        bands: &listing.bands,
        rate: listing.rate,
        mirrored,
        open: now < listing.closes,
        facts: Vec::new(),
    }
}

/// Adds a batch to the history: fixed-width numbers, so that no two histories look alike.
fn note(history: &mut Sha256, step: u64, venue: Venue, market: usize, facts: &[Fact]) {
    history.update(step.to_be_bytes());
    history.update([u8::from(venue == Venue::Polymarket)]);
    history.update(u64::try_from(market).unwrap_or(u64::MAX).to_be_bytes());
    history.update(u64::try_from(facts.len()).unwrap_or(u64::MAX).to_be_bytes());
    for fact in facts {
        let (kind, side, price, first, second) = match *fact {
            Fact::Level { side, price, before, after } => {
                (0_u8, side, price, before.units(), after.units())
            }
            Fact::Trade { price, quantity, taker, .. } => (1, taker, price, quantity.units(), 0),
        };
        history.update([kind, u8::from(side == Side::Ask)]);
        history.update(price.units().to_be_bytes());
        history.update(first.to_be_bytes());
        history.update(second.to_be_bytes());
    }
}

#[cfg(test)]
mod tests;
