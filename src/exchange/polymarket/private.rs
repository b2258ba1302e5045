//! What the account reads of itself at the CLOB: orders, trades, balances.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::domain::Timestamp;

use super::super::{Floor, Reply, Request};
use super::account::Account;
use super::asset::Asset;
use super::query::Query;
use super::trading::{Trading, error};
use super::user::{order_value, trade_value};

/// Entries on one page.
const PAGE: usize = 100;
/// The cursor after the last page: `-1` in base64.
const END: &str = "LTE=";
/// The contracts that have to be allowed to move collateral and tokens.
const SPENDERS: [&str; 4] = [
    "0xE111180000d2663C0091e4f400237545B87B996B",
    "0xe2222d279d744050d28e00520010520000310F59",
    "0xadA2005600Dec949baf300f4C6120000bDB6eAab",
    "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa",
];

/// Answers a read.
pub(super) fn answer(
    trading: &Trading,
    request: &Request<'_>,
    floor: &Floor,
    now: Timestamp,
) -> Reply {
    let query = Query::parse(request.query);
    let account = trading.trouble.seen(&trading.account, now);
    let path: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
    let wallet = trading.wallet.funder.to_string();
    match path.as_slice() {
        ["data", "order", id] => match account.order(id) {
            Some(order) => Reply::json(200, &order_value(order, &wallet, floor)),
            None => error(404, "order not found"),
        },
        ["data", "orders"] => page(&query, orders(account, &query, &wallet, floor)),
        ["data", "trades"] => page(&query, trades(account, &query, floor)),
        ["balance-allowance"] => balance(trading, account, &query, floor, now),
        ["balance-allowance", "update"] => {
            let headers = Vec::new();
            let body = String::new();
            Reply { sending: super::Sending::Now, status: 200, headers, body }
        }
        ["notifications"] => Reply::json(200, &json!([])),
        _ => error(404, "Not Found"),
    }
}

/// Orders that may still match, oldest first.
fn orders(account: &Account, query: &Query, wallet: &str, floor: &Floor) -> Vec<Value> {
    let open = account.orders.iter().filter(|order| !order.open().is_zero());
    let values = open.map(|order| order_value(order, wallet, floor));
    let passes = |value: &Value| {
        ["id", "market", "asset_id"]
            .iter()
            .all(|key| query.admits(key, value[*key].as_str().unwrap_or_default()))
    };
    values.filter(passes).collect()
}

/// Trades, newest first.
fn trades(account: &Account, query: &Query, floor: &Floor) -> Vec<Value> {
    let bound = |key: &str| query.first(key).and_then(|text| text.parse::<i64>().ok());
    let (before, after) = (bound("before"), bound("after"));
    let newest_first = account.trades.iter().rev();
    let in_time = newest_first.filter(|trade| {
        let at = trade.matched.secs();
        before.is_none_or(|bound| at < bound) && after.is_none_or(|bound| at > bound)
    });
    let values = in_time.map(|trade| trade_value(trade, floor));
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let passes = |value: &Value| {
        let makers = value["maker_orders"].as_array();
        let anyone = |key: &str| {
            let makers = makers.into_iter().flatten();
            query.admits(key, &text(value, key))
                || makers.into_iter().any(|maker| query.admits(key, &text(maker, key)))
        };
        query.admits("id", &text(value, "id"))
            && query.admits("market", &text(value, "market"))
            && anyone("asset_id")
            && anyone("maker_address")
    };
    values.filter(passes).collect()
}

fn page(query: &Query, entries: Vec<Value>) -> Reply {
    let start = match query.first("next_cursor") {
        None | Some("") => Some(0),
        Some(cursor) => STANDARD
            .decode(cursor)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.parse::<usize>().ok()),
    };
    let Some(start) = start else { return error(400, "invalid next_cursor") };
    let all = entries.len();
    let data: Vec<Value> = entries.into_iter().skip(start).take(PAGE).collect();
    let next = start.saturating_add(data.len());
    let cursor = if next >= all { END.to_owned() } else { STANDARD.encode(next.to_string()) };
    let count = data.len();
    let body = json!({ "limit": PAGE, "next_cursor": cursor, "count": count, "data": data });
    Reply::json(200, &body)
}

/// The balance as the chain has it: what is matched and not settled has not moved there yet.
fn balance(
    trading: &Trading,
    account: &Account,
    query: &Query,
    floor: &Floor,
    now: Timestamp,
) -> Reply {
    let units = match query.first("asset_type") {
        Some("COLLATERAL") => account.chain_cash().micros(),
        Some("CONDITIONAL" | "CONDITIONAL-V2") => {
            let asset = query.first("token_id").and_then(|token| Asset::find(floor, token));
            let Some(asset) = asset else { return error(400, "Invalid token id") };
            account.chain_shares(asset).units()
        }
        _ => return error(400, "Invalid asset type"),
    };
    // Another kind of wallet of the same owner is another address, and it is empty.
    let kind = query.first("signature_type").unwrap_or("0");
    let units = if kind == trading.wallet.kind.number().to_string() { units } else { 0 };
    let broke = trading.trouble.broke(now);
    let allowed = match broke {
        true => "0".to_owned(),
        false => alloy_primitives::U256::MAX.to_string(),
    };
    let allowances: Map<String, Value> =
        SPENDERS.iter().map(|spender| ((*spender).to_owned(), allowed.clone().into())).collect();
    Reply::json(200, &json!({ "balance": units.to_string(), "allowances": allowances }))
}
