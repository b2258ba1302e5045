//! The end of markets, and trades that are taken back.

use std::time::Duration;

use serde_json::json;

use crate::domain::market::Status;
use crate::domain::{Money, Price, Quantity, Side, Timestamp};
use crate::exchange::Floor;
use crate::exchange::faults::Resolution;

use super::super::frames::edge_dollars;
use super::super::listing::shard;
use super::change::Sweep;
use super::fee::STEP;
use super::member::{Booking, Position, Settlement};
use super::order::{Fill, Reason, Role, leg_price};
use super::ticket::{Fields, Refused};
use super::{Ending, News, Trading};

/// What YES pays in 1/10,000 dollars, and the venue's word for the result.
pub(in crate::exchange::kalshi) const fn outcome(resolution: Resolution) -> (u16, &'static str) {
    match resolution {
        Resolution::Yes => (Price::ONE, "yes"),
        Resolution::No => (0, "no"),
        Resolution::Value(price) => (price.units(), "scalar"),
    }
}

/// What a position is paid; parts of the balance's step are not.
fn payout(position: Position, value: u16) -> Money {
    let each = match position.contracts >= 0 {
        true => value,
        false => Price::ONE - value,
    };
    let contracts = i128::from(position.contracts.abs());
    let micros = contracts * i128::from(each) / i128::from(Price::ONE);
    Money::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)).floor_to(STEP)
}

impl Trading {
    /// Ends a market: everything that rests there is swept, and its result is known.
    pub(in crate::exchange::kalshi) fn resolve(
        &mut self,
        market: usize,
        resolution: Resolution,
        pays_after: Duration,
        floor: &mut Floor,
        now: Timestamp,
    ) {
        if market >= floor.listings.len() || self.endings.contains_key(&market) {
            return;
        }
        self.sweep(Sweep::Market(market), Reason::CLOSE, floor, now);
        let rest: Vec<_> = floor.books[market].resting().map(|(.., order)| order.number).collect();
        let mut facts = Vec::new();
        for number in rest {
            floor.books[market].cancel(number, &mut facts);
        }
        self.absorb(market, &facts, None, floor, now);
        let listing = &mut floor.listings[market];
        if now < listing.closes {
            // The agents go by this time too.
            listing.closes = now;
            self.news.push(News::Lifecycle(json!({
                "event_type": "close_date_updated", "market_ticker": listing.id,
                "exchange_index": shard(listing), "close_ts": now.secs(),
            })));
        }
        listing.status = Status::Closed;
        let (value, result) = outcome(resolution);
        self.news.push(News::Lifecycle(json!({
            "event_type": "determined", "market_ticker": listing.id,
            "exchange_index": shard(listing), "result": result,
            "settlement_value": edge_dollars(value), "determination_ts": now.secs(),
        })));
        let pays = now.after(pays_after);
        self.endings.insert(market, Ending { resolution, pays, paid: None });
    }

    /// Pays the markets whose time has come, and takes back the trades that are due.
    pub(in crate::exchange::kalshi) fn settle(&mut self, floor: &Floor, now: Timestamp) {
        let (due, later) =
            std::mem::take(&mut self.busts).into_iter().partition(|(at, ..)| *at <= now);
        self.busts = later;
        let due: Vec<(Timestamp, usize, u64)> = due;
        for (_, place, serial) in due {
            self.bust((place, serial), floor, now);
        }
        let payable: Vec<usize> = self
            .endings
            .iter()
            .filter(|(_, ending)| ending.paid.is_none() && ending.pays <= now)
            .map(|(market, _)| *market)
            .collect();
        for market in payable {
            self.pay(market, floor, now);
        }
    }

    fn pay(&mut self, market: usize, floor: &Floor, now: Timestamp) {
        let Some(ending) = self.endings.get_mut(&market) else { return };
        ending.paid = Some(now);
        let (value, result) = outcome(ending.resolution);
        let listing = &floor.listings[market];
        let purse = shard(listing);
        for place in 0..self.members.len() {
            let Some(member) = self.members.get_mut(place) else { continue };
            let Some(position) = member.positions.get_mut(&market) else { continue };
            let revenue = payout(*position, value);
            let before = *position;
            position.realized += revenue - position.cost;
            position.cost = Money::ZERO;
            position.contracts = 0;
            position.updated = now;
            *member.purses.entry(purse).or_default() += revenue;
            member.payouts += revenue;
            member.updated = now;
            let position = before;
            let at = now;
            member.settlements.push(Settlement { market, position, result, value, revenue, at });
            self.tell_position(place, market, floor);
        }
        self.news.push(News::Lifecycle(json!({
            "event_type": "settled", "market_ticker": listing.id, "exchange_index": purse,
            "settled_ts": now.secs(),
        })));
        self.remember(now);
    }

    /// Notes that what an order filled is to be taken back.
    pub(super) fn bust_later(&mut self, (place, serial): (usize, u64), at: Timestamp) {
        self.busts.push((at, place, serial));
    }

    /// Takes the fills of an order back, on both sides where both are members.
    fn bust(&mut self, (place, serial): (usize, u64), floor: &Floor, now: Timestamp) {
        let Some(market) = self.order((place, serial)).map(|order| order.market) else { return };
        // What is paid is final.
        if self.endings.get(&market).is_some_and(|ending| ending.paid.is_some()) {
            return;
        }
        let Some(member) = self.members.get(place) else { return };
        let trades: Vec<String> = member
            .fills
            .iter()
            .filter(|fill| fill.order == serial)
            .map(|fill| fill.trade.clone())
            .collect();
        for other in 0..self.members.len() {
            let Some(member) = self.members.get_mut(other) else { continue };
            let is_busted = |fill: &mut Fill| trades.contains(&fill.trade);
            let busted: Vec<Fill> = member.fills.extract_if(.., is_busted).collect();
            for fill in &busted {
                self.take_back(other, fill, now);
                self.tell_order((other, fill.order), floor);
            }
            if !busted.is_empty() {
                self.tell_position(other, market, floor);
            }
        }
        self.remember(now);
    }

    fn take_back(&mut self, place: usize, fill: &Fill, now: Timestamp) {
        let Some(member) = self.members.get_mut(place) else { return };
        let side = match fill.side {
            Side::Bid => Side::Ask,
            Side::Ask => Side::Bid,
        };
        let Fill { market, shard, price, quantity, fee, .. } = *fill;
        member.book(Booking { market, shard, side, price, quantity, fee: -fee }, now);
        let Some(order) = member.orders.get_mut(&fill.order) else { return };
        let slot = usize::from(fill.role == Role::Maker);
        order.cost[slot] -= Money::cost_ceil(leg_price(fill.side, price), quantity);
        order.fees[slot] -= fee;
        order.filled = order.filled.saturating_sub(quantity);
        order.cancelled = order.filled < order.initial;
        order.reason = Reason::BUST;
        order.updated = now;
    }

    /// Moves cash between shards; the same client id moves it once.
    pub(super) fn transfer(
        &mut self,
        place: usize,
        fields: &Fields,
        now: Timestamp,
    ) -> Result<String, Refused> {
        let refuse = Refused::invalid;
        for name in ["source", "destination"] {
            if fields.required(name)? != "event_contract" {
                return Err(refuse("only event_contract holds cash"));
            }
        }
        let client = fields.text("client_transfer_id")?.map(str::to_owned);
        let side = |name| {
            let shard = fields.integer(name)?.unwrap_or(0);
            u32::try_from(shard).map_err(|_| refuse("no such shard"))
        };
        let (from, to) = (side("source_exchange_shard")?, side("destination_exchange_shard")?);
        let amount = fields.integer("amount")?.filter(|amount| *amount > 0);
        let amount = amount.and_then(|amount| amount.checked_mul(STEP));
        let amount = Money::from_micros(amount.ok_or(refuse("amount must be positive"))?);
        let number = self.last_transfer + 1;
        let member = self.members.get_mut(place).ok_or(refuse("unknown member"))?;
        if let Some(known) = client.as_ref().and_then(|client| member.transfers.get(client)) {
            return Ok(transfer_id(*known));
        }
        if from == to || amount > member.available(from) {
            return Err(Refused::new(400, "insufficient_balance"));
        }
        *member.purses.entry(from).or_default() -= amount;
        *member.purses.entry(to).or_default() += amount;
        member.updated = now;
        member.transfers.extend(client.map(|client| (client, number)));
        self.last_transfer = number;
        self.remember(now);
        Ok(transfer_id(number))
    }
}

fn transfer_id(number: u64) -> String {
    format!("7a000000-0000-4000-8000-{number:012x}")
}

/// Contracts of a position by outcome: of YES, of NO.
pub(super) fn by_outcome(contracts: i64) -> (Quantity, Quantity) {
    let of = |units: i64| Quantity::from_units(units.max(0)).unwrap_or_default();
    (of(contracts), of(contracts.saturating_neg()))
}
