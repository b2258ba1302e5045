//! Taking orders back: by the account, by the exchange, by a heart that stopped.

use serde_json::{Map, Value, json};

use super::super::matching::OrderNumber;
use super::super::{Reply, Request};
use super::account::State;
use super::trading::{Ear, OURS, Scene, Trading, error, field};
use super::user::Happened;

/// Ids in one request.
const IDS_MAX: usize = 1_000;
const GONE: &str = "already canceled or matched";
const WAITING: &str = "order is delayed and cannot be canceled";

impl Trading {
    /// Answers the four routes that cancel.
    pub(super) fn cancel_by(&mut self, request: &Request<'_>, scene: &mut Scene<'_>) -> Reply {
        if let Some(reply) = self.trouble.away(scene.now) {
            return reply;
        }
        let ids = match request.path {
            "/order" => field(request.body, "orderID").map(|id| vec![id]),
            "/orders" => serde_json::from_slice::<Vec<String>>(request.body).ok(),
            "/cancel-market-orders" => Some(self.open_ids(
                field(request.body, "market").unwrap_or_default().as_str(),
                field(request.body, "asset_id").unwrap_or_default().as_str(),
                scene,
            )),
            _ => Some(self.open_ids("", "", scene)),
        };
        let Some(ids) = ids.filter(|ids| ids.len() <= IDS_MAX) else {
            return error(400, "Invalid order payload");
        };
        let count = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let told = match self.budget.cancels(count.max(1), scene.now, self.clock(scene.now)) {
            Ok(told) => told,
            Err(reply) => return reply,
        };
        let (mut canceled, mut not_canceled) = (Vec::new(), Map::new());
        for id in ids {
            let done = self.cancel_one(&id, scene);
            // Whatever became of it, the answer says that it is gone.
            match done {
                Ok(()) if !self.trouble.denies_cancels(scene.now) => canceled.push(id),
                Ok(()) => drop(not_canceled.insert(id, GONE.into())),
                Err(why) => drop(not_canceled.insert(id, why.into())),
            }
        }
        let not_canceled = Value::Object(not_canceled);
        let body = json!({ "canceled": canceled, "not_canceled": not_canceled });
        let mut reply = Reply::json(200, &body);
        reply.headers.extend(told);
        reply
    }

    fn open_ids(&self, market: &str, asset: &str, scene: &Scene<'_>) -> Vec<String> {
        let listings = &scene.floor.listings;
        self.resting
            .values()
            .map(|place| &self.account.orders[*place].wanted)
            .filter(|wanted| {
                let listing = &listings[wanted.asset.market];
                (market.is_empty() || listing.id == market)
                    && (asset.is_empty() || wanted.asset.id(listing) == asset)
            })
            .map(|wanted| wanted.id.clone())
            .collect()
    }

    fn cancel_one(&mut self, id: &str, scene: &mut Scene<'_>) -> Result<(), &'static str> {
        let place = self.account.place(id).ok_or(GONE)?;
        match self.account.orders[place].state {
            State::Live => self.end_order(place, "CANCELED", scene),
            State::Delayed(..) => return Err(WAITING),
            _ => return Err(GONE),
        }
        Ok(())
    }

    /// Takes every order back that rests.
    pub(super) fn cancel_all(&mut self, why: &str, scene: &mut Scene<'_>) {
        let places: Vec<usize> = self.resting.values().copied().collect();
        for place in places {
            self.end_order(place, why, scene);
        }
    }

    /// Ends an order that may still match.
    pub(super) fn end_order(&mut self, place: usize, why: &str, scene: &mut Scene<'_>) {
        let order = &mut self.account.orders[place];
        let market = order.wanted.asset.market;
        order.state = State::Over(why.to_owned());
        self.delayed.remove(&place);
        if let Some(number) = order.number.take() {
            self.resting.remove(&(market, number));
            let mut facts = Vec::new();
            scene.floor.books[market].cancel(number, &mut facts);
            scene.publish(market, &facts);
        }
        self.tell(Happened::Cancellation, place, &mut scene.ear());
    }

    /// Ends the orders that somebody took out of a market's book, as a pause does.
    pub(super) fn sync(&mut self, market: usize, ear: &mut Ear<'_>) {
        let book = &ear.floor.books[market];
        let present: Vec<_> = book.orders_of(OURS).map(|(number, ..)| number).collect();
        let gone: Vec<((usize, OrderNumber), usize)> = self
            .resting
            .iter()
            .filter(|((at, number), _)| *at == market && !present.contains(number))
            .map(|(key, place)| (*key, *place))
            .collect();
        for (key, place) in gone {
            self.resting.remove(&key);
            let order = &mut self.account.orders[place];
            order.number = None;
            order.state = State::Over("CANCELED".to_owned());
            self.tell(Happened::Cancellation, place, ear);
        }
    }
}
