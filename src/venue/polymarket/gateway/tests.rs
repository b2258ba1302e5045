mod account;
mod batch;
mod budget;
mod movement;
mod orders;
mod route;
mod search;
mod trades;

use serde_json::{Value, json};

use crate::domain::market::{Settlement, Status, Tokens};
use crate::domain::{
    Action, FeeModel, FeePlan, Market, MarketIndex, Minimum, Money, Price, PriceGrid, Purpose,
    Quantity, Rate, Size, TradeId,
};
use crate::venue::polymarket::sign::Key;
use crate::venue::polymarket::sign::hmac::Credentials;
use crate::venue::polymarket::sign::order::Wallet;

use super::*;

const YES: &str = "71321045679252212594626385532706912750332728571942532289631379312455583992563";
const NO: &str = "52114319501245915516055106046884209969926127482827954674443846427813813222426";
const CONDITION: &str = "0xabababababababababababababababababababababababababababababababab";
const API_KEY: &str = "00000000-0000-0000-0000-000000000001";
const ANVIL: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const WALLET: &str = "0x1111111111111111111111111111111111111111";

fn now() -> Timestamp {
    Timestamp::from_millis(1_763_800_000_000)
}

struct Table(Vec<Market>);

impl Markets for Table {
    fn by_id(&self, _venue: Venue, id: &str) -> Option<MarketIndex> {
        let at = self.0.iter().position(|market| market.id == id)?;
        Some(MarketIndex(u32::try_from(at).ok()?))
    }

    fn by_token(&self, token: &str) -> Option<(MarketIndex, Outcome)> {
        self.0.iter().zip(0..).find_map(|(market, at)| {
            let tokens = market.tokens.as_ref()?;
            if tokens.yes == token {
                Some((MarketIndex(at), Outcome::Yes))
            } else {
                (tokens.no == token).then_some((MarketIndex(at), Outcome::No))
            }
        })
    }

    fn facts(&self, market: MarketIndex) -> Option<&Market> {
        self.0.get(market.at())
    }
}

fn market(settlement: Option<Settlement>) -> Market {
    let model = FeeModel::polymarket(Rate::parse("0.04").unwrap(), 1).unwrap();
    Market {
        venue: Venue::Polymarket,
        id: CONDITION.to_owned(),
        title: "Example?".to_owned(),
        event: "example".to_owned(),
        group: String::new(),
        grid: PriceGrid::uniform(100),
        fee: FeePlan::constant(model),
        minimum: Minimum::default(),
        status: Status::Open,
        closes: None,
        starts: None,
        delay: Duration::ZERO,
        shard: None,
        rules: None,
        basis: None,
        yes_pays: None,
        tokens: Some(Tokens {
            yes: YES.to_owned(),
            no: NO.to_owned(),
            yes_label: "Yes".to_owned(),
            no_label: "No".to_owned(),
            settlement,
            is_open_ended: false,
        }),
    }
}

fn table() -> Table {
    Table(vec![market(Some(Settlement::Standard))])
}

fn gateway(wallet: Wallet, chain: Chain) -> Gateway {
    let secret = "-yBFao-02f4jSG2St9wBJktwlbrfBClOc5i94gcsUXY=".to_owned();
    let credentials = Credentials::new(API_KEY, secret.into(), "pass".to_owned().into()).unwrap();
    let maker = (wallet != Wallet::Eoa).then_some(WALLET);
    let account = Account::new(Key::from_hex(ANVIL).unwrap(), wallet, maker, credentials).unwrap();
    let settings = Settings {
        clob_url: "http://clob".to_owned(),
        data_url: "http://data".to_owned(),
        site_url: "http://site".to_owned(),
        chain,
        data_lag: facts::DATA_LAG,
        post_only_lasts: facts::POST_ONLY_LASTS,
    };
    Gateway::new(account, Instance([7; 16]), settings)
}

/// A BUY that takes: 13 dollars at 0.52.
fn taking() -> Order {
    Order {
        intent: IntentId(1),
        trade: TradeId(1),
        venue: Venue::Polymarket,
        market: MarketIndex(0),
        outcome: Outcome::Yes,
        action: Action::Buy,
        limit: Price::parse("0.52").unwrap(),
        size: Size::Collateral(Money::parse("13").unwrap()),
        lifetime: Lifetime::Immediate,
        purpose: Purpose::Enter,
        at: now(),
    }
}

/// A SELL of NO that rests: 20 at 0.48.
fn resting() -> Order {
    Order {
        intent: IntentId(2),
        outcome: Outcome::No,
        action: Action::Sell,
        limit: Price::parse("0.48").unwrap(),
        size: Size::Contracts(Quantity::contracts(20)),
        lifetime: Lifetime::Resting,
        ..taking()
    }
}

/// A gateway with an order that was placed: its id and its call.
fn placed(order: &Order) -> (Gateway, String, Call) {
    let mut gateway = gateway(Wallet::Eoa, Chain::Polygon);
    let (id, call) = gateway.place(order, &table(), now()).unwrap();
    (gateway, id.0, call)
}

fn reply(status: u16, body: &str) -> Answer<'_> {
    Answer::Reply { status, retry_after: None, headers: &[], body }
}

/// Reads an answer and gives what came of it.
fn read(gateway: &mut Gateway, call: &Call, status: u16, body: &Value) -> Taken {
    let (mut taken, body) = (Taken::default(), body.to_string());
    gateway.read(call, &reply(status, &body), &table(), now(), &mut taken);
    taken
}

fn hear(gateway: &mut Gateway, event: &Value) -> Taken {
    let mut taken = Taken::default();
    gateway.read_private(&event.to_string(), &table(), now(), &mut taken);
    taken
}

/// The evidence of reports that are all about one order of ours.
fn evidence(taken: &Taken) -> Vec<Evidence> {
    taken
        .reports
        .iter()
        .map(|report| match report {
            Report::Order { evidence, .. } => evidence.clone(),
            other => panic!("not about our order: {other:?}"),
        })
        .collect()
}

fn only(taken: &Taken) -> Evidence {
    let mut all = evidence(taken);
    assert_eq!(all.len(), 1, "{:?} {:?}", taken.reports, taken.notices);
    all.remove(0)
}

fn total(quantity: &str, money: &str) -> Option<Total> {
    let quantity = Quantity::parse(quantity).unwrap();
    Some(Total { quantity, money: Money::parse(money).unwrap() })
}

fn shape(group: &str, name: &str) -> Value {
    let file = include_str!("../../../../tests/data/polymarket/message_shapes.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let found = match group {
        "user" => file["user_channel"]["frames"][name].clone(),
        _ => file["rest_samples"][name].clone(),
    };
    assert!(found.is_object(), "{group} {name}");
    found
}

/// The trade of the message shapes with our order as its taker, or as the maker it met.
fn trade(id: &str, takes: bool) -> Value {
    let mut trade = shape("user", "trade");
    if takes {
        trade["taker_order_id"] = id.into();
    } else {
        trade["owner"] = "someone".into();
        trade["trader_side"] = "MAKER".into();
        trade["maker_orders"] = json!([{
            "order_id": id, "owner": API_KEY, "matched_amount": "5", "price": "0.48",
            "asset_id": NO, "side": "SELL", "outcome": "No"
        }]);
    }
    trade
}
