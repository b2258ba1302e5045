//! Orders and what is done to them, as requests.
//!
//! A market has one book, quoted on YES: buying NO at `q` is an `ask` at `1 - q`. Prices and counts
//! go out as decimal strings. A request names its shard always: what the venue does without it has
//! changed before. Whether a sell closes YES or opens NO is the venue's netting, not the request's.

use serde::Serialize;

use crate::domain::{
    Action, Lifetime, Market, Order, Outcome, Price, Purpose, Quantity, Side, Size, Timestamp,
    Venue,
};
use crate::venue::Error;

use super::super::rest::{Query, escape};

/// Where orders are made and taken back; reads go to another path.
pub const ORDERS: &str = "/portfolio/events/orders";

/// A request without host and signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, `PUT`, `DELETE`.
    pub method: &'static str,
    /// The path behind `/trade-api/v2`; this is what is signed, and what budgets name.
    pub path: String,
    /// What follows the path, question mark included; empty when there is nothing.
    pub query: String,
    /// The body.
    pub body: Option<String>,
}

impl Request {
    /// A read.
    pub(in crate::venue::kalshi) fn get(path: &str, query: &Query) -> Self {
        Self { method: "GET", path: path.to_owned(), query: query.to_string(), body: None }
    }

    pub(super) fn of(method: &'static str, path: String, body: &impl Serialize) -> Self {
        Self { method, path, query: String::new(), body: Some(json(body)) }
    }

    pub(super) fn bare(method: &'static str, path: String, query: &Query) -> Self {
        Self { method, path, query: query.to_string(), body: None }
    }
}

/// Strings and numbers always serialise; an empty body would be refused by the venue.
fn json(body: &impl Serialize) -> String {
    serde_json::to_string(body).unwrap_or_default()
}

/// Where an order for a contract stands in the book of YES, and at which price.
///
/// Its own inverse is the same table: an order that buys NO is an offer of YES.
pub const fn place(outcome: Outcome, action: Action, price: Price) -> (Side, Price) {
    match (action, outcome) {
        (Action::Buy, Outcome::Yes) => (Side::Bid, price),
        (Action::Sell, Outcome::Yes) => (Side::Ask, price),
        (Action::Buy, Outcome::No) => (Side::Ask, price.mirror()),
        (Action::Sell, Outcome::No) => (Side::Bid, price.mirror()),
    }
}

/// The side's name at the venue.
pub const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Bid => "bid",
        Side::Ask => "ask",
    }
}

/// Whether an order may only make a position smaller. The venue knows that for orders that do not
/// rest, and refuses it on others.
pub const fn is_reduce_only(order: &Order) -> bool {
    matches!(
        (order.action, order.lifetime, order.purpose),
        (Action::Sell, Lifetime::Immediate, Purpose::Unwind | Purpose::Exit)
    )
}

/// An order in the venue's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ticket {
    ticker: String,
    client_order_id: String,
    side: &'static str,
    count: String,
    price: String,
    time_in_force: &'static str,
    self_trade_prevention_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reduce_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_order_on_pause: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_group_id: Option<String>,
    exchange_index: u32,
}

impl Ticket {
    /// Writes an order for its market. `expires` is for orders that rest and ignored on others;
    /// `group` is the brake that the order is put under.
    pub fn new(
        order: &Order,
        market: &Market,
        client_order_id: &str,
        expires: Option<Timestamp>,
        group: Option<&str>,
    ) -> Result<Self, Error> {
        let refuse = |why: &str| refused(&format!("{} in {}", order.intent, market.id), why);
        if order.venue != Venue::Kalshi || market.venue != Venue::Kalshi || market.id.is_empty() {
            return Err(refuse("it is not an order for a market of kalshi"));
        }
        let Some(exchange_index) = market.shard else {
            return Err(refuse("the venue did not tell the market's shard"));
        };
        let (side, price) = place(order.outcome, order.action, order.limit);
        if market.grid.as_ref().is_some_and(|grid| !grid.contains(price)) {
            return Err(refuse("the price is not on the market's grid"));
        }
        let Size::Contracts(quantity) = order.size else {
            return Err(refuse("kalshi takes sizes in contracts only"));
        };
        let count = count(quantity).ok_or_else(|| refuse("the size is not in whole lots"))?;
        let rests = order.lifetime == Lifetime::Resting;
        Ok(Self {
            ticker: market.id.clone(),
            client_order_id: client_order_id.to_owned(),
            side: side_name(side),
            count,
            price: price.to_string(),
            time_in_force: match order.lifetime {
                Lifetime::Immediate => "immediate_or_cancel",
                Lifetime::AllOrNothing => "fill_or_kill",
                Lifetime::Resting => "good_till_canceled",
            },
            self_trade_prevention_type: "taker_at_cross",
            expiration_time: expires.filter(|_| rests).map(Timestamp::secs),
            reduce_only: is_reduce_only(order).then_some(true),
            cancel_order_on_pause: rests.then_some(true),
            order_group_id: group.map(str::to_owned),
            exchange_index,
        })
    }
}

/// A count of whole lots, with the two decimals that the venue takes; `None` for anything else.
fn count(quantity: Quantity) -> Option<String> {
    (!quantity.is_zero() && quantity.floor_to(Quantity::LOT) == quantity)
        .then(|| quantity.to_string())
}

/// An order at the venue, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// The venue's id of it.
    pub order_id: &'a str,
    /// Its market.
    pub ticker: &'a str,
    /// Its market's shard.
    pub shard: u32,
}

impl Target<'_> {
    /// The path of this order and no other.
    ///
    /// Without an id the path of one order is, but for a slash, the path that cancels all orders
    /// of the account: an empty id is an error here and never a request.
    fn path(&self, rest: &str) -> Result<String, Error> {
        if self.order_id.trim().is_empty() {
            return Err(refused("an order without an id", "its path would mean all orders"));
        }
        // A path of dots would be resolved to the one above it on the way.
        if self.order_id.bytes().all(|byte| byte == b'.') {
            return Err(refused("an order", "its id is no id"));
        }
        Ok(format!("{ORDERS}/{}{rest}", escape(self.order_id)))
    }
}

/// Makes an order.
pub fn encode_create(ticket: &Ticket) -> Request {
    Request::of("POST", ORDERS.to_owned(), ticket)
}

#[derive(Serialize)]
struct Batch<'a, T> {
    orders: &'a [T],
}

/// Makes many orders, each with a result of its own: nothing is shared between them but the way.
pub fn encode_create_batch(tickets: &[Ticket]) -> Result<Request, Error> {
    if tickets.is_empty() {
        return Err(refused("a batch", "it holds no order"));
    }
    Ok(Request::of("POST", format!("{ORDERS}/batched"), &Batch { orders: tickets }))
}

/// Takes one order back.
pub fn encode_cancel(target: &Target<'_>) -> Result<Request, Error> {
    let query = Query::none()
        .with("exchange_index", &target.shard.to_string())
        .with("market_ticker", target.ticker);
    Ok(Request::bare("DELETE", target.path("")?, &query))
}

#[derive(Serialize)]
struct CancelItem<'a> {
    order_id: &'a str,
    exchange_index: u32,
    market_ticker: &'a str,
}

/// Takes the named orders back, each with a result of its own.
pub fn encode_cancel_batch(targets: &[Target<'_>]) -> Result<Request, Error> {
    let mut items = Vec::with_capacity(targets.len());
    for target in targets {
        target.path("")?;
        items.push(CancelItem {
            order_id: target.order_id,
            exchange_index: target.shard,
            market_ticker: target.ticker,
        });
    }
    if items.is_empty() {
        return Err(refused("a batch of cancels", "it names no order"));
    }
    Ok(Request::of("DELETE", format!("{ORDERS}/batched"), &Batch { orders: &items }))
}

/// Takes back every order of the account, the user's own included, on every shard; orders of the
/// following minute may go too. For an emergency and nothing else.
pub fn encode_cancel_every_order_of_the_account() -> Request {
    Request::bare("DELETE", ORDERS.to_owned(), &Query::none())
}

/// By how much an order is made smaller, or to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decrease {
    /// By this much.
    By(Quantity),
    /// To this much resting.
    To(Quantity),
}

#[derive(Serialize)]
struct DecreaseBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reduce_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reduce_to: Option<String>,
    exchange_index: u32,
    market_ticker: &'a str,
}

/// Makes a resting order smaller; it keeps its place in the queue.
pub fn encode_decrease(target: &Target<'_>, how: Decrease) -> Result<Request, Error> {
    let lots = |quantity| count(quantity).ok_or_else(|| refused("a decrease", "not in whole lots"));
    let (reduce_by, reduce_to) = match how {
        Decrease::By(quantity) => (Some(lots(quantity)?), None),
        Decrease::To(quantity) => (None, Some(lots(quantity)?)),
    };
    let body = DecreaseBody {
        reduce_by,
        reduce_to,
        exchange_index: target.shard,
        market_ticker: target.ticker,
    };
    Ok(Request::of("POST", target.path("/decrease")?, &body))
}

#[derive(Serialize)]
struct AmendBody<'a> {
    ticker: &'a str,
    side: &'static str,
    price: String,
    count: String,
    exchange_index: u32,
}

/// Changes price and size of a resting order; it may trade at once. `total` is what it filled so
/// far plus what is to rest: the venue counts from the beginning.
pub fn encode_amend(
    target: &Target<'_>,
    side: Side,
    yes_price: Price,
    total: Quantity,
) -> Result<Request, Error> {
    let body = AmendBody {
        ticker: target.ticker,
        side: side_name(side),
        price: yes_price.to_string(),
        count: count(total).ok_or_else(|| refused("an amendment", "not in whole lots"))?,
        exchange_index: target.shard,
    };
    Ok(Request::of("POST", target.path("/amend")?, &body))
}

pub(super) fn refused(what: &str, why: &str) -> Error {
    Error::Refused {
        venue: Venue::Kalshi,
        what: what.to_owned(),
        status: 0,
        text: format!("not sent: {why}"),
    }
}

#[cfg(test)]
pub(in crate::venue::kalshi) mod tests;
