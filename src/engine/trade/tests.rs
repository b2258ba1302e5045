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

mod exits;
mod gates;
mod room;
mod route;
mod stops;

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
            entry: crate::domain::Lifetime::Immediate,
            hold: execute::Hold::Allowed,
        },
        pause_ahead: Duration::from_secs(600),
        weekly_pause: true,
        not_tradable_min: Duration::from_secs(2),
        polymarket_answer: Duration::from_secs(5),
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

    /// How often the order routes were to be asked since the last call.
    fn probes(&mut self) -> usize {
        let all = std::mem::take(&mut self.watch.effects);
        all.iter().filter(|one| matches!(one, Effect::Probe { .. })).count()
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
                    let (delay, event) = (Duration::from_secs(1), format!("{venue}-event"));
                    let market = Market { delay, event, ..watch::market(venue) };
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
        let alone = narrowed.limits.stranded;
        let mut story = Story::new(narrowed);
        story.read_purses(cash);
        story.books();
        let first = one(story.drain());
        let trade = story.trader().executor().state().trade(TradeId(1)).unwrap();
        let spends = first.spend_max() + trade.plan.legs[1].fee_max;
        assert!(spends <= most, "{spends} of {most}");
        let count = trade.plan.quantity;
        // What is held back may go into the leg that stands alone.
        let least = match (is_of_both, alone == most) {
            (false, false) => "50",
            _ => "43",
        };
        assert!(count > quantity(least) && count < quantity("119"), "{count} for {most}");
        assert_eq!(story.refused(), None);
        let hedge = one(story.fill(&first, &count.to_string(), "0.52", Finality::Confirmed));
        assert_eq!(hedge.size, Size::Contracts(count));
        story.fill(&hedge, &count.to_string(), "0.42", Finality::Confirmed);
        assert_eq!(story.phase(1), Phase::Locked);
    }
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
fn an_engine_that_only_watches_takes_no_part() {
    let mut story = watch::Story::example(Relation::Same);
    story.event(&Event::Command(&Command::Reconciled));
    assert_eq!(story.drain().len(), 1);
    assert!(story.engine.trader().is_none());
}
