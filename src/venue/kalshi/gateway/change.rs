//! Changes of orders that rest: a part taken back, another limit, another count.
//!
//! Invariants:
//!
//! - What an order asks for is known for sure only while no change of it is under way. A change
//!   ends with its answer, or when the order is read and shows it, which may be before its answer;
//!   one of which neither is heard stays open, and no other one is sent behind it.
//! - A change goes out under the venue's id and leaves the client id as it is: no field that could
//!   rename the order is ever written.

use crate::domain::{Evidence, IntentId, Lifetime, Market, Quantity, Timestamp};
use crate::venue::Error;
use crate::venue::gateway::{Answer, Call, Class, Markets, Subject, Taken};

use super::super::encode::order::{self as encode, Decrease, Request, Target};
use super::super::error::order::{Verdict, verdict};
use super::super::error::read_body;
use super::super::parse::tame;
use super::super::wire::portfolio as wire;
use super::roster::{Ask, Known};
use super::walk::Then;
use super::{Gateway, belief, facts_of, unknown};

/// The two kinds of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Decrease,
    Amend,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Decrease => "decrease",
            Self::Amend => "amendment",
        }
    }
}

impl Gateway {
    pub(super) fn decrease_call(
        &mut self,
        intent: IntentId,
        by: Quantity,
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Result<Call, Error> {
        let refuse = |why: &str| unknown(&format!("a decrease of {intent}"), why);
        let known = self.changeable(intent).map_err(refuse)?;
        let market = facts_of(&known.order, markets)?;
        let ask = known.terms.sure().ok_or_else(|| refuse(OPEN))?;
        let count = ask.count.saturating_sub(by);
        if by.is_zero() || count <= known.booked() {
            return Err(refuse("nothing would be left of it: it can be cancelled"));
        }
        let request = encode::encode_decrease(&target(known, market)?, Decrease::By(by))?;
        let to = Ask { count, ..ask };
        self.change(Kind::Decrease, intent, to, request, now)
    }

    pub(super) fn amend_call(
        &mut self,
        intent: IntentId,
        to: Ask,
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Result<Call, Error> {
        let refuse = |why: &str| unknown(&format!("an amendment of {intent}"), why);
        let known = self.changeable(intent).map_err(refuse)?;
        let market = facts_of(&known.order, markets)?;
        let (side, price) = encode::place(known.order.outcome, known.order.action, to.limit);
        if market.grid.as_ref().is_some_and(|grid| !grid.contains(price)) {
            return Err(refuse("the price is not on the market's grid"));
        }
        if to.count <= known.booked() {
            return Err(refuse("so much of it has filled"));
        }
        let request = encode::encode_amend(&target(known, market)?, side, price, to.count)?;
        self.change(Kind::Amend, intent, to, request, now)
    }

    /// An order that may be changed: one of ours that rests, under the venue's id.
    fn changeable(&self, intent: IntentId) -> Result<&Known, &'static str> {
        let known = self.roster.get(intent).ok_or("the order is not known")?;
        if known.order.lifetime != Lifetime::Resting {
            return Err("it does not rest");
        }
        known.id.as_ref().ok_or("its id at the venue is not known yet")?;
        Ok(known)
    }

    /// A change is charged to the budget for orders: it costs as much as one, and the reserve is
    /// for cancels, which are cheaper and do more.
    fn change(
        &mut self,
        kind: Kind,
        intent: IntentId,
        to: Ask,
        request: Request,
        now: Timestamp,
    ) -> Result<Call, Error> {
        let refuse = |why: &str| unknown(&format!("a change of {intent}"), why);
        let known = self.roster.get_mut(intent).ok_or_else(|| refuse("not known"))?;
        let place = known.terms.begin(to).map_err(refuse)?;
        let subject = match kind {
            Kind::Decrease => Subject::Decrease(intent, place),
            Kind::Amend => Subject::Amend(intent, place),
        };
        let call = self.call(subject, Class::Order, request, now);
        if call.is_err() {
            self.drop_change((intent, place));
        }
        call
    }

    pub(super) fn read_change(
        &mut self,
        kind: Kind,
        change: (IntentId, u64),
        answer: &Answer<'_>,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let (name, intent) = (kind.name(), change.0);
        let text = match answer {
            Answer::Reply { status: 200..=299, body, .. } => {
                match self.take_changed(kind, change, body, now, taken) {
                    Ok(()) => return,
                    Err(why) => format!("its answer makes no sense: {why}"),
                }
            }
            // The same answer for filled, cancelled and unknown: it has to be asked for.
            Answer::Reply { status: 404, body, .. } => {
                let text = read_body(body).text;
                self.say(intent, Evidence::NotCancelled(text), taken);
                return self.look_for(intent, Then::Report, now, taken);
            }
            Answer::Reply { status, body, .. } => {
                let seed = self.seed_of(intent);
                match verdict(*status, body, seed) {
                    Verdict::Refused(refusal) => {
                        self.drop_change(change);
                        let why = refusal.text;
                        return taken.notices.push(format!("the {name} of {intent}: {why}"));
                    }
                    Verdict::Exists(why) | Verdict::Unclear(why) => why,
                }
            }
            Answer::NotSent(why) => {
                self.drop_change(change);
                let why = tame(why);
                return taken.notices.push(format!("the {name} of {intent} was not sent: {why}"));
            }
            Answer::Lost(why) => format!("no answer: {}", tame(why)),
        };
        taken.notices.push(format!("the {name} of {intent} is not sure: {text}"));
        self.look_for(intent, Then::Report, now, taken);
    }

    fn drop_change(&mut self, (intent, place): (IntentId, u64)) {
        if let Some(known) = self.roster.get_mut(intent) {
            known.terms.dropped(place);
        }
    }

    fn take_changed(
        &mut self,
        kind: Kind,
        (intent, place): (IntentId, u64),
        body: &str,
        now: Timestamp,
        taken: &mut Taken,
    ) -> Result<(), String> {
        let said: wire::Changed =
            serde_json::from_str(body).map_err(|error| tame(&error.to_string()))?;
        let known = self.roster.get(intent).ok_or("the order is not known")?;
        let other = || format!("it describes order {}", tame(&said.order_id));
        let names =
            |client: &String| client.is_empty() || client.eq_ignore_ascii_case(&known.client);
        if known.id.as_ref() != Some(&said.order_id) || !said.client_order_id.iter().all(names) {
            return Err(other());
        }
        let to = known.terms.at(place).ok_or("there was no such change of it")?;
        let count = |text: &Option<String>, field: &str| -> Result<Option<Quantity>, String> {
            let read = text.as_deref().map(Quantity::parse).transpose();
            read.map_err(|why| format!("{field} {:?}: {why}", text.as_deref().map(tame)))
        };
        let filled = count(&said.fill_count, "fill_count")?;
        let remaining = count(&said.remaining_count, "remaining_count")?;
        let id = &said.order_id;
        let evidence = match (kind, filled, remaining) {
            (Kind::Decrease, _, Some(remaining)) => {
                Some(belief::decreased(known, id, to.count, remaining).ok_or_else(other)?)
            }
            (Kind::Amend, Some(filled), Some(remaining)) => {
                Some(belief::amended(known, id, to.count, filled, remaining).ok_or_else(other)?)
            }
            (Kind::Decrease, _, None) => return Err("remaining_count is missing".to_owned()),
            // The venue may leave the counts of an amendment out: only the order itself tells.
            (Kind::Amend, ..) => None,
        };
        if let Some(known) = self.roster.get_mut(intent) {
            known.terms.made(place);
        }
        match evidence {
            Some(evidence) => self.say_standing(intent, evidence, now, taken),
            None => self.look_for(intent, Then::Report, now, taken),
        }
        Ok(())
    }
}

const OPEN: &str = "what became of its last change is not known";

fn target<'a>(known: &'a Known, market: &'a Market) -> Result<Target<'a>, Error> {
    let missing = || unknown(&market.id, "the venue did not tell the market's shard");
    let shard = market.shard.ok_or_else(missing)?;
    Ok(Target { order_id: known.id.as_deref().unwrap_or_default(), ticker: &market.id, shard })
}
