//! What goes wrong for those who trade: order requests, private channels, money, and the end of
//! markets, on top of what goes wrong for those who watch.

use std::time::Duration;

use crate::domain::{Price, Venue};
use crate::exchange::catalogue::{QUESTIONS, Relation};
use crate::exchange::dice::Dice;
use crate::exchange::world::World;

use super::{Fault, LASTS_MS, OrderFault, Reached, Resolution, Scheduled, schedule};

/// The first of these faults strikes when a client had time to place orders.
const FIRST_STEP: u64 = 90;
/// From one fault to the next at the same venue, in steps; those that last are over by then.
const SPACING: (i64, i64) = (55, 75);
/// How long after an order its trade is taken back or settles, in milliseconds.
const LATER_MS: (i64, i64) = (500, 4_000);
/// How long after its match a trade fails that fails late.
const MINUTES_MS: (i64, i64) = (60_000, 240_000);
/// How late a late answer is, in milliseconds: past most patience.
const LATE_MS: (i64, i64) = (300, 6_000);
/// How far reads lag behind.
const BEHIND_MS: (i64, i64) = (300, 2_000);
/// How far clocks are off: more than either venue accepts.
const SKEW_MS: (i64, i64) = (20_000, 90_000);
/// Markets resolve in the last quarter of a run, one question in four, at both venues.
const RESOLVING: usize = QUESTIONS.len() / 4;
/// How many steps lie between the ends of a question at the two venues, at most.
const APART_STEPS: (i64, i64) = (5, 60);

/// The kinds that strike both venues, and those of one venue only.
const SHARED: usize = 16;
const KALSHI: usize = SHARED + 1;
const POLYMARKET: usize = SHARED + 6;

/// Draws a schedule for a run of `steps` with everything of [`schedule`], and the faults of trading
/// at both venues: each kind once in random order, then again.
pub fn trading_schedule(seed: u64, steps: u64, world: &World) -> Vec<Scheduled> {
    let mut faults = schedule(seed, steps, world);
    for (purpose, venue) in (0_u64..).zip(Venue::ALL) {
        let mut dice = Dice::stream(seed, 0x7ade + purpose);
        let kinds = match venue {
            Venue::Kalshi => KALSHI,
            Venue::Polymarket => POLYMARKET,
        };
        let mut waiting: Vec<usize> = Vec::new();
        let mut step = FIRST_STEP + dice.between(0, SPACING.0).unsigned_abs();
        while step <= steps {
            if waiting.is_empty() {
                waiting = (0..kinds).collect();
            }
            let kind = waiting.swap_remove(dice.index(waiting.len()));
            faults.push(Scheduled { step, venue, fault: draw(venue, kind, &mut dice) });
            step += dice.between(SPACING.0, SPACING.1).unsigned_abs();
        }
    }
    faults.extend(endings(seed, steps));
    faults.extend(stops(seed, steps));
    faults.sort_by_key(|scheduled| scheduled.step);
    faults
}

/// Lets every other match that fails to settle do so only minutes later.
pub fn fail_late(faults: &mut [Scheduled], seed: u64) {
    let mut dice = Dice::stream(seed, 0x1a7ef);
    for scheduled in faults {
        if let Fault::Order(OrderFault::SettlementFails(after)) = &mut scheduled.fault
            && dice.chance(500)
        {
            *after = Duration::from_millis(dice.between(MINUTES_MS.0, MINUTES_MS.1).unsigned_abs());
        }
    }
}

fn draw(venue: Venue, kind: usize, dice: &mut Dice) -> Fault {
    let mut span = |(low, high)| Duration::from_millis(dice.between(low, high).unsigned_abs());
    let (lasts, later, late, behind) =
        (span(LASTS_MS), span(LATER_MS), span(LATE_MS), span(BEHIND_MS));
    let status = [500, 502, 503, 504][dice.index(4)];
    let order = match kind {
        0 => OrderFault::Held(Reached::Yes),
        1 => OrderFault::Held(Reached::No),
        2 => OrderFault::Cut(Reached::Yes),
        3 => OrderFault::Cut(Reached::No),
        4 => OrderFault::Failing(Reached::Yes, status),
        5 => OrderFault::Failing(Reached::No, status),
        6 => OrderFault::LateAnswer(late),
        7 => OrderFault::NothingThere,
        8 => OrderFault::Partly(u8::try_from(dice.between(5, 90)).unwrap_or(50)),
        9 => OrderFault::BetterPrice,
        _ => return lasting(venue, kind, (lasts, later, behind)),
    };
    Fault::Order(order)
}

/// The faults that last, and those of one venue.
fn lasting(
    venue: Venue,
    kind: usize,
    (lasts, later, behind): (Duration, Duration, Duration),
) -> Fault {
    match (venue, kind) {
        (_, 10) => Fault::Jumbled { lasts },
        (_, 11) => Fault::PrivateSilence { lasts },
        (_, 12) => Fault::CancelsDenied { lasts },
        (_, 13) => Fault::ReadLag { behind, lasts },
        (_, 14) => Fault::NoFunds { lasts },
        (_, 15) => Fault::TradingPause { lasts },
        (Venue::Kalshi, _) => Fault::Order(OrderFault::Bust(later)),
        (Venue::Polymarket, 16) => {
            Fault::Order(OrderFault::Delayed { lasts: later, matches: true })
        }
        (Venue::Polymarket, 17) => {
            Fault::Order(OrderFault::Delayed { lasts: later, matches: false })
        }
        (Venue::Polymarket, 18) => Fault::Order(OrderFault::SettlementFails(later)),
        (Venue::Polymarket, 19) => Fault::Order(OrderFault::SettlesLate(later)),
        (Venue::Polymarket, 20) => Fault::Order(OrderFault::SuccessWithError),
        (Venue::Polymarket, _) => Fault::Restart { away: lasts, post_only: lasts },
    }
}

/// Keys and clocks fail in the last eighth of a run, once at each venue: whoever meets this stops
/// trading, and that ought not to hide what comes before.
fn stops(seed: u64, steps: u64) -> Vec<Scheduled> {
    let mut dice = Dice::stream(seed, 0x57a9);
    let eighth = i64::try_from(steps / 8).unwrap_or(i64::MAX);
    let mut stops = Vec::new();
    for venue in Venue::ALL {
        let mut step = || steps - steps / 8 + dice.between(0, eighth).unsigned_abs();
        let at = [step(), step()];
        let lasts = Duration::from_millis(dice.between(LASTS_MS.0, LASTS_MS.1).unsigned_abs());
        let ms = dice.between(SKEW_MS.0, SKEW_MS.1);
        let ms = if dice.chance(500) { ms } else { -ms };
        let faults = [Fault::KeyRevoked { lasts }, Fault::ClockSkew { ms, lasts }];
        stops.extend(at.into_iter().zip(faults).map(|(step, fault)| Scheduled {
            step,
            venue,
            fault,
        }));
    }
    stops
}

/// The ends of a few questions: as a rule both venues agree on them, now and then one is void.
fn endings(seed: u64, steps: u64) -> Vec<Scheduled> {
    let mut dice = Dice::stream(seed, 0xe4d);
    let mut questions: Vec<usize> = (0..QUESTIONS.len()).collect();
    let mut ends = Vec::new();
    for _ in 0..RESOLVING {
        let market = questions.swap_remove(dice.index(questions.len()));
        let quarter = i64::try_from(steps / 4).unwrap_or(i64::MAX);
        let mut step = steps - steps / 4 + dice.between(0, quarter).unsigned_abs();
        let yes = dice.chance(500);
        for (place, venue) in Venue::ALL.into_iter().enumerate() {
            let mirrored = place == 1 && QUESTIONS[market].relation == Relation::Opposite;
            let resolution = match (dice.chance(150), yes == mirrored) {
                (true, _) => Resolution::Value(void(&mut dice)),
                (false, false) => Resolution::Yes,
                (false, true) => Resolution::No,
            };
            let pays_after =
                Duration::from_millis(dice.between(LATER_MS.0, LATER_MS.1).unsigned_abs());
            let fault = Fault::Resolve { market, resolution, pays_after };
            ends.push(Scheduled { step: step.min(steps), venue, fault });
            step += dice.between(APART_STEPS.0, APART_STEPS.1).unsigned_abs();
        }
    }
    ends
}

/// Fifty-fifty, or some last price.
fn void(dice: &mut Dice) -> Price {
    let units = if dice.chance(500) { 5_000 } else { dice.between(1_000, 9_000) };
    u16::try_from(units).ok().and_then(Price::from_units).unwrap_or(Price::MIN)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn watchers_faults_are_all_there_and_unchanged() {
        let world = World::new(1);
        let all = trading_schedule(7, 3_000, &world);
        assert!(schedule(7, 3_000, &world).iter().all(|fault| all.contains(fault)));
        assert_eq!(all, trading_schedule(7, 3_000, &world));
        assert!(all.windows(2).all(|pair| pair[0].step <= pair[1].step));
    }

    #[test]
    fn every_kind_of_trading_fault_strikes_each_venue_that_has_it() {
        let faults = trading_schedule(3, 1_900, &World::new(1));
        let names = |venue| {
            let of = faults.iter().filter(|fault| fault.venue == venue);
            of.map(|fault| fault.fault.name()).collect::<BTreeSet<_>>()
        };
        // Eight kinds for watchers, the end of markets, keys and clocks.
        assert_eq!(names(Venue::Kalshi).len(), 8 + KALSHI + 3);
        assert_eq!(names(Venue::Polymarket).len(), 8 + POLYMARKET + 3);
    }

    #[test]
    fn some_matches_fail_minutes_later_and_nothing_else_changes() {
        let usual = trading_schedule(3, 6_000, &World::new(1));
        let mut late = usual.clone();
        fail_late(&mut late, 3);
        let changed: Vec<_> = usual.iter().zip(&late).filter(|(a, b)| a != b).collect();
        assert!(!changed.is_empty());
        for (before, after) in changed {
            assert_eq!((before.step, before.fault.name()), (after.step, "settlement_fails"));
            let Fault::Order(OrderFault::SettlementFails(span)) = after.fault else { panic!() };
            assert!(span >= Duration::from_secs(60));
        }
    }

    #[test]
    fn few_markets_resolve_and_late() {
        for seed in 0..50 {
            let steps = 1_000 + seed * 37;
            let faults = trading_schedule(seed, steps, &World::new(1));
            let mut resolved = BTreeSet::new();
            for scheduled in &faults {
                if let Fault::Resolve { market, .. } = scheduled.fault {
                    assert!(scheduled.step >= steps - steps / 4 && scheduled.step <= steps);
                    resolved.insert((scheduled.venue, market));
                }
            }
            assert_eq!(resolved.len(), 2 * RESOLVING, "both venues, the same questions");
        }
    }
}
