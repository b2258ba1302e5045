//! Signs of life while orders rest.
//!
//! The first one arms a switch at the venue: without another within ten seconds it cancels all
//! orders of the API key, also those that this program did not place. There is no documented way to
//! disarm it but to let it lapse; an account that also trades by hand needs an API key of its own.

use std::time::Duration;

use crate::domain::Timestamp;
use crate::venue::gateway::{Answer, Call, Class, Subject, Taken};
use crate::venue::polymarket::encode;
use crate::venue::polymarket::error::{short, text_of};
use crate::venue::polymarket::parse::reply::heartbeat_id;

use super::{Gateway, Request};

pub(super) const NAME: &str = "heartbeat";

/// How often the venue wants one (docs, 2026-10); it acts after ten seconds without.
const EVERY: Duration = Duration::from_secs(5);

/// What the venue expects to hear next, and when.
#[derive(Debug, Default)]
pub(super) struct Heart {
    id: String,
    due: Timestamp,
}

impl Heart {
    pub(super) fn is_due(&self, rests: bool, now: Timestamp) -> bool {
        rests && self.due <= now
    }
}

impl Gateway {
    /// The next sign of life. It is charged like a cancel: reads can't use that budget up.
    pub(super) fn beat(&mut self, now: Timestamp) -> Call {
        self.heart.due = now.after(EVERY);
        let request = Request {
            subject: Subject::Other(NAME, String::new()),
            class: Class::Cancel,
            method: "POST",
            path: "/v1/heartbeats",
            query: &[],
            body: Some(encode::order::heartbeat(&self.heart.id)),
        };
        self.signed(request, now)
    }

    /// A wrong id is answered with the right one, which is taken on at once.
    pub(super) fn read_heartbeat(
        &mut self,
        answer: &Answer<'_>,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let text = match answer {
            Answer::Reply { status: status @ (200..=299 | 400), body, .. } => {
                if let Some(id) = heartbeat_id(body) {
                    self.heart.id = id;
                    if *status == 400 {
                        self.heart.due = now;
                    }
                    return;
                }
                format!("status {status}: {}", text_of(body))
            }
            Answer::Reply { status, body, .. } => format!("status {status}: {}", text_of(body)),
            Answer::NotSent(text) | Answer::Lost(text) => short(text),
        };
        taken.notices.push(format!("polymarket took no sign of life: {text}"));
    }
}
