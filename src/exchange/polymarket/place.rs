//! Posting orders: what is taken, what rests, what is killed, and in which words that is said.

use serde_json::{Value, json};

use crate::domain::{Action, Money, Price, Quantity};

use super::super::faults::{OrderFault, Reached};
use super::super::matching::{Remainder, opposite};
use super::super::{Floor, Reply, Request, Sending};
use super::access::ApiKey;
use super::account::{Course, Meets, Order, State, fee};
use super::asset::{Asset, shares};
use super::broken;
use super::disturb::Disturbance;
use super::order::{self, Life, Posted, Poster, Target, Wanted, dollars_of};
use super::trading::{OURS, Scene, Trading, error};
use super::user::Happened;

/// Orders in one `POST /orders`.
const BATCH_MAX: usize = 15;
const FOK_KILLED: &str = "order couldn't be fully filled. FOK orders are fully filled or killed.";
const FAK_KILLED: &str = "no orders found to match with FAK order. FAK orders are partially \
                          filled or killed if no match is found.";
const NOT_READY: &str = "the market is not yet ready to process new orders";

/// Why there is no order.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It breaks a rule.
    Rule(String),
    /// It was taken and found nothing: its id, and why.
    Killed(String, &'static str),
    /// The exchange is not ready for it.
    Mode(Reply),
}

impl From<String> for Refusal {
    fn from(text: String) -> Self {
        Self::Rule(text)
    }
}

/// `POST /order`.
pub(super) fn one(
    trading: &mut Trading,
    request: &Request<'_>,
    key: &ApiKey,
    scene: &mut Scene<'_>,
) -> Reply {
    let Ok(posted) = serde_json::from_slice::<Posted>(request.body) else {
        return error(400, "Invalid order payload");
    };
    gated(trading, 1, scene, |trading, fault, scene| {
        match place(trading, &posted, fault, key, scene) {
            Ok(body) => Reply::json(200, &body),
            Err(Refusal::Rule(text)) => error(400, &text),
            Err(Refusal::Killed(id, text)) => {
                Reply::json(400, &json!({ "error": text, "orderID": id }))
            }
            Err(Refusal::Mode(reply)) => reply,
        }
    })
}

/// `POST /orders`.
pub(super) fn many(
    trading: &mut Trading,
    request: &Request<'_>,
    key: &ApiKey,
    scene: &mut Scene<'_>,
) -> Reply {
    let Ok(batch) = serde_json::from_slice::<Vec<Posted>>(request.body) else {
        return error(400, "Invalid order payload");
    };
    if batch.len() > BATCH_MAX {
        let text = format!("Too many orders in payload: {}, max allowed: 15", batch.len());
        return error(400, &text);
    }
    let count = u32::try_from(batch.len()).unwrap_or(u32::MAX);
    gated(trading, count, scene, |trading, fault, scene| {
        let answers = batch.iter().map(|posted| match place(trading, posted, fault, key, scene) {
            Ok(body) => body,
            Err(Refusal::Rule(text)) => response(false, &text, "", ""),
            Err(Refusal::Killed(id, text)) => response(false, text, &id, ""),
            Err(Refusal::Mode(reply)) => response(false, &reply.body, "", ""),
        });
        Reply::json(200, &Value::Array(answers.collect()))
    })
}

/// Lets a request through the modes of the exchange and what is broken about this one.
fn gated(
    trading: &mut Trading,
    count: u32,
    scene: &mut Scene<'_>,
    act: impl FnOnce(&mut Trading, Option<&OrderFault>, &mut Scene<'_>) -> Reply,
) -> Reply {
    let told = match trading.budget.orders(count, scene.now, trading.clock(scene.now)) {
        Ok(told) => told,
        Err(reply) => return reply,
    };
    if let Some(mut reply) = trading.trouble.away(scene.now) {
        reply.headers.extend(told);
        return reply;
    }
    let fault = trading.trouble.next_order();
    let sending = match &fault {
        Some(OrderFault::Held(_)) => Sending::Held,
        Some(OrderFault::Cut(_)) => Sending::Cut,
        Some(OrderFault::LateAnswer(span)) => Sending::After(*span),
        _ => Sending::Now,
    };
    // Those that change what the order does count when it is taken.
    let is_of_answer =
        |fault: &&OrderFault| fault.is_of_the_way() || **fault == OrderFault::SuccessWithError;
    if let Some(fault) = fault.as_ref().filter(is_of_answer) {
        trading.trouble.meet(fault);
    }
    let mut reply = match &fault {
        Some(
            OrderFault::Held(Reached::No)
            | OrderFault::Cut(Reached::No)
            | OrderFault::Failing(Reached::No, _),
        ) => broken(500),
        Some(OrderFault::SuccessWithError) => Reply::json(200, &response(true, NOT_READY, "", "")),
        fault => act(trading, fault.as_ref(), scene),
    };
    if reply.status < 500 || reply.status == 503 {
        reply.headers.extend(told);
    }
    if let Some(OrderFault::Failing(_, status)) = fault {
        reply = broken(status);
    }
    reply.sending = sending;
    reply
}

fn response(success: bool, text: &str, id: &str, status: &str) -> Value {
    json!({
        "success": success,
        "errorMsg": text,
        "orderID": id,
        "status": status,
        "makingAmount": "",
        "takingAmount": "",
        "tradeIDs": [],
        "transactionsHashes": [],
    })
}

fn place(
    trading: &mut Trading,
    posted: &Posted,
    fault: Option<&OrderFault>,
    key: &ApiKey,
    scene: &mut Scene<'_>,
) -> Result<Value, Refusal> {
    let wallet = trading.wallet;
    let poster = Poster { key, owner: wallet.owner, maker: wallet.funder, kind: wallet.kind };
    let clock = trading.clock(scene.now);
    if let Some(reply) = trading.trouble.paused(scene.now) {
        return Err(Refusal::Mode(reply));
    }
    let wanted = order::check(posted, poster, scene.floor, clock)?;
    if !wanted.post_only
        && let Some(reply) = trading.trouble.post_only(scene.now)
    {
        return Err(Refusal::Mode(reply));
    }
    if trading.account.place(&wanted.id).is_some() {
        return Err(Refusal::Rule(format!("order {} is invalid. Duplicated.", wanted.id)));
    }
    let course = match fault {
        Some(OrderFault::SettlementFails(after)) => Course::Fails(*after),
        Some(OrderFault::SettlesLate(after)) => Course::Late(*after),
        _ => Course::Usual,
    };
    let disturbance = Disturbance::before(fault, &wanted, scene);
    trading.sync(wanted.asset.market, &mut scene.ear());
    let order = Order::new(wanted, key.key.clone(), clock, course);
    let result = admit(trading, order, fault, scene);
    disturbance.after(scene);
    match (fault, &result) {
        (Some(fault @ (OrderFault::NothingThere | OrderFault::Partly(_))), _)
        | (
            Some(
                fault @ (OrderFault::BetterPrice
                | OrderFault::Delayed { .. }
                | OrderFault::SettlementFails(_)
                | OrderFault::SettlesLate(_)),
            ),
            Ok(_),
        ) => trading.trouble.meet(fault),
        _ => {}
    }
    result
}

/// Takes an order that keeps all rules, if the book and the balance let it.
fn admit(
    trading: &mut Trading,
    mut order: Order,
    fault: Option<&OrderFault>,
    scene: &mut Scene<'_>,
) -> Result<Value, Refusal> {
    let wanted = &order.wanted;
    let walk = Walk::of(wanted, scene.floor);
    let crosses = !walk.fills.is_empty();
    if wanted.post_only && crosses {
        return Err(Refusal::Rule("invalid post-only order: order crosses book".to_owned()));
    }
    if crosses {
        wanted.check_marketable()?;
    }
    check_funds(trading, wanted, &walk, scene)?;
    if let Some(OrderFault::Delayed { lasts, matches }) = fault
        && (crosses || !wanted.life.rests())
    {
        let meets = if *matches { Meets::Book } else { Meets::Nothing };
        order.state = State::Delayed(scene.now.after(*lasts), meets);
        let id = wanted.id.clone();
        let place = trading.account.enter(order);
        trading.delayed.insert(place);
        trading.tell(Happened::Placement, place, &mut scene.ear());
        return Ok(response(true, "", &id, "delayed"));
    }
    let id = wanted.id.clone();
    let place = trading.account.enter(order);
    match run(trading, place, scene) {
        Ok(()) => Ok(accepted(&trading.account.orders[place])),
        Err(text) => Err(Refusal::Killed(id, text)),
    }
}

/// The answer about an order that rests or matched.
fn accepted(order: &Order) -> Value {
    let matched = !order.matched.is_zero();
    let mut body = response(true, "", &order.wanted.id, if matched { "matched" } else { "live" });
    if matched {
        let (spent, got) = (dollars_of(order.moved), shares(order.matched));
        let (making, taking) = match order.wanted.action {
            Action::Buy => (spent, got),
            Action::Sell => (got, spent),
        };
        body["makingAmount"] = making.into();
        body["takingAmount"] = taking.into();
        body["tradeIDs"] = json!(order.trades);
    }
    body
}

/// What an order would take from the book as it is.
#[derive(Debug)]
struct Walk {
    /// Price of its own token and shares, best first.
    fills: Vec<(Price, Quantity)>,
    shares: Quantity,
    /// Whether it finds all it is after.
    whole: bool,
}

impl Walk {
    fn of(wanted: &Wanted, floor: &Floor) -> Self {
        let asset = wanted.asset;
        let side = asset.side(wanted.side_of_yes());
        let mut walk = Self { fills: Vec::new(), shares: Quantity::ZERO, whole: false };
        let mut target = wanted.target;
        for (price, size) in asset.levels(&floor.books[asset.market], opposite(side)) {
            let crosses = match wanted.action {
                Action::Buy => price <= wanted.limit,
                Action::Sell => price >= wanted.limit,
            };
            if !crosses || walk.whole {
                break;
            }
            let fill = match &mut target {
                Target::Shares(left) => {
                    let fill = size.min(*left);
                    *left = left.saturating_sub(fill);
                    walk.whole = left.is_zero();
                    fill
                }
                Target::Collateral(left) => {
                    // More shares than were named when the price is better: the target is to
                    // spend the collateral.
                    let most = left.buys_floor(price);
                    walk.whole = most <= size;
                    let fill = size.min(most);
                    *left -= Money::cost_ceil(price, fill);
                    fill
                }
            };
            if !fill.is_zero() {
                walk.fills.push((price, fill));
                walk.shares = walk.shares.saturating_add(fill);
            }
        }
        walk
    }

    fn fees(&self, asset: Asset, floor: &Floor) -> Money {
        let rate = floor.listings[asset.market].rate;
        self.fills.iter().fold(Money::ZERO, |sum, (price, size)| sum + fee(rate, *price, *size))
    }
}

fn check_funds(
    trading: &Trading,
    wanted: &Wanted,
    walk: &Walk,
    scene: &Scene<'_>,
) -> Result<(), String> {
    let account = &trading.account;
    let broke = trading.trouble.broke(scene.now);
    let asset = wanted.asset;
    let (balance, active, moving, needed, free) = match wanted.action {
        Action::Buy => (
            account.chain_cash().micros(),
            account.locked_cash().micros(),
            account.moving_money(Action::Buy).micros(),
            (wanted.notional + walk.fees(asset, scene.floor)).micros(),
            account.free_cash().micros(),
        ),
        Action::Sell => (
            account.chain_shares(asset).units(),
            account.locked_shares(asset).units(),
            account.chain_shares(asset).units() - account.settled(asset).units(),
            wanted.size.units(),
            account.free_shares(asset).units(),
        ),
    };
    if needed <= free && !broke {
        return Ok(());
    }
    let balance = if broke { 0 } else { balance };
    let mut text = format!(
        "not enough balance / allowance: the balance is not enough -> balance: {balance}, sum of \
         active orders: {active}"
    );
    if moving > 0 {
        text.push_str(&format!(", sum of matched orders: {moving}"));
    }
    Err(text + &format!(", order amount: {needed}"))
}

/// Lets an order that was entered meet the book. An error is why it was killed.
pub(super) fn run(
    trading: &mut Trading,
    place: usize,
    scene: &mut Scene<'_>,
) -> Result<(), &'static str> {
    let wanted = trading.account.orders[place].wanted.clone();
    let walk = Walk::of(&wanted, scene.floor);
    let killed = match wanted.life {
        Life::Fok if !walk.whole => Some(FOK_KILLED),
        Life::Fak if walk.fills.is_empty() => Some(FAK_KILLED),
        _ => None,
    };
    if let Some(text) = killed {
        trading.account.orders[place].state = State::Over(format!("CANCELED_{text}"));
        trading.tell(Happened::Cancellation, place, &mut scene.ear());
        return Err(text);
    }
    let (remainder, quantity) = match wanted.life.rests() {
        true => (Remainder::Rests, wanted.size),
        false => (Remainder::Dropped, walk.shares),
    };
    let market = wanted.asset.market;
    let mut facts = Vec::new();
    let (side, limit) = (wanted.side_of_yes(), wanted.limit_of_yes());
    let book = &mut scene.floor.books[market];
    let number = book.submit(OURS, side, limit, quantity, remainder, &mut facts);
    trading.account.orders[place].state = State::Live;
    trading.account.orders[place].number = Some(number);
    trading.resting.insert((market, number), place);
    scene.publish(market, &facts);
    trading.meet(market, &facts, &mut scene.ear());
    let order = &mut trading.account.orders[place];
    if !wanted.life.rests() || order.open().is_zero() {
        order.state = State::Matched;
        order.number = None;
        trading.resting.remove(&(market, number));
        trading.tell(Happened::Update, place, &mut scene.ear());
    } else {
        trading.tell(Happened::Placement, place, &mut scene.ear());
    }
    Ok(())
}
