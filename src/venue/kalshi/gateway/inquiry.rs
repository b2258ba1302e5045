//! What became of an order: by its id where that is known, else among all orders and fills.

use std::time::Duration;

use crate::domain::report::Rest;
use crate::domain::{Evidence, IntentId, Timestamp};
use crate::venue::Error;
use crate::venue::gateway::{Answer, Call, Markets, Taken};

use super::super::facts;
use super::super::parse::portfolio as parse;
use super::super::parse::portfolio::OrderSaid;
use super::super::parse::tame;
use super::super::rest::{Query, escape};
use super::super::wire::portfolio as wire;
use super::message::FILLS;
use super::walk::{Errand, Inquiry, Listing, PATIENCE, Stage, Step, Then, Walk, page_since};
use super::{Gateway, unknown};

/// How fresh reads of an account are.
pub(super) const FRESHNESS: &str = "/exchange/user_data_timestamp";
/// Reads of orders; they are made and taken back elsewhere.
pub(super) const ORDER_READS: &str = "/portfolio/orders";

/// An order that is younger than this may have fills that are not listed yet.
pub(super) const LISTED_AFTER: Duration = Duration::from_secs(15);

impl Gateway {
    /// Whether the order is being looked for.
    pub(super) fn is_asked(&mut self, intent: IntentId, now: Timestamp) -> bool {
        self.walks.about(intent).is_some_and(|(_, walk)| now.since(walk.asked) < PATIENCE)
    }

    /// Begins to look for an order. How fresh the venue's reading is, is asked first: what is read
    /// after it is at least as fresh.
    pub(super) fn inquire(
        &mut self,
        intent: IntentId,
        then: Then,
        now: Timestamp,
    ) -> Result<Call, Error> {
        if self.roster.get(intent).is_none() {
            return Err(unknown(&format!("a question about {intent}"), "the order is not known"));
        }
        let before = self.walks.about(intent).map(|(number, _)| number);
        if let Some(number) = before {
            self.walks.take(number);
        }
        let inquiry = Inquiry { intent, stage: Stage::Freshness, then, doubt: None };
        let walk = Walk::new(Errand::Inquiry(inquiry), FRESHNESS, Query::none(), now);
        self.walk_call(walk, "", now)
    }

    /// The same, unless the order is being looked for.
    pub(super) fn look_for(
        &mut self,
        intent: IntentId,
        then: Then,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        if self.is_asked(intent, now) {
            return;
        }
        match self.inquire(intent, then, now) {
            Ok(call) => taken.calls.push(call),
            Err(error) => taken.notices.push(error.to_string()),
        }
    }

    pub(super) fn read_inquiry(
        &mut self,
        walk: Walk,
        inquiry: Inquiry,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        match inquiry.stage {
            Stage::Freshness => self.read_freshness(walk, inquiry, answer, markets, now, taken),
            Stage::ById => self.read_by_id(walk, inquiry, answer, markets, now, taken),
            Stage::Orders => self.read_orders(walk, inquiry, answer, markets, now, taken),
            Stage::Fills => self.read_fills(walk, inquiry, answer, markets, now, taken),
        }
    }

    fn read_freshness(
        &mut self,
        mut walk: Walk,
        inquiry: Inquiry,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        walk.as_of = Some(freshness(answer, walk.asked, now));
        let Some(known) = self.roster.get(inquiry.intent) else { return };
        if let Some(id) = &known.id {
            let path = format!("{ORDER_READS}/{}", escape(id));
            walk.errand = Errand::Inquiry(Inquiry { stage: Stage::ById, ..inquiry });
            walk.turn(&path, Query::none());
            self.walk_on(walk, "", now, taken);
        } else {
            self.list(walk, inquiry, Stage::Orders, markets, now, taken);
        }
    }

    /// Turns to a listing of the order's market since shortly before it was decided.
    fn list(
        &mut self,
        mut walk: Walk,
        inquiry: Inquiry,
        stage: Stage,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let Some(known) = self.roster.get(inquiry.intent) else { return };
        let Some(market) = markets.facts(known.order.market) else {
            taken.notices.push(format!("the market of {} is not known", inquiry.intent));
            return;
        };
        let since = known.order.at.before(facts::CLOCK_OFFSET_MAX);
        let path = if stage == Stage::Fills { FILLS } else { ORDER_READS };
        walk.turn(path, page_since(since).with("ticker", &market.id));
        walk.errand = Errand::Inquiry(Inquiry { stage, ..inquiry });
        self.walk_on(walk, "", now, taken);
    }

    fn read_by_id(
        &mut self,
        walk: Walk,
        inquiry: Inquiry,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        // The venue named it once: that it is not there under its id alone proves nothing.
        if matches!(answer, Answer::Reply { status: 404, .. }) {
            return self.list(walk, inquiry, Stage::Orders, markets, now, taken);
        }
        match read_order(answer) {
            Ok(said) if self.is_about(&said, inquiry.intent) => {
                self.found(&inquiry, &said, markets, now, taken);
                self.look_for_busts(&walk, &inquiry, &said, now, taken);
            }
            Ok(said) => {
                let other = tame(&said.id);
                let text = format!("{} was asked for and {other} answered", inquiry.intent);
                self.disbelieve(inquiry.intent, text, taken);
            }
            Err(why) => taken.notices.push(why),
        }
    }

    fn is_about(&self, said: &OrderSaid, intent: IntentId) -> bool {
        self.roster.find(&said.id, &said.client) == Some(intent)
    }

    /// Takes in the order that was looked for.
    fn found(
        &mut self,
        inquiry: &Inquiry,
        said: &OrderSaid,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        // Whatever was asked before, its fills are asked for again.
        if let Some(known) = self.roster.get_mut(inquiry.intent) {
            known.asked = crate::domain::Quantity::ZERO;
        }
        let is_believed = self.take_order(said, markets, now, taken);
        if !is_believed || inquiry.then == Then::Report || said.rest == Rest::Nothing {
            return;
        }
        let Some(known) = self.roster.get(inquiry.intent) else { return };
        let Some(market) = markets.facts(known.order.market) else { return };
        match self.cancel_call(inquiry.intent, &said.id, market, now) {
            Ok(call) => taken.calls.push(call),
            Err(error) => taken.notices.push(error.to_string()),
        }
    }

    /// Kalshi takes trades back that were made in error, and tells so nowhere but by what it lists
    /// from then on. So the fills of an order that has long been over are read whole.
    fn look_for_busts(
        &mut self,
        walk: &Walk,
        inquiry: &Inquiry,
        said: &OrderSaid,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let Some(known) = self.roster.get(inquiry.intent) else { return };
        let as_of = walk.as_of.unwrap_or(walk.asked);
        let is_over = said.rest == Rest::Nothing && as_of > known.order.at.after(LISTED_AFTER);
        if is_over && known.id.as_ref() == Some(&said.id) {
            let said = (said.filled, as_of);
            let id = known.id.clone().unwrap_or_default();
            let listing = Listing { id, said: Some(said), ..Listing::default() };
            self.list_fills(listing, now, taken);
        }
    }

    fn read_orders(
        &mut self,
        mut walk: Walk,
        mut inquiry: Inquiry,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let page = match read_page::<wire::OrdersPage>(answer, "orders") {
            Ok(page) => page,
            Err(why) => return taken.notices.push(why),
        };
        for wire in page.orders {
            match parse::order(wire) {
                Ok(said) if self.is_about(&said, inquiry.intent) => {
                    return self.found(&inquiry, &said, markets, now, taken);
                }
                Ok(_) => {}
                Err(error) => inquiry.doubt = Some(error.to_string()),
            }
        }
        match walk.step(page.cursor.as_deref()) {
            Step::Done => self.list(walk, inquiry, Stage::Fills, markets, now, taken),
            Step::On(cursor) => {
                walk.errand = Errand::Inquiry(inquiry);
                self.walk_on(walk, &cursor, now, taken);
            }
            Step::Astray(why) => {
                self.disbelieve(inquiry.intent, format!("kalshi's list of orders: {why}"), taken);
            }
        }
    }

    fn read_fills(
        &mut self,
        mut walk: Walk,
        mut inquiry: Inquiry,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let page = match read_page::<wire::FillsPage>(answer, "fills") {
            Ok(page) => page,
            Err(why) => return taken.notices.push(why),
        };
        for wire in page.fills {
            match parse::fill(wire) {
                Ok(said) => {
                    let may_be_its = match self.roster.find(&said.order, &said.client) {
                        Some(known) => known == inquiry.intent,
                        None => said.client.is_empty() && self.may_be_ours(&said, markets),
                    };
                    if may_be_its {
                        let trade = tame(&said.trade);
                        inquiry.doubt = Some(format!("fill {trade} may be the order's"));
                        self.take_fill(&said, markets, now, taken);
                    }
                }
                Err(error) => inquiry.doubt = Some(error.to_string()),
            }
        }
        match walk.step(page.cursor.as_deref()) {
            Step::Done => self.missing(&walk, inquiry, taken),
            Step::On(cursor) => {
                walk.errand = Errand::Inquiry(inquiry);
                self.walk_on(walk, &cursor, now, taken);
            }
            Step::Astray(why) => {
                self.disbelieve(inquiry.intent, format!("kalshi's list of fills: {why}"), taken);
            }
        }
    }

    /// All orders and fills were read, and the order was not among them.
    fn missing(&self, walk: &Walk, inquiry: Inquiry, taken: &mut Taken) {
        let Some(known) = self.roster.get(inquiry.intent) else { return };
        let booked = (!known.booked.is_empty()).then(|| "it has fills".to_owned());
        match inquiry.doubt.or(booked) {
            Some(why) => {
                let text = format!("{} was not found, but {why}", inquiry.intent);
                self.disbelieve(inquiry.intent, text, taken);
            }
            None => {
                let as_of = walk.as_of.unwrap_or(walk.asked);
                self.say(inquiry.intent, Evidence::NotFound { as_of }, taken);
            }
        }
    }

    /// Reads an order that a fill named and that may be ours.
    pub(super) fn read_stranger(
        &mut self,
        id: &str,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let said = match read_order(answer) {
            Ok(said) if said.id == id => said,
            Ok(said) => {
                let other = tame(&said.id);
                return taken.notices.push(format!("{id} was asked for and {other} answered"));
            }
            Err(why) => return taken.notices.push(why),
        };
        self.take_order(&said, markets, now, taken);
        if self.roster.find(&said.id, &said.client).is_none() {
            self.note_stranger(&said.id);
            // Its fills were held back until it was known whose they are.
            self.list_fills(Listing { id: said.id.clone(), ..Listing::default() }, now, taken);
        }
    }
}

/// How fresh the venue says its reading is; when it does not say, when it was asked.
pub(super) fn freshness(answer: &Answer<'_>, asked: Timestamp, now: Timestamp) -> Timestamp {
    Gateway::body_of(answer, "the age of its reading")
        .ok()
        .and_then(|body| serde_json::from_str::<wire::UserDataTimestamp>(body).ok())
        .and_then(|said| Timestamp::parse(&said.as_of_time))
        .map_or(asked, |as_of| as_of.min(now))
}

fn read_order(answer: &Answer<'_>) -> Result<OrderSaid, String> {
    let body = Gateway::body_of(answer, "an order")?;
    let answer: wire::OrderAnswer = serde_json::from_str(body)
        .map_err(|error| format!("an order makes no sense: {}", tame(&error.to_string())))?;
    parse::order(answer.order).map_err(|error| error.to_string())
}

/// Reads one page of a listing.
pub(super) fn read_page<P: for<'de> serde::Deserialize<'de>>(
    answer: &Answer<'_>,
    what: &str,
) -> Result<P, String> {
    let body = Gateway::body_of(answer, what)?;
    serde_json::from_str(body)
        .map_err(|error| format!("a page of {what} makes no sense: {}", tame(&error.to_string())))
}
