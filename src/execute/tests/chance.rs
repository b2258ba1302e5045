//! Trades against venues that answer by chance: late, twice, never, in any order.
//!
//! The venue here knows the truth. Whatever it tells and does not tell, what the executor counts as
//! at risk is never less than what the venue has really taken, no intent is placed twice, and in
//! the end the books are the venue's own.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use crate::domain::report::{Fee, Refused, Total};
use crate::domain::{
    Action, Evidence, Fill, Finality, IntentId, Money, Order, Outcome, Price, Quantity, Report,
    Size, Timestamp, TradeId, Venue,
};
use crate::execute::{Act, Sight as _, Tracked};
use crate::plan::Stages;

use super::scene::{KALSHI, POLYMARKET, Scene, money, over, plan, quantity, refused};

/// An order that never arrived is known to be missing after two answers from more than five seconds
/// on: asked for with pauses that grow to ten seconds, the last up to four seconds on its way.
const OPEN_MAX: Duration = Duration::from_secs(30);

/// The pauses between attempts in vain double: after ten of them they are longer than any order is
/// open, so that there is a moment without one.
const REST_MAX: Duration = Duration::from_secs(10 * OPEN_MAX.as_secs());

/// A source of chance that a seed decides.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % bound
    }

    fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// What really became of an order.
#[derive(Debug)]
struct Real {
    order: Order,
    /// Whether the request ever arrived.
    is_there: bool,
    /// Each fill, what it comes to, and when.
    fills: Vec<(Fill, Finality, Timestamp)>,
}

impl Real {
    fn total(&self) -> Total {
        self.fills.iter().fold(Total::default(), |sum, (fill, ..)| Total {
            quantity: sum.quantity.saturating_add(fill.quantity),
            money: sum.money + fill.money,
        })
    }

    /// A fill as the venue sees it at a time.
    fn seen(fill: &(Fill, Finality, Timestamp), now: Timestamp) -> Fill {
        let finality = if now >= fill.2 { fill.1 } else { fill.0.finality };
        Fill { finality, ..fill.0.clone() }
    }

    /// Contracts and dollars that are really gone or there, fees included.
    fn standing(&self, now: Timestamp) -> (i64, Money) {
        let sign = if self.order.action == Action::Buy { 1 } else { -1 };
        self.fills
            .iter()
            .map(|fill| Self::seen(fill, now))
            .filter(|fill| fill.finality != Finality::Failed)
            .fold((0, Money::ZERO), |(count, cash), fill| {
                let moved = if sign > 0 { -fill.money } else { fill.money };
                (count + sign * fill.quantity.units(), cash + moved - fill.fee.amount())
            })
    }
}

/// Both venues.
#[derive(Debug)]
struct Venues {
    dice: Dice,
    orders: BTreeMap<IntentId, Real>,
    /// What is on its way to us.
    post: Vec<(Timestamp, Report)>,
    fills: u32,
}

impl Venues {
    fn later(&mut self, now: Timestamp) -> Timestamp {
        now.after(Duration::from_millis(self.dice.below(4_000)))
    }

    fn send(&mut self, now: Timestamp, intent: IntentId, evidence: &Evidence) {
        for _ in 0..=self.dice.below(2) {
            let due = self.later(now);
            self.post.push((due, Report::Order { intent, evidence: evidence.clone() }));
        }
    }

    fn place(&mut self, order: &Order, scene: &Scene) {
        let now = scene.now;
        assert!(!self.orders.contains_key(&order.intent), "placed twice");
        let is_there = !self.dice.once_in(8);
        let mut real = Real { order: order.clone(), is_there, fills: Vec::new() };
        if is_there && !self.dice.once_in(5) {
            for _ in 0..=self.dice.below(2) {
                real.fills.extend(self.fill(&real, scene));
            }
        }
        let is_refused = is_there && real.fills.is_empty() && self.dice.once_in(2);
        if is_refused {
            self.send(now, order.intent, &refused(Refused::NoMatch));
        } else if is_there && !self.dice.once_in(4) {
            self.send(now, order.intent, &over(Some(real.total())));
        } else if self.dice.once_in(2) {
            self.send(now, order.intent, &Evidence::Unclear("by chance".to_owned()));
        }
        for fill in &real.fills {
            if !self.dice.once_in(4) {
                self.send(now, order.intent, &Evidence::Fill(fill.0.clone()));
            }
        }
        self.orders.insert(order.intent, real);
    }

    /// Fills a part of what is left of an order, or all of it.
    fn fill(&mut self, real: &Real, scene: &Scene) -> Option<(Fill, Finality, Timestamp)> {
        let (order, total) = (&real.order, real.total());
        let better = order.action == Action::Buy && self.dice.once_in(3);
        let units = order.limit.units() - if better { 100 } else { 0 };
        let at = Price::from_units(units)?;
        let left = match order.size {
            Size::Contracts(all) => all.saturating_sub(total.quantity),
            Size::Collateral(all) => (all - total.money).buys_floor(at),
        };
        let part = match self.dice.below(3) {
            0 => left.units() / 3,
            _ => left.units(),
        };
        let grain = if order.venue == Venue::Kalshi { Quantity::LOT } else { 100 };
        let count = Quantity::from_units(part)?.floor_to(grain);
        if count.is_zero() {
            return None;
        }
        self.fills += 1;
        let fee = scene.world.fee(order.market, scene.now)?.estimate(at, count);
        let is_final = order.venue == Venue::Kalshi;
        let fill = Fill {
            trade: format!("c{}", self.fills),
            quantity: count,
            money: Money::cost_floor(at, count),
            fee: if is_final { Fee::Reported(fee) } else { Fee::Computed(fee) },
            finality: if is_final { Finality::Confirmed } else { Finality::Matched },
            at: scene.now,
        };
        let end = match is_final || !self.dice.once_in(8) {
            true => Finality::Confirmed,
            false => Finality::Failed,
        };
        Some((fill, end, self.later(scene.now)))
    }

    fn answer(&mut self, intent: IntentId, now: Timestamp) {
        let Some(real) = self.orders.get(&intent) else { return };
        if !real.is_there {
            self.send(now, intent, &Evidence::NotFound { as_of: now });
            return;
        }
        let total = real.total();
        let fills: Vec<Fill> = real.fills.iter().map(|fill| Real::seen(fill, now)).collect();
        self.send(now, intent, &over(Some(total)));
        for fill in fills {
            self.send(now, intent, &Evidence::Fill(fill));
        }
    }

    fn serve(&mut self, scene: &mut Scene) {
        for act in std::mem::take(&mut scene.acts) {
            match act {
                Act::Place(order) => self.place(&order, scene),
                Act::Inquire(intent) => self.answer(intent, scene.now),
                Act::Merge { market, quantity, .. } => {
                    let due = self.later(scene.now);
                    self.post.push((due, Report::Merged { market, quantity, at: due }));
                }
                Act::Write(_)
                | Act::Adopt { .. }
                | Act::Cancel(_)
                | Act::Review { .. }
                | Act::Redeem { .. } => {}
            }
        }
        let now = scene.now;
        let mut due = Vec::new();
        self.post.retain(|(at, report)| {
            if *at <= now {
                due.push(report.clone());
            }
            *at > now
        });
        for report in due {
            scene.say(&report);
        }
    }

    /// What the account really holds and what its money really did, at one venue.
    fn standing(&self, venue: Venue, outcome: Outcome, now: Timestamp) -> (i64, Money) {
        let mut sum = (0, Money::ZERO);
        for real in self.orders.values().filter(|real| real.order.venue == venue) {
            let (count, cash) = real.standing(now);
            sum.1 += cash;
            if real.order.outcome == outcome {
                sum.0 += count;
            }
        }
        sum
    }
}

/// What is counted at risk covers what is really gone.
fn covers(scene: &Scene, venues: &Venues) {
    let exposure = scene.executor.exposure(TradeId(1)).unwrap_or_default();
    let mut beyond = Money::ZERO;
    for (at, venue) in Venue::ALL.into_iter().enumerate() {
        let (held, cash) = venues.standing(venue, Outcome::Yes, scene.now);
        let other = venues.standing(venue, Outcome::No, scene.now).0;
        if held == 0 && other == 0 {
            continue;
        }
        beyond += (-cash - exposure.legs[at].dollars).max(Money::ZERO);
    }
    let phase = scene.phase();
    assert!(beyond <= exposure.reserve, "{beyond} beyond {exposure:?} while {phase}");
}

/// No order stays open for long: the venue answers whenever it is asked.
fn closes(scene: &Scene) {
    for tracked in scene.executor.state().pending().filter(|tracked| !tracked.is_final()) {
        let end = tracked.order().at.after(OPEN_MAX);
        assert!(scene.now < end, "{tracked} is not final at {}", scene.now);
    }
}

fn step(scene: &mut Scene, venues: &mut Venues) {
    venues.serve(scene);
    covers(scene, venues);
    closes(scene);
    scene.wait(100);
    if venues.dice.once_in(40) {
        let bid = if venues.dice.once_in(2) { "0.40" } else { "0.36" };
        scene.world.bid(KALSHI, Outcome::Yes, &[(bid, "500")]);
    }
}

fn run(seed: u64, stages: Stages) {
    let mut scene = Scene::opened(stages);
    let mut venues =
        Venues { dice: Dice(seed | 1), orders: BTreeMap::new(), post: Vec::new(), fills: 0 };
    for _ in 0..900 {
        step(&mut scene, &mut venues);
    }
    // A leg that no order frees is tried again for ever: the scene may end in the midst of such an
    // order, and the books are compared as soon as none is open.
    let last = scene.now.after(REST_MAX);
    while !scene.executor.state().pending().all(Tracked::is_final) && scene.now < last {
        step(&mut scene, &mut venues);
    }
    assert!(scene.executor.state().pending().all(Tracked::is_final), "never at rest");
    for (at, venue) in Venue::ALL.into_iter().enumerate() {
        let market = [KALSHI, POLYMARKET][at];
        let ledger = scene.executor.state().ledger();
        for outcome in [Outcome::Yes, Outcome::No] {
            let (count, cash) = venues.standing(venue, outcome, scene.now);
            let merged = ledger.cash(venue).merged;
            assert_eq!(ledger.cash(venue).total() - merged, cash, "{venue} cash");
            assert_eq!(
                ledger.held(market, outcome).units(),
                count - merged.micros(),
                "{venue} {outcome}, {:?}",
                scene.phase()
            );
        }
    }
    let phase = scene.executor.state().trade(TradeId(1)).unwrap().phase;
    assert!(phase.is_quiet() || phase.is_stranded(), "{phase:?} with nothing left to wait for");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_venues_tell_the_books_end_as_theirs(seed in any::<u64>(), stages in 0u8..3) {
        run(seed, match stages {
            0 => Stages::First(Venue::Polymarket),
            1 => Stages::First(Venue::Kalshi),
            _ => Stages::Together,
        });
    }
}

/// Scenes whose ninety seconds end in the midst of an order.
#[test]
fn the_last_order_is_waited_for() {
    run(11_648_484_115_796_388_710, Stages::Together);
    run(10_929_873_543_211_903_584, Stages::Together);
    run(7_029_896_094_891_848_064, Stages::First(Venue::Kalshi));
}

#[test]
fn chance_is_the_same_every_time() {
    let draw = || {
        let mut dice = Dice(7);
        [dice.below(1_000), dice.below(1_000), dice.below(1_000)]
    };
    assert_eq!(draw(), draw());
    let plan = plan(Stages::Together);
    assert_eq!((plan.quantity, plan.reserve), (quantity("100"), money("10")));
}
