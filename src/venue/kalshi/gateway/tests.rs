use super::super::encode::order::tests::{market, order};
use super::super::sign::TIMESTAMP_HEADER;
use super::super::sign::tests::ed25519_pem;
use super::*;
use crate::domain::report::{Fee, Refused, Rest, Total};
use crate::domain::{
    Action, Evidence, Fill, Finality, MarketIndex, Money, Outcome, Price, Purpose, Quantity, Size,
};
use crate::venue::gateway::Gateway as _;

mod account;
mod batch;
mod brake;
mod change;
mod inquiry;
mod lost;
mod movement;
mod orders;
mod private;
mod review;

/// The venue's id of the order in the payloads, and the client id that stands in them for ours.
const ID: &str = "0b7c6d5e-1111-4222-8333-444455556666";
const CLIENT: &str = "00000000-0000-8000-8000-000000000000";
const TICKER: &str = "KXDEMO-26DEC31-T50";

/// 201, and everything filled: at 0.4150 of YES on average, 0.5850 of NO.
const CREATED: &str = include_str!("../../../../tests/data/kalshi/http_order_created.json");
/// 201, and nothing filled: an IOC that found nothing.
const CREATED_NOTHING: &str =
    include_str!("../../../../tests/data/kalshi/http_order_created_nothing.json");
/// 15 of 25 were taken back: 10 are filled.
const CANCELLED: &str = include_str!("../../../../tests/data/kalshi/http_order_cancelled.json");
/// An order for NO: the limit is a price of YES, the cost is on the scale of NO.
const ORDER: &str = include_str!("../../../../tests/data/kalshi/http_order.json");
/// A page with an order of somebody else, and a cursor.
const ORDERS_1: &str = include_str!("../../../../tests/data/kalshi/http_orders_page1.json");
/// The last page, with ours.
const ORDERS_2: &str = include_str!("../../../../tests/data/kalshi/http_orders_page2.json");
/// Two fills of the order, which name no client id.
const FILLS: &str = include_str!("../../../../tests/data/kalshi/http_fills.json");
/// How fresh reads of an account are.
const AS_OF: &str = include_str!("../../../../tests/data/kalshi/http_user_data_timestamp.json");

const NO_ORDERS: &str = r#"{"cursor":"","orders":[]}"#;
const NO_FILLS: &str = r#"{"cursor":"","fills":[]}"#;

struct OneMarket(Market);

impl Markets for OneMarket {
    fn by_id(&self, venue: Venue, id: &str) -> Option<MarketIndex> {
        (venue == Venue::Kalshi && id == self.0.id).then_some(MarketIndex(0))
    }

    fn by_token(&self, _token: &str) -> Option<(MarketIndex, Outcome)> {
        None
    }

    fn facts(&self, market: MarketIndex) -> Option<&Market> {
        (market == MarketIndex(0)).then_some(&self.0)
    }
}

/// A gateway, its market and the time.
struct Rig {
    gateway: Gateway,
    markets: OneMarket,
    now: Timestamp,
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

/// 25 contracts of NO at 0.59 at most, which is an ask of YES at 0.41.
fn buy_no() -> Order {
    order(Outcome::No, Action::Buy, "0.59")
}

impl Rig {
    fn new() -> Self {
        let base = "https://example.test/trade-api/v2/".to_owned();
        let settings = Settings::new(base, Instance([1; 16]));
        let signer = Signer::from_pem("2f1f3bb0-0000-4000-8000-000000000002", &ed25519_pem());
        Self {
            gateway: Gateway::new(settings, signer.unwrap()),
            markets: OneMarket(market(Some(0))),
            now: Timestamp::from_millis(1_795_341_601_000),
        }
    }

    /// A payload with the client id of intent 7 in it.
    fn ours(&self, text: &str) -> String {
        text.replace(CLIENT, &self.gateway.client_id(IntentId(7)))
    }

    fn place(&mut self, order: &Order) -> Call {
        self.gateway.place(order, &self.markets, self.now).unwrap().1
    }

    fn read(&mut self, call: &Call, answer: &Answer<'_>) -> Taken {
        let mut taken = Taken::default();
        self.gateway.read(call, answer, &self.markets, self.now, &mut taken);
        taken
    }

    fn reply(&mut self, call: &Call, status: u16, body: &str) -> Taken {
        let body = self.ours(body);
        self.read(call, &Answer::Reply { status, retry_after: None, headers: &[], body: &body })
    }

    fn private(&mut self, text: &str) -> Taken {
        let text = self.ours(text);
        let mut taken = Taken::default();
        self.gateway.read_private(&text, &self.markets, self.now, &mut taken);
        taken
    }

    fn ask(&mut self, question: &Question) -> Vec<Call> {
        self.gateway.ask(question, &self.markets, self.now).unwrap()
    }

    /// Places the order and has it acknowledged with this answer.
    fn acknowledged(&mut self, order: &Order, body: &str) -> Taken {
        let call = self.place(order);
        self.reply(&call, 201, body)
    }
}

fn only<T: std::fmt::Debug>(mut all: Vec<T>) -> T {
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// The evidence of the only report, which has to be about intent 7.
fn evidence(taken: Taken) -> Evidence {
    match only(taken.reports) {
        Report::Order { intent: IntentId(7), evidence } => evidence,
        other => panic!("{other:?}"),
    }
}

fn standing(filled: &str, cost: &str, rest: Rest) -> Evidence {
    let total = Total { quantity: quantity(filled), money: money(cost) };
    let trades = Vec::new();
    Evidence::Standing { id: OrderId(ID.to_owned()), filled: Some(total), rest, trades }
}

fn path_and_query(call: &Call) -> &str {
    call.url.strip_prefix("https://example.test/trade-api/v2").unwrap()
}
