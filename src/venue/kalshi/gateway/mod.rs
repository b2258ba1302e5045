//! Orders out, evidence in: Kalshi's side of the port that orders go through, without I/O.
//!
//! Invariants:
//!
//! - An order goes out under a client id that follows from the journal and the intent. That is the
//!   [`OrderId`] that [`place`](port::Gateway::place) returns. The venue's own id is learned from
//!   the first message that names both; from then on evidence bears that one. `recall` takes
//!   either.
//! - An order or a fill that the venue names by one of our ids is believed only when market, side,
//!   price, count and time agree with what was sent.
//! - What an order asks for, after every change of it, is what later evidence is compared with.
//! - An order is missing only after all orders and fills since it was decided were read whole.
//! - What answers say about money stands until the fills are booked, and whenever more was filled
//!   than was booked, the fills are asked for: nothing depends on the private channel.
//! - Nothing here repeats an order, and no request is built whose path could mean all orders.

mod account;
mod batch;
mod belief;
mod brake;
mod budget;
mod cancel;
mod change;
mod inquiry;
mod message;
mod movement;
mod review;
mod roster;
mod settlements;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::{
    Instance, IntentId, Lifetime, Market, Money, Order, OrderId, Price, Quantity, Report,
    Timestamp, Venue,
};
use crate::venue::Error;
use crate::venue::gateway::{
    self as port, Answer, Budget, Call, Class, Conversion, Markets, Placing, Question, Subject,
    Taken,
};

use super::encode::order::{self as encode, ORDERS, Request, Target, Ticket};
use super::parse::malformed;
use super::sign::{Pool, Signer};
use super::stream::path_of;

use brake::Brake;
use budget::Tariff;
use change::Kind;
use roster::{Ask, Roster};
use walk::{Then, Walk, Walks};

pub use roster::{bears_tag, client_id};

/// How a gateway places orders.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address up to and including `/trade-api/v2`.
    pub base: String,
    /// The journal's name, which all ids follow from.
    pub instance: Instance,
    /// How many sets of headers are signed ahead; zero signs every order on the spot.
    pub prepared: usize,
    /// The most contracts that may match within 15 seconds on one shard before the venue stops all
    /// orders by itself; `None` without that brake.
    pub order_group_contracts: Option<u32>,
    /// How long an order may rest before the venue drops it by itself; `None` for ever.
    pub resting_max: Option<Duration>,
}

impl Settings {
    /// What suits the venue at this address.
    pub const fn new(base: String, instance: Instance) -> Self {
        Self { base, instance, prepared: 4, order_group_contracts: None, resting_max: None }
    }
}

/// Kalshi's order side.
#[derive(Debug)]
pub struct Gateway {
    settings: Settings,
    signer: Signer,
    pool: Pool,
    roster: Roster,
    walks: Walks,
    tariff: Tariff,
    brake: Brake,
    /// When the latest question about the permission was asked that has been answered.
    permission_asked: Timestamp,
    /// Since when the orders of earlier runs are listed, and whether they were, whole.
    past_since: Option<Timestamp>,
    is_past_read: bool,
    /// Orders that were looked at and are not ours, by the venue's id.
    strangers: BTreeSet<String>,
    /// What markets paid for a contract of YES that ended between its outcomes, by ticker.
    values: BTreeMap<String, Money>,
    /// What a person was told of rows that make no sense and come again with every list.
    odd: BTreeSet<String>,
    /// Counts answers that were limited, so that no two of them wait the same.
    limited: u64,
}

impl Gateway {
    /// The most orders of others that are remembered; beyond it all are forgotten and looked at
    /// anew.
    const STRANGERS_MAX: usize = 10_000;

    /// A gateway with this key.
    pub fn new(mut settings: Settings, signer: Signer) -> Self {
        settings.base.truncate(settings.base.trim_end_matches('/').len());
        let path = format!("{}{ORDERS}", path_of(&settings.base).trim_end_matches('/'));
        Self {
            pool: Pool::new("POST", path, settings.prepared),
            settings,
            signer,
            roster: Roster::default(),
            walks: Walks::default(),
            tariff: Tariff::default(),
            brake: Brake::default(),
            permission_asked: Timestamp::ZERO,
            past_since: None,
            is_past_read: false,
            strangers: BTreeSet::new(),
            values: BTreeMap::new(),
            odd: BTreeSet::new(),
            limited: 0,
        }
    }

    /// The id under which this journal's order goes out.
    pub fn client_id(&self, intent: IntentId) -> String {
        client_id(&self.settings.instance, intent)
    }

    /// Every order of the account back, the user's own included: for an emergency and nothing else.
    pub fn cancel_every_order_of_the_account(&self, now: Timestamp) -> Result<Call, Error> {
        let request = encode::encode_cancel_every_order_of_the_account();
        self.call(Subject::Everything, Class::Cancel, request, now)
    }

    /// Signs a request on the spot.
    fn call(
        &self,
        subject: Subject,
        class: Class,
        request: Request,
        now: Timestamp,
    ) -> Result<Call, Error> {
        let bare = format!("{}{}", self.settings.base, request.path);
        let headers = self.signer.headers(request.method, path_of(&bare), now)?;
        Ok(self.carry(subject, class, request, headers.into()))
    }

    fn carry(
        &self,
        subject: Subject,
        class: Class,
        request: Request,
        headers: Vec<(&'static str, String)>,
    ) -> Call {
        Call {
            venue: Venue::Kalshi,
            subject,
            class,
            cost: self.tariff.cost(request.method, &request.path),
            method: request.method,
            url: format!("{}{}{}", self.settings.base, request.path, request.query),
            headers,
            body: request.body,
        }
    }

    /// The call that brings a page of a question.
    fn walk_call(&mut self, walk: Walk, cursor: &str, now: Timestamp) -> Result<Call, Error> {
        let request = Request::get(&walk.path, &walk.query_at(cursor));
        let sought = walk.sought();
        let number = self.walks.put(walk);
        let subject = match sought {
            Some(intent) => Subject::Seek(intent, number),
            None => Subject::Other("question", number.to_string()),
        };
        self.call(subject, Class::Read, request, now)
    }

    /// The same, where what cannot be signed is only told.
    fn walk_on(&mut self, walk: Walk, cursor: &str, now: Timestamp, taken: &mut Taken) {
        match self.walk_call(walk, cursor, now) {
            Ok(call) => taken.calls.push(call),
            Err(error) => taken.notices.push(error.to_string()),
        }
    }

    fn cancel_call(
        &self,
        intent: IntentId,
        id: &str,
        market: &Market,
        now: Timestamp,
    ) -> Result<Call, Error> {
        let shard =
            market.shard.ok_or_else(|| malformed(&market.id, "exchange_index", "missing"))?;
        let target = Target { order_id: id, ticker: &market.id, shard };
        let request = encode::encode_cancel(&target)?;
        self.call(Subject::Cancel(intent), Class::Cancel, request, now)
    }

    /// An order in the venue's words.
    fn ticket(&self, order: &Order, client: &str, markets: &dyn Markets) -> Result<Ticket, Error> {
        let market = facts_of(order, markets)?;
        let expires = self
            .settings
            .resting_max
            .filter(|_| order.lifetime == Lifetime::Resting)
            .map(|span| order.at.after(span));
        let group = market.shard.map(|shard| self.group_of(order, shard)).transpose()?.flatten();
        Ticket::new(order, market, client, expires, group.as_deref())
    }

    /// Reports on one of our orders.
    fn say(&self, intent: IntentId, evidence: crate::domain::Evidence, taken: &mut Taken) {
        taken.reports.push(Report::Order { intent, evidence });
    }
}

/// Where several orders are made or taken back at once; the venue counts each of them.
const BATCHED: &str = "/portfolio/events/orders/batched";

fn unknown(what: &str, text: &str) -> Error {
    Error::Refused {
        venue: Venue::Kalshi,
        what: what.to_owned(),
        status: 0,
        text: format!("not sent: {text}"),
    }
}

fn facts_of<'a>(order: &Order, markets: &'a dyn Markets) -> Result<&'a Market, Error> {
    markets
        .facts(order.market)
        .ok_or_else(|| unknown(&order.intent.to_string(), "its market is not known"))
}

impl port::Gateway for Gateway {
    fn venue(&self) -> Venue {
        Venue::Kalshi
    }

    fn budget(&self, class: Class) -> Budget {
        self.tariff.budget(class)
    }

    fn order_cost(&self) -> u32 {
        self.tariff.cost("POST", ORDERS)
    }

    fn place(
        &mut self,
        order: &Order,
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Result<(OrderId, Call), Error> {
        let client = self.client_id(order.intent);
        let ticket = self.ticket(order, &client, markets)?;
        let request = encode::encode_create(&ticket);
        let headers = self.pool.take(&self.signer, now)?;
        let subject = Subject::Place(order.intent);
        let call = self.carry(subject, Class::Order, request, headers.into());
        self.roster.add(order, client.clone());
        Ok((OrderId(client), call))
    }

    fn place_many(&mut self, orders: &[Order], markets: &dyn Markets, now: Timestamp) -> Placing {
        self.place_together(orders, markets, now)
    }

    fn decrease(
        &mut self,
        intent: IntentId,
        by: Quantity,
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Result<Call, Error> {
        self.decrease_call(intent, by, markets, now)
    }

    fn amend(
        &mut self,
        intent: IntentId,
        limit: Price,
        count: Quantity,
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Result<Call, Error> {
        self.amend_call(intent, Ask { limit, count }, markets, now)
    }

    fn recall(&mut self, order: &Order, id: &OrderId) {
        let client = self.client_id(order.intent);
        let is_venues = id.0 != client;
        self.roster.add(order, client);
        if is_venues {
            self.roster.learn(order.intent, &id.0);
        }
    }

    fn forget(&mut self, intent: IntentId) {
        self.roster.forget(intent);
    }

    fn cancel(
        &mut self,
        intent: IntentId,
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Result<Call, Error> {
        let Some(known) = self.roster.get(intent) else {
            return Err(unknown(&format!("a cancel of {intent}"), "the order is not known"));
        };
        match &known.id {
            Some(id) => self.cancel_call(intent, id, facts_of(&known.order, markets)?, now),
            // A cancel needs the venue's id: the order is looked for, and taken back when found.
            None => self.inquire(intent, Then::Cancel, now),
        }
    }

    fn cancel_everything(&mut self, now: Timestamp) -> Result<Call, Error> {
        self.cancel_every_order_of_the_account(now)
    }

    fn cancel_many(
        &mut self,
        intents: &[IntentId],
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Vec<Result<Call, Error>> {
        let mut calls = Vec::new();
        let mut named = Vec::new();
        for intent in intents {
            let known = self.roster.get(*intent);
            let id = known.and_then(|known| known.id.clone());
            let market = known.and_then(|known| markets.facts(known.order.market));
            match (id, market.and_then(|market| Some((market.id.as_str(), market.shard?)))) {
                (Some(id), Some((ticker, shard))) => named.push((*intent, id, ticker, shard)),
                // One that is not known well enough goes by itself, with its own error.
                _ => calls.push(self.cancel(*intent, markets, now)),
            }
        }
        let each = self.tariff.cost("DELETE", BATCHED);
        let most = self.tariff.budget(Class::Cancel).capacity / u64::from(each.max(1));
        let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
        for some in named.chunks(most) {
            if let [(intent, ..)] = some {
                calls.push(self.cancel(*intent, markets, now));
                continue;
            }
            let targets: Vec<Target<'_>> = some
                .iter()
                .map(|(_, id, ticker, shard)| Target { order_id: id, ticker, shard: *shard })
                .collect();
            let subject = Subject::Cancels(some.iter().map(|(intent, ..)| *intent).collect());
            let call = encode::encode_cancel_batch(&targets)
                .and_then(|request| self.call(subject, Class::Cancel, request, now));
            let cost = each.saturating_mul(u32::try_from(some.len()).unwrap_or(u32::MAX));
            calls.push(call.map(|call| Call { cost, ..call }));
        }
        calls
    }

    fn ask(
        &mut self,
        question: &Question,
        _markets: &dyn Markets,
        now: Timestamp,
    ) -> Result<Vec<Call>, Error> {
        match question {
            Question::Order(intent) if self.is_asked(*intent, now) => Ok(Vec::new()),
            Question::Order(intent) => Ok(vec![self.inquire(*intent, Then::Report, now)?]),
            Question::Market(market) => Ok(self.review(*market, now)?.into_iter().collect()),
            other => self.ask_account(other, now),
        }
    }

    /// The venue nets contracts of both outcomes and pays settled ones by itself: there is nothing
    /// to ask for and nothing to report.
    fn convert(
        &mut self,
        _conversion: Conversion,
        _markets: &dyn Markets,
        _now: Timestamp,
        _taken: &mut Taken,
    ) {
    }

    fn read(
        &mut self,
        call: &Call,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        match &call.subject {
            Subject::Place(intent) => self.read_place(*intent, answer, markets, now, taken),
            Subject::Places(intents) => self.read_places(intents, answer, markets, now, taken),
            Subject::Decrease(intent, place) => {
                self.read_change(Kind::Decrease, (*intent, *place), answer, now, taken);
            }
            Subject::Amend(intent, place) => {
                self.read_change(Kind::Amend, (*intent, *place), answer, now, taken);
            }
            Subject::Cancel(intent) => self.read_cancel(*intent, answer, now, taken),
            Subject::Cancels(intents) => self.read_cancels(intents, answer, now, taken),
            Subject::Order(_) => {}
            Subject::Seek(_, number) => {
                if let Some(walk) = self.walks.take(*number) {
                    self.read_walk(walk, answer, markets, now, taken);
                }
            }
            Subject::Other("question", number) => {
                let walk = number.parse().ok().and_then(|number| self.walks.take(number));
                if let Some(walk) = walk {
                    self.read_walk(walk, answer, markets, now, taken);
                }
            }
            Subject::Other(brake::NAME, shard) => self.read_group(shard, answer, taken),
            Subject::Everything => Self::read_emergency(answer, taken),
            Subject::Other(..) => {}
        }
    }

    fn read_private(
        &mut self,
        text: &str,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        self.read_frame(text, markets, now, taken);
    }

    fn tick(&mut self, now: Timestamp, taken: &mut Taken) {
        if let Err(error) = self.pool.refill(&self.signer, now) {
            taken.notices.push(format!("headers could not be prepared: {error}"));
        }
    }
}

#[cfg(test)]
mod tests;
