//! Several orders in one request.
//!
//! A batch shares nothing but the way: each of its orders is taken or refused by itself, and the
//! answer holds one result for each, in the order asked (`openapi.yaml` 3.34.0). A result counts
//! for an order only where it names it, or stands in its place in an answer of the right length;
//! what is not told of an order leaves it unclear, and it is asked about.

use serde_json::value::RawValue;

use crate::domain::report::{Refusal, Refused};
use crate::domain::{Evidence, IntentId, Order, OrderId, Timestamp};
use crate::venue::gateway::{
    Answer, Call, Class, Gateway as _, Markets, Placing, Subject, Taken, given_before,
};

use super::super::encode::order::{self as encode, Ticket};
use super::super::error::order::{Verdict, verdict, verdict_in_batch};
use super::super::error::read_body;
use super::super::parse::portfolio as parse;
use super::super::parse::tame;
use super::super::wire::portfolio as wire;
use super::walk::Then;
use super::{BATCHED, Gateway, unknown};

/// An order that is to go out with others.
struct Built<'a> {
    /// Its place among those that were given.
    at: usize,
    order: &'a Order,
    client: String,
    ticket: Ticket,
}

impl Gateway {
    pub(super) fn place_together(
        &mut self,
        orders: &[Order],
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Placing {
        let mut placing = Placing::default();
        let mut built = Vec::new();
        for (at, order) in orders.iter().enumerate() {
            let client = self.client_id(order.intent);
            let ticket = match given_before(orders, at) {
                Some(error) => Err(error),
                None => self.ticket(order, &client, markets),
            };
            match ticket {
                Ok(ticket) => {
                    placing.ids.push(Ok(OrderId(client.clone())));
                    built.push(Built { at, order, client, ticket });
                }
                Err(error) => placing.ids.push(Err(error)),
            }
        }
        // A batch has to fit into the budget whole.
        let each = self.tariff.cost("POST", BATCHED);
        let most = self.tariff.budget(Class::Order).capacity / u64::from(each.max(1));
        let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
        for some in built.chunks(most) {
            let call = match some {
                [one] => self.place(one.order, markets, now).map(|(_, call)| call),
                some => self.batch_call(some, each, now),
            };
            match call {
                Ok(call) => {
                    for one in some {
                        self.roster.add(one.order, one.client.clone());
                    }
                    placing.calls.push(call);
                }
                Err(why) => {
                    for one in some {
                        let error = unknown(&one.order.intent.to_string(), &why.to_string());
                        if let Some(id) = placing.ids.get_mut(one.at) {
                            *id = Err(error);
                        }
                    }
                }
            }
        }
        placing
    }

    /// The headers that were prepared are for another path, so a batch is signed on the spot.
    fn batch_call(
        &self,
        some: &[Built<'_>],
        each: u32,
        now: Timestamp,
    ) -> Result<Call, crate::venue::Error> {
        let tickets: Vec<Ticket> = some.iter().map(|one| one.ticket.clone()).collect();
        let subject = Subject::Places(some.iter().map(|one| one.order.intent).collect());
        let request = encode::encode_create_batch(&tickets)?;
        let cost = each.saturating_mul(u32::try_from(some.len()).unwrap_or(u32::MAX));
        Ok(Call { cost, ..self.call(subject, Class::Order, request, now)? })
    }

    pub(super) fn read_places(
        &mut self,
        intents: &[IntentId],
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let why = match answer {
            Answer::NotSent(why) => {
                for intent in intents {
                    let (kind, code) = (Refused::NotSent, String::new());
                    let refusal = Refusal { kind, code, text: tame(why) };
                    self.say(*intent, Evidence::Refused(refusal), taken);
                }
                return;
            }
            Answer::Lost(why) => tame(why),
            Answer::Reply { status: 200..=299, body, .. } => {
                match serde_json::from_str::<wire::CreatedBatch<'_>>(body) {
                    Ok(batch) => return self.take_batch(intents, &batch, markets, now, taken),
                    Err(error) => {
                        let why = tame(&error.to_string());
                        taken.notices.push(format!("the answer to a batch makes no sense: {why}"));
                        why
                    }
                }
            }
            Answer::Reply { status, body, .. } => {
                return self.refuse_batch(intents, *status, body, markets, now, taken);
            }
        };
        for intent in intents {
            self.doubt(*intent, why.clone(), now, taken);
        }
    }

    /// A batch that was answered as a whole. Only what is said before any order of it is looked at
    /// refuses all of them: the key, its scope, the shape of the body, the rate. Anything else may
    /// have come to the mind of the venue halfway.
    fn refuse_batch(
        &mut self,
        intents: &[IntentId],
        status: u16,
        body: &str,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        for intent in intents {
            let seed = self.seed_of(*intent);
            match verdict(status, body, seed) {
                said @ Verdict::Refused(Refusal {
                    kind:
                        Refused::Again(_)
                        | Refused::Credentials
                        | Refused::Restricted
                        | Refused::Malformed,
                    ..
                }) => self.judge(*intent, said, markets, now, taken),
                _ => {
                    let text = format!("status {status}: {}", read_body(body).text);
                    self.doubt(*intent, text, now, taken);
                }
            }
        }
    }

    fn take_batch(
        &mut self,
        intents: &[IntentId],
        batch: &wire::CreatedBatch<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let read = |raw: &&RawValue| serde_json::from_str::<wire::Created>(raw.get()).ok();
        let mut results: Vec<Option<wire::Created>> = batch.orders.iter().map(read).collect();
        let is_one_each = results.len() == intents.len();
        for (at, intent) in intents.iter().enumerate() {
            let client = self.client_id(*intent);
            match result_of(&mut results, &client, at, is_one_each) {
                Ok(result) => self.take_result(*intent, result, markets, now, taken),
                Err(why) => {
                    taken.notices.push(format!("the batch of {intent}: {why}"));
                    self.doubt(*intent, why.to_owned(), now, taken);
                }
            }
        }
    }

    /// One order's result. An error beside an order's name is no refusal: the venue has the order.
    fn take_result(
        &mut self,
        intent: IntentId,
        result: wire::Created,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let Some(error) = &result.error else {
            return match parse::created(result) {
                Ok(said) => self.take_created(intent, &said, now, taken),
                Err(error) => {
                    let why = error.to_string();
                    taken.notices.push(format!("the answer to {intent} makes no sense: {why}"));
                    self.doubt(intent, why, now, taken);
                }
            };
        };
        let told = read_body(&format!("{{\"error\":{}}}", error.get()));
        if result.order_id.is_some_and(|id| !id.is_empty()) {
            let text = format!("it has an id and an error: {}", told.text);
            return self.doubt(intent, text, now, taken);
        }
        let seed = self.seed_of(intent);
        match verdict_in_batch(&told, seed) {
            Verdict::Unclear(text) => self.doubt(intent, text, now, taken),
            said => self.judge(intent, said, markets, now, taken),
        }
    }

    /// Nobody knows what became of an order, and it is asked about.
    fn doubt(&mut self, intent: IntentId, text: String, now: Timestamp, taken: &mut Taken) {
        self.say(intent, Evidence::Unclear(text), taken);
        self.look_for(intent, Then::Report, now, taken);
    }
}

/// The result that names an order; else the one in its place, where it names none and every order
/// has one. Each result is given away once.
fn result_of(
    results: &mut [Option<wire::Created>],
    client: &str,
    at: usize,
    is_one_each: bool,
) -> Result<wire::Created, &'static str> {
    let names = |result: &Option<wire::Created>| {
        let named = result.as_ref().and_then(|result| result.client_order_id.as_deref());
        named.is_some_and(|named| named.eq_ignore_ascii_case(client))
    };
    let mut named = (0..results.len()).filter(|at| results.get(*at).is_some_and(names));
    match (named.next(), named.next()) {
        (Some(_), Some(_)) => Err("two results name it"),
        (Some(at), None) => results.get_mut(at).and_then(Option::take).ok_or("it has no result"),
        (None, _) if !is_one_each => Err("the answer does not name it"),
        (None, _) => {
            let result = results.get_mut(at).ok_or("it has no result")?;
            let is_nameless = |one: &wire::Created| {
                one.client_order_id.as_ref().is_none_or(|named| named.is_empty())
            };
            match result {
                None => Err("its result makes no sense"),
                Some(one) if is_nameless(one) => result.take().ok_or("it has no result"),
                Some(_) => Err("another order's result stands in its place"),
            }
        }
    }
}
