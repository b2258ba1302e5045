//! Polymarket's public side: the CLOB, Gamma, and the market channel, as the global exchange
//! speaks them.
//!
//! One process listens where the venue has three hosts; the header [`HOST`] says to which of them a
//! request came. The matching books hold YES only; what is said of NO is its mirror, since the
//! venue has one pool. Every frame carries the time of the call that caused it; books carry the
//! time of their last change. `market_resolved` is never sent, as on the venue: clients have to
//! ask Gamma.

mod asset;
mod catalog;
mod clob;
mod frame;
mod gamma;
mod limits;
mod query;
mod stream;
mod tape;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::json;

use crate::domain::market::{Band, Status};
use crate::domain::{PriceGrid, Timestamp};

use super::faults::Fault;
use super::ledger::Statement;
use super::{Connection, Core, Fact, Floor, Push, Reply, Request, Sending};
use catalog::Catalog;
use limits::{Group, Limits};
use stream::Stream;
use tape::{Audience, Frame, Tape};

/// The header that names the listener: `clob`, `gamma` or `data`; `clob` when it is missing.
pub const HOST: &str = "x-crossbook-host";

/// The market-data side of Polymarket, without I/O.
#[derive(Debug)]
pub struct Polymarket {
    stream: Stream,
    tape: Tape,
    limits: Limits,
    /// Until when every request is answered with 429.
    limited: Option<Timestamp>,
    /// Until when every request is answered with this status.
    erring: Option<(Timestamp, u16)>,
    /// Markets that take no orders, and until when.
    paused: BTreeMap<usize, Timestamp>,
}

impl Default for Polymarket {
    fn default() -> Self {
        Self::new()
    }
}

impl Polymarket {
    /// An exchange without connections.
    pub fn new() -> Self {
        Self {
            stream: Stream::default(),
            tape: Tape::default(),
            limits: Limits::new(),
            limited: None,
            erring: None,
            paused: BTreeMap::new(),
        }
    }

    /// Takes notice of new markets, and tells those who asked to hear of them.
    fn notice(&mut self, floor: &Floor, now: Timestamp, out: &mut Vec<Push>) {
        let known = self.tape.notice(floor, now);
        if known == 0 {
            return;
        }
        for market in known..floor.listings.len() {
            let listing = &floor.listings[market];
            let text = frame::new_market(
                listing,
                &catalog::market_id(market),
                &Catalog::of(floor).event_id(market),
                &catalog::market_slug(market, listing),
                now,
            );
            let frame = Frame { to: Audience::Everyone, text: text.to_string() };
            self.stream.send(market, &[frame], out);
        }
    }

    /// The answer while something is broken.
    fn outage(&self, now: Timestamp) -> Option<Reply> {
        if let Some((until, status)) = self.erring
            && now < until
        {
            return Some(broken(status));
        }
        let until = self.limited.filter(|until| now < *until)?;
        Some(limits::too_many(until.since(now)))
    }

    fn retick(
        &mut self,
        market: usize,
        bands: &[Band],
        floor: &mut Floor,
        now: Timestamp,
        out: &mut Vec<Push>,
    ) {
        let Some(listing) = floor.listings.get_mut(market) else { return };
        if PriceGrid::new(bands.to_vec()).is_none() {
            return;
        }
        let old = asset::tick(listing);
        listing.bands = bands.to_vec();
        if asset::tick(listing) != old {
            let frames = self.tape.ticks(market, old, floor, now);
            self.stream.send(market, &frames, out);
        }
    }
}

impl Core for Polymarket {
    fn request(
        &mut self,
        request: &Request<'_>,
        floor: &mut Floor,
        now: Timestamp,
        out: &mut Vec<Push>,
    ) -> Reply {
        self.notice(floor, now, out);
        if let Some(reply) = self.outage(now) {
            return reply;
        }
        let host = request.header(HOST).unwrap_or("clob");
        let group = match host {
            "gamma" => gamma::group(request.path),
            "data" => Group::Data,
            _ => clob::group(request.path),
        };
        if let Err(reply) = self.limits.admit(group, now) {
            return reply;
        }
        match host {
            "gamma" => gamma::answer(request, floor),
            "data" => data(request),
            _ => clob::answer(request, floor, &self.tape, now),
        }
    }

    fn open(
        &mut self,
        connection: Connection,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<(), Reply> {
        if !matches!(request.path, "/market" | "/ws/market") {
            return Err(Reply::json(404, &json!({ "error": "Not Found" })));
        }
        self.limits.admit(Group::Open, now)?;
        self.stream.open(connection, now)
    }

    fn text(
        &mut self,
        connection: Connection,
        text: &str,
        floor: &mut Floor,
        now: Timestamp,
        out: &mut Vec<Push>,
    ) {
        self.notice(floor, now, out);
        self.stream.text(connection, text, (floor, &self.tape), now, out);
    }

    fn closed(&mut self, connection: Connection) {
        self.stream.closed(connection);
    }

    fn report(
        &mut self,
        market: usize,
        facts: &[Fact],
        floor: &Floor,
        now: Timestamp,
        out: &mut Vec<Push>,
    ) {
        self.notice(floor, now, out);
        if facts.is_empty() || market >= floor.listings.len() {
            return;
        }
        let step = self.tape.note(market, facts, floor, now);
        // Hashing two whole books is the dear part, and nobody may listen.
        if self.stream.has_audience(market) {
            let frames = self.tape.frames(&step, floor, now);
            self.stream.send(market, &frames, out);
        }
    }

    fn tick(&mut self, floor: &mut Floor, now: Timestamp, out: &mut Vec<Push>) {
        self.notice(floor, now, out);
        self.paused.retain(|market, until| {
            let over = now >= *until;
            if over
                && let Some(listing) = floor.listings.get_mut(*market)
                && listing.status == Status::Paused
            {
                listing.status = Status::Open;
            }
            !over
        });
        self.stream.tick(floor, &self.tape, now, out);
    }

    fn statement(&self, _floor: &Floor) -> Statement {
        Statement::default()
    }

    fn fault(&mut self, fault: &Fault, floor: &mut Floor, now: Timestamp, out: &mut Vec<Push>) {
        self.notice(floor, now, out);
        match fault {
            Fault::Disconnect => self.stream.disconnect(out),
            Fault::Freeze { lasts } => self.stream.freeze(now.after(*lasts)),
            Fault::Gap => self.stream.lose_one(),
            Fault::LateSnapshot { lasts } => self.stream.hold_images(now.after(*lasts)),
            Fault::RateLimited { lasts } => {
                self.limited = self.limited.max(Some(now.after(*lasts)));
            }
            Fault::ServerError { lasts, status } => {
                self.erring = Some((now.after(*lasts), (*status).clamp(500, 504)));
            }
            Fault::Pause { lasts, market } => {
                let Some(listing) = floor.listings.get_mut(*market) else { return };
                // A market that someone else paused or closed is not ours to open again.
                if listing.status == Status::Open {
                    listing.status = Status::Paused;
                    self.paused.insert(*market, now.after(*lasts));
                } else if let Some(until) = self.paused.get_mut(market) {
                    *until = (*until).max(now.after(*lasts));
                }
            }
            Fault::Ticks { market, bands } => self.retick(*market, bands, floor, now, out),
            _ => {}
        }
    }
}

/// The Data API keeps what accounts did, and this exchange has no accounts: only its health is
/// public here.
fn data(request: &Request<'_>) -> Reply {
    if request.method == "GET" && request.path == "/" {
        return Reply::json(200, &json!({ "data": "OK" }));
    }
    Reply::json(404, &json!({ "error": "not found" }))
}

/// The page of a server in trouble: the exchange itself answers in JSON, what stands before it in
/// HTML.
fn broken(status: u16) -> Reply {
    if status <= 501 {
        return Reply::json(status, &json!({ "error": "Internal Server Error" }));
    }
    let headers = vec![("content-type", "text/html".to_owned())];
    Reply {
        sending: Sending::Now,
        status,
        headers,
        body: format!("<html><body><h1>{status}</h1></body></html>"),
    }
}
