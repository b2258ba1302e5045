//! Our side of Polymarket's orders against the embedded exchange: two readings of one protocol.

use std::time::Duration;

use crossbook::book::Lane;
use crossbook::domain::market::Settlement;
use crossbook::domain::report::{Permission, Refused, Rest, Total};
use crossbook::domain::{
    Action, Evidence, Finality, Instance, IntentId, Lifetime, Market, MarketIndex, Money, Order,
    Outcome, Price, Purpose, Quantity, Report, Side, Size, Timestamp, TradeId, Venue,
};
use crossbook::exchange::faults::{Fault, OrderFault, Reached};
use crossbook::exchange::polymarket::{self as exchange, Address, HOST, WalletKind};
use crossbook::exchange::world::World;
use crossbook::exchange::{Connection, Core, Push, Reply, Request, Sending};
use crossbook::venue::gateway::{
    Answer, Call, Conversion, Gateway as _, Markets, Question, Subject, Taken,
};
use crossbook::venue::polymarket::account::Account;
use crossbook::venue::polymarket::gateway::{Chain, Gateway, Settings};
use crossbook::venue::polymarket::parse::market::listings;
use crossbook::venue::polymarket::private::{self, Private};
use crossbook::venue::polymarket::sign::Key;
use crossbook::venue::polymarket::sign::hmac::Credentials;
use crossbook::venue::polymarket::sign::order::Wallet;
use crossbook::venue::{Feed as _, Output};

mod batch;
mod budget;
mod cancels;

/// The public test key of Anvil.
const ANVIL: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const FUNDER: &str = "0x1111111111111111111111111111111111111111";
const CONNECTION: Connection = Connection(1);

struct Table(Vec<Market>);

impl Markets for Table {
    fn by_id(&self, _venue: Venue, id: &str) -> Option<MarketIndex> {
        let at = self.0.iter().position(|market| market.id == id)?;
        Some(MarketIndex(u32::try_from(at).ok()?))
    }

    fn by_token(&self, token: &str) -> Option<(MarketIndex, Outcome)> {
        (0..).zip(&self.0).find_map(|(at, market)| {
            let tokens = market.tokens.as_ref()?;
            let outcome = match token {
                token if token == tokens.yes => Outcome::Yes,
                token if token == tokens.no => Outcome::No,
                _ => return None,
            };
            Some((MarketIndex(at), outcome))
        })
    }

    fn facts(&self, market: MarketIndex) -> Option<&Market> {
        self.0.get(market.at())
    }
}

/// The exchange, our side, and the wires between them.
struct Rig {
    world: World,
    venue: exchange::Polymarket,
    gateway: Gateway,
    feed: Private,
    markets: Table,
    now: Timestamp,
    /// What our side has said so far.
    reports: Vec<Report>,
    notices: Vec<String>,
    intents: u64,
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

impl Rig {
    fn new(kind: WalletKind, wallet: Wallet) -> Self {
        Self::of(kind, wallet, exchange::Tier::Standard)
    }

    fn of(kind: WalletKind, wallet: Wallet, tier: exchange::Tier) -> Self {
        let world = World::new(5);
        let funder = if wallet == Wallet::Eoa { None } else { Some(FUNDER) };
        let mut venue = exchange::Polymarket::with_wallet(exchange::Wallet {
            funder: funder.map_or(Address::ANVIL, |text| Address::parse(text).unwrap()),
            kind,
            tier,
            ..exchange::Wallet::default()
        });
        let key = venue.api_key(0);
        let credentials =
            Credentials::new(&key.key, key.secret.into(), key.passphrase.into()).unwrap();
        let key = Key::from_hex(ANVIL).unwrap();
        let account = Account::new(key, wallet, funder, credentials).unwrap();
        let feed = Private::new(channel(), Lane(0), 1, &account);
        let settings = Settings {
            clob_url: "http://clob".to_owned(),
            data_url: "http://data".to_owned(),
            site_url: "http://clob".to_owned(),
            chain: Chain::Embedded,
            data_lag: Duration::ZERO,
            post_only_lasts: seconds(120),
        };
        let gateway = Gateway::new(account, Instance([3; 16]), settings);
        let now = Timestamp::from_secs(1_795_000_000);
        let (reports, notices, markets) = (Vec::new(), Vec::new(), Table(Vec::new()));
        let mut rig =
            Self { world, venue, gateway, feed, markets, now, reports, notices, intents: 0 };
        rig.pass(Duration::from_millis(50));
        rig.read_markets();
        rig.connect();
        rig
    }

    fn plain() -> Self {
        Self::new(WalletKind::Eoa, Wallet::Eoa)
    }

    /// Lets time go by.
    fn pass(&mut self, span: Duration) {
        let until = self.now.after(span);
        while self.now < until {
            self.now = self.now.after(Duration::from_millis(50)).min(until);
            let mut out = Vec::new();
            let floor = self.world.floor_mut(Venue::Polymarket);
            self.venue.tick(floor, self.now, &mut out);
            self.push(out);
        }
    }

    /// What the exchange pushes reaches the private channel's feed and, through it, the gateway.
    fn push(&mut self, out: Vec<Push>) {
        for push in out {
            let Push::Text(_, text) = push else { continue };
            let mut output = Output::default();
            self.feed.on_text(&text, self.now, &mut output);
            for text in output.private {
                let mut taken = Taken::default();
                self.gateway.read_private(&text, &self.markets, self.now, &mut taken);
                self.take(taken);
            }
        }
    }

    fn take(&mut self, taken: Taken) {
        self.reports.extend(taken.reports);
        self.notices.extend(taken.notices);
        for call in taken.calls {
            self.carry(&call);
        }
    }

    fn request(&mut self, call: &Call) -> Reply {
        let rest = call.url.strip_prefix("http://").unwrap();
        let (host, target) = rest.split_once('/').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers: Vec<(String, String)> =
            call.headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
        headers.push((HOST.to_owned(), host.to_owned()));
        let path = format!("/{path}");
        let body = call.body.as_deref().unwrap_or_default().as_bytes();
        let request = Request { method: call.method, path: &path, query, headers: &headers, body };
        let mut out = Vec::new();
        let floor = self.world.floor_mut(Venue::Polymarket);
        let reply = self.venue.request(&request, floor, self.now, &mut out);
        self.push(out);
        reply
    }

    /// Carries a call and reads what came back.
    fn carry(&mut self, call: &Call) {
        let reply = self.request(call);
        let answer = answer_of(&reply);
        let mut taken = Taken::default();
        self.gateway.read(call, &answer, &self.markets, self.now, &mut taken);
        self.take(taken);
    }

    fn bare(&mut self, url: String) -> String {
        let call = Call {
            venue: Venue::Polymarket,
            subject: Subject::Other("facts", String::new()),
            class: crossbook::venue::gateway::Class::Read,
            cost: 1,
            method: "GET",
            url,
            headers: Vec::new(),
            body: None,
        };
        let Reply { status, body, .. } = self.request(&call);
        assert_eq!(status, 200, "{body}");
        body
    }

    fn read_markets(&mut self) {
        let floor = self.world.floor(Venue::Polymarket);
        let ids: Vec<String> = floor.listings.iter().map(|one| one.id.clone()).collect();
        for id in ids {
            let gamma = self.bare(format!("http://gamma/markets?condition_ids={id}"));
            let clob = self.bare(format!("http://clob/clob-markets/{id}"));
            let listing = listings(&gamma).unwrap().found.remove(0);
            self.markets.0.push(listing.market(&clob).unwrap());
        }
    }

    fn connect(&mut self) {
        let mut output = Output::default();
        self.feed.on_timer(self.now, &mut output);
        let request =
            Request { method: "GET", path: "/ws/user", query: "", headers: &[], body: &[] };
        self.venue.open(CONNECTION, &request, self.now).unwrap();
        self.feed.on_open(self.now, &mut output);
        for frame in output.frames {
            let mut out = Vec::new();
            let floor = self.world.floor_mut(Venue::Polymarket);
            self.venue.text(CONNECTION, &frame, floor, self.now, &mut out);
            self.push(out);
        }
    }

    /// The best offer of YES in the first market.
    fn offer(&self) -> (Price, Quantity) {
        self.world.floor(Venue::Polymarket).books[0].best(Side::Ask).unwrap()
    }

    /// A BUY of YES that takes the best offer for so many dollars.
    fn taking(&mut self, dollars: i64) -> Order {
        self.intents += 1;
        Order {
            intent: IntentId(self.intents),
            trade: TradeId(1),
            venue: Venue::Polymarket,
            market: MarketIndex(0),
            outcome: Outcome::Yes,
            action: Action::Buy,
            limit: self.offer().0,
            size: Size::Collateral(Money::from_micros(dollars * Money::DOLLAR)),
            lifetime: Lifetime::Immediate,
            purpose: Purpose::Enter,
            at: self.now,
        }
    }

    /// Places an order and gives what the answer and the channel said of it.
    fn place(&mut self, order: &Order) -> Vec<Evidence> {
        self.reports.clear();
        let (_, call) = self.gateway.place(order, &self.markets, self.now).unwrap();
        self.carry(&call);
        self.evidence(order.intent)
    }

    fn ask(&mut self, question: &Question) -> Vec<Report> {
        self.reports.clear();
        for call in self.gateway.ask(question, &self.markets, self.now).unwrap() {
            self.carry(&call);
        }
        self.reports.clone()
    }

    fn asked(&mut self, intent: IntentId) -> Vec<Evidence> {
        self.ask(&Question::Order(intent));
        self.evidence(intent)
    }

    fn evidence(&self, wanted: IntentId) -> Vec<Evidence> {
        let ours = self.reports.iter().filter_map(|report| match report {
            Report::Order { intent, evidence } if *intent == wanted => Some(evidence.clone()),
            _ => None,
        });
        ours.collect()
    }

    fn fault(&mut self, fault: OrderFault) {
        let mut out = Vec::new();
        let floor = self.world.floor_mut(Venue::Polymarket);
        self.venue.fault(&Fault::Order(fault), floor, self.now, &mut out);
    }

    /// What the exchange's own books say of the newest order.
    fn truth(&self) -> (Total, Money) {
        let statement = self.venue.statement(self.world.floor(Venue::Polymarket));
        let order = statement.orders.last().unwrap();
        (Total { quantity: order.filled, money: order.money }, order.fees)
    }
}

/// What whoever carries calls makes of a reply.
fn answer_of(reply: &Reply) -> Answer<'_> {
    match reply.sending {
        Sending::Held | Sending::Cut => Answer::Lost("no answer"),
        Sending::Now | Sending::After(_) => Answer::Reply {
            status: reply.status,
            retry_after: None,
            headers: &reply.headers,
            body: &reply.body,
        },
    }
}

fn channel() -> private::Settings {
    private::Settings {
        url: "ws://ws/ws".to_owned(),
        ping_every: seconds(5),
        pong_max: seconds(15),
        reconnect_planned: Duration::ZERO,
        backoff_first: seconds(1),
        backoff_longest: seconds(8),
        limited_wait: seconds(20),
    }
}

/// The final total that evidence tells.
fn ended(evidence: &[Evidence]) -> Option<Total> {
    evidence.iter().find_map(|one| match one {
        Evidence::Standing { filled, rest: Rest::Nothing, .. } => *filled,
        _ => None,
    })
}

/// The quantity, money and fees of all fills that are this far, each counted once.
fn filled(evidence: &[Evidence], finality: Finality) -> (Total, Money) {
    let (mut seen, mut total, mut fees) = (Vec::new(), Total::default(), Money::ZERO);
    for one in evidence {
        let Evidence::Fill(fill) = one else { continue };
        if fill.finality == finality && !seen.contains(&fill.trade) {
            seen.push(fill.trade.clone());
            total.quantity = total.quantity.saturating_add(fill.quantity);
            total.money += fill.money;
            fees += fill.fee.amount();
        }
    }
    (total, fees)
}

#[test]
fn a_part_of_a_neg_risk_market_is_known_as_one_and_traded_as_one() {
    let mut rig = Rig::plain();
    let group = format!("0x{}", "cd".repeat(32));
    rig.world.floor_mut(Venue::Polymarket).listings[0].group = group.clone();
    rig.markets.0.clear();
    rig.read_markets();
    let [first, second] = &rig.markets.0[..2] else { panic!("two markets") };
    assert_eq!((first.group.as_str(), second.group.as_str()), (group.as_str(), ""));
    let settlement = first.tokens.as_ref().and_then(|tokens| tokens.settlement);
    assert_eq!(settlement, Some(Settlement::NegRisk));
    let order = rig.taking(5);
    let heard = rig.place(&order);
    assert!(ended(&heard).is_some_and(|total| !total.quantity.is_zero()), "{heard:?}");
}

#[test]
fn an_order_that_takes_is_told_alike_by_answer_channel_and_question() {
    let mut rig = Rig::plain();
    let order = rig.taking(5);
    let heard = rig.place(&order);
    let (truth, fees) = rig.truth();
    assert!(!truth.quantity.is_zero());
    assert_eq!(ended(&heard), Some(truth), "{heard:?} {:?}", rig.notices);
    assert_eq!(filled(&heard, Finality::Matched), (truth, fees));
    rig.reports.clear();
    rig.pass(seconds(3));
    assert_eq!(filled(&rig.evidence(order.intent), Finality::Confirmed), (truth, fees));
    let asked = rig.asked(order.intent);
    assert_eq!(ended(&asked), Some(truth), "{asked:?} {:?}", rig.notices);
    assert!(rig.notices.is_empty(), "{:?}", rig.notices);
}

#[test]
fn a_fresh_process_finds_its_order_and_its_total() {
    let mut rig = Rig::plain();
    let order = rig.taking(5);
    let (id, call) = rig.gateway.place(&order, &rig.markets, rig.now).unwrap();
    rig.carry(&call);
    let (truth, fees) = rig.truth();
    rig.gateway.forget(order.intent);
    rig.gateway.recall(&order, &id);
    let asked = rig.asked(order.intent);
    assert_eq!(ended(&asked), Some(truth), "{asked:?} {:?}", rig.notices);
    assert_eq!(filled(&asked, Finality::Matched), (truth, fees));
}

#[test]
fn orders_of_every_kind_of_wallet_are_accepted() {
    for (kind, wallet) in [
        (WalletKind::Eoa, Wallet::Eoa),
        (WalletKind::Proxy, Wallet::Proxy),
        (WalletKind::Safe, Wallet::Safe),
        (WalletKind::Deposit, Wallet::Deposit),
    ] {
        let mut rig = Rig::new(kind, wallet);
        let order = rig.taking(5);
        let heard = rig.place(&order);
        assert_eq!(ended(&heard), Some(rig.truth().0), "{kind:?} {heard:?}");
    }
}

#[test]
fn an_order_that_rests_lives_by_heartbeats_and_ends_by_its_cancel() {
    let mut rig = Rig::plain();
    let mut order = rig.taking(0);
    order.limit = Price::parse("0.01").unwrap();
    order.size = Size::Contracts(Quantity::contracts(200));
    order.lifetime = Lifetime::Resting;
    let heard = rig.place(&order);
    let rests = |one: &Evidence| matches!(one, Evidence::Standing { rest: Rest::Resting, .. });
    assert!(heard.iter().any(rests), "{heard:?} {:?}", rig.notices);
    for _ in 0..60 {
        let mut taken = Taken::default();
        rig.gateway.tick(rig.now, &mut taken);
        rig.take(taken);
        rig.pass(seconds(1));
    }
    assert!(rig.asked(order.intent).iter().any(rests), "{:?}", rig.notices);
    assert_eq!(rig.ask(&Question::Orders(Timestamp::ZERO)).len(), 1);
    let call = rig.gateway.cancel(order.intent, &rig.markets, rig.now).unwrap();
    rig.reports.clear();
    rig.carry(&call);
    assert_eq!(ended(&rig.evidence(order.intent)), Some(Total::default()));
    assert!(rig.ask(&Question::Orders(Timestamp::ZERO)).is_empty());
    assert!(rig.notices.is_empty(), "{:?}", rig.notices);
}

#[test]
fn what_became_of_an_order_without_an_answer_is_found_out() {
    for (reached, expected) in [(Reached::Yes, true), (Reached::No, false)] {
        let mut rig = Rig::plain();
        rig.fault(OrderFault::Cut(reached));
        let order = rig.taking(5);
        let heard = rig.place(&order);
        assert!(heard.iter().any(|one| matches!(one, Evidence::Unclear(_))), "{heard:?}");
        rig.pass(seconds(3));
        let asked = rig.asked(order.intent);
        if expected {
            let (truth, fees) = rig.truth();
            assert_eq!(ended(&asked), Some(truth), "{asked:?}");
            assert_eq!(filled(&asked, Finality::Confirmed), (truth, fees));
        } else {
            let missing = |one: &Evidence| matches!(one, Evidence::NotFound { .. });
            assert!(asked.iter().all(missing) && !asked.is_empty(), "{asked:?}");
        }
    }
}

#[test]
fn each_way_to_fill_nothing_is_told_as_such() {
    let mut rig = Rig::plain();
    rig.fault(OrderFault::NothingThere);
    let order = rig.taking(5);
    let heard = rig.place(&order);
    let no_match = |one: &Evidence| matches!(one, Evidence::Refused(refusal) if refusal.kind == Refused::NoMatch);
    assert!(heard.iter().any(no_match), "{heard:?}");
    rig.fault(OrderFault::SuccessWithError);
    let order = rig.taking(5);
    let heard = rig.place(&order);
    let is_settled = |one: &Evidence| matches!(one, Evidence::Refused(_) | Evidence::Unclear(_));
    assert!(heard.iter().all(is_settled) && !heard.is_empty(), "{heard:?}");
    let order = rig.taking(100_000);
    let heard = rig.place(&order);
    let poor = |one: &Evidence| matches!(one, Evidence::Refused(refusal) if refusal.kind == Refused::Funds);
    assert!(heard.iter().any(poor), "{heard:?}");
}

#[test]
fn a_fill_that_fails_to_settle_is_told_by_its_name() {
    let mut rig = Rig::plain();
    rig.fault(OrderFault::SettlementFails(seconds(2)));
    let order = rig.taking(5);
    let heard = rig.place(&order);
    let matched = filled(&heard, Finality::Matched);
    assert!(!matched.0.quantity.is_zero(), "{heard:?}");
    rig.reports.clear();
    rig.pass(seconds(10));
    assert_eq!(filled(&rig.evidence(order.intent), Finality::Failed), matched);
    assert!(rig.truth().0.quantity.is_zero());
}

#[test]
fn the_account_is_read_as_the_exchange_keeps_it() {
    let mut rig = Rig::plain();
    let open = Report::Permission { venue: Venue::Polymarket, permission: Permission::Open };
    assert_eq!(rig.ask(&Question::Permission), [open]);
    let order = rig.taking(5);
    rig.place(&order);
    rig.pass(seconds(5));
    let statement = rig.venue.statement(rig.world.floor(Venue::Polymarket));
    let [Report::Cash { purses, .. }] = &rig.ask(&Question::Cash)[..] else { panic!() };
    assert_eq!(purses[0].1, statement.cash_total());
    let [Report::Positions { positions, .. }] = &rig.ask(&Question::Positions)[..] else {
        panic!()
    };
    let held: Vec<_> =
        positions.iter().map(|one| (one.market, one.outcome, one.quantity)).collect();
    let [(0, outcome, quantity)] = statement.positions[..] else { panic!() };
    assert_eq!(held, [(Some(MarketIndex(0)), outcome, quantity)]);
    let fills = rig.ask(&Question::Fills(order.at));
    assert!(fills.iter().all(|one| matches!(one, Report::Order { .. })) && !fills.is_empty());
    assert!(rig.notices.is_empty(), "{:?}", rig.notices);
}

#[test]
fn both_outcomes_become_dollars_on_request() {
    let mut rig = Rig::plain();
    let yes = rig.taking(5);
    rig.place(&yes);
    let (bid, _) = rig.world.floor(Venue::Polymarket).books[0].best(Side::Bid).unwrap();
    let no = Order { outcome: Outcome::No, limit: bid.mirror(), ..rig.taking(5) };
    let heard = rig.place(&no);
    assert!(ended(&heard).is_some(), "{heard:?} {:?}", rig.notices);
    rig.pass(seconds(5));
    let (market, quantity) = (MarketIndex(0), Quantity::contracts(2));
    let mut taken = Taken::default();
    let merge = Conversion::Merge { market, quantity };
    rig.gateway.convert(merge, &rig.markets, rig.now, &mut taken);
    rig.reports.clear();
    rig.take(taken);
    assert_eq!(rig.reports, [Report::Merged { market, quantity, at: rig.now }]);
}
