//! Orders, fills, positions and settlements as Kalshi writes them, and as the truth for tests.

use serde_json::{Value, json};

use crate::domain::{Action, Change, Money, Outcome, Quantity, Side, Timestamp};
use crate::exchange::Listing;
use crate::exchange::ledger::{OrderStatement, Statement};

use super::super::frames::{book_side, leg};
use super::super::listing::shard;
use super::group;
use super::member::{Member, Position, Settlement};
use super::order::{Fill, Order, Role, id_of};
use super::settle::by_outcome;

/// Micro-dollars in a cent.
const CENT: i64 = 10_000;

/// Dollars with four decimals, rounded down.
pub(super) fn dollars_4(money: Money) -> String {
    let units = money.floor_to(super::fee::STEP).micros() / super::fee::STEP;
    let sign = if units < 0 { "-" } else { "" };
    let (whole, part) = (units.abs() / 10_000, units.abs() % 10_000);
    format!("{sign}{whole}.{part:04}")
}

/// Whole cents, without their fractions.
pub(super) const fn cents(money: Money) -> i64 {
    money.micros() / CENT
}

/// A signed count of contracts.
fn signed(contracts: i64) -> String {
    Change::from_units(contracts).map_or_else(String::new, |change| change.to_string())
}

fn second(secs: i64) -> Value {
    Timestamp::from_secs(secs).to_string().into()
}

/// The order object of the REST API.
pub(super) fn order(order: &Order, user: &str, listing: &Listing) -> Value {
    let mut object = json!({
        "order_id": order.id(), "user_id": user,
        "client_order_id": order.client.as_deref().unwrap_or_default(),
        "ticker": listing.id, "side": leg(order.side), "action": "buy",
        "outcome_side": leg(order.side), "book_side": book_side(order.side),
        "type": "limit", "status": order.status(),
        "yes_price_dollars": order.limit.to_string(),
        "no_price_dollars": order.limit.mirror().to_string(),
        "initial_count_fp": order.initial.to_string(), "fill_count_fp": order.filled.to_string(),
        "remaining_count_fp": order.resting.to_string(),
        "taker_fill_cost_dollars": order.cost[0].to_string(),
        "maker_fill_cost_dollars": order.cost[1].to_string(),
        "taker_fees_dollars": order.fees[0].to_string(),
        "maker_fees_dollars": order.fees[1].to_string(),
        "created_time": order.created.to_string(),
        "last_update_time": order.updated.to_string(),
        "expiration_time": order.expires.map(second),
        "self_trade_prevention_type": super::self_trade_name(order.self_trade),
        "cancel_order_on_pause": order.cancels_on_pause,
        "subaccount_number": 0, "exchange_index": order.shard,
    });
    if let Some(number) = order.group {
        object["order_group_id"] = group::id_of(number).into();
    }
    object
}

/// The message of the channel `user_orders`.
pub(super) fn order_message(order: &Order, user: &str, listing: &Listing) -> Value {
    let mut msg = json!({
        "order_id": order.id(), "user_id": user, "ticker": listing.id,
        "exchange_index": order.shard, "status": order.status(), "side": leg(order.side),
        "outcome_side": leg(order.side), "book_side": book_side(order.side),
        "yes_price_dollars": order.limit.to_string(),
        "fill_count_fp": order.filled.to_string(),
        "remaining_count_fp": order.resting.to_string(),
        "initial_count_fp": order.initial.to_string(),
        "taker_fill_cost_dollars": order.cost[0].to_string(),
        "maker_fill_cost_dollars": order.cost[1].to_string(),
        "taker_fees_dollars": order.fees[0].to_string(),
        "maker_fees_dollars": order.fees[1].to_string(),
        "client_order_id": order.client.as_deref().unwrap_or_default(),
        "self_trade_prevention_type": super::self_trade_name(order.self_trade),
        "created_ts_ms": order.created.millis(), "last_updated_ts_ms": order.updated.millis(),
        "last_update_reason": order.reason.0, "subaccount_number": 0,
    });
    if let Some(expires) = order.expires {
        msg["expiration_ts_ms"] = Timestamp::from_secs(expires).millis().into();
    }
    if let Some(number) = order.group {
        msg["order_group_id"] = group::id_of(number).into();
    }
    msg
}

/// The fill object of the REST API.
pub(super) fn fill(fill: &Fill, listing: &Listing) -> Value {
    json!({
        "fill_id": fill.trade, "trade_id": fill.trade, "order_id": id_of(fill.order),
        "ticker": listing.id, "market_ticker": listing.id,
        "side": leg(fill.side), "action": "buy",
        "outcome_side": leg(fill.side), "book_side": book_side(fill.side),
        "count_fp": fill.quantity.to_string(), "yes_price_dollars": fill.price.to_string(),
        "no_price_dollars": fill.price.mirror().to_string(),
        "is_taker": fill.role == Role::Taker, "fee_cost": fill.fee.to_string(),
        "created_time": fill.at.to_string(), "ts": fill.at.secs(),
        "subaccount_number": 0, "exchange_index": fill.shard,
    })
}

/// The message of the channel `fill`.
pub(super) fn fill_message(fill: &Fill, position: i64, listing: &Listing) -> Value {
    let mut msg = json!({
        "trade_id": fill.trade, "order_id": id_of(fill.order), "market_ticker": listing.id,
        "exchange_index": fill.shard, "is_taker": fill.role == Role::Taker,
        "side": leg(fill.side), "action": "buy",
        "outcome_side": leg(fill.side), "book_side": book_side(fill.side),
        "yes_price_dollars": fill.price.to_string(), "count_fp": fill.quantity.to_string(),
        "fee_cost": fill.fee.to_string(), "post_position_fp": signed(position),
        "purchased_side": leg(fill.side), "ts": fill.at.secs(), "ts_ms": fill.at.millis(),
        "subaccount": 0,
    });
    if let Some(client) = &fill.client {
        msg["client_order_id"] = client.as_str().into();
    }
    msg
}

/// The market position of the REST API.
pub(super) fn position(position: &Position, listing: &Listing) -> Value {
    json!({
        "ticker": listing.id, "exchange_index": shard(listing),
        "position_fp": signed(position.contracts),
        "total_traded_dollars": position.traded.to_string(),
        "market_exposure_dollars": position.cost.to_string(),
        "realized_pnl_dollars": position.realized.to_string(),
        "fees_paid_dollars": position.fees.to_string(),
        "last_updated_ts": position.updated.to_string(),
    })
}

/// The message of the channel `market_positions`.
pub(super) fn position_message(position: &Position, user: &str, listing: &Listing) -> Value {
    json!({
        "user_id": user, "market_ticker": listing.id, "exchange_index": shard(listing),
        "position_fp": signed(position.contracts),
        "position_cost_dollars": position.cost.to_string(),
        "realized_pnl_dollars": position.realized.to_string(),
        "fees_paid_dollars": position.fees.to_string(),
        "position_fee_cost_dollars": position.fees.to_string(),
        "volume_fp": position.volume.to_string(), "subaccount": 0,
    })
}

/// A settlement; revenue and value are cents.
pub(super) fn settlement(row: &Settlement, listing: &Listing) -> Value {
    let (yes, no) = by_outcome(row.position.contracts);
    let cost = |held: Quantity| match held.is_zero() {
        true => Money::ZERO,
        false => row.position.cost,
    };
    json!({
        "ticker": listing.id, "exchange_index": shard(listing), "event_ticker": listing.event,
        "market_result": row.result,
        "yes_count_fp": yes.to_string(), "yes_total_cost_dollars": cost(yes).to_string(),
        "no_count_fp": no.to_string(), "no_total_cost_dollars": cost(no).to_string(),
        "revenue": cents(row.revenue), "settled_time": row.at.to_string(),
        "fee_cost": row.position.fees.to_string(), "value": row.value / 100,
    })
}

/// Everything about a member.
pub(super) fn statement(member: &Member) -> Statement {
    let held = |(market, position): (&usize, &Position)| {
        let (yes, no) = by_outcome(position.contracts);
        match position.contracts {
            0 => None,
            1.. => Some((*market, Outcome::Yes, yes)),
            _ => Some((*market, Outcome::No, no)),
        }
    };
    let order = |order: &Order| OrderStatement {
        id: order.id(),
        client: order.client.clone().unwrap_or_default(),
        market: order.market,
        outcome: match order.side {
            Side::Bid => Outcome::Yes,
            Side::Ask => Outcome::No,
        },
        action: Action::Buy,
        filled: order.filled,
        money: order.cost[0] + order.cost[1],
        fees: order.fees[0] + order.fees[1],
        open: order.resting,
    };
    Statement {
        paid_in: member.paid_in,
        moved: member.funds.moved,
        earned: member.funds.earned,
        cash: member.purses.iter().map(|(shard, cash)| (*shard, *cash)).collect(),
        positions: member.positions.iter().filter_map(held).collect(),
        unsettled: Vec::new(),
        fees: member.fees,
        payouts: member.payouts,
        orders: member.orders.values().map(order).collect(),
    }
}
