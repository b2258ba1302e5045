//! Calls of the order desk on their way: to the exchange and back, late, or lost.

use std::time::Duration;

use crossbook::app::desk::CallId;
use crossbook::app::pipeline::Input;
use crossbook::domain::{Action, Venue};
use crossbook::exchange::polymarket::HOST;
use crossbook::exchange::{Reply, Request, Sending};
use crossbook::venue::gateway::{Answer, Call, Subject};

use crate::harness::client::{self, Shop as _};

use super::draw::End;
use super::oracle::Flight;
use super::process;
use super::run::{Event, Run};

/// How long an answer is waited for.
const ANSWER_MAX: Duration = Duration::from_secs(8);

/// What is said of a request that never left.
pub(super) const UNSENT: &str = "cannot connect";

/// What the process is told about a call.
#[derive(Debug, Clone)]
pub(super) enum Told {
    Reply {
        status: u16,
        retry_after: Option<Duration>,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    NotSent,
    Lost(&'static str),
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Ordinary,
    Lost,
    Unanswered,
    Cut,
    Unsent,
    Late,
}

impl Run {
    /// Sends a call of the desk; `false` when the process ended over it.
    pub(super) fn carry(&mut self, id: CallId, call: &Call) -> bool {
        self.sends += 1;
        let nth = self.end.as_mut().map(|(end, sends)| {
            *sends += 1;
            (*end, *sends)
        });
        if let Some((End::BeforeSend(at), sends)) = nth
            && at == sends
        {
            self.crash();
            return false;
        }
        let place = self.check_durable(call);
        let fate = self.fate();
        self.log.write(self.now, || {
            let body = call.body.as_deref().unwrap_or_default();
            format!("send {} {fate:?} {} {} {body}", id.0, call.method, call.url)
        });
        let epoch = self.epoch;
        let travel = self.venues.lock().unwrap().travel();
        let late = Duration::from_millis(self.dice.between(600, 12_000).unsigned_abs());
        let is_coming = matches!(fate, Fate::Ordinary | Fate::Unanswered | Fate::Late);
        if let Some(flight) = place.filter(|_| is_coming) {
            self.oracle.flying.insert((epoch, id), flight);
            self.oracle.is_new = true;
        }
        let arrives = |told| Event::Arrives(epoch, id, call.clone(), told);
        let answered = |told| Event::Answered(epoch, id, told);
        match fate {
            Fate::Ordinary => self.queue(travel, arrives(None)),
            Fate::Unanswered => self.queue(travel, arrives(Some(Told::Lost("no answer in time")))),
            Fate::Late if late < ANSWER_MAX => self.queue(late, arrives(None)),
            Fate::Late => {
                self.queue(late, arrives(Some(Told::Lost("late"))));
                self.queue(ANSWER_MAX, answered(Told::Lost("no answer in time")));
            }
            Fate::Lost => self.queue(ANSWER_MAX, answered(Told::Lost("no answer in time"))),
            Fate::Cut => self.queue(travel, answered(Told::Lost("cut"))),
            Fate::Unsent => self.queue(travel, answered(Told::NotSent)),
        }
        if let Some((End::AfterSend(at), sends)) = nth
            && at == sends
        {
            self.crash();
            return false;
        }
        true
    }

    /// An order is durable before it is sent, and none is sent by a process that was told to send
    /// nothing more. What it will do when it arrives.
    fn check_durable(&mut self, call: &Call) -> Option<Flight> {
        let Subject::Place(intent) = call.subject else { return None };
        if !self.paper.is_named(intent) {
            let text = format!("{intent} goes to {} and is not in the journal", call.venue);
            self.fail("written_before_sent", text);
        }
        if self.watch.is_killed {
            self.fail("killed_is_silent", format!("{intent} goes to {}", call.venue));
        }
        let order = self.order_of(intent)?;
        self.check_early(&order);
        let (venue, market) = self.place_of(order.market)?;
        let spends = match order.action {
            Action::Buy => i128::from(order.spend_max().micros()),
            Action::Sell => 0,
        };
        Some(Flight { venue, market, spends, purpose: order.purpose })
    }

    fn fate(&mut self) -> Fate {
        let odds = self.odds;
        let mut left = self.dice.between(0, 999).unsigned_abs();
        for (odds, fate) in [
            (odds.lost, Fate::Lost),
            (odds.unanswered, Fate::Unanswered),
            (odds.cut, Fate::Cut),
            (odds.unsent, Fate::Unsent),
            (odds.late, Fate::Late),
        ] {
            if left < odds {
                return fate;
            }
            left -= odds;
        }
        Fate::Ordinary
    }

    /// A call is at its exchange. With `told` the answer is lost on its way back.
    pub(super) fn arrives(&mut self, epoch: u32, id: CallId, call: &Call, told: Option<Told>) {
        if self.oracle.flying.remove(&(epoch, id)).is_some() {
            self.oracle.is_new = true;
        }
        let mut headers = client::lower(call.headers.clone());
        if call.venue == Venue::Polymarket {
            headers.push((HOST.to_owned(), process::host_of(&call.url).to_owned()));
        }
        let (path, query) = client::target(&call.url);
        let body = call.body.as_deref().unwrap_or_default().as_bytes();
        let request = Request { method: call.method, path, query, headers: &headers, body };
        let (reply, travel) = {
            let mut venues = self.venues.lock().unwrap();
            (venues.request(call.venue, &request, self.now), venues.travel())
        };
        self.note_bite(call.venue, reply.status);
        self.note_route(call, reply.status);
        self.log.write(self.now, || {
            let lost = if told.is_some() { " (answer lost)" } else { "" };
            format!("reply {} {:?} {} {}{lost}", id.0, reply.sending, reply.status, reply.body)
        });
        let retry = reply.headers.iter().find(|(name, _)| *name == "retry-after");
        let retry_after = retry.and_then(|(_, text)| text.parse().ok()).map(Duration::from_secs);
        let Reply { sending, status, headers, body } = reply;
        let answer = Told::Reply { status, retry_after, headers, body };
        let (after, told) = match (told, sending) {
            (Some(told), _) => (ANSWER_MAX, told),
            (None, Sending::Now) => (travel, answer),
            (None, Sending::After(wait)) if wait < ANSWER_MAX => (travel + wait, answer),
            (None, Sending::After(_) | Sending::Held) => {
                (ANSWER_MAX, Told::Lost("no answer in time"))
            }
            (None, Sending::Cut) => (travel, Told::Lost("cut")),
        };
        self.queue(after, Event::Answered(epoch, id, told));
    }

    /// Counts what a fault did to a call.
    fn note_bite(&mut self, venue: Venue, status: u16) {
        if status >= 400 {
            *self.bites.entry(format!("{venue} {status}")).or_default() += 1;
        }
    }

    pub(super) fn answered(&mut self, epoch: u32, id: CallId, told: &Told) {
        if epoch != self.epoch {
            return;
        }
        self.log.write(self.now, || match told {
            Told::Reply { status, .. } => format!("answer {} {status}", id.0),
            lost => format!("answer {} {lost:?}", id.0),
        });
        let answer = match told {
            Told::Reply { status, retry_after, headers, body } => {
                Answer::Reply { status: *status, retry_after: *retry_after, headers, body }
            }
            Told::NotSent => Answer::NotSent(UNSENT),
            Told::Lost(why) => Answer::Lost(why),
        };
        self.input(&Input::Answer(id, &answer));
    }
}
