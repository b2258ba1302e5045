//! Stories of the seam: edges in, orders out, answers by hand.

use std::time::Duration;

use super::*;
use crate::book::Update;
use crate::domain::market::Settlement;
use crate::domain::report::{
    Evidence, Fee, Fill, Finality, Permission, Position, Purse, Refusal, Refused, Rest, Total,
};
use crate::domain::{
    Action, Money, Order, OrderId, Outcome, Price, Purpose, Quantity, Report, Side, Size,
};
use crate::engine::event::{Command, Event, Ruling};
use crate::engine::tests as watch;
use crate::engine::tests::{KALSHI, POLYMARKET, money};
use crate::engine::trade::ruling::Change;
use crate::execute::trade_state::Phase;
use crate::execute::{Record, Scope, incident};
use crate::pairing::{Legs, Pair, Relation, Standing};

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

fn settings() -> Settings {
    Settings {
        plan: crate::plan::Settings {
            legs: Legs::PolymarketFirst,
            loss_max: money("5"),
            slack: money("0.01"),
            improvement_max: money("0.01"),
            answer_max: Duration::from_secs(2),
            stranded_max: Duration::from_secs(10),
            exit_gain_min: None,
        },
        limits: Limits {
            order: money("100"),
            market: money("500"),
            pair: money("500"),
            event: money("500"),
            venues: [money("1000"), money("1000")],
            total: money("1500"),
            unconfirmed: money("500"),
            stranded: money("500"),
            stranded_max: Duration::from_secs(30),
            loss_per_day: money("50"),
            open_trades: 3,
            orders_per_second: 20,
            rejections: [3, 5, 8],
            dust_market: money("5"),
            dust_total: money("20"),
            purse_margin: money("1"),
            purse_age_max: Duration::from_secs(60),
            purse_lag: Duration::from_secs(5),
            fee_tolerance: money("0.001"),
        },
        execute: execute::Settings {
            inquire_pause: Duration::from_millis(500),
            inquire_pause_max: Duration::from_secs(10),
            unknown_max: Duration::from_secs(60),
            way_out_pause: Duration::from_secs(1),
            convert_pause: Duration::from_secs(60),
        },
        pause_ahead: Duration::from_secs(600),
        not_tradable_min: Duration::from_secs(2),
    }
}

/// A story with trading on, and the journal that it left.
struct Story {
    watch: watch::Story,
    journal: Vec<Record>,
    fills: u32,
}

impl Story {
    /// Trading is on and may begin; the books are empty.
    fn new(settings: Settings) -> Self {
        let mut watch = watch::Story::new(Relation::Same);
        let now = watch.now;
        watch.engine.enable_trading(settings, [], now, &mut watch.effects);
        let mut story = Self { watch, journal: Vec::new(), fills: 0 };
        story.introduce();
        story.command(&Command::Reconciled);
        story
    }

    /// What a process is told at its start.
    fn introduce(&mut self) {
        self.introduce_markets();
        for venue in Venue::ALL {
            self.permit(venue, Permission::Open);
        }
    }

    /// The same, before the venues said whether the account may trade.
    fn introduce_markets(&mut self) {
        for (index, venue) in [(KALSHI, Venue::Kalshi), (POLYMARKET, Venue::Polymarket)] {
            let market = Market { event: format!("{venue}-event"), ..watch::market(venue) };
            self.event(&Event::Market { index, market: &market });
        }
        let pair = watch::pair(Relation::Same);
        let id = [pair.pair.id.clone()];
        self.event(&Event::Pairs(&[pair]));
        self.event(&Event::Accepted(&id));
        self.event(&Event::Verified(&id));
        self.read_purses("1000");
    }

    fn permit(&mut self, venue: Venue, permission: Permission) {
        self.report(&Report::Permission { venue, permission });
    }

    fn read_purses(&mut self, cash: &str) {
        for (venue, purse) in
            [(Venue::Kalshi, Purse::Shard(0)), (Venue::Polymarket, Purse::Collateral)]
        {
            let purses = vec![(purse, money(cash))];
            self.report(&Report::Cash { venue, purses, as_of: self.watch.now });
        }
    }

    /// The books of the example in the output contract.
    fn books(&mut self) {
        let kalshi =
            [(Side::Ask, "0.42", "50"), (Side::Ask, "0.43", "70"), (Side::Bid, "0.40", "500")];
        let polymarket = [(Side::Bid, "0.48", "120"), (Side::Ask, "0.49", "500")];
        self.watch.image(KALSHI, &kalshi);
        self.watch.image(POLYMARKET, &polymarket);
    }

    fn event(&mut self, event: &Event<'_>) {
        self.watch.event(event);
    }

    fn report(&mut self, report: &Report) {
        self.event(&Event::Report(report));
    }

    fn command(&mut self, command: &Command) {
        self.event(&Event::Command(command));
    }

    fn drain(&mut self) -> Vec<Order> {
        self.event(&Event::Drained);
        self.orders()
    }

    fn pass(&mut self, span: Duration) -> Vec<Order> {
        self.watch.now = self.watch.now.after(span);
        self.event(&Event::Tick);
        self.orders()
    }

    /// The orders that went out since the last call; what is to be kept goes into the journal.
    fn orders(&mut self) -> Vec<Order> {
        let mut orders = Vec::new();
        for effect in std::mem::take(&mut self.watch.effects) {
            match effect {
                Effect::Act(Act::Place(order)) => {
                    self.journal.push(Record::Placed(order.clone()));
                    orders.push(order);
                }
                Effect::Act(Act::Write(record)) => self.journal.push(record),
                _ => {}
            }
        }
        orders
    }

    fn trader(&self) -> &Trader {
        self.watch.engine.trader().unwrap()
    }

    fn refused(&self) -> Option<NoTrade> {
        self.trader().last_refusal(&watch::pair(Relation::Same).pair.id)
    }

    fn phase(&self, trade: u64) -> Phase {
        self.trader().executor().state().trade(TradeId(trade)).unwrap().phase
    }

    fn answer(&mut self, order: &Order, evidence: Evidence) -> Vec<Order> {
        self.report(&Report::Order { intent: order.intent, evidence });
        self.orders()
    }

    /// The venue filled an order with `count` contracts at a price, and that is all.
    fn fill(&mut self, order: &Order, count: &str, at: &str, finality: Finality) -> Vec<Order> {
        self.fills += 1;
        let (count, at) = (quantity(count), price(at));
        let paid = Money::cost_ceil(at, count);
        let fill = Fill {
            trade: format!("fill-{}", self.fills),
            quantity: count,
            money: paid,
            fee: Fee::Reported(money("0.5")),
            finality,
            at: self.watch.now,
        };
        let mut sent = self.answer(order, Evidence::Fill(fill));
        let filled = Some(Total { quantity: count, money: paid });
        let id = OrderId(format!("order-{}", order.intent.0));
        let trades = Vec::new();
        sent.extend(
            self.answer(order, Evidence::Standing { id, filled, rest: Rest::Nothing, trades }),
        );
        sent
    }

    fn refuse(&mut self, order: &Order, kind: Refused) -> Vec<Order> {
        let refusal = Refusal { kind, code: String::new(), text: String::new() };
        self.answer(order, Evidence::Refused(refusal))
    }
}

fn one(orders: Vec<Order>) -> Order {
    match <[Order; 1]>::try_from(orders) {
        Ok([order]) => order,
        Err(other) => panic!("not one order: {other:?}"),
    }
}

/// Trading is on, and the first order of the example's trade is on its way.
fn begun() -> (Story, Order) {
    let mut story = Story::new(settings());
    story.books();
    let first = one(story.drain());
    (story, first)
}

/// The trade of the example is locked.
fn locked(settings: Settings) -> Story {
    let mut story = Story::new(settings);
    story.books();
    let first = one(story.drain());
    let hedge = one(story.fill(&first, "120", "0.52", Finality::Confirmed));
    assert_eq!(story.fill(&hedge, "120", "0.425", Finality::Confirmed), []);
    assert_eq!(story.phase(1), Phase::Locked);
    story
}

#[test]
fn an_edge_becomes_two_orders_and_a_locked_pair() {
    let (mut story, first) = begun();
    assert_eq!(
        (first.venue, first.market, first.outcome),
        (Venue::Polymarket, POLYMARKET, Outcome::No)
    );
    assert_eq!((first.action, first.purpose), (Action::Buy, Purpose::Enter));
    assert_eq!((first.size, first.limit), (Size::Collateral(money("62.40")), price("0.52")));
    let hedge = one(story.fill(&first, "120", "0.52", Finality::Matched));
    assert_eq!((hedge.venue, hedge.market, hedge.outcome), (Venue::Kalshi, KALSHI, Outcome::Yes));
    assert_eq!((hedge.size, hedge.limit), (Size::Contracts(quantity("120")), price("0.43")));
    assert_eq!(story.fill(&hedge, "120", "0.425", Finality::Confirmed), []);
    assert_eq!(story.phase(1), Phase::Locked);
    let totals = story.trader().risk().totals();
    assert_eq!(totals.live, 0, "a locked position is not under way");
    assert!(totals.total > money("113"), "and it counts: {totals:?}");
    assert!(totals.unconfirmed > money("62"), "{totals:?}");
}

#[test]
fn what_we_took_is_gone_until_the_venue_shows_it_again() {
    let mut story = locked(settings());
    assert_eq!(story.drain(), []);
    assert_eq!(story.pass(Duration::from_millis(100)), []);
    assert_eq!(story.watch.engine.open(), 0, "the books still show it, and it is no edge");
    // The venue shows what is left of one side: that is our own doing.
    story.watch.update(Update::Set {
        market: POLYMARKET,
        side: Side::Bid,
        price: price("0.48"),
        quantity: Quantity::ZERO,
    });
    assert_eq!(story.drain(), []);
    story.read_purses("1000");
    // Somebody offers anew on both.
    story.books();
    let again = one(story.drain());
    assert_eq!(again.trade, TradeId(2));
}

#[test]
fn what_can_be_spent_is_kept_when_it_changes() {
    let mut story = Story::new(settings());
    story.orders();
    story.journal.clear();
    for cash in ["1000", "1000", "990.5", "990.5"] {
        story.read_purses(cash);
        story.orders();
    }
    let kept: Vec<Money> = story
        .journal
        .iter()
        .filter_map(|record| match record {
            Record::Reported { report: Report::Cash { purses, .. }, .. } => Some(purses[0].1),
            _ => None,
        })
        .collect();
    assert_eq!(kept, [money("990.5"); 2], "once for each venue");
}

#[test]
fn a_journal_that_breaks_is_an_incident_that_says_why() {
    let mut story = Story::new(settings());
    story.orders();
    story.journal.clear();
    story.command(&Command::JournalBroken { why: "the disk is full".to_owned() });
    story.orders();
    let [Record::Incident { kind: incident::JOURNAL_BROKEN, text, .. }] = &story.journal[..] else {
        panic!("{:?}", story.journal)
    };
    assert!(text.contains("the disk is full"), "{text}");
}

#[test]
fn an_edge_that_may_not_be_traded_is_refused_by_name() {
    let id = watch::pair(Relation::Same).pair.id.clone();
    type Spoil = fn(&mut Story, &PairId);
    let cases: [(Spoil, NoTrade); 9] = [
        (
            |s, id| {
                let mut pair = watch::pair(Relation::Same);
                let proposed = Pair { standing: Standing::Proposed, ..(*pair.pair).clone() };
                pair.pair = std::sync::Arc::new(proposed);
                s.event(&Event::Pairs(&[pair]));
                s.event(&Event::Accepted(std::slice::from_ref(id)));
            },
            NoTrade::NotApproved,
        ),
        (|s, _| s.event(&Event::Accepted(&[])), NoTrade::NotAcceptedHere),
        (|s, _| s.event(&Event::Verified(&[])), NoTrade::RulesChanged),
        (
            |s, id| {
                let (scope, why) = (Scope::Pair(id.clone()), "a person said so".into());
                s.command(&Command::Halt { scope, why });
            },
            NoTrade::Halted,
        ),
        (|s, _| s.command(&Command::JournalBroken { why: "full".into() }), NoTrade::JournalBroken),
        (|s, _| s.read_purses("5"), NoTrade::PurseShort),
        (
            |s, _| {
                for (index, venue) in [(KALSHI, Venue::Kalshi), (POLYMARKET, Venue::Polymarket)] {
                    let market = Market { delay: Duration::from_secs(1), ..watch::market(venue) };
                    s.event(&Event::Market { index, market: &market });
                }
            },
            NoTrade::VenueDelay,
        ),
        (
            |s, _| {
                let mut market = watch::market(Venue::Polymarket);
                market.tokens.as_mut().unwrap().is_open_ended = true;
                s.event(&Event::Market { index: POLYMARKET, market: &market });
            },
            NoTrade::OpenEnded,
        ),
        (
            |s, _| {
                let mut market = watch::market(Venue::Polymarket);
                market.tokens.as_mut().unwrap().settlement = Some(Settlement::ProtocolV2);
                s.event(&Event::Market { index: POLYMARKET, market: &market });
                let (closed, why) = (vec![Settlement::ProtocolV2], "not approved".to_owned());
                s.permit(Venue::Polymarket, Permission::OpenBut { closed, why });
            },
            NoTrade::ApprovalMissing,
        ),
    ];
    for (spoil, expected) in cases {
        let mut story = Story::new(settings());
        spoil(&mut story, &id);
        story.books();
        assert_eq!(story.drain(), [], "{expected:?}");
        assert_eq!(story.refused(), Some(expected));
        assert!(story.trader().refusals()[expected.index()] > 0);
        assert_eq!(story.watch.engine.open(), 1, "it is an edge all the same");
    }
    let mut limited = settings();
    limited.limits.total = money("5");
    let mut story = Story::new(limited);
    story.books();
    assert_eq!(story.drain(), []);
    assert_eq!(story.refused(), Some(NoTrade::LimitTotal), "not even the least fits");
}

#[test]
fn an_edge_that_is_larger_than_what_may_be_traded_is_cut_down() {
    type Narrow = fn(&mut Settings);
    let cases: [(Narrow, &str, Money); 7] = [
        (|_| {}, "70", money("69")),
        (|s| s.limits.order = money("30"), "1000", money("30")),
        (|s| s.limits.market = money("60"), "1000", money("60")),
        (|s| s.limits.pair = money("60"), "1000", money("60")),
        (|s| s.limits.total = money("60"), "1000", money("60")),
        (|s| s.limits.stranded = money("30"), "1000", money("30")),
        (|_| {}, "50", money("49")),
    ];
    for (narrow, cash, most) in cases {
        let mut narrowed = settings();
        narrow(&mut narrowed);
        let is_of_both = narrowed.limits.pair.min(narrowed.limits.total) == most;
        let mut story = Story::new(narrowed);
        story.read_purses(cash);
        story.books();
        let first = one(story.drain());
        let trade = story.trader().executor().state().trade(TradeId(1)).unwrap();
        let spends = first.spend_max() + trade.plan.legs[1].fee_max;
        assert!(spends <= most, "{spends} of {most}");
        let count = trade.plan.quantity;
        let least = if is_of_both { "45" } else { "50" };
        assert!(count > quantity(least) && count < quantity("119"), "{count} for {most}");
        assert_eq!(story.refused(), None);
        let hedge = one(story.fill(&first, &count.to_string(), "0.52", Finality::Confirmed));
        assert_eq!(hedge.size, Size::Contracts(count));
        story.fill(&hedge, &count.to_string(), "0.42", Finality::Confirmed);
        assert_eq!(story.phase(1), Phase::Locked);
    }
}

#[test]
fn nothing_is_traded_before_journal_and_venues_agree() {
    let mut watch = watch::Story::new(Relation::Same);
    let now = watch.now;
    watch.engine.enable_trading(settings(), [], now, &mut watch.effects);
    let mut story = Story { watch, journal: Vec::new(), fills: 0 };
    story.introduce();
    story.books();
    assert_eq!(story.drain(), []);
    assert_eq!(story.refused(), Some(NoTrade::NotReconciled));
    story.command(&Command::Reconciled);
    assert_eq!(story.pass(Duration::from_millis(10)).len(), 1);
}

#[test]
fn trading_begins_when_both_venues_agree_and_ends_when_one_does_not() {
    let mut watch = watch::Story::new(Relation::Same);
    let now = watch.now;
    watch.engine.enable_trading(settings(), [], now, &mut watch.effects);
    watch.engine.reconcile_with(execute::reconcile::Settings {
        grace: Duration::from_secs(15),
        cash_tolerance: money("0.01"),
        fee_tolerance: money("0.10"),
    });
    let mut story = Story { watch, journal: Vec::new(), fills: 0 };
    story.introduce();
    let positions = |story: &mut Story, venue, positions| {
        story.report(&Report::Positions { venue, positions, as_of: story.watch.now });
    };
    positions(&mut story, Venue::Kalshi, Vec::new());
    assert_eq!(story.trader().risk().check_gates(), Err(NoTrade::NotReconciled));
    positions(&mut story, Venue::Polymarket, Vec::new());
    assert_eq!(story.trader().risk().check_gates(), Ok(()));
    // Two readings in a row that show contracts which nobody bought here.
    let stray = Position {
        market: Some(KALSHI),
        id: "kalshi-market".into(),
        outcome: Outcome::Yes,
        quantity: quantity("7"),
    };
    for _ in 0..2 {
        story.pass(Duration::from_secs(30));
        positions(&mut story, Venue::Kalshi, vec![stray.clone()]);
    }
    assert_eq!(story.trader().differences().len(), 1);
    story.read_purses("1000");
    story.books();
    assert_eq!(story.drain(), []);
    assert_eq!(story.refused(), Some(NoTrade::NotReconciled));
    let told = |record: &&Record| match record {
        Record::Incident { kind, .. } => *kind == incident::ACCOUNT_DIFFERS,
        _ => false,
    };
    assert_eq!(story.journal.iter().filter(told).count(), 1, "{:?}", story.journal);
    story.pass(Duration::from_secs(1));
    positions(&mut story, Venue::Kalshi, Vec::new());
    assert_eq!(story.trader().risk().check_gates(), Ok(()));
    // They come again, and a person takes the venue's word for them: it is theirs to trade on.
    for _ in 0..2 {
        story.pass(Duration::from_secs(30));
        positions(&mut story, Venue::Kalshi, vec![stray.clone()]);
    }
    let (venue, market) = (Venue::Kalshi, KALSHI);
    let text = &story.trader().differences()[0];
    assert!(text.contains("`crossbook positions adopt --venue kalshi --market kalshi-market`"));
    let ruling = Ruling::Adopt { venue, market, outcome: None };
    let trades = Vec::new();
    let (ours, theirs) = (Quantity::ZERO, quantity("7"));
    let change = Change::Held { outcome: Outcome::Yes, ours, theirs, trades };
    assert_eq!(story.trader().proposal(&ruling), Ok(vec![change]));
    story.command(&Command::Rule { ruling, why: "bought by hand".to_owned() });
    assert_eq!(story.trader().risk().check_gates(), Ok(()));
    assert_eq!(story.trader().executor().state().ledger().held(KALSHI, Outcome::Yes), theirs);
    assert!(story.trader().proposal(&ruling).is_err(), "there is no difference any more");
    story.drain();
    let adopted = |one: &Record| matches!(one, Record::Adopted { why, .. } if why.contains("hand"));
    assert!(story.journal.iter().any(adopted));
}

#[test]
fn nothing_is_traded_before_both_venues_say_that_the_account_may() {
    let mut watch = watch::Story::new(Relation::Same);
    let now = watch.now;
    watch.engine.enable_trading(settings(), [], now, &mut watch.effects);
    let mut story = Story { watch, journal: Vec::new(), fills: 0 };
    story.introduce_markets();
    story.command(&Command::Reconciled);
    story.books();
    assert_eq!(story.drain(), []);
    assert_eq!(story.refused(), Some(NoTrade::VenueNotTradable));
    story.permit(Venue::Kalshi, Permission::Open);
    assert_eq!(story.pass(Duration::from_millis(10)), [], "one venue is not both");
    story.permit(Venue::Polymarket, Permission::Open);
    assert_eq!(story.pass(Duration::from_millis(10)).len(), 1);
}

#[test]
fn no_pair_is_begun_shortly_before_kalshis_weekly_pause() {
    let mut story = Story::new(settings());
    // A Thursday; 03:00 Eastern standard time is 08:00 UTC.
    story.watch.now = Timestamp::parse("2026-11-26T07:55:00Z").unwrap();
    story.introduce();
    story.books();
    assert_eq!(story.drain(), []);
    assert_eq!(story.refused(), Some(NoTrade::PauseAhead));
}

#[test]
fn a_halt_stops_entries_and_nothing_that_is_under_way() {
    let (mut story, first) = begun();
    story.command(&Command::Halt { scope: Scope::All, why: "a person said so".into() });
    let hedge = one(story.fill(&first, "120", "0.52", Finality::Confirmed));
    assert_eq!(hedge.venue, Venue::Kalshi);
    story.fill(&hedge, "120", "0.425", Finality::Confirmed);
    assert_eq!(story.phase(1), Phase::Locked);
    story.books();
    assert_eq!(story.drain(), []);
    assert_eq!(story.refused(), Some(NoTrade::Halted));
    story.command(&Command::Resume { scope: Scope::All });
    story.read_purses("1000");
    assert_eq!(story.pass(Duration::from_millis(10)).len(), 1);
}

#[test]
fn a_kill_sends_nothing_more() {
    let (mut story, first) = begun();
    story.command(&Command::Kill { why: "a person said so".into() });
    assert_eq!(story.orders(), []);
    assert_eq!(story.fill(&first, "120", "0.52", Finality::Confirmed), []);
    story.books();
    assert_eq!(story.drain(), []);
    assert_eq!(story.pass(Duration::from_secs(5)), []);
    assert_eq!(story.trader().risk().check_gates(), Err(NoTrade::Killed));
}

#[test]
fn a_venue_that_takes_only_resting_orders_is_left_alone_for_a_while() {
    let (mut story, first) = begun();
    let wait = Duration::from_secs(3);
    assert_eq!(story.refuse(&first, Refused::PostOnly(wait)), []);
    assert_eq!(story.pass(Duration::from_millis(2_990)), []);
    assert_eq!(story.refused(), Some(NoTrade::VenueNotTradable));
    // What was refused took nothing: the same levels are there to take.
    let again = one(story.pass(Duration::from_millis(10)));
    assert_eq!((again.trade, again.size), (TradeId(2), first.size));
}

#[test]
fn a_market_that_is_not_what_an_order_took_it_for_is_read_anew() {
    for (kind, expected) in [
        (Refused::Price, 1),
        (Refused::Size, 1),
        (Refused::Outdated, 1),
        (Refused::NoMatch, 0),
        (Refused::Funds, 0),
    ] {
        let (mut story, first) = begun();
        let refusal = Refusal { kind, code: String::new(), text: String::new() };
        let (intent, evidence) = (first.intent, Evidence::Refused(refusal));
        story.report(&Report::Order { intent, evidence });
        let reload = Effect::Reload { market: first.market };
        let is_reload = |effect: &&Effect| **effect == reload;
        let effects = &story.watch.effects;
        assert_eq!(effects.iter().filter(is_reload).count(), expected, "{kind:?}");
    }
}

#[test]
fn an_order_that_found_nothing_shows_that_the_book_is_behind() {
    let (mut story, first) = begun();
    assert_eq!(story.refuse(&first, Refused::NoMatch), []);
    assert!(matches!(story.phase(1), Phase::Ended(_)));
    assert_eq!(story.trader().risk().totals().total, Money::ZERO);
    assert_eq!(story.pass(Duration::from_millis(100)), [], "the levels are not believed again");
    story.books();
    assert_eq!(story.drain().len(), 1);
}

#[test]
fn refusals_in_a_row_halt_the_pair_and_the_halt_is_written_down() {
    let (mut story, mut order) = begun();
    for trade in 1..=3 {
        assert_eq!(order.trade, TradeId(trade));
        story.refuse(&order, Refused::Size);
        let next = story.pass(Duration::from_millis(200));
        if trade < 3 {
            order = one(next);
        } else {
            assert_eq!(next, []);
        }
    }
    assert_eq!(story.refused(), Some(NoTrade::Halted));
    let halted = |record: &Record| matches!(record, Record::Halted { scope: Scope::Pair(_), .. });
    assert_eq!(story.journal.iter().filter(|record| halted(record)).count(), 1);
}

#[test]
fn orders_that_we_kept_back_ourselves_halt_nothing_and_hold_entries_up_for_a_moment() {
    let (mut story, mut order) = begun();
    for _ in 0..9 {
        story.refuse(&order, Refused::KeptBack);
        assert_eq!(story.pass(Duration::from_millis(200)), []);
        assert_eq!(story.refused(), Some(NoTrade::LimitOrderRate));
        order = one(story.pass(Duration::from_millis(300)));
    }
    assert!(story.trader().risk().halts().is_empty());
    assert!(!story.journal.iter().any(|record| matches!(record, Record::Halted { .. })));
}

#[test]
fn a_fee_beyond_the_schedule_halts_the_pair() {
    let (mut story, first) = begun();
    let fill = Fill {
        trade: "fill-1".into(),
        quantity: quantity("120"),
        money: money("62.40"),
        fee: Fee::Reported(money("1.25")),
        finality: Finality::Confirmed,
        at: story.watch.now,
    };
    story.answer(&first, Evidence::Fill(fill));
    assert_eq!(story.trader().risk().halts().len(), 1, "1.19808 was due");
}

#[test]
fn books_that_speak_against_a_pair_halt_it() {
    let mut story = Story::new(settings());
    story.watch.image(KALSHI, &[(Side::Ask, "0.20", "50"), (Side::Bid, "0.19", "50")]);
    story.watch.image(POLYMARKET, &[(Side::Bid, "0.48", "50"), (Side::Ask, "0.49", "50")]);
    assert_eq!(story.drain(), []);
    story.books();
    assert_eq!(story.drain(), []);
    assert_eq!(story.refused(), Some(NoTrade::Halted));
}

#[test]
fn a_restart_knows_what_is_at_risk_what_is_halted_and_which_number_comes_next() {
    let mut story = locked(settings());
    let scope = Scope::Venue(Venue::Kalshi);
    story.command(&Command::Halt { scope: scope.clone(), why: "a person said so".into() });
    story.orders();
    let before = story.trader().risk().totals();

    let mut watch = watch::Story::new(Relation::Same);
    let now = story.watch.now.after(Duration::from_secs(30));
    watch.now = now;
    watch.engine.enable_trading(settings(), &story.journal, now, &mut watch.effects);
    let mut again = Story { watch, journal: Vec::new(), fills: 100 };
    assert_eq!(again.trader().risk().totals(), before);
    assert!(again.trader().risk().is_halted(&scope));
    assert_eq!(again.trader().executor().state(), story.trader().executor().state());
    again.introduce();
    again.command(&Command::Reconciled);
    again.command(&Command::Resume { scope });
    again.books();
    let order = one(again.drain());
    assert_eq!((order.trade, order.intent), (TradeId(2), IntentId(3)));
}

#[test]
fn the_same_events_lead_to_the_same_records() {
    let run = || {
        let mut story = locked(settings());
        story.books();
        story.drain();
        story.pass(Duration::from_secs(1));
        story.journal
    };
    assert_eq!(run(), run());
}

#[test]
fn a_locked_pair_is_sold_when_both_books_pay_the_set_gain() {
    let mut early = settings();
    early.plan.exit_gain_min = Some(money("0.03"));
    let mut story = locked(early);
    assert_eq!(story.pass(Duration::from_millis(10)), [], "not for what the books bid now");
    // 0.98 and more than was paid, but less than the dollar that it pays when it settles.
    story.watch.image(KALSHI, &[(Side::Bid, "0.47", "200"), (Side::Ask, "0.48", "200")]);
    story.watch.image(POLYMARKET, &[(Side::Ask, "0.46", "200"), (Side::Bid, "0.45", "200")]);
    story.event(&Event::Drained);
    assert_eq!(story.pass(Duration::from_millis(10)), [], "what is locked is not given up");
    // YES is bid 0.50 on Kalshi, NO 0.56 on Polymarket.
    story.watch.image(KALSHI, &[(Side::Bid, "0.50", "200"), (Side::Ask, "0.51", "200")]);
    story.watch.image(POLYMARKET, &[(Side::Ask, "0.44", "200"), (Side::Bid, "0.43", "200")]);
    story.event(&Event::Drained);
    let first = one(story.pass(Duration::from_millis(10)));
    assert_eq!((first.action, first.purpose), (Action::Sell, Purpose::Exit));
    assert_eq!((first.venue, first.size), (Venue::Polymarket, Size::Contracts(quantity("120"))));
    let second = one(story.fill(&first, "120", "0.56", Finality::Confirmed));
    assert_eq!((second.venue, second.action), (Venue::Kalshi, Action::Sell));
    story.fill(&second, "120", "0.50", Finality::Confirmed);
    assert!(story.trader().executor().state().realised() > money("10"));
    assert_eq!(story.trader().risk().totals().total, Money::ZERO, "nothing is held any more");
}

#[test]
fn an_exit_that_sold_nothing_is_not_tried_again_at_once() {
    let mut early = settings();
    early.plan.exit_gain_min = Some(money("0.03"));
    let mut story = locked(early);
    story.watch.image(KALSHI, &[(Side::Bid, "0.50", "200"), (Side::Ask, "0.51", "200")]);
    story.watch.image(POLYMARKET, &[(Side::Ask, "0.44", "200"), (Side::Bid, "0.43", "200")]);
    story.event(&Event::Drained);
    let first = one(story.pass(Duration::from_millis(10)));
    story.refuse(&first, Refused::Other);
    assert_eq!(story.pass(Duration::from_secs(1)), []);
    assert_eq!(story.pass(Duration::from_secs(9)), []);
}

#[test]
fn an_engine_that_only_watches_takes_no_part() {
    let mut story = watch::Story::example(Relation::Same);
    story.event(&Event::Command(&Command::Reconciled));
    assert_eq!(story.drain().len(), 1);
    assert!(story.engine.trader().is_none());
}
