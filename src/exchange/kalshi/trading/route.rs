//! Which request of a member means what, which scope it needs and how many tokens it costs.

use serde_json::{Value, json};

use crate::domain::{Quantity, Timestamp};
use crate::exchange::funds::Flow;
use crate::exchange::{Floor, Reply, Request};

use super::super::auth::{Account, Scope};
use super::super::query::Query;
use super::super::rest::{PREFIX, error};
use super::order::Reason;
use super::read::View;
use super::ticket::{Fields, Refused, Ticket};
use super::{Trading, change::Sweep, groups};

/// The tokens of most requests.
pub(in crate::exchange::kalshi) const DEFAULT_COST: u64 = 10;
/// The tokens of a cancel, of each cancel of a batch, and of reading one order.
const SMALL_COST: u64 = 2;

/// Which budget a request draws on, and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::exchange::kalshi) enum Cost {
    Read(u64),
    Write(u64),
}

/// The endpoints that do not cost the default.
pub(in crate::exchange::kalshi) fn endpoint_costs() -> Value {
    let one = |method: &str, path: &str| {
        let path = format!("{PREFIX}{path}");
        json!({"method": method, "path": path, "cost": SMALL_COST})
    };
    json!({
        "default_cost": DEFAULT_COST,
        "endpoint_costs": [
            one("DELETE", "/portfolio/events/orders"),
            one("DELETE", "/portfolio/events/orders/:order_id"),
            one("DELETE", "/portfolio/events/orders/batched"),
            one("GET", "/portfolio/orders/:order_id"),
        ],
    })
}

fn parts<'a>(request: &'a Request<'_>) -> Vec<&'a str> {
    let path = request.path.strip_prefix(PREFIX).unwrap_or_default();
    path.trim_matches('/').split('/').collect()
}

/// What a request costs.
pub(in crate::exchange::kalshi) fn cost(request: &Request<'_>) -> Cost {
    let items = || {
        let body = Fields::parse(request.body).ok();
        let count = body.and_then(|body| body.list("orders").ok()).map_or(1, |list| list.len());
        u64::try_from(count).unwrap_or(u64::MAX).max(1)
    };
    match (request.method, parts(request).as_slice()) {
        ("GET", ["portfolio", "orders", id]) if *id != "queue_positions" => Cost::Read(SMALL_COST),
        ("GET", _) => Cost::Read(DEFAULT_COST),
        ("DELETE", ["portfolio", "events", "orders", "batched"]) => {
            Cost::Write(SMALL_COST.saturating_mul(items()))
        }
        ("DELETE", ["portfolio", "events", "orders", ..]) => Cost::Write(SMALL_COST),
        ("POST", ["portfolio", "events", "orders", "batched"]) => {
            Cost::Write(DEFAULT_COST.saturating_mul(items()))
        }
        _ => Cost::Write(DEFAULT_COST),
    }
}

/// Whether a path belongs to the trading side.
pub(in crate::exchange::kalshi) fn is_ours(request: &Request<'_>) -> bool {
    let parts = parts(request);
    matches!(parts.as_slice(), ["portfolio", ..] | ["exchange", "user_data_timestamp"])
}

/// A scope that a request needs and its key does not have.
fn forbidden(request: &Request<'_>, account: &Account) -> bool {
    let transfer = request.path.ends_with("/intra_exchange_instance_transfer");
    let needed = match request.method {
        "GET" => Scope::Read,
        _ if transfer => Scope::WriteTransfer,
        _ => Scope::WriteTrade,
    };
    !account.scopes.contains(&needed)
}

fn done(result: Result<Value, Refused>, status: u16) -> Reply {
    match result {
        Ok(body) => Reply::json(status, &body),
        Err(refused) => refused.reply(),
    }
}

impl Trading {
    /// Answers a member's request.
    pub(in crate::exchange::kalshi) fn answer_member(
        &mut self,
        (place, account): (usize, &Account),
        request: &Request<'_>,
        floor: &mut Floor,
        now: Timestamp,
    ) -> Reply {
        if forbidden(request, account) {
            return error(403, "insufficient_scope", "the key lacks the scope for this");
        }
        let parts = parts(request);
        let query = Query::parse(request.query);
        match (request.method, parts.as_slice()) {
            ("GET", _) => self.read(place, &parts, &query, floor, now),
            (_, ["portfolio", "events", "orders", rest @ ..]) => {
                self.change_orders(place, (request, rest), &query, floor, now)
            }
            (_, ["portfolio", "orders", ..]) => {
                error(410, "deprecated_v1_order_endpoint", "this endpoint was retired")
            }
            ("POST", ["portfolio", "order_groups", "create"]) => {
                let fields = Fields::parse(request.body);
                done(fields.and_then(|fields| self.create_group(place, &fields, now)), 201)
            }
            (
                "PUT",
                ["portfolio", "order_groups", id, action @ ("reset" | "trigger" | "limit")],
            ) => done(self.change_group(place, id, action, request.body, floor, now), 200),
            ("DELETE", ["portfolio", "order_groups", id]) => {
                done(self.change_group(place, id, "delete", request.body, floor, now), 200)
            }
            ("POST", ["portfolio", "intra_exchange_instance_transfer"]) => {
                let moved = Fields::parse(request.body)
                    .and_then(|fields| self.transfer(place, &fields, now));
                done(moved.map(|id| json!({"transfer_id": id})), 200)
            }
            _ => super::super::rest::not_found(),
        }
    }

    /// The calls below `/portfolio/events/orders`.
    fn change_orders(
        &mut self,
        place: usize,
        (request, rest): (&Request<'_>, &[&str]),
        query: &Query,
        floor: &mut Floor,
        now: Timestamp,
    ) -> Reply {
        match (request.method, rest) {
            ("POST", []) => self.create_under_fault(place, Ticket::parse(request.body), floor, now),
            ("DELETE", []) => {
                // Subaccounts other than the primary one hold nothing.
                if query.get("subaccount").is_none_or(|subaccount| subaccount == "0") {
                    self.sweep(Sweep::Member(place), Reason::CANCEL, floor, now);
                }
                Reply { body: String::new(), ..Reply::json(204, &Value::Null) }
            }
            ("POST", ["batched"]) => self.batch_under_fault(place, request.body, floor, now),
            ("DELETE", ["batched"]) => {
                let gone = self.each(request.body, |trading, fields| {
                    let id = fields.required("order_id").map(str::to_owned);
                    let gone = id.clone().and_then(|id| trading.cancel(place, &id, floor, now));
                    (id.ok().map(|id| ("order_id", id)), gone)
                });
                done(gone, 200)
            }
            ("DELETE", [id]) => done(self.cancel(place, id, floor, now), 200),
            ("POST", [id, action @ ("decrease" | "amend")]) => {
                let changed = Fields::parse(request.body).and_then(|fields| match *action {
                    "amend" => self.amend(place, id, &fields, floor, now),
                    _ => self.decrease(place, id, &fields, floor, now),
                });
                done(changed, 200)
            }
            _ => super::super::rest::not_found(),
        }
    }

    /// Places each order of a batch by itself.
    pub(super) fn create_each(
        &mut self,
        place: usize,
        body: &[u8],
        floor: &mut Floor,
        now: Timestamp,
    ) -> Reply {
        let made = self.each(body, |trading, fields| {
            let client = fields.text("client_order_id").ok().flatten().map(str::to_owned);
            let made =
                Ticket::of(fields).and_then(|ticket| trading.create(place, &ticket, floor, now));
            (client.map(|client| ("client_order_id", client)), made)
        });
        done(made, 201)
    }

    /// Does something for each object of the list `orders`; what fails bears its error instead.
    fn each(
        &mut self,
        body: &[u8],
        mut act: impl FnMut(
            &mut Self,
            &Fields,
        ) -> (Option<(&'static str, String)>, Result<Value, Refused>),
    ) -> Result<Value, Refused> {
        let mut answers = Vec::new();
        for item in Fields::parse(body)?.list("orders")? {
            let fields = Fields::of(item)?;
            let (name, result) = act(self, &fields);
            answers.push(result.unwrap_or_else(|refused| {
                let mut answer = json!({"error": refused.value()});
                if let Some((field, id)) = name {
                    answer[field] = id.into();
                    if field == "order_id" {
                        answer["reduced_by"] = Quantity::ZERO.to_string().into();
                    }
                }
                answer
            }));
        }
        Ok(json!({"orders": answers}))
    }

    fn read(
        &self,
        place: usize,
        parts: &[&str],
        query: &Query,
        floor: &Floor,
        now: Timestamp,
    ) -> Reply {
        let (members, behind) = self.seen(now);
        let Some(member) = members.get(place) else { return super::super::rest::not_found() };
        let view = View { member, floor, endings: &self.endings, query, now, behind };
        let answered = match parts {
            ["exchange", "user_data_timestamp"] => Ok(view.as_of()),
            ["portfolio", "orders"] => view.orders(),
            ["portfolio", "orders", "queue_positions"] => view.queue_positions(),
            ["portfolio", "orders", id] => Ok(view.order(id)),
            ["portfolio", "orders", id, "queue_position"] => Ok(view.queue_position(id)),
            ["portfolio", "fills"] => view.fills(),
            ["portfolio", "positions"] => view.positions(),
            ["portfolio", "balance"] => view.balance(),
            ["portfolio", "deposits"] => view.transfers(Flow::Deposit),
            ["portfolio", "withdrawals"] => view.transfers(Flow::Withdrawal),
            ["portfolio", "settlements"] => view.settlements(),
            ["portfolio", "summary", "total_resting_order_value"] => Ok(view.resting_value()),
            ["portfolio", "order_groups"] => {
                Ok(Reply::json(200, &json!({"order_groups": groups::list(member)})))
            }
            ["portfolio", "order_groups", id] => Ok(groups::number_of(id)
                .and_then(|number| groups::value(member, number))
                .map_or_else(super::super::rest::not_found, |group| Reply::json(200, &group))),
            _ => Ok(super::super::rest::not_found()),
        };
        answered.unwrap_or_else(|refusal| refusal)
    }
}
