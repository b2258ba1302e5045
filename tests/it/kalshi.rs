//! The gateway to Kalshi against the embedded exchange: two readings of one protocol, without
//! sockets. What the gateway reports has to be what the exchange has in its books.

use std::collections::BTreeMap;
use std::time::Duration;

use crossbook::book::Lane;
use crossbook::domain::report::{Fee, Permission, Purse, Rest};
use crossbook::domain::{
    Action, Evidence, FeePlan, Instance, IntentId, Lifetime, Market, MarketIndex, Money, Order,
    OrderId, Outcome, Purpose, Quantity, Report, Side, Size, Timestamp, TradeId, Venue,
};
use crossbook::exchange::faults::{Fault, OrderFault, Reached};
use crossbook::exchange::kalshi::keys::{Kind, generate};
use crossbook::exchange::kalshi::{Kalshi, Scope};
use crossbook::exchange::world::World;
use crossbook::exchange::{Connection, Core as _, Push, Request, Sending};
use crossbook::venue::gateway::{Answer, Call, Gateway as _, Markets, Question, Taken};
use crossbook::venue::kalshi::gateway::{Gateway, Settings};
use crossbook::venue::kalshi::private::{self, Private};
use crossbook::venue::kalshi::{Signer, parse};
use crossbook::venue::{Feed as _, Output};

mod batch;
mod brake;
mod cancels;
mod change;

const BASE: &str = "https://kalshi.test/trade-api/v2";
const LINK: Connection = Connection(1);

struct Table(BTreeMap<MarketIndex, Market>);

impl Markets for Table {
    fn by_id(&self, _venue: Venue, id: &str) -> Option<MarketIndex> {
        self.0.iter().find(|(_, market)| market.id == id).map(|(index, _)| *index)
    }

    fn by_token(&self, _token: &str) -> Option<(MarketIndex, Outcome)> {
        None
    }

    fn facts(&self, market: MarketIndex) -> Option<&Market> {
        self.0.get(&market)
    }
}

/// The exchange on one side, the gateway and its private feed on the other.
struct Bench {
    kalshi: Kalshi,
    world: World,
    gateway: Gateway,
    feed: Private,
    markets: Table,
    now: Timestamp,
    /// What the gateway said, from answers and from the private channel.
    reports: Vec<Report>,
    notices: Vec<String>,
    intents: u64,
}

/// Which way reports come in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ways {
    Both,
    AnswersOnly,
}

impl Bench {
    fn new(kind: Kind, ways: Ways) -> Self {
        Self::braked(kind, ways, None)
    }

    /// The same, where so many contracts may match in one burst.
    fn braked(kind: Kind, ways: Ways, group: Option<u32>) -> Self {
        let world = World::new(3);
        let key = generate(kind, vec![Scope::Read, Scope::WriteTrade]).unwrap();
        let id = key.account.key_id.clone();
        let signer = || Signer::from_pem(&id, &key.pem).unwrap();
        let settings = Settings {
            order_group_contracts: group,
            ..Settings::new(BASE.to_owned(), Instance([5; 16]))
        };
        let url = "wss://kalshi.test/trade-api/ws/v2".to_owned();
        let mut bench = Self {
            kalshi: Kalshi::new(&world.kalshi, vec![key.account.clone()]),
            gateway: Gateway::new(settings, signer()),
            feed: Private::new(private::Settings::new(url, Lane(9)), signer()),
            world,
            markets: Table(BTreeMap::new()),
            now: Timestamp::from_secs(1_795_000_000),
            reports: Vec::new(),
            notices: Vec::new(),
            intents: 0,
        };
        for at in 0..bench.world.kalshi.listings.len() {
            bench.load(at);
        }
        if ways == Ways::Both {
            bench.listen();
        }
        bench
    }

    fn send(&mut self, method: &str, url: &str, headers: &[(String, String)], body: &str) -> Sent {
        let path = url.strip_prefix("https://kalshi.test").unwrap();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = Request { method, path, query, headers, body: body.as_bytes() };
        let mut out = Vec::new();
        let reply = self.kalshi.request(&request, &mut self.world.kalshi, self.now, &mut out);
        let answered = matches!(reply.sending, Sending::Now | Sending::After(_));
        Sent { status: reply.status, body: reply.body, answered, pushes: out }
    }

    /// A market as the client knows it: from the exchange's own words.
    fn load(&mut self, at: usize) {
        self.now = self.now.after(Duration::from_secs(1));
        let ticker = self.world.kalshi.listings[at].id.clone();
        let sent = self.send("GET", &format!("{BASE}/markets/{ticker}"), &[], "");
        let wire = parse::market::market_answer(&sent.body, &ticker).unwrap();
        let market = parse::market(&wire, None, FeePlan::unknown()).unwrap();
        self.markets.0.insert(MarketIndex(u32::try_from(at).unwrap()), market);
    }

    fn listen(&mut self) {
        let mut out = Output::default();
        self.feed.on_timer(self.now, &mut out);
        assert!(out.connect);
        let handshake = self.feed.handshake(self.now).unwrap();
        let headers = lower(&handshake.headers);
        let path = "/trade-api/ws/v2";
        let request = Request { method: "GET", path, query: "", headers: &headers, body: &[] };
        self.kalshi.open(LINK, &request, self.now).unwrap();
        out.clear();
        self.feed.on_open(self.now, &mut out);
        for text in out.frames {
            let mut pushes = Vec::new();
            self.kalshi.text(LINK, &text, &mut self.world.kalshi, self.now, &mut pushes);
            self.hear(pushes);
        }
        assert!(self.feed.is_live(), "all channels are acknowledged");
    }

    fn hear(&mut self, pushes: Vec<Push>) {
        let mut out = Output::default();
        for push in pushes {
            if let Push::Text(LINK, text) = push {
                self.feed.on_text(&text, self.now, &mut out);
            }
        }
        let mut taken = Taken::default();
        for text in std::mem::take(&mut out.private) {
            self.gateway.read_private(&text, &self.markets, self.now, &mut taken);
        }
        assert!(out.notices.iter().all(|n| matches!(n, crossbook::venue::Notice::Live { .. })));
        self.take(taken);
    }

    fn take(&mut self, taken: Taken) {
        self.reports.extend(taken.reports);
        self.notices.extend(taken.notices);
        for call in taken.calls {
            self.carry(&call);
        }
    }

    /// Carries a call and reads its answer, and whatever follows from it.
    fn carry(&mut self, call: &Call) {
        // So much time that no budget runs dry, and so little that no headers grow old.
        self.now = self.now.after(Duration::from_millis(400));
        let body = call.body.clone().unwrap_or_default();
        let sent = self.send(call.method, &call.url, &lower(&call.headers), &body);
        self.hear(sent.pushes);
        let mut taken = Taken::default();
        let answer = match sent.answered {
            true => Answer::Reply {
                status: sent.status,
                retry_after: None,
                headers: &[],
                body: &sent.body,
            },
            false => Answer::Lost("no answer"),
        };
        self.gateway.read(call, &answer, &self.markets, self.now, &mut taken);
        self.take(taken);
    }

    fn order(&mut self, outcome: Outcome, action: Action, lots: i64) -> Order {
        self.intents += 1;
        let yes = |side| self.world.kalshi.books[0].best(side).unwrap().0;
        // A few cents through the best price that there is.
        let reach = 300;
        let limit = match (outcome, action) {
            (Outcome::Yes, Action::Buy) => yes(Side::Ask).units() + reach,
            (Outcome::Yes, Action::Sell) => yes(Side::Bid).units() - reach,
            (Outcome::No, Action::Buy) => yes(Side::Bid).mirror().units() + reach,
            (Outcome::No, Action::Sell) => yes(Side::Ask).mirror().units() - reach,
        };
        Order {
            intent: IntentId(self.intents),
            trade: TradeId(1),
            venue: Venue::Kalshi,
            market: MarketIndex(0),
            outcome,
            action,
            limit: crossbook::domain::Price::from_units(limit).unwrap(),
            size: Size::Contracts(Quantity::from_units(lots * Quantity::LOT).unwrap()),
            lifetime: Lifetime::Immediate,
            purpose: match action {
                Action::Buy => Purpose::Enter,
                Action::Sell => Purpose::Unwind,
            },
            at: self.now,
        }
    }

    fn place(&mut self, order: &Order) -> OrderId {
        self.gateway.tick(self.now, &mut Taken::default());
        let (id, call) = self.gateway.place(order, &self.markets, self.now).unwrap();
        self.carry(&call);
        id
    }

    fn ask(&mut self, question: &Question) {
        for call in self.gateway.ask(question, &self.markets, self.now).unwrap() {
            self.carry(&call);
        }
    }

    fn evidence(&self, of: IntentId) -> Vec<&Evidence> {
        let about =
            |report: &'_ Report| matches!(report, Report::Order { intent, .. } if *intent == of);
        self.reports
            .iter()
            .filter(|report| about(report))
            .filter_map(|report| match report {
                Report::Order { evidence, .. } => Some(evidence),
                _ => None,
            })
            .collect()
    }

    /// Quantity, money and fees of an order's fills, each fill once.
    fn booked(&self, of: IntentId) -> (Quantity, Money, Money) {
        let mut fills = BTreeMap::new();
        for evidence in self.evidence(of) {
            if let Evidence::Fill(fill) = evidence {
                assert!(matches!(fill.fee, Fee::Reported(_)));
                if let Some(before) = fills.insert(fill.trade.clone(), fill.clone()) {
                    assert_eq!((before.quantity, before.money), (fill.quantity, fill.money));
                    assert_eq!(before.fee, fill.fee);
                }
            }
        }
        fills.values().fold((Quantity::ZERO, Money::ZERO, Money::ZERO), |sum, fill| {
            let quantity = sum.0.saturating_add(fill.quantity);
            (quantity, sum.1 + fill.money, sum.2 + fill.fee.amount())
        })
    }

    /// The same by the exchange's books. It knows bids and asks only: a bid is an order for YES,
    /// an ask one for NO, so what a SELL brought is what the other contract did not cost.
    fn truth(&self, order: &Order) -> (Quantity, Money, Money) {
        let client = self.gateway.client_id(order.intent);
        let statement = self.kalshi.statement(&self.world.kalshi);
        let found = statement.orders.iter().find(|one| one.client == client).unwrap();
        let money = match order.action {
            Action::Buy => found.money,
            Action::Sell => Money::payout(found.filled) - found.money,
        };
        (found.filled, money, found.fees)
    }
}

struct Sent {
    status: u16,
    body: String,
    answered: bool,
    pushes: Vec<Push>,
}

fn lower(headers: &[(&'static str, String)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect()
}

#[test]
fn what_is_reported_is_what_the_exchange_has_in_its_books_all_four_ways() {
    for ways in [Ways::Both, Ways::AnswersOnly] {
        for kind in [Kind::Ed25519, Kind::Rsa] {
            let mut bench = Bench::new(kind, ways);
            for outcome in [Outcome::Yes, Outcome::No] {
                for (action, lots) in [(Action::Buy, 2_503), (Action::Sell, 1_201)] {
                    let order = bench.order(outcome, action, lots);
                    bench.place(&order);
                    let truth = bench.truth(&order);
                    assert!(!truth.0.is_zero(), "{outcome} {action:?} filled nothing");
                    assert_eq!(bench.booked(order.intent), truth, "{outcome} {action:?}");
                    let over = bench.evidence(order.intent).into_iter().any(|one| {
                        matches!(one, Evidence::Standing { rest: Rest::Nothing, filled: Some(it), .. }
                            if it.quantity == truth.0)
                    });
                    assert!(over, "{outcome} {action:?}");
                }
            }
            assert!(bench.notices.is_empty(), "{:?}", bench.notices);
        }
    }
}

#[test]
fn an_order_whose_answer_is_lost_is_found_or_found_missing() {
    for reached in [Reached::Yes, Reached::No] {
        let mut bench = Bench::new(Kind::Ed25519, Ways::AnswersOnly);
        let fault = Fault::Order(OrderFault::Cut(reached));
        bench.fault(&fault);
        let order = bench.order(Outcome::No, Action::Buy, 1_000);
        bench.place(&order);
        assert!(matches!(bench.evidence(order.intent)[..], [Evidence::Unclear(_)]));
        bench.ask(&Question::Order(order.intent));
        let last = bench.evidence(order.intent).last().copied().cloned();
        match reached {
            Reached::Yes => {
                assert_eq!(bench.booked(order.intent), bench.truth(&order));
                assert!(!bench.booked(order.intent).0.is_zero());
            }
            Reached::No => assert!(matches!(last, Some(Evidence::NotFound { .. })), "{last:?}"),
        }
        assert!(bench.notices.is_empty(), "{:?}", bench.notices);
    }
}

impl Bench {
    fn fault(&mut self, fault: &Fault) {
        let mut out = Vec::new();
        self.kalshi.fault(fault, &mut self.world.kalshi, self.now, &mut out);
        self.hear(out);
    }
}

#[test]
fn an_order_that_rests_is_listed_and_taken_back() {
    let mut bench = Bench::new(Kind::Ed25519, Ways::Both);
    let deep = bench.order(Outcome::Yes, Action::Buy, 500);
    let limit = crossbook::domain::Price::from_units(100).unwrap();
    let order = Order { limit, lifetime: Lifetime::Resting, ..deep };
    bench.place(&order);
    bench.reports.clear();
    bench.ask(&Question::Orders(Timestamp::ZERO));
    let found = bench.evidence(order.intent);
    assert!(matches!(found[..], [Evidence::Standing { rest: Rest::Resting, .. }]), "{found:?}");
    let call = bench.gateway.cancel(order.intent, &bench.markets, bench.now).unwrap();
    bench.carry(&call);
    let last = bench.evidence(order.intent).last().copied().cloned();
    let Some(Evidence::Standing { rest: Rest::Nothing, filled: Some(total), .. }) = last else {
        panic!("{last:?}")
    };
    assert!(total.quantity.is_zero());
    bench.reports.clear();
    let call = bench.gateway.cancel(order.intent, &bench.markets, bench.now).unwrap();
    bench.carry(&call);
    let first = bench.evidence(order.intent).first().copied().cloned();
    assert!(matches!(first, Some(Evidence::NotCancelled(_))), "{first:?}");
    assert!(bench.notices.is_empty(), "{:?}", bench.notices);
}

#[test]
fn the_account_reads_as_the_exchange_keeps_it() {
    let mut bench = Bench::new(Kind::Ed25519, Ways::AnswersOnly);
    let order = bench.order(Outcome::No, Action::Buy, 1_000);
    bench.place(&order);
    bench.reports.clear();
    for question in [
        Question::Positions,
        Question::Cash,
        Question::Permission,
        Question::Limits,
        Question::Settlements(Timestamp::ZERO),
        Question::Fills(Timestamp::ZERO),
    ] {
        bench.ask(&question);
    }
    let statement = bench.kalshi.statement(&bench.world.kalshi);
    let (mut seen_positions, mut seen_cash, mut may_trade) = (false, false, false);
    for report in &bench.reports {
        match report {
            Report::Positions { positions, .. } => {
                let found: Vec<_> =
                    positions.iter().map(|it| (it.market, it.outcome, it.quantity)).collect();
                let truth: Vec<_> = statement
                    .positions
                    .iter()
                    .map(|(at, outcome, quantity)| {
                        (Some(MarketIndex(u32::try_from(*at).unwrap())), *outcome, *quantity)
                    })
                    .collect();
                assert_eq!(found, truth);
                seen_positions = !found.is_empty();
            }
            Report::Cash { purses, .. } => {
                for (purse, money) in purses {
                    let Purse::Shard(shard) = purse else { panic!("{purse:?}") };
                    let truth = statement.cash.iter().find(|(at, _)| at == shard);
                    assert_eq!(truth.map(|(_, cash)| *cash), Some(*money));
                }
                seen_cash = !purses.is_empty();
            }
            Report::Permission { permission, .. } => may_trade = *permission == Permission::Open,
            _ => {}
        }
    }
    assert!(seen_positions && seen_cash && may_trade, "{:?}", bench.reports);
    assert_eq!(bench.booked(order.intent), bench.truth(&order));
    assert!(bench.notices.is_empty(), "{:?}", bench.notices);
}

#[test]
fn orders_that_the_exchange_refuses_are_refused_for_the_right_reason() {
    use crossbook::domain::report::Refused;
    let mut bench = Bench::new(Kind::Ed25519, Ways::AnswersOnly);
    let refused = |bench: &Bench, of: IntentId| match bench.evidence(of)[..] {
        [Evidence::Refused(refusal)] => refusal.kind,
        ref other => panic!("{other:?}"),
    };
    let huge = bench.order(Outcome::Yes, Action::Buy, 100_000_000);
    bench.place(&huge);
    assert_eq!(refused(&bench, huge.intent), Refused::Funds);
    let all = Order {
        lifetime: Lifetime::AllOrNothing,
        size: Size::Contracts(Quantity::contracts(9_000)),
        limit: crossbook::domain::Price::from_units(100).unwrap(),
        ..bench.order(Outcome::Yes, Action::Buy, 1)
    };
    bench.place(&all);
    assert_eq!(refused(&bench, all.intent), Refused::NoMatch);
    // The same order twice: the exchange has it already.
    let once = bench.order(Outcome::Yes, Action::Buy, 10);
    bench.place(&once);
    bench.reports.clear();
    bench.place(&once);
    let found = bench.evidence(once.intent);
    assert!(matches!(found[0], Evidence::Unclear(_)), "{found:?}");
    assert!(matches!(found[1], Evidence::Standing { .. }), "it was looked for: {found:?}");
}
