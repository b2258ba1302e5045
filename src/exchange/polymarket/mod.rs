//! Polymarket: the CLOB, Gamma, the Data API, the market channel and the user channel, as the
//! global exchange speaks them.
//!
//! One process listens where the venue has three hosts; the header [`HOST`] says to which of them a
//! request came. The matching books hold YES only; what is said of NO is its mirror, since the
//! venue has one pool. Every frame carries the time of the call that caused it; books carry the
//! time of their last change. `market_resolved` is sent for a market that ends YES or NO, and not
//! for one that ends in between: on the venue it is not reliable either, and clients have to ask
//! Gamma.

mod access;
mod account;
mod asset;
mod budget;
mod cancel;
mod catalog;
mod clob;
mod data;
mod disturb;
mod frame;
mod funds;
mod gamma;
mod heart;
mod limits;
mod order;
mod place;
mod private;
mod query;
mod settle;
mod sign;
mod stream;
mod tape;
mod trading;
mod trouble;
mod user;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::domain::market::{Band, Status};
use crate::domain::{Outcome, PriceGrid, Timestamp};

use super::faults::{Fault, Resolution};
use super::ledger::Statement;
use super::{Connection, Core, Fact, Floor, Push, Reply, Request, Sending};
use asset::Asset;
use catalog::Catalog;
use limits::{Group, Limits};
use stream::Stream;
use tape::{Audience, Frame, Tape};
use trading::{Scene, Trading};

pub use access::ApiKey;
pub use budget::Tier;
pub use sign::{Address, WalletKind};
pub use trading::Wallet;

/// The header that names the listener: `clob`, `gamma` or `data`; `clob` when it is missing.
pub const HOST: &str = "x-crossbook-host";

/// Polymarket, without I/O.
#[derive(Debug)]
pub struct Polymarket {
    stream: Stream,
    tape: Tape,
    trading: Trading,
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
    /// An exchange without connections, with the test wallet.
    pub fn new() -> Self {
        Self::with_wallet(Wallet::default())
    }

    /// An exchange on which this wallet trades.
    pub fn with_wallet(wallet: Wallet) -> Self {
        Self {
            stream: Stream::default(),
            tape: Tape::default(),
            trading: Trading::new(wallet),
            limits: Limits::new(),
            limited: None,
            erring: None,
            paused: BTreeMap::new(),
        }
    }

    /// How often each fault of orders has met one, by its name.
    pub const fn met(&self) -> &BTreeMap<&'static str, u64> {
        &self.trading.trouble.met
    }

    /// The wallet's API key of a nonce, as if the wallet had asked for it.
    pub fn api_key(&mut self, nonce: u64) -> ApiKey {
        self.trading.keys.issue(nonce)
    }

    /// The trading side, and where it tells what it does.
    fn trading<'a>(
        &'a mut self,
        floor: &'a mut Floor,
        now: Timestamp,
        out: &'a mut Vec<Push>,
    ) -> (&'a mut Trading, Scene<'a>) {
        let Self { stream, tape, trading, .. } = self;
        (trading, Scene { floor, tape, stream, out, now })
    }

    /// Ends a market.
    fn resolve(
        &mut self,
        (market, resolution, pays_after): (usize, Resolution, Duration),
        floor: &mut Floor,
        now: Timestamp,
        out: &mut Vec<Push>,
    ) {
        let (trading, mut scene) = self.trading(floor, now, out);
        trading.resolve(market, resolution, pays_after, &mut scene);
        let Some(listing) = floor.listings.get(market) else { return };
        let winner = match resolution {
            Resolution::Yes => Outcome::Yes,
            Resolution::No => Outcome::No,
            Resolution::Value(_) => return,
        };
        let asset = Asset { market, outcome: winner };
        let text = frame::market_resolved(listing, &catalog::market_id(market), asset, now);
        let frame = Frame { to: Audience::Everyone, text: text.to_string() };
        self.stream.send(market, &[frame], out);
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
        // On the venue this is asked of its site, which is none of the three hosts.
        if (request.method, request.path) == ("GET", "/api/geoblock") {
            let body =
                json!({ "blocked": false, "ip": "127.0.0.1", "country": "CH", "region": "ZH" });
            return Reply::json(200, &body);
        }
        match host {
            "gamma" => gamma::answer(request, floor, &self.trading.endings),
            "data" => data::answer(&self.trading, request, floor, now),
            _ => {
                let (trading, mut scene) = self.trading(floor, now, out);
                match trading.request(request, &mut scene) {
                    Some(reply) => reply,
                    None => clob::answer(request, floor, &self.tape, now),
                }
            }
        }
    }

    fn open(
        &mut self,
        connection: Connection,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<(), Reply> {
        let user = match request.path {
            "/market" | "/ws/market" => false,
            "/user" | "/ws/user" => true,
            _ => return Err(Reply::json(404, &json!({ "error": "Not Found" }))),
        };
        self.limits.admit(Group::Open, now)?;
        if user {
            self.trading.users.open(connection, now)
        } else {
            self.stream.open(connection, now)
        }
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
        if !self.trading.text(connection, text, now, out) {
            self.stream.text(connection, text, (floor, &self.tape), now, out);
        }
    }

    fn closed(&mut self, connection: Connection) {
        self.trading.users.closed(connection);
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
        let Self { stream, tape, trading, .. } = self;
        trading::publish(tape, stream, (market, facts), floor, now, out);
        trading.overhear((market, facts), floor, now, out);
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
        let (trading, mut scene) = self.trading(floor, now, out);
        trading.tick(&mut scene);
        self.stream.tick(floor, &self.tape, now, out);
    }

    fn statement(&self, _floor: &Floor) -> Statement {
        self.trading.statement()
    }

    fn fault(&mut self, fault: &Fault, floor: &mut Floor, now: Timestamp, out: &mut Vec<Push>) {
        self.notice(floor, now, out);
        match fault {
            Fault::Disconnect => {
                self.stream.disconnect(out);
                self.trading.users.disconnect(out);
            }
            Fault::Freeze { lasts } => {
                self.stream.freeze(now.after(*lasts));
                self.trading.users.freeze(now.after(*lasts));
            }
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
            Fault::PrivateSilence { lasts } => self.trading.users.silence(now.after(*lasts)),
            Fault::Jumbled { lasts } => self.trading.users.jumble(now.after(*lasts)),
            Fault::Resolve { market, resolution, pays_after } => {
                self.resolve((*market, *resolution, *pays_after), floor, now, out);
            }
            Fault::Funds(transfer) => self.trading.account.transfer(*transfer, now),
            other => {
                let Trading { trouble, account, .. } = &mut self.trading;
                trouble.strike(other, account, now);
            }
        }
    }
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
