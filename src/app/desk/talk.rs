//! What is kept of the talk with the venues, for people to read.
//!
//! A request is kept with the next tick or with its answer, so that keeping it delays no sending.

use crate::domain::Timestamp;
use crate::journal::{Reply, Request};
use crate::venue::gateway::{Answer, Call, Class, Subject};

use super::{CallId, Desk};

impl Desk {
    /// Takes note of a call that goes out, where it places or cancels something.
    pub(super) fn note_sent(&mut self, id: CallId, class: Class, now: Timestamp) {
        if class != Class::Read {
            self.unnoted.push((id, now));
        }
    }

    /// Gives the journal the requests that went out since the last time.
    pub(super) fn keep_requests(&mut self) {
        if self.unnoted.is_empty() {
            return;
        }
        let sent = std::mem::take(&mut self.unnoted);
        let requests = sent.into_iter().filter_map(|(id, at)| {
            let call = self.under_way.get(&id)?;
            Some(request(id, call, at))
        });
        let requests = requests.collect();
        self.keep.note_requests(requests);
    }

    /// Gives the journal an answer, behind its request.
    pub(super) fn keep_reply(
        &mut self,
        id: CallId,
        class: Class,
        answer: &Answer<'_>,
        now: Timestamp,
    ) {
        if class == Class::Read {
            return;
        }
        let (status, body) = match answer {
            Answer::Reply { status, body, .. } => (Some(*status), (*body).to_owned()),
            Answer::NotSent(why) => (None, format!("not sent: {why}")),
            Answer::Lost(why) => (None, format!("no answer: {why}")),
        };
        self.keep.note_reply(Reply { request: id.0, at: now, status, body });
    }
}

fn request(id: CallId, call: &Call, at: Timestamp) -> Request {
    let (kind, intent) = match &call.subject {
        Subject::Place(intent) => ("place", Some(*intent)),
        Subject::Decrease(intent, _) => ("decrease", Some(*intent)),
        Subject::Amend(intent, _) => ("amend", Some(*intent)),
        Subject::Cancel(intent) => ("cancel", Some(*intent)),
        // Which orders it names stands in its body.
        Subject::Places(_) => ("places", None),
        Subject::Cancels(_) => ("cancels", None),
        Subject::Everything => ("cancel_every_order", None),
        Subject::Order(intent) => ("order", Some(*intent)),
        Subject::Seek(intent, _) => ("seek", Some(*intent)),
        Subject::Other(name, _) => (*name, None),
    };
    let Call { venue, method, url, body, .. } = call;
    let (url, body) = (url.clone(), body.clone());
    Request { number: id.0, at, venue: *venue, intent, kind, method, url, body }
}
