//! The Data API: what accounts hold and did, from the chain, and so behind what has matched.

use serde_json::{Value, json};

use crate::domain::{Money, Outcome, Quantity, Timestamp};

use super::super::{Floor, Reply, Request, hex};
use super::account::Account;
use super::asset::{Asset, number, shares};
use super::catalog;
use super::funds;
use super::order::{dollars_of, label};
use super::query::Query;
use super::sign::Address;
use super::trading::{Trading, error};

/// A row of a list and its time.
pub(super) type Row = (Timestamp, Value);

/// Positions below a tenth of a share are not shown unless they are asked for.
const SMALLEST_SHOWN: &str = "0.1";
/// Collateral, and who may move it.
const PUSD: &str = "0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB";
const PUSD_SPENDERS: [&str; 6] = [
    "0xE111180000d2663C0091e4f400237545B87B996B",
    "0xe2222d279d744050d28e00520010520000310F59",
    "0xAdA100Db00Ca00073811820692005400218FcE1f",
    "0xadA2005600Dec949baf300f4C6120000bDB6eAab",
    "0x12121212006e4CD160D18e3f00711DA5c3372600",
    "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa",
];
/// The tokens of v1 markets, and who may move them.
const TOKENS: &str = "0x4D97DCd97eC945f40cF65F87097ACe5EA0476045";
const TOKEN_SPENDERS: [&str; 7] = [
    "0xE111180000d2663C0091e4f400237545B87B996B",
    "0xe2222d279d744050d28e00520010520000310F59",
    "0xAdA100Db00Ca00073811820692005400218FcE1f",
    "0xadA2005600Dec949baf300f4C6120000bDB6eAab",
    "0xa1200000d0002264C9a1698e001292D00E1b00af",
    "0x1000008dD9001B968442c1000017eaE6E0dA00Ba",
    "0x200000900045e3B6259600682756002200028933",
];
/// The positions of v2 markets, and who may move them.
const POSITIONS: &str = "0x006F54F7f9A22e0000CC2AB60031000000ae9fEF";
const POSITION_SPENDERS: [&str; 3] = [
    "0x12121212006e4CD160D18e3f00711DA5c3372600",
    "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa",
    "0xa1200000d0002264C9a1698e001292D00E1b00af",
];

/// Answers a request to the Data API.
pub(super) fn answer(
    trading: &Trading,
    request: &Request<'_>,
    floor: &Floor,
    now: Timestamp,
) -> Reply {
    let query = Query::parse(request.query);
    let account = trading.trouble.seen(&trading.account, now);
    let user = query.first("user").and_then(Address::parse);
    let ours = user == Some(trading.wallet.funder);
    match (request.method, request.path) {
        ("GET", "/") => Reply::json(200, &json!({ "data": "OK" })),
        ("GET", "/v2/resolutions") => {
            let listed = |market: &usize| {
                let id = &floor.listings[*market].id;
                query.all("condition_id").any(|wanted| wanted == id)
            };
            let found = trading.endings.keys().filter(|market| listed(market));
            let rows: Vec<Value> =
                found.map(|market| resolution(trading, *market, floor)).collect();
            Reply::json(200, &json!({ "data": rows }))
        }
        ("GET", "/v2/positions" | "/v2/activity" | "/v2/approvals") if user.is_none() => {
            error(400, "required query param 'user' not provided")
        }
        ("GET", "/v2/positions") => {
            let rows = if ours { positions(trading, account, &query, floor) } else { Vec::new() };
            page(&query, rows)
        }
        ("GET", "/v2/activity") => {
            let rows =
                if ours { activity(trading, account, &query, floor, now) } else { Vec::new() };
            page(&query, rows)
        }
        ("GET", "/v2/approvals") => approvals(user, ours && !trading.trouble.broke(now)),
        _ => error(404, "not found"),
    }
}

/// The envelope of a page; the cursor is a number in text.
fn page(query: &Query, rows: Vec<Value>) -> Reply {
    let cursor = query.first("cursor").or_else(|| query.first("next_cursor"));
    let start = cursor.or_else(|| query.first("offset")).unwrap_or("0").parse().unwrap_or(0);
    let limit = query.count("limit", 100).unwrap_or(100).clamp(1, 1_000);
    let all = rows.len();
    let data: Vec<Value> = rows.into_iter().skip(start).take(limit).collect();
    let next = start.saturating_add(data.len());
    let more = next < all;
    let pagination = json!({
        "limit": limit,
        "offset": start,
        "has_more": more,
        "next_cursor": if more { json!(next.to_string()) } else { Value::Null },
    });
    Reply::json(200, &json!({ "data": data, "pagination": pagination }))
}

fn positions(trading: &Trading, account: &Account, query: &Query, floor: &Floor) -> Vec<Value> {
    let smallest = query.first("filter_amount").or_else(|| query.first("size_threshold"));
    let smallest = Quantity::parse(smallest.unwrap_or(SMALLEST_SHOWN)).unwrap_or_default();
    let wallet = trading.wallet.funder.to_string();
    account
        .positions()
        .map(|(asset, _)| (asset, account.chain_shares(asset)))
        .filter(|(asset, held)| {
            let id = &floor.listings[asset.market].id;
            !held.is_zero() && *held >= smallest && query.admits("condition_id", id)
        })
        .map(|(asset, held)| position(trading, account, (asset, held), &wallet, floor))
        .collect()
}

fn position(
    trading: &Trading,
    account: &Account,
    (asset, held): (Asset, Quantity),
    wallet: &str,
    floor: &Floor,
) -> Value {
    let listing = &floor.listings[asset.market];
    let [yes, no] = Asset::both(asset.market);
    let (index, other) = if asset.outcome == Outcome::Yes { (0, no) } else { (1, yes) };
    let ending = trading.endings.get(&asset.market);
    let price = match ending {
        Some(ending) => ending.payouts()[index].clone(),
        None => catalog::outcome_prices(asset.market, floor)[index].clone(),
    };
    let mergeable = ending.is_none() && !account.chain_shares(other).is_zero();
    let (bought, spent, fees) = bought(account, asset);
    let average = spent.per_contract_floor(bought).unwrap_or(Money::ZERO);
    let size = number(&shares(held));
    json!({
        "proxy_wallet": wallet,
        "token_id": asset.id(listing),
        "condition_id": listing.id,
        "current_size": size,
        "total_size": number(&shares(bought)),
        "avg_price": number(&dollars_of(average)),
        "entry_cost_usdc": number(&dollars_of(spent)),
        "entry_fees_usdc": number(&dollars_of(fees)),
        "total_cost_usdc": number(&dollars_of(spent + fees)),
        "current_price": number(&price),
        "current_value": 0,
        "realized_pnl": 0,
        "unrealized_pnl": 0,
        "total_pnl": 0,
        "percent_pnl": 0,
        "percent_realized_pnl": 0,
        "status": if ending.is_some() { "REDEEMABLE" } else { "OPEN" },
        "redeemable": ending.is_some(),
        "mergeable": mergeable,
        "negative_risk": false,
        "archived": false,
        "verified": true,
        "title": listing.title,
        "slug": catalog::market_slug(asset.market, listing),
        "event_slug": listing.event,
        "outcome": label(asset, listing),
        "outcome_index": index,
        "opposite_outcome": label(other, listing),
        "opposite_token_id": other.id(listing),
        "end_date": catalog::end_date(listing).get(..10),
    })
}

/// All that was bought of a token and did not fail: shares, their cost, the fees.
fn bought(account: &Account, asset: Asset) -> (Quantity, Money, Money) {
    let buys = account.orders.iter().filter(|order| {
        order.wanted.asset == asset && order.wanted.action == crate::domain::Action::Buy
    });
    buys.fold((Quantity::ZERO, Money::ZERO, Money::ZERO), |(shares, cost, fees), order| {
        (shares.saturating_add(order.filled), cost + order.money, fees + order.fees)
    })
}

fn activity(
    trading: &Trading,
    account: &Account,
    query: &Query,
    floor: &Floor,
    now: Timestamp,
) -> Vec<Value> {
    let wallet = trading.wallet.funder.to_string();
    let mut rows: Vec<Row> = funds::rows(account, query, &wallet, now);
    for (market, ending) in &trading.endings {
        for (index, (at, paid, settled)) in ending.paid.iter().enumerate() {
            let listing = &floor.listings[*market];
            let transaction = transaction(&format!("redeem {market} {index}"));
            let row = json!({
                "proxy_wallet": wallet,
                "timestamp": at.secs(),
                "type": "REDEEM",
                "condition_id": listing.id,
                "size": number(&shares(*settled)),
                "usdc_size": number(&dollars_of(*paid)),
                "transaction_hash": transaction,
                "title": listing.title,
                "slug": catalog::market_slug(*market, listing),
                "event_slug": listing.event,
            });
            rows.push((*at, row));
        }
    }
    for trade in account.trades.iter().filter(|trade| trade.stage.name() == "CONFIRMED") {
        for leg in &trade.legs {
            let wanted = &account.orders[leg.order].wanted;
            let listing = &floor.listings[wanted.asset.market];
            let price = leg.money.per_contract_floor(leg.quantity).unwrap_or(Money::ZERO);
            let row = json!({
                "proxy_wallet": wallet,
                "timestamp": trade.updated.secs(),
                "type": "TRADE",
                "is_combo": false,
                "condition_id": listing.id,
                "token_id": wanted.asset.id(listing),
                "side": super::user::action_name(wanted.action),
                "size": number(&shares(leg.quantity)),
                "usdc_size": number(&dollars_of(leg.money)),
                "price": number(&dollars_of(price)),
                "transaction_hash": trade.hash,
                "outcome": label(wanted.asset, listing),
                "outcome_index": u8::from(wanted.asset.outcome == Outcome::No),
                "title": listing.title,
                "slug": catalog::market_slug(wanted.asset.market, listing),
                "event_slug": listing.event,
            });
            rows.push((trade.updated, row));
        }
    }
    let bound = |key: &str| query.first(key).and_then(|text| text.parse::<i64>().ok());
    let (start, end) = (bound("start"), bound("end"));
    rows.retain(|(at, row)| {
        names(query, "type", row["type"].as_str().unwrap_or_default())
            && query.admits("condition_id", row["condition_id"].as_str().unwrap_or_default())
            && start.is_none_or(|start| at.secs() >= start)
            && end.is_none_or(|end| at.secs() <= end)
    });
    // Newest first.
    rows.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Whether a list of words, which may have commas, has this one, or is not there.
fn names(query: &Query, key: &str, word: &str) -> bool {
    query.first(key).is_none() || query.all(key).any(|list| list.split(',').any(|one| one == word))
}

pub(super) fn transaction(of: &str) -> String {
    format!("0x{}", hex(&alloy_primitives::keccak256(of).0))
}

fn resolution(trading: &Trading, market: usize, floor: &Floor) -> Value {
    let ending = &trading.endings[&market];
    let payouts = ending.payouts();
    json!({
        "condition_id": floor.listings[market].id,
        "status": "resolved",
        "extended_review": false,
        "was_disputed": false,
        "new_version_q": false,
        "price": number(&payouts[0]),
        "payouts": [number(&payouts[0]), number(&payouts[1])],
        "transaction_hash": transaction(&format!("resolve {market}")),
        "last_update_timestamp": ending.at.secs(),
        "resolved_at": ending.at.secs(),
        "market_type": "BINARY",
        "resolution_source": "reported",
        "reporter": "UMA_OO",
    })
}

fn approvals(user: Option<Address>, approved: bool) -> Reply {
    let row = |token: &str, spender: &str, standard: &str| {
        let mut row = json!({
            "token": token,
            "spender": spender,
            "standard": standard,
            "approved": approved,
        });
        if standard == "ERC20" {
            row["amount"] = if approved { "max" } else { "0" }.into();
        }
        row
    };
    let contracts: Vec<Value> = PUSD_SPENDERS
        .iter()
        .map(|spender| row(PUSD, spender, "ERC20"))
        .chain(TOKEN_SPENDERS.iter().map(|spender| row(TOKENS, spender, "ERC1155")))
        .chain(POSITION_SPENDERS.iter().map(|spender| row(POSITIONS, spender, "ERC1155")))
        .collect();
    let address = user.map(|user| user.to_string());
    let data = json!({ "address": address, "chain_id": 137, "contracts": contracts });
    Reply::json(200, &json!({ "data": data }))
}
