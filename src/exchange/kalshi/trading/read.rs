//! Portfolio reads: orders, fills, positions, balance, settlements, queue positions.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::domain::{Money, Price, Quantity, Side, Timestamp};
use crate::exchange::{Floor, Listing, Reply};

use super::super::query::{Query, invalid, page};
use super::member::{Member, Position};
use super::order::{Order, leg_price};
use super::{Ending, object};

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1_000;
const TICKERS_MAX: usize = 100;
const EVENTS_MAX: usize = 10;

/// What a read looks at: one member, as of the time that reads show.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) member: &'a Member,
    pub(super) floor: &'a Floor,
    pub(super) endings: &'a BTreeMap<usize, Ending>,
    pub(super) query: &'a Query,
    pub(super) now: Timestamp,
    /// How far behind the read is.
    pub(super) behind: Duration,
}

fn ok(body: &Value) -> Reply {
    Reply::json(200, body)
}

impl View<'_> {
    fn limit(self) -> Result<usize, Reply> {
        self.query.number("limit", (1, LIMIT_MAX), LIMIT_DEFAULT)
    }

    fn listing(&self, market: usize) -> &Listing {
        &self.floor.listings[market]
    }

    fn integer(self, name: &'static str) -> Result<Option<i64>, Reply> {
        match self.query.get(name).map(str::parse) {
            Some(Err(_)) => Err(invalid(&format!("{name} must be a number"))),
            Some(Ok(number)) => Ok(Some(number)),
            None => Ok(None),
        }
    }

    /// A filter by time, market, event, shard and subaccount.
    fn filter(self) -> Result<impl Fn(usize, Timestamp) -> bool, Reply> {
        let list = |name: &'static str, max: usize| {
            let names: Option<Vec<String>> =
                self.query.get(name).map(|list| list.split(',').map(str::to_owned).collect());
            match names.as_ref().is_some_and(|names| names.len() > max) {
                true => Err(invalid(&format!("{name} may name at most {max}"))),
                false => Ok(names),
            }
        };
        let (tickers, events) = (list("ticker", TICKERS_MAX)?, list("event_ticker", EVENTS_MAX)?);
        let (from, to) = (self.integer("min_ts")?, self.integer("max_ts")?);
        let index = self.integer("exchange_index")?;
        let primary = self.integer("subaccount")?.is_none_or(|subaccount| subaccount == 0);
        let floor = self.floor;
        let named = |names: &Option<Vec<String>>, name: &String| {
            names.as_ref().is_none_or(|names| names.contains(name))
        };
        Ok(move |market: usize, at: Timestamp| {
            let listing = &floor.listings[market];
            primary
                && named(&tickers, &listing.id)
                && named(&events, &listing.event)
                && from.is_none_or(|from| at.secs() >= from)
                && to.is_none_or(|to| at.secs() <= to)
                && index.is_none_or(|i| i == i64::from(super::super::listing::shard(listing)))
        })
    }

    fn order_value(&self, order: &Order) -> Value {
        object::order(order, &self.member.user_id(), self.listing(order.market))
    }

    /// One order, by its id.
    pub(super) fn order(self, id: &str) -> Reply {
        let found = self.member.orders.values().find(|order| order.id() == id);
        found.map_or_else(super::super::rest::not_found, |order| {
            ok(&json!({"order": self.order_value(order)}))
        })
    }

    /// Newest first.
    pub(super) fn orders(self) -> Result<Reply, Reply> {
        let limit = self.limit()?;
        let status = self.query.get("status");
        if !matches!(status, None | Some("resting" | "canceled" | "executed")) {
            return Err(invalid("status must be one of resting, canceled, executed"));
        }
        let passes = self.filter()?;
        let found: Vec<&Order> = self
            .member
            .orders
            .values()
            .rev()
            .filter(|order| passes(order.market, order.created))
            .filter(|order| status.is_none_or(|status| status == order.status()))
            .collect();
        let (page, cursor) = page(found, self.query, limit);
        let orders: Value = page.into_iter().map(|order| self.order_value(order)).collect();
        Ok(ok(&json!({"orders": orders, "cursor": cursor})))
    }

    /// Newest first.
    pub(super) fn fills(self) -> Result<Reply, Reply> {
        let limit = self.limit()?;
        let passes = self.filter()?;
        let of = self.query.get("order_id");
        let found: Vec<_> = self
            .member
            .fills
            .iter()
            .rev()
            .filter(|fill| passes(fill.market, fill.at))
            .filter(|fill| of.is_none_or(|id| id == super::order::id_of(fill.order)))
            .collect();
        let (page, cursor) = page(found, self.query, limit);
        let fills: Value =
            page.into_iter().map(|fill| object::fill(fill, self.listing(fill.market))).collect();
        Ok(ok(&json!({"fills": fills, "cursor": cursor})))
    }

    pub(super) fn positions(self) -> Result<Reply, Reply> {
        let limit = self.limit()?;
        let passes = self.filter()?;
        let wanted = self.query.get("settlement_status").unwrap_or("unsettled");
        if !matches!(wanted, "unsettled" | "settled" | "all") {
            return Err(invalid("settlement_status must be one of unsettled, settled, all"));
        }
        let counts: Vec<&str> =
            self.query.get("count_filter").map_or(Vec::new(), |list| list.split(',').collect());
        let settled = |market: usize| self.endings.get(&market).is_some_and(|e| e.paid.is_some());
        let found: Vec<(usize, &Position)> = self
            .member
            .positions
            .iter()
            .map(|(market, position)| (*market, position))
            .filter(|(market, position)| passes(*market, position.updated))
            .filter(|(market, _)| match wanted {
                "unsettled" => !settled(*market),
                "settled" => settled(*market),
                _ => true,
            })
            .filter(|(_, p)| !counts.contains(&"position") || p.contracts != 0)
            .filter(|(_, p)| !counts.contains(&"total_traded") || !p.volume.is_zero())
            .collect();
        let (page, cursor) = page(found, self.query, limit);
        let markets: Value = page
            .iter()
            .map(|(market, position)| object::position(position, self.listing(*market)))
            .collect();
        let events = self.events(&page);
        let body =
            json!({"market_positions": markets, "event_positions": events, "cursor": cursor});
        Ok(ok(&body))
    }

    /// The positions summed by event.
    fn events(self, positions: &[(usize, &Position)]) -> Value {
        let mut events: BTreeMap<&str, Position> = BTreeMap::new();
        for (market, position) in positions {
            let sum = events.entry(&self.floor.listings[*market].event).or_default();
            sum.traded += position.traded;
            sum.volume = sum.volume.saturating_add(position.volume);
            sum.cost += position.cost;
            sum.realized += position.realized;
            sum.fees += position.fees;
        }
        let value = |(event, sum): (&str, Position)| {
            json!({
                "event_ticker": event, "total_cost_dollars": sum.traded.to_string(),
                "total_cost_shares_fp": sum.volume.to_string(),
                "event_exposure_dollars": sum.cost.to_string(),
                "realized_pnl_dollars": sum.realized.to_string(),
                "fees_paid_dollars": sum.fees.to_string(),
            })
        };
        events.into_iter().map(value).collect()
    }

    /// What the positions would bring at the best bids of what is held.
    fn portfolio_value(self) -> Money {
        let one = |(market, position): (&usize, &Position)| {
            let book = &self.floor.books[*market];
            let side = if position.contracts > 0 { Side::Bid } else { Side::Ask };
            let price: Option<Price> = book.best(side).map(|best| leg_price(side, best.0));
            let held = Quantity::from_units(position.contracts.abs()).unwrap_or_default();
            price.map_or(Money::ZERO, |price| Money::cost_floor(price, held))
        };
        self.member.positions.iter().map(one).fold(Money::ZERO, |sum, value| sum + value)
    }

    /// What can be spent: what resting orders hold back is not part of it.
    pub(super) fn balance(self) -> Result<Reply, Reply> {
        let index = self.integer("exchange_index")?;
        let purses: Vec<(u32, Money)> = self
            .member
            .purses
            .keys()
            .map(|shard| (*shard, self.member.available(*shard)))
            .filter(|(shard, _)| index.is_none_or(|index| index == i64::from(*shard)))
            .collect();
        let total = purses.iter().fold(Money::ZERO, |sum, (_, cash)| sum + *cash);
        let breakdown: Value = purses
            .iter()
            .map(|(shard, cash)| {
                json!({"exchange_index": shard, "balance": object::dollars_4(*cash)})
            })
            .collect();
        Ok(ok(&json!({
            "balance": object::cents(total), "balance_dollars": object::dollars_4(total),
            "portfolio_value": object::cents(self.portfolio_value()),
            "updated_ts": self.member.updated.secs(), "balance_breakdown": breakdown,
        })))
    }

    /// Newest first.
    pub(super) fn settlements(self) -> Result<Reply, Reply> {
        let limit = self.limit()?;
        let passes = self.filter()?;
        let found: Vec<_> =
            self.member.settlements.iter().rev().filter(|row| passes(row.market, row.at)).collect();
        let (page, cursor) = page(found, self.query, limit);
        let rows: Value =
            page.into_iter().map(|row| object::settlement(row, self.listing(row.market))).collect();
        Ok(ok(&json!({"settlements": rows, "cursor": cursor})))
    }

    fn ahead(&self, order: &Order) -> Quantity {
        let book = &self.floor.books[order.market];
        order.number.and_then(|number| book.ahead(number)).unwrap_or_default()
    }

    pub(super) fn queue_position(self, id: &str) -> Reply {
        let found = self.member.resting().find(|order| order.id() == id);
        found.map_or_else(super::super::rest::not_found, |order| {
            ok(&json!({"queue_position_fp": self.ahead(order).to_string()}))
        })
    }

    pub(super) fn queue_positions(self) -> Result<Reply, Reply> {
        let tickers: Option<Vec<&str>> =
            self.query.get("market_tickers").map(|list| list.split(',').collect());
        let event = self.query.get("event_ticker");
        if tickers.is_none() && event.is_none() {
            return Err(invalid("market_tickers or event_ticker is required"));
        }
        let named = |order: &&Order| {
            let listing = self.listing(order.market);
            tickers.as_ref().is_none_or(|tickers| tickers.contains(&listing.id.as_str()))
                && event.is_none_or(|event| event == listing.event)
        };
        let value = |order: &Order| {
            json!({
                "order_id": order.id(), "market_ticker": self.listing(order.market).id,
                "queue_position_fp": self.ahead(order).to_string(),
            })
        };
        let rows: Value = self.member.resting().filter(named).map(value).collect();
        Ok(ok(&json!({"queue_positions": rows})))
    }

    pub(super) fn resting_value(self) -> Reply {
        let value =
            |order: &Order| Money::cost_ceil(leg_price(order.side, order.limit), order.resting);
        let sum = |shard: Option<u32>| {
            let counted = |order: &&Order| shard.is_none_or(|shard| shard == order.shard);
            self.member.resting().filter(counted).map(value).fold(Money::ZERO, |sum, one| sum + one)
        };
        let breakdown: Value = self
            .member
            .purses
            .keys()
            .map(|shard| {
                let held = object::dollars_4(sum(Some(*shard)));
                json!({"exchange_index": shard, "balance": held})
            })
            .collect();
        ok(&json!({
            "total_resting_order_value": object::cents(sum(None)),
            "resting_order_value_breakdown": breakdown,
        }))
    }

    /// How fresh all these reads are.
    pub(super) fn as_of(self) -> Reply {
        ok(&json!({"as_of_time": self.now.before(self.behind).to_string()}))
    }
}
