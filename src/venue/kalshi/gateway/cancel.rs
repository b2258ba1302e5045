//! Answers to cancels, alone and in a batch.

use crate::domain::{Evidence, IntentId, Quantity, Timestamp};
use crate::venue::gateway::{Answer, Taken};

use super::super::error::read_body;
use super::super::parse::tame;
use super::super::wire::portfolio as wire;
use super::walk::Then;
use super::{Gateway, belief};

impl Gateway {
    pub(super) fn read_cancel(
        &mut self,
        intent: IntentId,
        answer: &Answer<'_>,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let text = match answer {
            Answer::Reply { status: 200..=299, body, .. } => {
                match self.read_cancelled(intent, body, now, taken) {
                    Ok(()) => return,
                    Err(why) => format!("the answer to its cancel makes no sense: {why}"),
                }
            }
            // The same answer for filled, cancelled and unknown: it has to be asked for.
            Answer::Reply { status: 404, body, .. } => {
                let text = read_body(body).text;
                self.say(intent, Evidence::NotCancelled(text), taken);
                return self.look_for(intent, Then::Report, now, taken);
            }
            Answer::Reply { status, body, .. } => {
                format!("status {status}: {}", read_body(body).text)
            }
            Answer::NotSent(why) => {
                taken.notices.push(format!("the cancel of {intent} was not sent: {}", tame(why)));
                return;
            }
            Answer::Lost(why) => format!("no answer: {}", tame(why)),
        };
        taken.notices.push(format!("the cancel of {intent} is not sure: {text}"));
        self.look_for(intent, Then::Report, now, taken);
    }

    fn read_cancelled(
        &mut self,
        intent: IntentId,
        body: &str,
        now: Timestamp,
        taken: &mut Taken,
    ) -> Result<(), String> {
        let said: wire::Cancelled =
            serde_json::from_str(body).map_err(|error| tame(&error.to_string()))?;
        self.take_cancelled(intent, &said, now, taken)
    }

    /// The results of a batch of cancels, one for each order. What it does not tell of an order is
    /// asked for; so is what became of all of them when the batch as a whole was not answered.
    pub(super) fn read_cancels(
        &mut self,
        intents: &[IntentId],
        answer: &Answer<'_>,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let said: Result<Vec<wire::CancelResult>, String> = match answer {
            Answer::Reply { status: 200..=299, body, .. } => {
                serde_json::from_str::<wire::CancelResults>(body)
                    .map(|page| page.orders)
                    .map_err(|error| tame(&error.to_string()))
            }
            Answer::Reply { status, body, .. } => {
                Err(format!("status {status}: {}", read_body(body).text))
            }
            Answer::NotSent(why) => {
                taken.notices.push(format!("cancels were not sent: {}", tame(why)));
                return;
            }
            Answer::Lost(why) => Err(format!("no answer: {}", tame(why))),
        };
        for intent in intents {
            let id = self.roster.get(*intent).and_then(|known| known.id.clone());
            let found = said
                .as_ref()
                .map(|all| all.iter().find(|one| id.as_ref() == Some(&one.order_id)).cloned());
            let why = match found {
                Ok(Some(one)) => match one.outcome() {
                    Ok(cancelled) => match self.take_cancelled(*intent, &cancelled, now, taken) {
                        Ok(()) => continue,
                        Err(why) => why,
                    },
                    Err(error) => {
                        let told = read_body(&error);
                        // As with one order: it is filled, cancelled, or was never there.
                        if told.code.to_ascii_lowercase().contains("not_found") {
                            self.say(*intent, Evidence::NotCancelled(told.text), taken);
                            self.look_for(*intent, Then::Report, now, taken);
                            continue;
                        }
                        told.text
                    }
                },
                Ok(None) => "the answer does not name it".to_owned(),
                Err(why) => why.clone(),
            };
            taken.notices.push(format!("the cancel of {intent} is not sure: {why}"));
            self.look_for(*intent, Then::Report, now, taken);
        }
    }

    fn take_cancelled(
        &mut self,
        intent: IntentId,
        said: &wire::Cancelled,
        now: Timestamp,
        taken: &mut Taken,
    ) -> Result<(), String> {
        let reduced = Quantity::parse(&said.reduced_by)
            .map_err(|why| format!("reduced_by {:?}: {why}", tame(&said.reduced_by)))?;
        let known = self.roster.get(intent).ok_or("the order is not known")?;
        let is_other = known.id.as_ref() != Some(&said.order_id)
            || said.client_order_id.as_ref().is_some_and(|client| {
                !client.is_empty() && !client.eq_ignore_ascii_case(&known.client)
            });
        let evidence = belief::cancelled(known, &said.order_id, reduced)
            .filter(|_| !is_other)
            .ok_or_else(|| format!("it describes order {}", tame(&said.order_id)))?;
        self.say_standing(intent, evidence, now, taken);
        Ok(())
    }

    pub(super) fn read_emergency(answer: &Answer<'_>, taken: &mut Taken) {
        let text = match answer {
            Answer::Reply { status: 200..=299, .. } => "all orders were cancelled".to_owned(),
            Answer::Reply { status, body, .. } => {
                format!("not all orders were cancelled: {status}: {}", read_body(body).text)
            }
            Answer::NotSent(why) | Answer::Lost(why) => {
                format!("whether all orders were cancelled is not known: {}", tame(why))
            }
        };
        taken.notices.push(text);
    }
}
