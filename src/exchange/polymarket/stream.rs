//! The market channel's connections: who subscribed to what, and what is sent to whom.
//!
//! There are no sequence numbers and nothing is sent twice on request: what a connection lost while
//! it was frozen stays lost.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::Timestamp;

use super::super::{Connection, Floor, Push, Reply};
use super::asset::Asset;
use super::tape::{Audience, Frame, Tape};

/// How long a connection lives without a `PING`.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(20);
/// Ids in one subscription; more of them and the connection is cut.
pub(super) const IDS_MAX: usize = 500;
/// Subscriptions of a connection that get a book; those beyond get changes only.
pub(super) const IMAGES_MAX: usize = 500;
/// Subscriptions of a connection; those beyond are not kept.
const ASSETS_MAX: usize = 5_000;
/// Connections at one time.
pub(super) const CONNECTIONS_MAX: usize = 256;

/// What a client sends.
#[derive(Debug, Deserialize)]
struct Message {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    operation: Option<String>,
    #[serde(default)]
    assets_ids: Vec<String>,
    #[serde(default)]
    custom_feature_enabled: Option<bool>,
    #[serde(default)]
    initial_dump: Option<bool>,
}

#[derive(Debug)]
struct Session {
    /// In the order of subscription.
    assets: Vec<Asset>,
    custom: bool,
    pinged: Timestamp,
    /// Until when nothing but `PONG` is sent; then the connection is cut.
    frozen: Option<Timestamp>,
    /// Whether a level's change is to be lost.
    lossy: bool,
    /// Tokens whose books come late.
    owed: Vec<Asset>,
}

impl Session {
    fn hears(&self, audience: Audience) -> bool {
        let has = |asset| self.assets.contains(asset);
        match audience {
            Audience::Everyone => self.custom,
            Audience::Custom(asset) => self.custom && has(&asset),
            Audience::Token(asset) => has(&asset),
            // Levels are asked for by market, in `send`.
            Audience::Level(_) => false,
        }
    }

    fn has_market(&self, market: usize) -> bool {
        Asset::both(market).iter().any(|asset| self.assets.contains(asset))
    }

    /// Adds the tokens that are listed; says which of them get a book.
    fn subscribe(&mut self, ids: &[String], floor: &Floor) -> Vec<Asset> {
        let mut imaged = Vec::new();
        for asset in ids.iter().filter_map(|id| Asset::find(floor, id)) {
            let place = self.assets.iter().position(|held| *held == asset).or_else(|| {
                let room = self.assets.len() < ASSETS_MAX;
                room.then(|| {
                    self.assets.push(asset);
                    self.assets.len() - 1
                })
            });
            if place.is_some_and(|place| place < IMAGES_MAX) && !imaged.contains(&asset) {
                imaged.push(asset);
            }
        }
        imaged
    }
}

/// All connections.
#[derive(Debug, Default)]
pub(super) struct Stream {
    sessions: BTreeMap<Connection, Session>,
    /// Until when books that are asked for are held back.
    late: Option<Timestamp>,
}

impl Stream {
    /// Takes a connection, or says that there are too many.
    pub(super) fn open(&mut self, connection: Connection, now: Timestamp) -> Result<(), Reply> {
        if self.sessions.len() >= CONNECTIONS_MAX {
            let body = serde_json::json!({ "error": "too many connections" });
            return Err(Reply::json(503, &body));
        }
        let session = Session {
            assets: Vec::new(),
            custom: false,
            pinged: now,
            frozen: None,
            lossy: false,
            owed: Vec::new(),
        };
        self.sessions.insert(connection, session);
        Ok(())
    }

    /// Forgets a connection.
    pub(super) fn closed(&mut self, connection: Connection) {
        self.sessions.remove(&connection);
    }

    /// Takes what a client sent.
    pub(super) fn text(
        &mut self,
        connection: Connection,
        text: &str,
        (floor, tape): (&Floor, &Tape),
        now: Timestamp,
        out: &mut Vec<Push>,
    ) {
        let Some(session) = self.sessions.get_mut(&connection) else { return };
        if text == "PING" {
            session.pinged = now;
            out.push(Push::Text(connection, "PONG".to_owned()));
            return;
        }
        if session.frozen.is_some() {
            return;
        }
        let Ok(message) = serde_json::from_str::<Message>(text) else {
            out.push(Push::Text(connection, "INVALID OPERATION".to_owned()));
            return;
        };
        let operation = message.operation.as_deref();
        let first = message.kind.as_deref() == Some("market") && operation.is_none();
        if first || operation == Some("subscribe") {
            if message.assets_ids.len() > IDS_MAX {
                self.sessions.remove(&connection);
                out.push(Push::Cut(connection));
                return;
            }
            session.custom = message.custom_feature_enabled.unwrap_or(session.custom);
            let imaged = session.subscribe(&message.assets_ids, floor);
            if message.initial_dump == Some(false) {
                return;
            }
            match self.late {
                Some(until) if now < until => {
                    let new = imaged.into_iter().filter(|asset| !session.owed.contains(asset));
                    session.owed.extend(new.collect::<Vec<_>>());
                }
                _ => out.push(dump(connection, &imaged, floor, tape)),
            }
        } else if operation == Some("unsubscribe") {
            let gone = |asset: &Asset| {
                let id = asset.id(&floor.listings[asset.market]);
                message.assets_ids.iter().any(|unwanted| unwanted == id)
            };
            session.assets.retain(|asset| !gone(asset));
            session.owed.retain(|asset| !gone(asset));
        } else {
            out.push(Push::Text(connection, "INVALID OPERATION".to_owned()));
        }
    }

    /// Whether a connection that is not frozen has a token of the market.
    pub(super) fn has_audience(&self, market: usize) -> bool {
        self.sessions.values().any(|held| held.frozen.is_none() && held.has_market(market))
    }

    /// Sends the frames of one batch to whom they concern.
    pub(super) fn send(&mut self, market: usize, frames: &[Frame], out: &mut Vec<Push>) {
        // A book at the end of the batch would heal what was lost before it, unseen.
        let heals = frames.iter().any(|frame| matches!(frame.to, Audience::Token(_)));
        let first = frames.iter().find_map(|frame| match frame.to {
            Audience::Level(level) => Some(level),
            _ => None,
        });
        for (connection, session) in &mut self.sessions {
            if session.frozen.is_some() {
                continue;
            }
            let has_market = session.has_market(market);
            let lost = first.filter(|_| session.lossy && has_market && !heals);
            if lost.is_some() {
                session.lossy = false;
            }
            for frame in frames {
                let wanted = match frame.to {
                    Audience::Level(level) => has_market && lost != Some(level),
                    other => session.hears(other),
                };
                if wanted {
                    out.push(Push::Text(*connection, frame.text.clone()));
                }
            }
        }
    }

    /// Cuts who is silent or was frozen long enough, and sends books that are due.
    pub(super) fn tick(&mut self, floor: &Floor, tape: &Tape, now: Timestamp, out: &mut Vec<Push>) {
        self.sessions.retain(|connection, session| {
            let silent = now.since(session.pinged) > SILENCE_MAX;
            let cut = silent || session.frozen.is_some_and(|until| now >= until);
            if cut {
                out.push(Push::Cut(*connection));
            }
            !cut
        });
        if self.late.is_none_or(|until| now < until) {
            return;
        }
        self.late = None;
        for (connection, session) in &mut self.sessions {
            let owed = std::mem::take(&mut session.owed);
            if !owed.is_empty() && session.frozen.is_none() {
                out.push(dump(*connection, &owed, floor, tape));
            }
        }
    }

    /// Cuts every connection.
    pub(super) fn disconnect(&mut self, out: &mut Vec<Push>) {
        let gone = std::mem::take(&mut self.sessions);
        out.extend(gone.into_keys().map(Push::Cut));
    }

    /// Lets every present connection answer nothing but `PING`.
    pub(super) fn freeze(&mut self, until: Timestamp) {
        for session in self.sessions.values_mut() {
            session.frozen = Some(session.frozen.map_or(until, |before| before.min(until)));
        }
    }

    /// Loses the next change of a level on every connection that has a token.
    pub(super) fn lose_one(&mut self) {
        for session in self.sessions.values_mut().filter(|session| !session.assets.is_empty()) {
            session.lossy = true;
        }
    }

    /// Holds back the books that are asked for from now on.
    pub(super) fn hold_images(&mut self, until: Timestamp) {
        self.late = Some(self.late.map_or(until, |before| before.max(until)));
    }
}

/// The answer to a subscription: one array, empty when no token is known.
fn dump(connection: Connection, assets: &[Asset], floor: &Floor, tape: &Tape) -> Push {
    let books = assets.iter().map(|asset| tape.image(*asset, floor).frame()).collect();
    Push::Text(connection, Value::Array(books).to_string())
}
