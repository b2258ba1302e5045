//! Faults that strike the next order: what the book holds when it arrives, and what it is told.

use serde_json::Value;

use crate::domain::market::PriceGrid;
use crate::domain::{Price, Quantity, Side, Timestamp};
use crate::exchange::faults::{Fault, OrderFault, Reached};
use crate::exchange::matching::{Owner, Remainder, opposite};
use crate::exchange::{Floor, Reply, Sending};

use super::member::FIRST_OWNER;
use super::order;
use super::ticket::{Refused, Ticket};
use super::{Sweep, Trading};

/// Whoever makes the better offer of [`OrderFault::BetterPrice`].
const STRANGER: Owner = Owner(300);

impl Trading {
    /// Takes a fault that concerns orders, cash or reads.
    pub(in crate::exchange::kalshi) fn trouble(
        &mut self,
        fault: &Fault,
        floor: &mut Floor,
        now: Timestamp,
    ) {
        match fault {
            Fault::Order(
                OrderFault::Delayed { .. }
                | OrderFault::SettlementFails(_)
                | OrderFault::SettlesLate(_)
                | OrderFault::SuccessWithError,
            ) => {}
            Fault::Order(fault) => self.order_faults.push_back(fault.clone()),
            Fault::CancelsDenied { lasts } => self.cancels_denied = Some(now.after(*lasts)),
            Fault::NoFunds { lasts } => self.broke = Some(now.after(*lasts)),
            Fault::ReadLag { behind, lasts } => self.lag(*behind, now.after(*lasts), now),
            Fault::Funds(transfer) => self.begin_transfer(*transfer, now),
            Fault::TradingPause { lasts } => {
                self.halted = Some(now.after(*lasts));
                self.halt(Sweep::Halting, floor, now);
            }
            _ => {}
        }
    }

    /// Places one order as its fault, if there is one, wants it.
    pub(super) fn create_under_fault(
        &mut self,
        place: usize,
        ticket: Result<Ticket, Refused>,
        floor: &mut Floor,
        now: Timestamp,
    ) -> Reply {
        let ticket = match ticket {
            Ok(ticket) => ticket,
            Err(refused) => return refused.reply(),
        };
        let fault = self.order_faults.pop_front();
        // A trade that is taken back counts when it is.
        if let Some(fault) = fault.as_ref().filter(|fault| !matches!(fault, OrderFault::Bust(_))) {
            self.meet(fault);
        }
        if let Some(
            OrderFault::Held(Reached::No)
            | OrderFault::Cut(Reached::No)
            | OrderFault::Failing(Reached::No, _),
        ) = &fault
        {
            return dress(Reply::json(201, &Value::Null), fault.as_ref());
        }
        let market = Self::market_of(&ticket.ticker, ticket.shard, floor).ok();
        let away = match (&fault, market) {
            (Some(fault), Some(market)) => self.prepare(fault, market, &ticket, floor, now),
            _ => Vec::new(),
        };
        let done = self.create(place, &ticket, floor, now);
        if let (Some(OrderFault::Bust(after)), Ok(body)) = (&fault, &done) {
            let id = body["order_id"].as_str().unwrap_or_default();
            let at = self.find_order(place, id).map(|serial| (place, serial));
            if let Some(at) = at.filter(|at| self.order(*at).is_some_and(has_filled)) {
                self.meet(&OrderFault::Bust(*after));
                self.bust_later(at, now.after(*after));
            }
        }
        if let Some(market) = market {
            self.restore(market, away, floor, now);
        }
        let reply = match done {
            Ok(body) => Reply::json(201, &body),
            Err(refused) => refused.reply(),
        };
        dress(reply, fault.as_ref())
    }

    /// Places a batch as the next fault wants it, where that is one of the way and not of the book,
    /// which waits for an order that comes alone.
    pub(super) fn batch_under_fault(
        &mut self,
        place: usize,
        body: &[u8],
        floor: &mut Floor,
        now: Timestamp,
    ) -> Reply {
        let fault = self.order_faults.pop_front_if(|fault| fault.is_of_the_way());
        let reply = match &fault {
            Some(
                OrderFault::Held(Reached::No)
                | OrderFault::Cut(Reached::No)
                | OrderFault::Failing(Reached::No, _),
            ) => Reply::json(201, &Value::Null),
            _ => self.create_each(place, body, floor, now),
        };
        dress(reply, fault.as_ref())
    }

    fn meet(&mut self, fault: &OrderFault) {
        *self.met.entry(fault.name()).or_default() += 1;
    }

    /// Changes the book as the fault has it; what is to come back afterwards.
    fn prepare(
        &mut self,
        fault: &OrderFault,
        market: usize,
        ticket: &Ticket,
        floor: &mut Floor,
        now: Timestamp,
    ) -> Vec<(Owner, Side, Price, Quantity)> {
        let against = opposite(ticket.side);
        let agents: Vec<_> = floor.books[market]
            .within(ticket.side, ticket.price)
            .filter(|(_, order)| order.owner.0 < FIRST_OWNER)
            .collect();
        let mut away = Vec::new();
        let mut facts = Vec::new();
        let book = &mut floor.books[market];
        match fault {
            OrderFault::NothingThere => {
                for (price, order) in agents {
                    book.cancel(order.number, &mut facts);
                    away.push((order.owner, against, price, order.quantity));
                }
            }
            OrderFault::Partly(percent) => {
                let total = agents.iter().map(|(_, order)| order.quantity.units()).sum::<i64>();
                let share = total / 100 * i64::from((*percent).min(100));
                let mut left = share - share % Quantity::LOT;
                for (_, order) in agents {
                    let stays = order.quantity.units().min(left);
                    left -= stays;
                    let stays = Quantity::from_units(stays).unwrap_or_default();
                    book.reduce(order.number, stays, &mut facts);
                }
            }
            OrderFault::BetterPrice => {
                let best = book.best(against).map(|best| best.0);
                let limit = book.best(ticket.side).map(|best| best.0);
                let bands = floor.listings[market].bands.clone();
                if let (Some(best), Some(grid)) = (best, PriceGrid::new(bands)) {
                    let better = better(against, best, limit, &grid);
                    if let Some(price) = better {
                        let rests = Remainder::Rests;
                        let count = ticket.count;
                        book.submit(STRANGER, against, price, count, rests, &mut facts);
                    }
                }
            }
            _ => return away,
        }
        self.absorb(market, &facts, None, floor, now);
        away
    }

    /// Puts back what was withdrawn, and takes back what was offered.
    fn restore(
        &mut self,
        market: usize,
        away: Vec<(Owner, Side, Price, Quantity)>,
        floor: &mut Floor,
        now: Timestamp,
    ) {
        let mut facts = Vec::new();
        let book = &mut floor.books[market];
        let offered: Vec<_> = book.orders_of(STRANGER).map(|(number, ..)| number).collect();
        for number in offered {
            book.cancel(number, &mut facts);
        }
        for (owner, side, price, quantity) in away {
            book.submit(owner, side, price, quantity, Remainder::Rests, &mut facts);
        }
        self.absorb(market, &facts, None, floor, now);
    }
}

const fn has_filled(order: &order::Order) -> bool {
    !order.filled.is_zero()
}

/// The next price on the grid that beats the best of a side without meeting the other side.
fn better(side: Side, best: Price, limit: Option<Price>, grid: &PriceGrid) -> Option<Price> {
    let (low, high) = match side {
        Side::Ask => (limit.map_or(0, Price::units), best.units()),
        Side::Bid => (best.units(), limit.map_or(Price::ONE, Price::units)),
    };
    let mut between = (low + 1..high).filter_map(Price::from_units).filter(|p| grid.contains(*p));
    match side {
        Side::Ask => between.next_back(),
        Side::Bid => between.next(),
    }
}

/// Sends an answer as the fault wants it.
fn dress(reply: Reply, fault: Option<&OrderFault>) -> Reply {
    match fault {
        Some(OrderFault::Held(_)) => Reply { sending: Sending::Held, ..reply },
        Some(OrderFault::Cut(_)) => Reply { sending: Sending::Cut, ..reply },
        Some(OrderFault::Failing(_, status)) => super::super::failure(*status),
        Some(OrderFault::LateAnswer(after)) => Reply { sending: Sending::After(*after), ..reply },
        _ => reply,
    }
}
