//! What happens to orders that rest: cancelled, made smaller, amended, expired, swept.

use serde_json::{Value, json};

use crate::domain::market::Status;
use crate::domain::{Quantity, Timestamp};
use crate::exchange::Floor;
use crate::exchange::matching::{Incoming, Remainder};

use super::create::check_price;
use super::order::{Order, Reason};
use super::ticket::{Fields, Refused};
use super::{Cause, Trading};

/// Which resting orders are swept.
#[derive(Debug, Clone, Copy)]
pub(in crate::exchange::kalshi) enum Sweep {
    /// All of a member.
    Member(usize),
    /// All of a market.
    Market(usize),
    /// Those of a market that asked to be cancelled on a pause.
    Pausing(usize),
    /// Those of every market that asked to be cancelled on a pause.
    Halting,
    /// Those of a member's group.
    Group(usize, u64),
}

impl Trading {
    /// The serial of a member's order by its id.
    pub(super) fn find_order(&self, place: usize, id: &str) -> Option<u64> {
        let member = self.members.get(place)?;
        let serial = super::groups::tail(id)?;
        member.orders.get(&serial).filter(|order| order.id() == id).map(|order| order.serial)
    }

    /// A resting order that may still be touched; every other one is the same 404.
    fn resting(&self, place: usize, id: &str) -> Result<(usize, u64), Refused> {
        let missing = Refused::new(404, "not_found");
        let serial = self.find_order(place, id).ok_or(missing.clone())?;
        let at = (place, serial);
        self.order(at).filter(|order| order.rests()).map(|_| at).ok_or(missing)
    }

    /// Refuses every touch of an order after the close of its market.
    fn before_close(&self, at: (usize, u64), floor: &Floor, now: Timestamp) -> Result<(), Refused> {
        let market = self.order(at).map_or(0, |order| order.market);
        let listing = &floor.listings[market];
        if listing.status == Status::Closed || listing.closes <= now {
            return Err(Refused::with(400, "market_inactive", "MARKET_INACTIVE"));
        }
        Ok(())
    }

    pub(super) fn cancel(
        &mut self,
        place: usize,
        id: &str,
        floor: &mut Floor,
        now: Timestamp,
    ) -> Result<Value, Refused> {
        let found = self.resting(place, id);
        if let Ok(at) = found {
            self.before_close(at, floor, now)?;
        }
        let done = found.map(|at| {
            let left = self.order(at).map_or(Quantity::ZERO, |order| order.resting);
            self.withdraw(at, Reason::CANCEL, floor, now);
            let mut body = json!({
                "order_id": id, "reduced_by": left.to_string(), "ts_ms": now.millis(),
            });
            if let Some(client) = self.order(at).and_then(|order| order.client.as_deref()) {
                body["client_order_id"] = client.into();
            }
            body
        });
        // While cancels are denied the answer says nothing about what was done.
        match self.cancels_denied.is_some_and(|until| now < until) {
            true => Err(Refused::new(404, "not_found")),
            false => done,
        }
    }

    /// Takes an order out of its book, for a reason.
    pub(super) fn withdraw(
        &mut self,
        at: (usize, u64),
        reason: Reason,
        floor: &mut Floor,
        now: Timestamp,
    ) {
        let Some(order) = self.order_mut(at) else { return };
        let (market, number, client) = (order.market, order.number, order.client.clone());
        order.end(reason, now);
        let mut facts = Vec::new();
        if let Some(number) = number {
            floor.books[market].cancel(number, &mut facts);
            self.by_number.remove(&(market, number));
        }
        let cause = Cause { member: at.0, client };
        self.absorb(market, &facts, Some(&cause), floor, now);
        self.tell_order(at, floor);
    }

    /// Withdraws every order that a sweep reaches.
    pub(super) fn sweep(
        &mut self,
        sweep: Sweep,
        reason: Reason,
        floor: &mut Floor,
        now: Timestamp,
    ) {
        let reached = |place: usize, order: &Order| match sweep {
            Sweep::Member(member) => place == member,
            Sweep::Market(market) => order.market == market,
            Sweep::Pausing(market) => order.market == market && order.cancels_on_pause,
            Sweep::Halting => order.cancels_on_pause,
            Sweep::Group(member, group) => place == member && order.group == Some(group),
        };
        for at in self.matching(reached) {
            self.withdraw(at, reason, floor, now);
        }
    }

    /// The resting orders that pass a test.
    fn matching(&self, test: impl Fn(usize, &Order) -> bool) -> Vec<(usize, u64)> {
        let members = self.members.iter().enumerate();
        members
            .flat_map(|(place, member)| member.resting().map(move |order| (place, order)))
            .filter(|(place, order)| test(*place, order))
            .map(|(place, order)| (place, order.serial))
            .collect()
    }

    /// Cancels what expired, what its market's close ends, and what its group's brake stops.
    pub(in crate::exchange::kalshi) fn expire(&mut self, floor: &mut Floor, now: Timestamp) {
        for at in self.matching(|_, o| o.expires.is_some_and(|expires| expires <= now.secs())) {
            self.withdraw(at, Reason::EXPIRY, floor, now);
        }
        let over: Vec<bool> = floor.listings.iter().map(|one| one.closes <= now).collect();
        for at in self.matching(|_, order| over.get(order.market).copied().unwrap_or(false)) {
            self.withdraw(at, Reason::CLOSE, floor, now);
        }
        self.sweep_tripped(floor, now);
    }

    /// Cancels the orders of groups that tripped.
    pub(super) fn sweep_tripped(&mut self, floor: &mut Floor, now: Timestamp) {
        for (place, group) in std::mem::take(&mut self.tripped) {
            self.sweep(Sweep::Group(place, group), Reason::GROUP, floor, now);
        }
    }

    pub(super) fn decrease(
        &mut self,
        place: usize,
        id: &str,
        fields: &Fields,
        floor: &mut Floor,
        now: Timestamp,
    ) -> Result<Value, Refused> {
        let at = self.resting(place, id)?;
        self.before_close(at, floor, now)?;
        let order = self.order(at).ok_or(Refused::new(404, "not_found"))?;
        let (market, resting, number) = (order.market, order.resting, order.number);
        let left = match (fields.count("reduce_by")?, fields.count("reduce_to")?) {
            (Some(by), None) if !by.is_zero() => resting.saturating_sub(by),
            (None, Some(to)) if to < resting => to,
            _ => return Err(Refused::invalid("reduce_by or reduce_to must make it smaller")),
        };
        if left.is_zero() {
            self.withdraw(at, Reason::DECREASE, floor, now);
        } else if let Some(number) = number {
            let mut facts = Vec::new();
            floor.books[market].reduce(number, left, &mut facts);
            let mut client = None;
            if let Some(order) = self.order_mut(at) {
                order.resting = left;
                order.reason = Reason::DECREASE;
                order.updated = now;
                client.clone_from(&order.client);
            }
            let cause = Cause { member: place, client };
            self.absorb(market, &facts, Some(&cause), floor, now);
            self.tell_order(at, floor);
        }
        let mut body = json!({
            "order_id": id, "remaining_count": left.to_string(), "ts_ms": now.millis(),
        });
        if let Some(client) = self.order(at).and_then(|order| order.client.as_deref()) {
            body["client_order_id"] = client.into();
        }
        Ok(body)
    }

    /// Changes price, size or expiry. A smaller size at the same price keeps its place; everything
    /// else goes to the end of the queue, and may trade at once.
    pub(super) fn amend(
        &mut self,
        place: usize,
        id: &str,
        fields: &Fields,
        floor: &mut Floor,
        now: Timestamp,
    ) -> Result<Value, Refused> {
        let market =
            Self::market_of(fields.required("ticker")?, fields.integer("exchange_index")?, floor)?;
        let (side, price) = (fields.side()?, fields.price()?);
        let total = fields.count("count")?.ok_or(Refused::unreadable("count"))?;
        let at = self.resting(place, id)?;
        let order = self.order(at).ok_or(Refused::new(404, "not_found"))?.clone();
        self.before_close(at, floor, now)?;
        self.tradable(&floor.listings[market], now)?;
        if order.market != market || order.side != side {
            return Err(Refused::invalid("ticker and side cannot be amended"));
        }
        check_price(&floor.listings[market], price)?;
        let named = fields.text("client_order_id")?;
        if named.is_some() && named != order.client.as_deref() {
            return Err(Refused::invalid("client_order_id does not match"));
        }
        let renamed = fields.text("updated_client_order_id")?.map(str::to_owned);
        let burnt = |id: &String| self.members.get(place).is_some_and(|m| m.burnt.contains(id));
        if renamed.as_ref().is_some_and(burnt) {
            return Err(Refused::new(409, "order_already_exists"));
        }
        if total <= order.filled {
            return Err(Refused::invalid("count must exceed what is filled"));
        }
        let left = total.saturating_sub(order.filled);
        let owner = self.members.get(place).ok_or(Refused::new(404, "not_found"))?.owner;
        let (quantity, self_trade) = (left, order.self_trade);
        let remainder = Remainder::Rests;
        let incoming = Incoming { owner, side, price, quantity, remainder, self_trade };
        let preview = floor.books[market].preview(incoming);
        self.afford(place, (market, incoming), &preview, Some(order.serial), floor)?;
        let expires = fields.integer("expiration_time")?;
        if let Some(member) = self.members.get_mut(place) {
            member.burnt.extend(renamed.clone());
        }
        if let Some(order) = self.order_mut(at) {
            if renamed.is_some() {
                order.client = renamed;
            }
            order.expires = match expires {
                None => order.expires,
                Some(0) => None,
                some => some,
            };
        }
        self.alter(at, (total, left), incoming, floor, now);
        Ok(self.answer(at, now))
    }

    fn alter(
        &mut self,
        at: (usize, u64),
        (total, left): (Quantity, Quantity),
        incoming: Incoming,
        floor: &mut Floor,
        now: Timestamp,
    ) {
        let Some(order) = self.order_mut(at) else { return };
        let market = order.market;
        let keeps = order.limit == incoming.price && left <= order.resting;
        let (number, client) = (order.number, order.client.clone());
        order.initial = total;
        order.limit = incoming.price;
        order.reason = Reason::AMEND;
        order.updated = now;
        let mut facts = Vec::new();
        if keeps {
            order.resting = left;
            if let Some(number) = number {
                floor.books[market].reduce(number, left, &mut facts);
            }
        } else if let Some(number) = number {
            floor.books[market].cancel(number, &mut facts);
            self.by_number.remove(&(market, number));
        }
        let cause = Cause { member: at.0, client };
        self.absorb(market, &facts, Some(&cause), floor, now);
        match keeps {
            true => self.tell_order(at, floor),
            false => self.run(at, incoming, floor, now),
        }
    }
}
