//! Several orders in one request, and every order of a market taken back in one.
//!
//! A batch shares nothing but the way and the signature of its request: each order has a result of
//! its own, and results come in the order in which the orders were sent (docs, place orders,
//! 2026-10). So a list of another length proves nothing about any of them.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::report::{Refusal, Refused};
use crate::domain::{Evidence, IntentId, MarketIndex, Order, OrderId, Outcome, Timestamp};
use crate::venue::Error;
use crate::venue::gateway::{
    Answer, Call, Class, Gateway as _, Markets, Placing, Subject, Taken, given_before,
};
use crate::venue::polymarket::encode;
use crate::venue::polymarket::error::order::{Answered, Verdict, judge};
use crate::venue::polymarket::error::{short, text_of};
use crate::venue::polymarket::facts;
use crate::venue::polymarket::parse::reply::cancelled;

use super::answer::is_same;
use super::{Gateway, Request, not_sent, refuse, unknown};

impl Gateway {
    pub(super) fn place_together(
        &mut self,
        orders: &[Order],
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Placing {
        let mut placing = Placing::default();
        let mut built: Vec<(&Order, OrderId, String)> = Vec::new();
        for (at, order) in orders.iter().enumerate() {
            let signed = match given_before(orders, at) {
                Some(error) => Err(error),
                None => self.sign(order, markets, now),
            };
            placing.ids.push(signed.map(|(id, body)| {
                built.push((order, id.clone(), body));
                id
            }));
        }
        // A batch is taken whole or not at all, so it has to fit into the budget.
        let capacity = usize::try_from(self.budget(Class::Order).capacity).unwrap_or(usize::MAX);
        let most = facts::ORDERS_MAX.min(capacity).max(1);
        for some in built.chunks(most) {
            let mut intents = Vec::with_capacity(some.len());
            let mut bodies = Vec::with_capacity(some.len());
            for (order, id, body) in some {
                self.recall(order, id);
                intents.push(order.intent);
                bodies.push(body.clone());
            }
            placing.calls.push(self.place_call(intents, &bodies, now));
        }
        placing
    }

    /// The request for one order, or for several.
    fn place_call(&self, mut intents: Vec<IntentId>, bodies: &[String], now: Timestamp) -> Call {
        let count = u32::try_from(intents.len()).unwrap_or(u32::MAX);
        let (subject, path, body) = match (intents.pop(), intents.is_empty()) {
            (Some(one), true) => (Subject::Place(one), "/order", bodies.first().cloned()),
            (last, _) => {
                intents.extend(last);
                (Subject::Places(intents), "/orders", encode::order::post_orders(bodies))
            }
        };
        let (class, method, query) = (Class::Order, "POST", &[]);
        let request = Request { subject, class, method, path, query, body };
        Call { cost: count, ..self.signed(request, now) }
    }

    pub(super) fn read_places(
        &mut self,
        intents: &[IntentId],
        answer: &Answer<'_>,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let why = match answer {
            Answer::NotSent(text) => {
                for intent in intents {
                    self.tell_placed(*intent, not_sent(text), taken);
                }
                return;
            }
            Answer::Lost(text) => short(text),
            Answer::Reply { status: 200..=299, body, .. } => {
                match serde_json::from_str::<Vec<&RawValue>>(body) {
                    Ok(results) if results.len() == intents.len() => {
                        for (intent, result) in intents.iter().zip(results) {
                            self.read_result(*intent, result.get(), now, taken);
                        }
                        return;
                    }
                    Ok(results) => {
                        let (told, sent) = (results.len(), intents.len());
                        let text = format!("{told} results for a batch of {sent} orders");
                        taken.notices.push(format!("polymarket answered {text}"));
                        text
                    }
                    Err(_) => format!("no list of results: {}", text_of(body)),
                }
            }
            Answer::Reply { status, retry_after, body, .. } => {
                let answered = Answered { status: *status, retry_after: *retry_after, body };
                return self.refuse_batch(intents, &answered, now, taken);
            }
        };
        for intent in intents {
            self.doubt(*intent, why.clone(), now, taken);
        }
    }

    /// One order's result. One that names another order is none, whatever it says.
    fn read_result(&mut self, intent: IntentId, body: &str, now: Timestamp, taken: &mut Taken) {
        let Some(known) = self.orders.get(&intent) else {
            return self.tell_placed(intent, Evidence::Unclear(String::new()), taken);
        };
        let said: Value = serde_json::from_str(body).unwrap_or_default();
        let named = said["orderID"].as_str().unwrap_or_default();
        if !named.is_empty() && !is_same(named, &known.id.0) {
            let text = format!("its result in a batch is that of order {}", short(named));
            return self.doubt(intent, text, now, taken);
        }
        let answered = Answered { status: 200, retry_after: None, body };
        match self.evidence_of(intent, &answered, now, taken) {
            Evidence::Unclear(text) => self.doubt(intent, text, now, taken),
            evidence => self.tell_placed(intent, evidence, taken),
        }
    }

    /// A batch that was answered as a whole. All of its orders are refused only by what the venue
    /// says before it looks at any of them: the key, the account, the rate, the mode that it is in.
    fn refuse_batch(
        &mut self,
        intents: &[IntentId],
        answered: &Answered<'_>,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let verdict = judge(answered);
        for intent in intents {
            match &verdict {
                Verdict::Refused(refusal) if is_of_all(answered.status, refusal) => {
                    let evidence = super::fill::refused(refusal.clone());
                    self.tell_placed(*intent, evidence, taken);
                }
                Verdict::Refused(Refusal { text, .. }) | Verdict::Unclear(text) => {
                    self.doubt(*intent, text.clone(), now, taken);
                }
            }
        }
    }

    /// Nobody knows what became of an order, and it is asked about.
    fn doubt(&mut self, intent: IntentId, text: String, now: Timestamp, taken: &mut Taken) {
        self.tell_placed(intent, Evidence::Unclear(text), taken);
        taken.calls.extend(self.order_call(intent, now));
    }

    /// Takes back what rests in a market: a request for each outcome that any of the orders is for.
    pub(super) fn withdraw(
        &mut self,
        market: MarketIndex,
        intents: &[IntentId],
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Vec<Result<Call, Error>> {
        let mut calls = Vec::new();
        for outcome in [Outcome::Yes, Outcome::No] {
            let is_its = |intent: &&IntentId| {
                let order = self.orders.get(*intent).map(|known| &known.order);
                order.is_some_and(|order| (order.market, order.outcome) == (market, outcome))
            };
            let some: Vec<IntentId> = intents.iter().filter(is_its).copied().collect();
            if !some.is_empty() {
                calls.push(self.withdraw_call(market, outcome, some, markets, now));
            }
        }
        // What is not known, or stands elsewhere, goes by itself, with its own error.
        let is_other = |intent: &&IntentId| {
            self.orders.get(*intent).is_none_or(|known| known.order.market != market)
        };
        let others: Vec<IntentId> = intents.iter().filter(is_other).copied().collect();
        calls.extend(others.into_iter().map(|intent| self.cancel(intent, markets, now)));
        calls
    }

    fn withdraw_call(
        &self,
        market: MarketIndex,
        outcome: Outcome,
        intents: Vec<IntentId>,
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Result<Call, Error> {
        let facts = markets.facts(market).ok_or_else(|| match intents.first() {
            Some(intent) => unknown(*intent),
            None => refuse("no order is named".to_owned()),
        })?;
        let tokens = facts.tokens.as_ref();
        let token = tokens.map(|tokens| match outcome {
            Outcome::Yes => tokens.yes.as_str(),
            Outcome::No => tokens.no.as_str(),
        });
        // Without its market or its token a request could mean more orders than these.
        let token = token.filter(|token| !token.is_empty() && !facts.id.is_empty());
        let token = token.ok_or_else(|| refuse(format!("market {} has no tokens", facts.id)))?;
        let cost = u32::try_from(intents.len()).unwrap_or(u32::MAX);
        let request = Request {
            subject: Subject::Cancels(intents),
            class: Class::Cancel,
            method: "DELETE",
            path: "/cancel-market-orders",
            query: &[],
            body: Some(encode::order::cancel_market_orders(&facts.id, token)),
        };
        Ok(Call { cost, ..self.signed(request, now) })
    }

    pub(super) fn read_emergency(answer: &Answer<'_>, taken: &mut Taken) {
        taken.notices.push(match answer {
            Answer::Reply { status: 200..=299, body, .. } => match cancelled(body) {
                Ok(cancelled) if cancelled.not_canceled.is_empty() => {
                    format!("all orders were cancelled: {}", cancelled.canceled.len())
                }
                Ok(cancelled) => {
                    let (done, left) = (cancelled.canceled.len(), cancelled.not_canceled.len());
                    format!("not all orders were cancelled: {done} were, {left} were not")
                }
                Err(error) => format!("whether all orders were cancelled is not known: {error}"),
            },
            Answer::Reply { status, body, .. } => {
                format!("not all orders were cancelled: {status}: {}", text_of(body))
            }
            Answer::NotSent(why) | Answer::Lost(why) => {
                format!("whether all orders were cancelled is not known: {}", short(why))
            }
        });
    }
}

/// Whether a refusal of a whole batch is about all of its orders, and not about one of them.
const fn is_of_all(status: u16, refusal: &Refusal) -> bool {
    matches!(status, 401 | 425 | 429 | 503)
        || matches!(refusal.kind, Refused::Restricted | Refused::Credentials)
}
