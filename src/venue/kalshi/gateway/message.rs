//! Answers to orders, frames of the private channel.

use crate::domain::report::{Refusal, Refused, Rest};
use crate::domain::{Evidence, IntentId, Market, Report, Timestamp, Venue};
use crate::venue::gateway::{Answer, Markets, Taken};

use super::super::error;
use super::super::error::order::{Verdict, verdict};
use super::super::parse::portfolio::{self as parse, CreatedSaid, FillSaid, OrderSaid};
use super::super::parse::tame;
use super::super::wire::{portfolio as wire, ws};
use super::walk::{Errand, Listing, Then, Walk, page};
use super::{Gateway, bears_tag, belief};

/// The path of the account's fills.
pub(super) const FILLS: &str = "/portfolio/fills";

impl Gateway {
    pub(super) fn read_place(
        &mut self,
        intent: IntentId,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let (status, body) = match answer {
            Answer::NotSent(why) => {
                let (kind, code) = (Refused::NotSent, String::new());
                let refusal = Refusal { kind, code, text: tame(why) };
                return self.say(intent, Evidence::Refused(refusal), taken);
            }
            Answer::Lost(why) => {
                return self.say(intent, Evidence::Unclear(tame(why)), taken);
            }
            Answer::Reply { status, body, .. } => (*status, *body),
        };
        if (200..300).contains(&status) {
            return self.read_created(intent, body, now, taken);
        }
        let said = verdict(status, body, self.seed_of(intent));
        self.judge(intent, said, markets, now, taken);
    }

    /// What spreads the waits of orders that were limited together.
    pub(super) const fn seed_of(&mut self, intent: IntentId) -> u64 {
        self.limited = self.limited.wrapping_add(1);
        intent.0.rotate_left(32) ^ self.limited
    }

    /// Reports what a request for an order that had no success means for it.
    pub(super) fn judge(
        &mut self,
        intent: IntentId,
        said: Verdict,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        match said {
            Verdict::Refused(refusal) => {
                if let Some(known) = self.roster.get(intent)
                    && let Some(shard) =
                        markets.facts(known.order.market).and_then(|market| market.shard)
                {
                    let order = known.order.clone();
                    self.hear_refusal(&order, shard, &refusal.text, taken);
                }
                self.say(intent, Evidence::Refused(refusal), taken);
            }
            Verdict::Unclear(text) => self.say(intent, Evidence::Unclear(text), taken),
            Verdict::Exists(text) => {
                self.say(intent, Evidence::Unclear(format!("it exists already: {text}")), taken);
                self.look_for(intent, Then::Report, now, taken);
            }
        }
    }

    /// 201 is not a fill: the counts tell.
    fn read_created(&mut self, intent: IntentId, body: &str, now: Timestamp, taken: &mut Taken) {
        let said = serde_json::from_str::<wire::Created>(body)
            .map_err(|error| tame(&error.to_string()))
            .and_then(|wire| parse::created(wire).map_err(|error| error.to_string()));
        match said {
            Ok(said) => self.take_created(intent, &said, now, taken),
            Err(why) => {
                taken.notices.push(format!("the answer to {intent} makes no sense: {why}"));
                self.say(intent, Evidence::Unclear(why), taken);
            }
        }
    }

    /// The venue took an order: one alone, or one of a batch.
    pub(super) fn take_created(
        &mut self,
        intent: IntentId,
        said: &CreatedSaid,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let Some(known) = self.roster.get(intent) else {
            taken.notices.push(format!("an answer to {intent}, which is not known"));
            return;
        };
        let names_another =
            !said.client.is_empty() && !said.client.eq_ignore_ascii_case(&known.client);
        let evidence = belief::accepted(known, said).filter(|_| !names_another);
        let filled = said.filled;
        match evidence.filter(|_| self.roster.learn(intent, &said.id)) {
            Some(evidence) => {
                self.say(intent, evidence, taken);
                self.ask_fills(intent, filled, now, taken);
            }
            None => {
                let text = format!(
                    "the answer to {intent} describes another order: {} with {} filled",
                    tame(&said.id),
                    said.filled
                );
                self.disbelieve(intent, text, taken);
                self.look_for(intent, Then::Report, now, taken);
            }
        }
    }

    pub(super) fn read_frame(
        &mut self,
        text: &str,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let read = || -> Result<Frame, String> {
            let words = |error: serde_json::Error| tame(&error.to_string());
            let head: ws::Head<'_> = serde_json::from_str(text).map_err(words)?;
            let body = head.msg.map_or("{}", |msg| msg.get());
            match &*head.kind {
                "fill" => {
                    let wire: wire::Fill = serde_json::from_str(body).map_err(words)?;
                    parse::fill(wire).map(Frame::Fill).map_err(|error| error.to_string())
                }
                "user_order" => {
                    let wire: wire::Order = serde_json::from_str(body).map_err(words)?;
                    parse::order(wire).map(Frame::Order).map_err(|error| error.to_string())
                }
                "order_group_updates" => {
                    let wire: wire::OrderGroupUpdate = serde_json::from_str(body).map_err(words)?;
                    Ok(Frame::Group(wire))
                }
                // One market's position says nothing about the account's; all are read anew by
                // and by. Words that are not known may come at any time.
                _ => Ok(Frame::Other),
            }
        };
        match read() {
            Ok(Frame::Fill(said)) => {
                self.take_fill(&said, markets, now, taken);
            }
            Ok(Frame::Order(said)) => {
                let is_ours = self.take_order(&said, markets, now, taken);
                // It is over with less than it had: something was taken back.
                let intent = self.roster.find(&said.id, &said.client);
                let known = intent.and_then(|intent| self.roster.get(intent));
                if let Some(known) = known.filter(|_| is_ours && said.rest == Rest::Nothing)
                    && said.filled < known.booked()
                {
                    self.look_for(known.order.intent, Then::Report, now, taken);
                }
            }
            Ok(Frame::Group(said)) => self.take_group(&said, taken),
            Ok(Frame::Other) => {}
            Err(why) => taken.notices.push(format!("a private message makes no sense: {why}")),
        }
    }

    /// Takes an order in, ours or not, and says whether it is one of ours that is believed.
    pub(super) fn take_order(
        &mut self,
        said: &OrderSaid,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) -> bool {
        let found = self.roster.find(&said.id, &said.client);
        let Some(intent) = found.or_else(|| self.take_lost(said, markets, taken)) else {
            self.foreign(&said.id, &said.client, &said.ticker, markets, taken, |_| {
                belief::foreign_standing(said)
            });
            return false;
        };
        let Some(known) = self.roster.get(intent) else { return false };
        let doubt = match markets.facts(known.order.market) {
            None => Some("its market is not known any more".to_owned()),
            Some(_)
                if !said.client.is_empty() && !said.client.eq_ignore_ascii_case(&known.client) =>
            {
                Some(format!("it went out under {}", tame(&said.client)))
            }
            Some(market) => belief::doubt_order(known, market, said, now),
        };
        let evidence = belief::standing(known, said);
        let changed = belief::change_shown(known, said);
        match doubt {
            None if self.roster.learn(intent, &said.id) => {
                if let (Some(change), Some(known)) = (changed, self.roster.get_mut(intent)) {
                    known.terms.made(change);
                }
                self.say(intent, evidence, taken);
                self.ask_fills(intent, said.filled, now, taken);
                return true;
            }
            None => {
                let text = format!("{intent} has two ids at the venue, one is {}", tame(&said.id));
                self.disbelieve(intent, text, taken);
            }
            Some(why) => {
                let text = format!("order {} was found for {intent}: {why}", tame(&said.id));
                self.disbelieve(intent, text, taken);
            }
        }
        false
    }

    /// Whether an order bears our mark and could not be taken in, at least not yet.
    pub(super) fn may_be_lost(&self, said: &OrderSaid) -> bool {
        bears_tag(&self.settings.instance, &said.client)
            && self.roster.find(&said.id, &said.client).is_none()
            && !self.strangers.contains(&said.id)
    }

    /// Takes in an order that bears the mark of one of our intents and is not known: the journal
    /// lost its record. `None` when it bears none, or too little is told of it or its market.
    fn take_lost(
        &mut self,
        said: &OrderSaid,
        markets: &dyn Markets,
        taken: &mut Taken,
    ) -> Option<IntentId> {
        if !self.may_be_lost(said) {
            return None;
        }
        let market = markets.by_id(Venue::Kalshi, &said.ticker)?;
        markets.facts(market)?;
        let Some(intent) = self.roster.lost(&self.settings.instance, &said.client) else {
            self.note_stranger(&said.id);
            return None;
        };
        let order = belief::lost(intent, market, said)?;
        self.roster.add(&order, said.client.to_ascii_lowercase());
        let id = crate::domain::OrderId(said.id.clone());
        taken.reports.push(Report::Lost { order: Box::new(order), id });
        Some(intent)
    }

    /// Remembers that an order is none of ours.
    pub(super) fn note_stranger(&mut self, id: &str) {
        if self.strangers.len() >= Self::STRANGERS_MAX {
            self.strangers.clear();
        }
        self.strangers.insert(id.to_owned());
    }

    /// Takes a fill in. One that names no order that is known, but bears our mark, or no id of ours
    /// while an order of ours has no id yet, may be ours: then its order is looked at before
    /// anything is said of it.
    pub(super) fn take_fill(
        &mut self,
        said: &FillSaid,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let Some(intent) = self.roster.find(&said.order, &said.client) else {
            if self.may_be_ours(said, markets) {
                if self.walks.looks_at(&said.order) {
                    return;
                }
                let path = format!("/portfolio/orders/{}", super::super::rest::escape(&said.order));
                let errand = Errand::Stranger(said.order.clone());
                let walk = Walk::new(errand, &path, super::super::rest::Query::none(), now);
                return self.walk_on(walk, "", now, taken);
            }
            return self.foreign(
                &said.order,
                &said.client,
                &said.ticker,
                markets,
                taken,
                |market| belief::foreign_fill(market, said),
            );
        };
        let Some(known) = self.roster.get(intent) else { return };
        let market = markets.facts(known.order.market);
        let doubt = match market {
            None => Some("its market is not known any more".to_owned()),
            Some(market) => belief::doubt_fill(known, market, said),
        };
        let (outcome, action) = (known.order.outcome, known.order.action);
        if let Some(why) = doubt {
            let text = format!("fill {} was found for {intent}: {why}", tame(&said.trade));
            return self.disbelieve(intent, text, taken);
        }
        if !self.roster.learn(intent, &said.order) {
            let text = format!("{intent} has two ids at the venue, one is {}", tame(&said.order));
            return self.disbelieve(intent, text, taken);
        }
        if let Some(known) = self.roster.get_mut(intent) {
            known.booked.insert(said.trade.clone(), said.quantity);
        }
        let fill = belief::fill_of(outcome, action, market, said);
        self.say(intent, Evidence::Fill(fill), taken);
    }

    /// Whether a fill of an order that is not known may be one of an order whose id is not known,
    /// or whose record was lost.
    pub(super) fn may_be_ours(&self, said: &FillSaid, markets: &dyn Markets) -> bool {
        if self.strangers.contains(&said.order) {
            return false;
        }
        if !said.client.is_empty() {
            return bears_tag(&self.settings.instance, &said.client);
        }
        self.roster.unnamed().any(|known| {
            let market = markets.facts(known.order.market);
            market.is_some_and(|market| belief::may_be_of(known, market, said))
        })
    }

    fn foreign(
        &self,
        id: &str,
        client: &str,
        ticker: &str,
        markets: &dyn Markets,
        taken: &mut Taken,
        evidence: impl FnOnce(Option<&Market>) -> Evidence,
    ) {
        let market = markets.by_id(Venue::Kalshi, ticker);
        let facts = market.and_then(|market| markets.facts(market));
        taken.reports.push(Report::Foreign {
            venue: Venue::Kalshi,
            id: crate::domain::OrderId(id.to_owned()),
            is_ours: bears_tag(&self.settings.instance, client),
            market,
            evidence: evidence(facts),
        });
    }

    /// Reports what an order stands at, and asks for its fills; for the order itself where it is
    /// not known how much of it filled.
    pub(super) fn say_standing(
        &mut self,
        intent: IntentId,
        evidence: Evidence,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let filled = match &evidence {
            Evidence::Standing { filled, .. } => filled.map(|total| total.quantity),
            _ => return self.say(intent, evidence, taken),
        };
        self.say(intent, evidence, taken);
        match filled {
            Some(filled) => self.ask_fills(intent, filled, now, taken),
            None => self.look_for(intent, Then::Report, now, taken),
        }
    }

    /// Asks for the fills of an order when more is filled than was booked: fees and exact money
    /// come with them, and the private channel may have lost them.
    pub(super) fn ask_fills(
        &mut self,
        intent: IntentId,
        filled: crate::domain::Quantity,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let Some(known) = self.roster.get_mut(intent) else { return };
        let Some(id) = known.id.clone() else { return };
        if filled <= known.booked() || filled <= known.asked {
            return;
        }
        known.asked = filled;
        self.list_fills(Listing { id, ..Listing::default() }, now, taken);
    }

    /// Reads all fills of an order.
    pub(super) fn list_fills(&mut self, listing: Listing, now: Timestamp, taken: &mut Taken) {
        let query = page().with("order_id", &listing.id);
        self.walk_on(Walk::new(Errand::FillsOf(listing), FILLS, query, now), "", now, taken);
    }

    pub(super) fn disbelieve(&self, intent: IntentId, text: String, taken: &mut Taken) {
        taken.notices.push(text.clone());
        self.say(intent, Evidence::Unclear(text), taken);
    }

    /// What an answer to a question brought, or why it brought nothing.
    pub(super) fn body_of<'a>(answer: &Answer<'a>, what: &str) -> Result<&'a str, String> {
        match answer {
            Answer::Reply { status, body, retry_after, .. } => {
                match error::of_answer(*status, body, what, "", *retry_after) {
                    None => Ok(body),
                    Some(error) => Err(error.to_string()),
                }
            }
            Answer::NotSent(why) => Err(format!("{what} was not sent: {}", tame(why))),
            Answer::Lost(why) => Err(format!("{what} brought no answer: {}", tame(why))),
        }
    }
}

/// A private message that concerns an order.
enum Frame {
    Fill(FillSaid),
    Order(OrderSaid),
    Group(wire::OrderGroupUpdate),
    Other,
}
