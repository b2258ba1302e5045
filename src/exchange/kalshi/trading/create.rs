//! New orders: what is refused and why, what trades at once, what rests.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::domain::market::{PriceGrid, Status};
use crate::domain::{Money, Price, Quantity, Side, Timestamp};
use crate::exchange::matching::{Incoming, Met, OrderNumber, Remainder, SelfTrade};
use crate::exchange::{Floor, Listing};

use super::super::listing::shard;
use super::fee;
use super::order::{Order, Reason, TimeInForce};
use super::ticket::{Refused, Ticket};
use super::{Cause, Trading};

/// The most open orders of one member.
const OPEN_ORDERS_MAX: usize = 200_000;

impl Trading {
    /// Finds the market of an order call and checks that the call went to its shard.
    pub(super) fn market_of(
        ticker: &str,
        wanted: Option<i64>,
        floor: &Floor,
    ) -> Result<usize, Refused> {
        let found = floor.listings.iter().position(|listing| listing.id == ticker);
        let market = found.ok_or(Refused::new(404, "market_not_found"))?;
        let at = i64::from(shard(&floor.listings[market]));
        match wanted {
            // Minus one insists on routing by the ticker.
            None | Some(-1) => Ok(market),
            Some(index) if index == at => Ok(market),
            Some(_) => Err(Refused::new(404, "market_not_found")),
        }
    }

    /// Whether orders are taken in a market now.
    pub(super) fn tradable(&self, listing: &Listing, now: Timestamp) -> Result<(), Refused> {
        if self.halted.is_some_and(|until| now < until) {
            return Err(Refused::with(400, "trading_paused", "TRADING_PAUSED"));
        }
        if listing.status != Status::Open || listing.closes <= now {
            return Err(Refused::with(400, "market_inactive", "MARKET_INACTIVE"));
        }
        Ok(())
    }

    /// Places an order; the answer's body, or why not.
    pub(super) fn create(
        &mut self,
        place: usize,
        ticket: &Ticket,
        floor: &mut Floor,
        now: Timestamp,
    ) -> Result<Value, Refused> {
        let market = Self::market_of(&ticket.ticker, ticket.shard, floor)?;
        let incoming = self.admit(place, ticket, market, floor, now)?;
        let preview = floor.books[market].preview(incoming);
        self.check_crossing(place, ticket, (market, incoming), &preview, floor)?;
        self.afford(place, (market, incoming), &preview, None, floor)?;
        let serial = self.enter(place, ticket, market, shard(&floor.listings[market]), now);
        self.run((place, serial), incoming, floor, now);
        Ok(self.answer((place, serial), now))
    }

    /// Everything that can be told without a look at the book.
    fn admit(
        &self,
        place: usize,
        ticket: &Ticket,
        market: usize,
        floor: &Floor,
        now: Timestamp,
    ) -> Result<Incoming, Refused> {
        let member = self.members.get(place).ok_or(Refused::new(404, "user_not_found"))?;
        let listing = &floor.listings[market];
        let broke = self.broke.is_some_and(|until| now < until);
        if broke || !member.purses.contains_key(&shard(listing)) {
            return Err(Refused::new(404, "user_not_found"));
        }
        self.tradable(listing, now)?;
        check_price(listing, ticket.price)?;
        if ticket.expires.is_some_and(|expires| expires <= now.secs()) {
            return Err(Refused::invalid("expiration time is in the past"));
        }
        if ticket.client.as_ref().is_some_and(|client| member.burnt.contains(client)) {
            return Err(Refused::new(409, "order_already_exists"));
        }
        if member.resting().count() >= OPEN_ORDERS_MAX {
            return Err(Refused::invalid("too many open orders"));
        }
        if let Some(group) = &ticket.group {
            let number = super::groups::number_of(group).filter(|n| member.groups.contains_key(n));
            let group = number.and_then(|number| member.groups.get(&number));
            let group = group.ok_or(Refused::new(404, "order_group_not_found"))?;
            if group.triggered {
                return Err(Refused::invalid("order group is triggered"));
            }
        }
        let held = member.position(market);
        let closable = match ticket.side {
            Side::Bid => -held,
            Side::Ask => held,
        };
        let closable = Quantity::from_units(closable.max(0)).unwrap_or_default();
        let quantity = if ticket.reduce_only { ticket.count.min(closable) } else { ticket.count };
        Ok(Incoming {
            owner: member.owner,
            side: ticket.side,
            price: ticket.price,
            quantity,
            remainder: match ticket.force {
                TimeInForce::GoodTillCanceled => Remainder::Rests,
                _ => Remainder::Dropped,
            },
            self_trade: ticket.self_trade,
        })
    }

    /// Refuses what crosses and must not, and what must fill whole and cannot.
    fn check_crossing(
        &mut self,
        place: usize,
        ticket: &Ticket,
        (market, incoming): (usize, Incoming),
        preview: &[Met],
        floor: &Floor,
    ) -> Result<(), Refused> {
        let mut within = floor.books[market].within(incoming.side, incoming.price);
        if ticket.post_only && within.next().is_some() {
            return Err(Refused::invalid("post only cross"));
        }
        if ticket.force != TimeInForce::FillOrKill || filled(preview) >= ticket.count {
            return Ok(());
        }
        // One that meets its owner's order behaves as immediate or cancel.
        let stops = ticket.self_trade == SelfTrade::TakerStops;
        let mut within = floor.books[market].within(incoming.side, incoming.price);
        if stops && within.any(|(_, order)| order.owner == incoming.owner) {
            return Ok(());
        }
        // The client's id is consumed by the kill.
        if let (Some(member), Some(client)) = (self.members.get_mut(place), &ticket.client) {
            member.burnt.insert(client.clone());
        }
        Err(Refused::new(409, "fill_or_kill_insufficient_resting_volume"))
    }

    /// Whether the free cash of the shard covers an order at its limit, and the fees of what it
    /// would trade at once.
    pub(super) fn afford(
        &self,
        place: usize,
        (market, incoming): (usize, Incoming),
        preview: &[Met],
        except: Option<u64>,
        floor: &Floor,
    ) -> Result<(), Refused> {
        let Some(member) = self.members.get(place) else { return Ok(()) };
        let listing = &floor.listings[market];
        let fees = preview.iter().fold(Money::ZERO, |sum, met| {
            let model = fee::model(listing.rate, met.price, met.quantity);
            sum - (-model).floor_to(fee::STEP)
        });
        let more = (incoming.side, incoming.price, incoming.quantity);
        let before = member.reserved(market, except, None);
        let needed = member.reserved(market, except, Some(more)) + fees;
        let free = member.available_without(shard(listing), Some(market));
        // What closes a position at once pays its fee out of what it brings.
        let closes_only = needed - fees <= before;
        if needed > free && !closes_only {
            return Err(Refused::new(400, "insufficient_balance"));
        }
        Ok(())
    }

    /// Gives the order its number and burns the client's id.
    fn enter(
        &mut self,
        place: usize,
        ticket: &Ticket,
        market: usize,
        shard: u32,
        now: Timestamp,
    ) -> u64 {
        self.last_order += 1;
        let serial = self.last_order;
        let order = Order {
            serial,
            client: ticket.client.clone(),
            market,
            shard,
            side: ticket.side,
            limit: ticket.price,
            initial: ticket.count,
            filled: Quantity::ZERO,
            resting: Quantity::ZERO,
            cancelled: false,
            number: None,
            self_trade: ticket.self_trade,
            expires: ticket.expires,
            cancels_on_pause: ticket.cancels_on_pause,
            group: ticket.group.as_deref().and_then(super::groups::number_of),
            cost: [Money::ZERO; 2],
            fees: [Money::ZERO; 2],
            carried: Money::ZERO,
            created: now,
            updated: now,
            reason: if ticket.reduce_only { Reason::REDUCE_ONLY } else { Reason::PLACED },
        };
        if let Some(member) = self.members.get_mut(place) {
            member.burnt.extend(ticket.client.clone());
            member.orders.insert(serial, order);
        }
        serial
    }

    /// Sends an order into its book and takes in what happened.
    pub(super) fn run(
        &mut self,
        (place, serial): (usize, u64),
        incoming: Incoming,
        floor: &mut Floor,
        now: Timestamp,
    ) {
        let Some(member) = self.members.get_mut(place) else { return };
        let Some(order) = member.orders.get_mut(&serial) else { return };
        let market = order.market;
        let mut facts = Vec::new();
        let placed = floor.books[market].place(incoming, &mut facts);
        order.number = Some(placed.number);
        order.resting = placed.rests;
        let filled = placed.filled();
        order.cancelled = filled.saturating_add(placed.rests) < incoming.quantity
            || incoming.quantity < order.initial.saturating_sub(order.filled);
        let client = order.client.clone();
        self.by_number.insert((market, placed.number), (place, serial));
        let gone: BTreeSet<OrderNumber> = placed.gone.iter().map(|(number, _)| *number).collect();
        for number in gone {
            self.self_traded((market, number), floor, now);
        }
        let cause = Cause { member: place, client };
        self.absorb(market, &facts, Some(&cause), floor, now);
        if placed.rests.is_zero() {
            self.by_number.remove(&(market, placed.number));
            if let Some(order) = self.order_mut((place, serial)) {
                order.number = None;
            }
        }
        // A fill has told how the order stands already.
        if filled.is_zero() {
            self.tell_order((place, serial), floor);
        }
        self.sweep_tripped(floor, now);
        self.remember(now);
    }

    fn self_traded(&mut self, key: (usize, OrderNumber), floor: &Floor, now: Timestamp) {
        let Some(at) = self.by_number.remove(&key) else { return };
        if let Some(order) = self.order_mut(at) {
            order.end(Reason::SELF_TRADE, now);
        }
        self.tell_order(at, floor);
    }

    pub(super) fn order_mut(&mut self, (place, serial): (usize, u64)) -> Option<&mut Order> {
        self.members.get_mut(place)?.orders.get_mut(&serial)
    }

    pub(super) fn order(&self, (place, serial): (usize, u64)) -> Option<&Order> {
        self.members.get(place)?.orders.get(&serial)
    }

    /// The body of a 201.
    pub(super) fn answer(&self, at: (usize, u64), now: Timestamp) -> Value {
        let Some(order) = self.order(at) else { return Value::Null };
        let mut body = json!({
            "order_id": order.id(), "fill_count": order.filled.to_string(),
            "remaining_count": order.resting.to_string(), "ts_ms": now.millis(),
        });
        if let Some(client) = &order.client {
            body["client_order_id"] = client.as_str().into();
        }
        if !order.filled.is_zero() {
            let cost = order.cost[0] + order.cost[1];
            let leg = match order.side {
                Side::Bid => cost,
                // The average is of YES, as the limit is.
                Side::Ask => Money::payout(order.filled) - cost,
            };
            let average = |sum: Money| {
                let each = sum.per_contract_floor(order.filled).unwrap_or_default();
                super::object::dollars_4(each)
            };
            body["average_fill_price"] = average(leg).into();
            body["average_fee_paid"] = average(order.fees[0] + order.fees[1]).into();
        }
        body
    }
}

/// Whether a price is one of the market's.
pub(super) fn check_price(listing: &Listing, price: Price) -> Result<(), Refused> {
    let grid = PriceGrid::new(listing.bands.clone());
    match grid.is_some_and(|grid| grid.contains(price)) {
        true => Ok(()),
        false => Err(Refused::new(400, "invalid_price")),
    }
}

fn filled(met: &[Met]) -> Quantity {
    met.iter().fold(Quantity::ZERO, |sum, met| sum.saturating_add(met.quantity))
}
