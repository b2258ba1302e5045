//! What changes in the book just before an order arrives, and is undone after it: offers that are
//! withdrawn, or a better one that appears. Everybody sees it in the market data.

use crate::domain::{Action, Price, Quantity, Side};

use super::super::Fact;
use super::super::faults::OrderFault;
use super::super::matching::{OrderNumber, Owner, Remainder, Resting, opposite};
use super::asset::tick;
use super::order::Wanted;
use super::trading::{OURS, Scene};

/// Whose a better offer is.
const STRANGER: Owner = Owner(300);

/// What was done to a market's book.
#[derive(Debug)]
pub(super) struct Disturbance {
    market: usize,
    /// Orders that were withdrawn, oldest first at each price.
    withdrawn: Vec<(Side, Price, Resting)>,
    /// An offer that was added.
    added: Option<OrderNumber>,
}

impl Disturbance {
    /// Changes the book for an order that is about to arrive.
    pub(super) fn before(
        fault: Option<&OrderFault>,
        wanted: &Wanted,
        scene: &mut Scene<'_>,
    ) -> Self {
        let market = wanted.asset.market;
        let mut this = Self { market, withdrawn: Vec::new(), added: None };
        let mut facts = Vec::new();
        match fault {
            Some(OrderFault::NothingThere) => this.thin_out(wanted, 0, scene, &mut facts),
            Some(OrderFault::Partly(percent)) => {
                this.thin_out(wanted, (*percent).min(100), scene, &mut facts);
            }
            Some(OrderFault::BetterPrice) => this.improve(wanted, scene, &mut facts),
            _ => {}
        }
        scene.publish(market, &facts);
        this
    }

    /// Undoes the change, as far as it is still there.
    pub(super) fn after(self, scene: &mut Scene<'_>) {
        let mut facts = Vec::new();
        let tick = tick(&scene.floor.listings[self.market]);
        let book = &mut scene.floor.books[self.market];
        if let Some(number) = self.added {
            book.cancel(number, &mut facts);
        }
        for (side, price, order) in self.withdrawn {
            // What would cross by now stays away: its owner has seen the trade.
            let crosses = book.best(opposite(side)).is_some_and(|(best, _)| match side {
                Side::Bid => best <= price,
                Side::Ask => best >= price,
            });
            if !crosses && price.units().is_multiple_of(tick) {
                let rests = Remainder::Rests;
                book.submit(order.owner, side, price, order.quantity, rests, &mut facts);
            }
        }
        scene.publish(self.market, &facts);
    }

    /// Leaves so many percent of what strangers offer within the limit, the best of it.
    fn thin_out(
        &mut self,
        wanted: &Wanted,
        percent: u8,
        scene: &mut Scene<'_>,
        facts: &mut Vec<Fact>,
    ) {
        let against = opposite(wanted.side_of_yes());
        let limit = wanted.limit_of_yes();
        let book = &mut scene.floor.books[self.market];
        let within: Vec<(Side, Price, Resting)> = book
            .resting()
            .filter(|(side, price, order)| {
                let reached = match against {
                    Side::Ask => *price <= limit,
                    Side::Bid => *price >= limit,
                };
                *side == against && reached && order.owner != OURS
            })
            .collect();
        let all: i64 = within.iter().map(|(_, _, order)| order.quantity.units()).sum();
        let mut left = all / 100 * i64::from(percent);
        left -= left % Quantity::LOT;
        for (side, price, order) in within {
            let stays = left.min(order.quantity.units());
            left -= stays;
            if stays == order.quantity.units() {
                continue;
            }
            book.cancel(order.number, facts);
            let stays = Quantity::from_units(stays).unwrap_or_default();
            if !stays.is_zero() {
                book.submit(order.owner, side, price, stays, Remainder::Rests, facts);
            }
            let quantity = order.quantity.saturating_sub(stays);
            self.withdrawn.push((side, price, Resting { quantity, ..order }));
        }
    }

    /// Lets a stranger offer all the order wants, one tick better than the best.
    fn improve(&mut self, wanted: &Wanted, scene: &mut Scene<'_>, facts: &mut Vec<Fact>) {
        let tick = tick(&scene.floor.listings[self.market]);
        let side = wanted.side_of_yes();
        let against = opposite(side);
        let book = &mut scene.floor.books[self.market];
        let limit = wanted.limit_of_yes();
        let best = book.best(against).map_or(limit, |(price, _)| match against {
            Side::Ask => price.min(limit),
            Side::Bid => price.max(limit),
        });
        let units = match against {
            Side::Ask => best.units().saturating_sub(tick),
            Side::Bid => best.units().saturating_add(tick),
        };
        let Some(price) = Price::from_units(units) else { return };
        // What stands in the way of the better offer is withdrawn for a moment.
        let in_the_way: Vec<(Side, Price, Resting)> = book
            .resting()
            .filter(|(at, resting, order)| {
                let crosses = match side {
                    Side::Bid => *resting >= price,
                    Side::Ask => *resting <= price,
                };
                *at == side && crosses && order.owner != OURS
            })
            .collect();
        for (_, _, order) in &in_the_way {
            book.cancel(order.number, facts);
        }
        self.withdrawn = in_the_way;
        let crosses_ours = book.best(side).is_some_and(|(ours, _)| match side {
            Side::Bid => ours >= price,
            Side::Ask => ours <= price,
        });
        if crosses_ours {
            return;
        }
        let own = wanted.asset.price(price);
        let quantity = match wanted.action {
            Action::Buy => wanted.notional.buys_ceil(own),
            Action::Sell => wanted.size,
        };
        let rests = Remainder::Rests;
        self.added = Some(book.submit(STRANGER, against, price, quantity, rests, facts));
    }
}
