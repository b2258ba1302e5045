//! Whether the order routes answer as they do while they take orders.
//!
//! While the matching engine restarts they answer 425 for about 90 seconds; then, for two minutes,
//! they take cancels and orders that only rest, and refuse the others with 503 (docs, matching
//! engine, 2026-10). They are asked by a cancel of an order that nobody placed: it is answered like
//! any other, with the order among those that were not cancelled.
//!
//! Such a cancel is answered as usual while only cancels are taken. So once the routes were closed,
//! only an order that was sent since and taken opens them again, or the longest that it may last;
//! that is counted from the first cancel that the engine answers after it was away.
//!
//! Invariant: what says nothing for sure, a page of the network in front or no answer at all,
//! neither opens nor closes anything.

use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::Timestamp;
use crate::domain::report::{Refused, Route};
use crate::venue::gateway::{Answer, Call, Class, Subject};
use crate::venue::polymarket::encode;
use crate::venue::polymarket::error::order::{Answered, Verdict, judge};
use crate::venue::polymarket::parse::reply::accepted;

use super::question::asked_at;
use super::{Gateway, Request};

pub(super) const NAME: &str = "route";

/// The id of an order that nobody placed.
const NOBODYS: &str = "0x0000000000000000000000000000000000000000000000000000000000000000";

/// Answers are told of at most this often while nothing changes.
const TOLD_EVERY: Duration = Duration::from_millis(500);

/// What the routes said so far.
#[derive(Debug, Default)]
pub(super) struct Routes {
    /// When they last said that they are closed, and until when that holds.
    closed: Timestamp,
    closed_until: Timestamp,
    /// Whether nothing was answered since the engine was away: until when it holds is not known.
    is_away: bool,
    /// The newest request whose answer was told of.
    told: Timestamp,
}

/// What one answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// They take orders.
    Takes,
    /// They answer as usual, and orders may be another matter.
    Answers,
    /// They answer nothing while the engine is away.
    Away,
    /// They take no orders for so long, where they tell.
    Closed(Option<Duration>),
}

impl Routes {
    /// Takes in an answer; what it says of the routes, where it says anything new.
    pub(super) fn hear(
        &mut self,
        call: &Call,
        answer: &Answer<'_>,
        lasts: Duration,
        now: Timestamp,
    ) -> Option<Route> {
        let asked = match &call.subject {
            Subject::Other(NAME, detail) => Timestamp::from_nanos(detail.parse().ok()?),
            _ => asked_at(call, now),
        };
        let is_since = asked > self.closed;
        match word_of(call, answer)? {
            Word::Away => {
                self.is_away = true;
                return Some(self.close(now.after(lasts), now));
            }
            Word::Closed(told) => {
                self.is_away = false;
                return Some(self.close(now.after(told.unwrap_or(lasts)), now));
            }
            Word::Takes if is_since => (self.closed_until, self.is_away) = (Timestamp::ZERO, false),
            Word::Answers if is_since && self.is_away => {
                (self.closed_until, self.is_away) = (now.after(lasts), false);
            }
            Word::Takes | Word::Answers => {}
        }
        if now < self.closed_until || !is_since || asked < self.told.after(TOLD_EVERY) {
            return None;
        }
        self.told = asked;
        Some(Route::Answered(asked))
    }

    fn close(&mut self, until: Timestamp, now: Timestamp) -> Route {
        self.closed = now;
        self.closed_until = until;
        self.told = Timestamp::ZERO;
        Route::Closed
    }
}

impl Gateway {
    /// Asks whether they answer.
    pub(super) fn probe_call(&self, now: Timestamp) -> Call {
        let request = Request {
            subject: Subject::Other(NAME, now.nanos().to_string()),
            class: Class::Cancel,
            method: "DELETE",
            path: "/order",
            query: &[],
            body: Some(encode::order::cancel_order(NOBODYS)),
        };
        self.signed(request, now)
    }
}

/// What an answer says of the routes; `None` when it is not theirs, or says nothing of them.
fn word_of(call: &Call, answer: &Answer<'_>) -> Option<Word> {
    let Answer::Reply { status, retry_after, body, .. } = answer else { return None };
    let answered = Answered { status: *status, retry_after: *retry_after, body };
    match &call.subject {
        Subject::Place(_) => of_order(&answered),
        Subject::Places(_) => of_orders(&answered),
        Subject::Cancel(_) | Subject::Cancels(_) | Subject::Everything => of_cancel(&answered),
        Subject::Other(NAME, _) => of_cancel(&answered),
        _ => None,
    }
}

fn of_order(answered: &Answered<'_>) -> Option<Word> {
    if (200..=299).contains(&answered.status) && accepted(answered.body).is_some() {
        return Some(Word::Takes);
    }
    match judge(answered) {
        Verdict::Refused(refusal) if refusal.kind == Refused::NoMatch => Some(Word::Takes),
        _ => closing(answered),
    }
}

/// A batch has a result for each order; one that closes counts more than one that was taken.
fn of_orders(answered: &Answered<'_>) -> Option<Word> {
    let Ok(results) = serde_json::from_str::<Vec<&RawValue>>(answered.body) else {
        return closing(answered);
    };
    let word = |body: &&RawValue| of_order(&Answered { body: body.get(), ..*answered });
    let words: Vec<Word> = results.iter().filter_map(word).collect();
    let closed = words.iter().find(|word| matches!(word, Word::Away | Word::Closed(_)));
    closed.or_else(|| words.first()).copied()
}

fn of_cancel(answered: &Answered<'_>) -> Option<Word> {
    let is_object = || serde_json::from_str::<Value>(answered.body).is_ok_and(|it| it.is_object());
    match answered.status {
        // Some venues have it that an order which is not there is not found.
        200..=299 | 400 | 404 if is_object() => Some(Word::Answers),
        _ => closing(answered),
    }
}

/// What says that no orders are taken. How long it lasts is not known but for the last part of it.
fn closing(answered: &Answered<'_>) -> Option<Word> {
    let Verdict::Refused(refusal) = judge(answered) else { return None };
    match refusal.kind {
        Refused::PostOnly(wait) => Some(Word::Closed(Some(wait))),
        Refused::Again(_) => Some(Word::Away),
        Refused::Paused if answered.status == 503 => Some(Word::Closed(None)),
        _ => None,
    }
}
