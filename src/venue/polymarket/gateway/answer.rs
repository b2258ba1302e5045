//! Answers and events to reports.

use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::report::{Listing, Refusal, Refused, Rest, Total};
use crate::domain::{Evidence, IntentId, Lifetime, Quantity, Size, Timestamp, Venue};
use crate::venue::gateway::{Answer, Call, Markets, Subject, Taken};
use crate::venue::polymarket::error::order::{Answered, Verdict, judge};
use crate::venue::polymarket::error::{short, text_of};
use crate::venue::polymarket::parse::account::{OrderState, order, trade};
use crate::venue::polymarket::parse::reply::{Accepted, accepted, cancelled};
use crate::venue::polymarket::wire::account::Page as WirePage;

use super::fill::{DUST, Found, foreign, refused};
use super::holding::{self, body_of};
use super::question::{self, Page, Search, asked_at};
use super::{Gateway, conversion, heart, movement, not_sent, permission};

/// The most trades of one order that are asked for by name.
const NAMED_MAX: usize = 16;
/// How old an order must be when it is asked about for an empty list of trades to show that it
/// filled nothing: what is listed may lag behind what matched (matched orders were listed up to
/// seconds later, py-clob-client-v2 issue 34, 2026-04-29).
const LISTED_AFTER: Duration = Duration::from_secs(10);

impl Gateway {
    pub(super) fn answer(
        &mut self,
        call: &Call,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        match &call.subject {
            Subject::Place(intent) => self.read_place(*intent, answer, now, taken),
            Subject::Places(intents) => self.read_places(intents, answer, now, taken),
            // The venue has no such requests, and none is built.
            Subject::Decrease(..) | Subject::Amend(..) => {}
            Subject::Cancel(intent) => self.read_cancels(&[*intent], answer, now, taken),
            Subject::Cancels(intents) => self.read_cancels(intents, answer, now, taken),
            Subject::Everything => Self::read_emergency(answer, taken),
            Subject::Order(intent) | Subject::Seek(intent, _) => {
                self.read_order(*intent, call, answer, markets, now, taken);
            }
            Subject::Other(name, detail) => match *name {
                question::OPEN_ORDERS => self.read_orders(detail, answer, markets, now, taken),
                question::FILLS | question::TRADE | question::SEARCH => {
                    self.read_trades(name, call, answer, markets, now, taken);
                }
                holding::POSITIONS => self.read_positions(detail, answer, markets, now, taken),
                holding::CASH => Self::read_cash(call, answer, now, taken),
                holding::REDEMPTIONS => self.read_redemptions(detail, answer, markets, taken),
                movement::NAME => self.read_movements(detail, answer, taken),
                holding::RESOLUTION => self.read_resolution(detail, answer, markets, taken),
                permission::GEOBLOCK
                | permission::CLOSED_ONLY
                | permission::APPROVALS
                | permission::ALLOWANCES => self.read_permission(name, detail, answer, taken),
                permission::VERSION => Self::read_version(answer, taken),
                permission::UPDATE => self.read_update(detail, answer, now, taken),
                heart::NAME => self.read_heartbeat(answer, now, taken),
                conversion::MERGE | conversion::REDEEM => {
                    self.read_conversion(call, answer, markets, now, taken);
                }
                other => taken.notices.push(format!("polymarket: nobody asked for {other}")),
            },
        }
    }

    fn read_place(
        &mut self,
        intent: IntentId,
        answer: &Answer<'_>,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let evidence = match answer {
            Answer::NotSent(text) => not_sent(text),
            Answer::Lost(text) => Evidence::Unclear(short(text)),
            Answer::Reply { status, retry_after, body, .. } => {
                let answered = Answered { status: *status, retry_after: *retry_after, body };
                self.evidence_of(intent, &answered, now, taken)
            }
        };
        self.tell_placed(intent, evidence, taken);
    }

    /// What the answer to an order, alone or one of a batch, says about it.
    pub(super) fn evidence_of(
        &self,
        intent: IntentId,
        answered: &Answered<'_>,
        now: Timestamp,
        taken: &mut Taken,
    ) -> Evidence {
        let Some(known) = self.orders.get(&intent) else {
            return Evidence::Unclear("not known here".to_owned());
        };
        match accepted(answered.body).filter(|_| (200..=299).contains(&answered.status)) {
            Some(accepted) if is_same(&accepted.id, &known.id.0) => {
                let names = accepted.trades.iter().take(NAMED_MAX);
                taken.calls.extend(names.map(|id| self.trade_call(id, now)));
                self.standing(intent, accepted)
            }
            Some(accepted) => {
                Evidence::Unclear(format!("it answered for order {}", short(&accepted.id)))
            }
            None => match judge(answered) {
                Verdict::Refused(refusal) => refused(refusal),
                Verdict::Unclear(text) => Evidence::Unclear(text),
            },
        }
    }

    /// Tells what the answer to an order says; for which contract the venue wants it signed is
    /// asked where that was wrong.
    pub(super) fn tell_placed(&mut self, intent: IntentId, evidence: Evidence, taken: &mut Taken) {
        if !self.orders.contains_key(&intent) {
            taken.notices.push(format!("polymarket answered {intent}, which is not known here"));
            return;
        }
        if let Evidence::Refused(Refusal { kind: Refused::Outdated, .. }) = evidence {
            taken.calls.push(self.version_call());
        }
        self.tell(intent, evidence, taken);
    }

    /// What an accepted order stands at. An order that is over without a total is asked about.
    fn standing(&self, intent: IntentId, accepted: Accepted) -> Evidence {
        let Some(known) = self.orders.get(&intent) else {
            return Evidence::Unclear("not known here".to_owned());
        };
        let filled = accepted.total(known.order.action);
        let rest = accepted.rest(known.order.lifetime, || {
            let asked = match known.order.size {
                Size::Contracts(quantity) => quantity.floor_to(Quantity::LOT),
                Size::Collateral(_) => return true,
            };
            filled.is_some_and(|total| total.quantity >= asked)
        });
        Evidence::Standing { id: known.id.clone(), filled, rest, trades: accepted.trades }
    }

    /// Whatever the answer to a cancel is, only the order itself tells what it filled before.
    fn read_cancels(
        &mut self,
        intents: &[IntentId],
        answer: &Answer<'_>,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let said = match answer {
            Answer::Reply { status: 200..=299, body, .. } => {
                cancelled(body).map_err(|error| error.to_string())
            }
            Answer::Reply { status, body, .. } => {
                Err(format!("status {status}: {}", text_of(body)))
            }
            Answer::NotSent(text) | Answer::Lost(text) => Err(short(text)),
        };
        for intent in intents {
            let Some(known) = self.orders.get(intent) else { continue };
            let (id, total) = (known.id.clone(), known.total);
            let evidence = match &said {
                Ok(said) if said.canceled.iter().any(|one| is_same(one, &id.0)) => {
                    let rest = Rest::Nothing;
                    Some(Evidence::Standing { id, filled: total, rest, trades: Vec::new() })
                }
                Ok(said) => {
                    let mut reasons = said.not_canceled.iter();
                    let why = reasons.find(|(one, _)| is_same(one, &id.0));
                    why.map(|(_, why)| Evidence::NotCancelled(short(why)))
                }
                Err(why) => {
                    taken.notices.push(format!("cancel of {intent}: {why}"));
                    None
                }
            };
            if let Some(evidence) = evidence {
                self.tell(*intent, evidence, taken);
            }
            if total.is_none() {
                taken.calls.extend(self.order_call(*intent, now));
            }
        }
    }

    fn read_order(
        &mut self,
        intent: IntentId,
        call: &Call,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let Some(known) = self.orders.get(&intent) else { return };
        let id = known.id.0.clone();
        let asked = asked_at(call, now);
        let mut search = Search::new(intent, asked);
        let Answer::Reply { status, body, .. } = answer else {
            let _ = body_of("order", answer, taken);
            return;
        };
        let parsed = serde_json::from_str::<Value>(body).ok();
        let is_absent = match (*status, &parsed) {
            (404, Some(said)) => said.is_object(),
            (200, said) => body.trim().is_empty() || said.as_ref().is_some_and(is_nothing),
            _ => false,
        };
        if is_absent {
            // The list of trades may know more than the list of orders does.
            self.search(&search, markets, now, taken);
            return;
        }
        let Some(body) = body_of("order", answer, taken) else { return };
        match order(body) {
            // Whoever asks wants to know what it cost and how far its fills have come: what it
            // stands at is told once the trades have been found.
            Ok(state) if !is_same(&state.id, &id) => {
                let other = short(&state.id);
                taken.notices.push(format!("polymarket answered {intent} with order {other}"));
            }
            Ok(state) if self.is_doubted(intent, &state, markets, taken) => {}
            Ok(state) => match self.evidence(intent, &state) {
                (Evidence::Standing { rest, .. }, has_more)
                    if has_more || state.matched.is_some_and(|matched| !matched.is_zero()) =>
                {
                    search.rest = Some(rest);
                    search.matched = state.told(rest);
                    self.search(&search, markets, now, taken);
                }
                (evidence, _) => self.tell(intent, evidence, taken),
            },
            Err(error) => taken.notices.push(error.to_string()),
        }
    }

    /// Looks for the trades of an order.
    fn search(&self, search: &Search, markets: &dyn Markets, now: Timestamp, taken: &mut Taken) {
        let page = Page::first(String::new()).with(search);
        taken.calls.extend(self.search_page(&page, markets, now));
    }

    fn read_orders(
        &mut self,
        detail: &str,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let Some((page, next)) = list(detail, answer, taken) else { return };
        for row in page.data {
            match order(row.get()) {
                Ok(state) => self.take_listed(&state, markets, taken),
                Err(error) => taken.notices.push(error.to_string()),
            }
        }
        taken.calls.extend(next.map(|next| self.orders_page(&next, now)));
    }

    /// Whether what names one of our orders is about another contract; it is no evidence then.
    fn is_doubted(
        &self,
        intent: IntentId,
        state: &OrderState,
        markets: &dyn Markets,
        taken: &mut Taken,
    ) -> bool {
        let known = self.orders.get(&intent);
        let doubt = known.and_then(|known| known.doubt_token(&state.token, markets));
        if let Some(doubt) = &doubt {
            let id = short(&state.id);
            taken.notices.push(format!("order {id} is not believed of {intent}: {doubt}"));
        }
        doubt.is_some()
    }

    /// An order of a list or of the channel, ours or not.
    fn take_listed(&mut self, state: &OrderState, markets: &dyn Markets, taken: &mut Taken) {
        if let Some(intent) = self.by_id.get(&state.id.to_ascii_lowercase()).copied() {
            if self.is_doubted(intent, state, markets, taken) {
                return;
            }
            let (evidence, _) = self.evidence(intent, state);
            self.tell(intent, evidence, taken);
            return;
        }
        let Some(rest) = state.rest(Lifetime::Resting) else {
            let status = short(&state.status);
            taken.notices.push(format!("order {} is {status}", short(&state.id)));
            return;
        };
        let market = markets.by_token(&state.token).map(|place| place.0);
        let market = market.or_else(|| markets.by_id(Venue::Polymarket, &state.market));
        let id = crate::domain::OrderId(state.id.clone());
        let filled = state.matched.filter(|matched| matched.is_zero()).map(|_| Total::default());
        let trades = state.trades.clone();
        let evidence = Evidence::Standing { id, filled, rest, trades };
        taken.reports.push(foreign(&state.id, market, evidence));
    }

    fn read_trades(
        &mut self,
        name: &str,
        call: &Call,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let Subject::Other(_, detail) = &call.subject else { return };
        let Some((page, next)) = list(detail, answer, taken) else { return };
        let at = Page::parse(detail);
        let mut search = at.as_ref().and_then(Page::search);
        let fills = at.as_ref().and_then(Page::fills);
        let mut fills = fills.filter(|_| name == question::FILLS);
        let breaks_off = at.is_some_and(|at| at.breaks_off(page.next_cursor.as_deref()));
        if let Some(search) = &mut search {
            search.has_hole |= breaks_off;
        }
        if let Some(fills) = &mut fills {
            fills.has_hole |= breaks_off;
        }
        for row in page.data {
            let intent = search.as_ref().map(|search| search.intent);
            let read = match trade(row.get()) {
                Ok(trade) => (self.take_trade(&trade, intent, markets, taken), trade.id),
                Err(error) => {
                    taken.notices.push(error.to_string());
                    (Found::Unread, String::new())
                }
            };
            if let (Some(fills), Found::Unread) = (&mut fills, &read.0) {
                fills.has_hole = true;
            }
            match (&mut search, read) {
                (Some(search), (Found::Filled(total), trade)) => search.find(&trade, total),
                (Some(search), (Found::Unread, _)) => search.has_hole = true,
                _ => {}
            }
        }
        if let Some(list) = fills {
            match next {
                Some(next) => taken.calls.push(self.fills_page(&next.with_fills(list), now)),
                None if !list.has_hole => taken.whole.push((Listing::Fills, list.asked)),
                None => {}
            }
            return;
        }
        match (name, next, search) {
            (question::SEARCH, Some(next), Some(search)) => {
                let next = next.with(&search);
                taken.calls.extend(self.search_page(&next, markets, now));
            }
            (question::SEARCH, None, Some(search)) => self.end_search(&search, taken),
            _ => {}
        }
    }

    /// All trades of an order were read: what it stands at is as certain as it gets. Where
    /// something could not be read, the fills that were found have been told, and that is all.
    fn end_search(&mut self, search: &Search, taken: &mut Taken) {
        let Some(known) = self.orders.get(&search.intent) else { return };
        let (found, id) = (search.sum, known.id.clone());
        let evidence = match search.rest {
            None if search.has_hole => return,
            None if found.quantity.is_zero() => Evidence::NotFound { as_of: search.asked },
            // Its fills have been told; the order itself will show later.
            None => return,
            Some(rest) => {
                let apart = |matched: Quantity| matched.units().abs_diff(found.quantity.units());
                let adds_up =
                    search.matched.is_some_and(|matched| apart(matched) <= DUST.unsigned_abs());
                let is_listed = search.asked >= known.order.at.after(LISTED_AFTER);
                let is_told = !found.quantity.is_zero()
                    || is_listed && search.matched.is_some_and(Quantity::is_zero);
                let is_whole = adds_up && is_told && !search.has_hole;
                let filled = is_whole.then_some(found).or(known.total);
                Evidence::Standing { id, filled, rest, trades: Vec::new() }
            }
        };
        self.tell(search.intent, evidence, taken);
    }

    /// A frame of the user channel: one event or several.
    pub(super) fn event(
        &mut self,
        text: &str,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let events: Vec<&RawValue> = if text.trim_start().starts_with('[') {
            serde_json::from_str(text).unwrap_or_default()
        } else {
            serde_json::from_str(text).into_iter().collect()
        };
        if events.is_empty() {
            taken.notices.push("polymarket's user channel sent what is no JSON".to_owned());
        }
        for event in events {
            self.take_event(event.get(), markets, now, taken);
        }
    }

    fn take_event(&mut self, text: &str, markets: &dyn Markets, now: Timestamp, taken: &mut Taken) {
        let kind = serde_json::from_str::<Value>(text).ok();
        let kind = kind.as_ref().and_then(|event| event["event_type"].as_str());
        let read = match kind {
            Some("trade") => trade(text).map(|trade| {
                self.take_trade(&trade, None, markets, taken);
            }),
            Some("order") => {
                order(text).map(|state| self.take_order_event(&state, markets, now, taken))
            }
            other => {
                let other = short(other.unwrap_or("without a name"));
                taken.notices.push(format!("polymarket's user channel sent an event {other}"));
                Ok(())
            }
        };
        if let Err(error) = read {
            taken.notices.push(error.to_string());
        }
    }

    /// An order that is over and whose total is open is asked about at once.
    fn take_order_event(
        &mut self,
        state: &OrderState,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        self.take_listed(state, markets, taken);
        let Some(intent) = self.by_id.get(&state.id.to_ascii_lowercase()).copied() else { return };
        let (evidence, has_more) = self.evidence(intent, state);
        if has_more && matches!(evidence, Evidence::Standing { rest: Rest::Nothing, .. }) {
            taken.calls.extend(self.order_call(intent, now));
        }
    }
}

/// Ids are hexadecimal: capitals make no difference.
pub(super) const fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Whether an answer says that there is nothing: null, or an object or list without content.
fn is_nothing(said: &Value) -> bool {
    said.is_null()
        || said.as_object().is_some_and(serde_json::Map::is_empty)
        || said.as_array().is_some_and(Vec::is_empty)
}

/// A page of a list, and the page behind it.
fn list<'a>(
    detail: &str,
    answer: &Answer<'a>,
    taken: &mut Taken,
) -> Option<(WirePage<'a>, Option<Page>)> {
    let body = body_of("list", answer, taken)?;
    let read: Result<WirePage<'a>, _> = serde_json::from_str(body);
    match read {
        Ok(page) => {
            let next = Page::parse(detail)?.next(page.next_cursor.as_deref());
            Some((page, next))
        }
        Err(why) => {
            taken.notices.push(format!("polymarket's list makes no sense: {why}"));
            None
        }
    }
}
