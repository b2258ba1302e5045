//! Which orders the budgets let out, which wait, and which are kept back.

use super::*;
use crate::execute::trade_state::{End, Phase, Way};

const NOTHING: [u64; 0] = [];

/// A desk whose venues grant so many orders each.
pub(super) struct Rig {
    pub(super) desk: Desk,
    pub(super) now: Timestamp,
    intents: u64,
    ears: [Ear; 2],
}

impl Rig {
    pub(super) fn new(kalshi: u64, polymarket: u64) -> Self {
        let ear = |(venue, grants)| {
            let ear = Ear::new(venue);
            *ear.grants.lock().unwrap() = Some(grants);
            ear
        };
        let ears = [(Venue::Kalshi, kalshi), (Venue::Polymarket, polymarket)].map(ear);
        let desk = desk_of(ears.clone().map(|ear| Box::new(ear) as Box<dyn Gateway>).into());
        let now = Timestamp::from_secs(1_000);
        Self { desk, now, intents: 0, ears }
    }

    fn moved(&mut self, trade: u64, to: Phase) {
        let (trade, to, why) = (TradeId(trade), to.name(), String::new());
        let record = Record::Moved { trade, to, why, at: self.now };
        self.desk.act(&Act::Write(record), &NoMarkets, self.now);
    }

    fn place(&mut self, trade: u64, venue: Venue, purpose: Purpose) -> IntentId {
        self.intents += 1;
        let intent = IntentId(self.intents);
        let placed = Order { trade: TradeId(trade), venue, purpose, ..order(intent.0) };
        self.desk.act(&Act::Place(placed), &NoMarkets, self.now);
        intent
    }

    /// A trade begins with Polymarket's leg.
    fn enter(&mut self, trade: u64) -> IntentId {
        self.moved(trade, Phase::FirstLeg);
        let intent = self.place(trade, Venue::Polymarket, Purpose::Enter);
        self.desk.dispatch(self.now);
        intent
    }

    /// Its other leg follows.
    fn hedge(&mut self, trade: u64) -> IntentId {
        self.moved(trade, Phase::SecondLeg);
        let intent = self.place(trade, Venue::Kalshi, Purpose::Finish);
        self.desk.dispatch(self.now);
        intent
    }

    /// Both legs of a locked pair are sold at once.
    fn sell_both(&mut self, trade: u64) -> [IntentId; 2] {
        self.moved(trade, Phase::BothLegs);
        let both = Venue::ALL.map(|venue| self.place(trade, venue, Purpose::Exit));
        self.desk.dispatch(self.now);
        both
    }

    pub(super) fn pass(&mut self, millis: u64) {
        self.now = self.now.after(Duration::from_millis(millis));
        self.desk.tick(&NoMarkets, self.now);
    }

    /// The orders that left since this was last looked at.
    pub(super) fn left(&mut self) -> Vec<u64> {
        let calls = std::mem::take(&mut self.desk.outgoing);
        let orders = calls.iter().filter_map(|(_, call)| match call.subject {
            Subject::Place(intent) => Some(intent.0),
            _ => None,
        });
        orders.collect()
    }

    /// The orders that were kept back since this was last looked at, and why.
    fn kept_back(&mut self) -> Vec<(u64, String)> {
        let reports = std::mem::take(&mut self.desk.reports);
        let kept = reports.into_iter().filter_map(|report| match report {
            Report::Order { intent, evidence: Evidence::Refused(refusal) } => {
                assert_eq!(refusal.kind, Refused::KeptBack, "{refusal:?}");
                Some((intent.0, refusal.text))
            }
            _ => None,
        });
        kept.collect()
    }
}

#[test]
fn entries_leave_the_hedges_of_trades_under_way_their_budget() {
    let mut rig = Rig::new(6, 40);
    let mut trade = 0;
    let begun = loop {
        trade += 1;
        assert!(trade < 10, "six orders a second bear no ten trades");
        let intent = rig.enter(trade);
        if let [(kept, why)] = &rig.kept_back()[..] {
            assert_eq!(*kept, intent.0);
            assert!(why.contains("budget") && why.contains("kalshi"), "{why}");
            break trade - 1;
        }
    };
    assert_eq!(begun, 3, "each may need its other leg and a way out at kalshi");
    rig.moved(trade, Phase::Ended(End::Flat));
    assert_eq!(rig.left().len(), 3);
    for trade in 1..=begun {
        rig.hedge(trade);
        rig.moved(trade, Phase::Stranded(Way::Unwind));
        rig.place(trade, Venue::Kalshi, Purpose::Unwind);
        rig.desk.dispatch(rig.now);
    }
    assert_eq!(rig.left().len(), 6, "every hedge and every way out leaves at once");
    assert_eq!(rig.kept_back(), []);
    for trade in 1..=begun {
        rig.moved(trade, Phase::Locked);
    }
    rig.pass(1_000);
    rig.enter(5);
    assert_eq!(rig.left().len(), 1, "what is settled reserves nothing");
}

#[test]
fn entries_decided_together_do_not_reserve_for_those_that_are_kept_back() {
    let mut rig = Rig::new(4, 40);
    for trade in 1..=5 {
        rig.moved(trade, Phase::FirstLeg);
        rig.place(trade, Venue::Polymarket, Purpose::Enter);
    }
    rig.desk.dispatch(rig.now);
    assert_eq!(rig.left(), [1, 2]);
    assert_eq!(rig.kept_back().len(), 3);
}

#[test]
fn a_hedge_leaves_before_an_entry_that_was_decided_first() {
    let mut rig = Rig::new(3, 40);
    rig.enter(1);
    assert_eq!(rig.left(), [1]);
    rig.moved(2, Phase::FirstLeg);
    rig.place(2, Venue::Polymarket, Purpose::Enter);
    rig.moved(1, Phase::SecondLeg);
    rig.place(1, Venue::Kalshi, Purpose::Finish);
    rig.desk.dispatch(rig.now);
    assert_eq!(rig.left(), [3]);
    assert_eq!(rig.kept_back().len(), 1);
}

#[test]
fn both_legs_at_once_leave_together_or_not_at_all() {
    let mut rig = Rig::new(3, 40);
    let both = |rig: &mut Rig, trade| {
        rig.moved(trade, Phase::BothLegs);
        let _ = Venue::ALL.map(|venue| rig.place(trade, venue, Purpose::Enter));
        rig.desk.dispatch(rig.now);
        (rig.left().len(), rig.kept_back().len())
    };
    assert_eq!(both(&mut rig, 1), (2, 0));
    assert_eq!(both(&mut rig, 2), (0, 2), "what kalshi has left is for the ways out");
}

#[test]
fn a_leg_is_kept_back_when_the_leg_beside_it_cannot_be_prepared() {
    let mut rig = Rig::new(40, 40);
    rig.moved(1, Phase::BothLegs);
    rig.place(1, Venue::Kalshi, Purpose::Enter);
    let lost = Order { trade: TradeId(1), venue: Venue::Polymarket, market: UNKNOWN, ..order(2) };
    rig.desk.act(&Act::Place(lost), &NoMarkets, rig.now);
    rig.desk.dispatch(rig.now);
    assert_eq!(rig.left(), NOTHING, "it would stand alone");
    let kinds: Vec<Refused> = rig
        .desk
        .reports
        .iter()
        .filter_map(|report| match report {
            Report::Order { evidence: Evidence::Refused(refusal), .. } => Some(refusal.kind),
            _ => None,
        })
        .collect();
    assert_eq!(kinds, [Refused::NotSent, Refused::KeptBack]);
}

#[test]
fn what_reduces_waits_for_the_budget_and_leaves_in_order() {
    let mut rig = Rig::new(4, 40);
    for trade in 1..=6 {
        rig.moved(trade, Phase::Stranded(Way::Unwind));
        rig.place(trade, Venue::Kalshi, Purpose::Unwind);
        rig.desk.dispatch(rig.now);
    }
    assert_eq!(rig.left(), [1, 2, 3, 4]);
    assert_eq!(rig.desk.pending(), 6);
    rig.pass(249);
    assert_eq!(rig.left(), NOTHING);
    rig.pass(1);
    assert_eq!(rig.left(), [5]);
    rig.place(7, Venue::Kalshi, Purpose::Unwind);
    rig.desk.dispatch(rig.now);
    rig.pass(250);
    assert_eq!(rig.left(), [6], "nobody overtakes");
    rig.pass(250);
    assert_eq!(rig.left(), [7]);
    assert_eq!(rig.kept_back(), []);
}

#[test]
fn an_order_that_waited_too_long_is_kept_back() {
    let mut rig = Rig::new(1, 40);
    for trade in 1..=5 {
        rig.moved(trade, Phase::Stranded(Way::Unwind));
        rig.place(trade, Venue::Kalshi, Purpose::Unwind);
    }
    rig.desk.dispatch(rig.now);
    let mut left = rig.left();
    for _ in 0..45 {
        rig.pass(50);
        left.extend(rig.left());
    }
    assert_eq!(left, [1, 2, 3], "one a second, and none that is older than two");
    let kept = rig.kept_back();
    assert_eq!(kept.iter().map(|(intent, _)| *intent).collect::<Vec<_>>(), [4, 5]);
    assert!(kept.iter().all(|(_, why)| why.contains("budget")), "{kept:?}");
    assert_eq!(rig.desk.pending(), 3);
}

#[test]
fn a_pair_is_sold_with_both_orders_at_once_however_long_one_budget_is_empty() {
    let mut rig = Rig::new(2, 40);
    for trade in 1..=4 {
        rig.sell_both(trade);
    }
    assert_eq!(rig.left(), [1, 2, 3, 4], "polymarket's do not go without kalshi's");
    rig.pass(500);
    assert_eq!(rig.left(), [5, 6]);
    rig.moved(1, Phase::Stranded(Way::Unwind));
    let alone = rig.place(1, Venue::Kalshi, Purpose::Unwind);
    rig.desk.dispatch(rig.now);
    rig.pass(500);
    assert_eq!(rig.left(), [alone.0], "what stands alone goes before what is whole");
    rig.pass(500);
    assert_eq!(rig.left(), [7, 8]);
    assert_eq!(rig.kept_back(), []);
}

#[test]
fn an_order_that_waits_is_taken_back_without_a_word_to_its_venue() {
    let mut rig = Rig::new(1, 40);
    rig.sell_both(1);
    let both = rig.sell_both(2);
    assert_eq!(rig.left(), [1, 2]);
    rig.desk.act(&Act::Inquire(both[0]), &NoMarkets, rig.now);
    rig.desk.act(&Act::Cancel(both[0]), &NoMarkets, rig.now);
    rig.desk.act(&Act::Cancel(both[1]), &NoMarkets, rig.now);
    rig.desk.take_back(&NoMarkets, rig.now);
    let kept = rig.kept_back();
    assert_eq!(kept.iter().map(|(intent, _)| *intent).collect::<Vec<_>>(), [3, 4]);
    rig.pass(1_500);
    assert_eq!(rig.left(), NOTHING);
    assert_eq!(rig.desk.cancels(), 0);
}

#[test]
fn trades_of_an_earlier_process_keep_their_reserve() {
    let mut rig = Rig::new(4, 40);
    let at = rig.now;
    let history: Vec<Record> = (1..=2)
        .flat_map(|trade| {
            let moved = Record::Moved {
                trade: TradeId(trade),
                to: Phase::FirstLeg.name(),
                why: String::new(),
                at,
            };
            let first = Order { trade: TradeId(trade), venue: Venue::Polymarket, ..order(trade) };
            let id = OrderId(format!("name-{trade}"));
            [moved, Record::Placed(first), Record::Named { intent: IntentId(trade), id }]
        })
        .collect();
    rig.desk.remember(&history);
    rig.intents = 2;
    rig.enter(3);
    assert_eq!(rig.kept_back().len(), 1, "four are needed at kalshi already");
    rig.hedge(1);
    assert_eq!(rig.left(), [4]);
}

#[test]
fn an_order_that_was_too_much_leaves_nothing_to_open_with_and_hedges_wait_for_more() {
    for (told, wait) in [(None, 0), (Some(Duration::from_secs(1)), 1_000)] {
        let mut rig = Rig::new(6, 40);
        rig.enter(1);
        rig.hedge(1);
        let calls = std::mem::take(&mut rig.desk.outgoing);
        let (hedge, _) = calls.iter().find(|(_, call)| call.venue == Venue::Kalshi).unwrap();
        let limited = Answer::Reply { status: 429, retry_after: told, headers: &[], body: "" };
        rig.desk.answer(*hedge, &limited, &NoMarkets, rig.now);
        let entry = rig.enter(2).0;
        assert!(matches!(&rig.kept_back()[..], [(kept, _)] if *kept == entry));
        let again = rig.hedge(1).0;
        assert_eq!(rig.left(), NOTHING, "the venue has just said that there is no room");
        rig.pass(wait);
        assert_eq!(rig.left(), NOTHING, "and when there is some again");
        rig.pass(200);
        assert_eq!(rig.left(), [again], "six a second make one in less than that");
    }
}

impl Rig {
    /// Hedges at Polymarket that are wanted at once: how many of them leave.
    fn burst(&mut self, count: u64) -> usize {
        self.moved(1, Phase::SecondLeg);
        for _ in 0..count {
            self.place(1, Venue::Polymarket, Purpose::Finish);
        }
        self.desk.dispatch(self.now);
        self.left().len()
    }

    /// Polymarket answers a call, and says what it grants and what is left.
    fn hear(&mut self, class: Class, grants: u64, left: Option<Left>) {
        *self.ears[1].grants.lock().unwrap() = Some(grants);
        *self.ears[1].left.lock().unwrap() = left;
        let call = self.ears[1].call(Subject::Everything, class, 0);
        self.desk.send(call, self.now);
        let (id, _) = self.desk.outgoing.pop().unwrap();
        let answer = Answer::Reply { status: 200, retry_after: None, headers: &[], body: "{}" };
        self.desk.answer(id, &answer, &NoMarkets, self.now);
    }
}

#[test]
fn what_the_answer_to_an_order_grants_holds_from_then_on() {
    let mut rig = Rig::new(100, 40);
    assert_eq!(rig.burst(50), 40);
    rig.hear(Class::Order, 600, None);
    rig.pass(500);
    assert_eq!(rig.burst(400), 300, "in half a second, with the ten that waited");
}

#[test]
fn less_than_was_counted_here_is_believed_and_more_is_not() {
    for (left, leave) in [(7, 7), (40, 30), (u64::MAX, 30)] {
        let mut rig = Rig::new(100, 40);
        assert_eq!(rig.burst(10), 10);
        rig.hear(Class::Order, 40, Some(Left { tokens: left, until: None }));
        assert_eq!(rig.burst(35), leave, "of {left}");
    }
    // Cancels have a budget of their own.
    let mut rig = Rig::new(100, 40);
    rig.hear(Class::Cancel, 40, Some(Left { tokens: 0, until: None }));
    assert_eq!(rig.burst(40), 40);
}

#[test]
fn where_nothing_is_left_nothing_leaves_before_the_venue_said_but_not_for_ever() {
    let mut rig = Rig::new(100, 40);
    let until = Some(rig.now.after(Duration::from_millis(1_500)));
    rig.hear(Class::Order, 40, Some(Left { tokens: 0, until }));
    assert_eq!(rig.burst(1), 0);
    rig.pass(1_500);
    assert_eq!(rig.left(), NOTHING);
    rig.pass(100);
    assert_eq!(rig.left().len(), 1);
    // With something left the end is no news, and nobody waits for a year.
    rig.pass(2_000);
    let next_year = Some(rig.now.after(Duration::from_secs(365 * 86_400)));
    rig.hear(Class::Order, 40, Some(Left { tokens: 3, until: next_year }));
    assert_eq!(rig.burst(3), 3);
    rig.hear(Class::Order, 40, Some(Left { tokens: 0, until: next_year }));
    rig.pass(60_100);
    assert_eq!(rig.burst(1), 1);
}
