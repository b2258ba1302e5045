//! The dead man's switch: a client that began to beat and stops loses its resting orders.

use std::time::Duration;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::domain::Timestamp;

use super::super::Reply;
use super::access::uuid;
use super::trading::{error, field};

/// Without a beat for this long all orders are cancelled.
const LAPSES_AFTER: Duration = Duration::from_secs(10);
/// How often that is looked at.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(5);

/// The heart of one key.
#[derive(Debug, Default)]
pub(super) struct Heart {
    /// The id that the next beat has to bear; empty before the first.
    expected: String,
    beats: u64,
    last: Option<Timestamp>,
    next_look: Timestamp,
}

impl Heart {
    /// `POST /v1/heartbeats`.
    pub(super) fn beat(&mut self, body: &[u8], now: Timestamp) -> Reply {
        let Some(id) = field(body, "heartbeat_id") else {
            return error(400, "Invalid heartbeat payload");
        };
        if id != self.expected {
            let body =
                json!({ "error_msg": "Invalid Heartbeat ID", "heartbeat_id": self.expected });
            return Reply::json(400, &body);
        }
        self.touch(now);
        self.beats += 1;
        let hash = Sha256::new().chain_update("heartbeat").chain_update(self.beats.to_be_bytes());
        self.expected = uuid(hash.finalize().into());
        Reply::json(200, &json!({ "heartbeat_id": self.expected }))
    }

    /// Beats, whoever asks.
    pub(super) fn touch(&mut self, now: Timestamp) {
        if self.last.is_none() {
            self.next_look = now.after(LOOKED_AT_EVERY);
        }
        self.last = Some(now);
    }

    /// Whether it has stopped: once for each time that it stops.
    pub(super) fn has_stopped(&mut self, now: Timestamp) -> bool {
        let Some(last) = self.last.filter(|_| now >= self.next_look) else { return false };
        self.next_look = now.after(LOOKED_AT_EVERY);
        if now.since(last) <= LAPSES_AFTER {
            return false;
        }
        self.last = None;
        self.expected.clear();
        true
    }
}
