//! REST on virtual time: the real Kalshi client over a transport in memory, and Polymarket's
//! parsers over the bodies that its exchange answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbook::domain::{Market, Timestamp, Venue};
use crossbook::exchange::polymarket::HOST;
use crossbook::exchange::{Reply, Request};
use crossbook::net::http::{Answer, Call, Failure};
use crossbook::venue::Error;
use crossbook::venue::kalshi::rest::{Client, Settings, Transport};
use crossbook::venue::kalshi::sign::Signer;
use crossbook::venue::polymarket::{encode, parse};

use super::clock;
pub(crate) const KALSHI_REST: &str = "http://127.0.0.1:9/trade-api/v2";

/// Both exchanges, as whoever asks them over REST sees them.
pub(crate) trait Shop: Send + 'static {
    /// How long something is under way.
    fn travel(&mut self) -> Duration;
    /// Carries out a request that has arrived.
    fn request(&mut self, venue: Venue, request: &Request<'_>, now: Timestamp) -> Reply;
}

/// Carries requests to the exchange and answers back, each with its time of travel.
pub(crate) struct Carrier<S> {
    shop: Arc<Mutex<S>>,
    venue: Venue,
}

/// Path and query of an address.
pub(crate) fn target(url: &str) -> (&str, &str) {
    let after = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after.find('/').map_or("/", |at| &after[at..]);
    path.split_once('?').unwrap_or((path, ""))
}

pub(crate) fn lower(headers: Vec<(&'static str, String)>) -> Vec<(String, String)> {
    headers.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect()
}

impl<S: Shop> Carrier<S> {
    async fn ask(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: &str,
    ) -> Reply {
        let out = self.shop.lock().unwrap().travel();
        clock::sleep(out).await;
        let (path, query) = target(url);
        let request = Request { method, path, query, headers, body: body.as_bytes() };
        let now = Timestamp::from_nanos(clock::unix_nanos());
        let (reply, back) = {
            let mut shop = self.shop.lock().unwrap();
            (shop.request(self.venue, &request, now), shop.travel())
        };
        clock::sleep(back).await;
        reply
    }
}

impl<S: Shop> Transport for Carrier<S> {
    async fn send(&self, call: Call) -> Result<Answer, Failure> {
        let method = if call.json.is_some() { "POST" } else { "GET" };
        let headers = lower(call.headers);
        let body = call.json.unwrap_or_default();
        let reply = self.ask(method, &call.url, &headers, &body).await;
        Ok(Answer {
            status: reply.status,
            body: reply.body,
            retry_after: None,
            date: None,
            headers: Vec::new(),
        })
    }

    async fn pause(&self, span: Duration) {
        clock::sleep(span).await;
    }
}

/// Kalshi's client, on the thread's clock.
pub(crate) fn kalshi<S: Shop>(
    shop: &Arc<Mutex<S>>,
    signer: Option<Signer>,
) -> Arc<Client<Carrier<S>>> {
    let carrier = Carrier { shop: Arc::clone(shop), venue: Venue::Kalshi };
    let settings = Settings { now: clock::unix_nanos, ..Settings::new(KALSHI_REST.to_owned()) };
    Arc::new(Client::over(carrier, settings, signer))
}

/// Reads a Kalshi market until the venue answers for good.
pub(crate) async fn load_kalshi<S: Shop>(
    client: Arc<Client<Carrier<S>>>,
    id: String,
) -> Result<Market, (Venue, String)> {
    loop {
        match client.load_market(&id).await {
            Ok(market) => return Ok(market),
            // A key that is refused may be accepted later, as the loader has it.
            Err(error) if error.is_passing() || matches!(error, Error::Unauthorised { .. }) => {
                clock::sleep(Duration::from_millis(500)).await;
            }
            Err(_) => return Err((Venue::Kalshi, id)),
        }
    }
}

/// Asks one of Polymarket's hosts until it answers with 200.
pub(crate) async fn ask_polymarket<S: Shop>(
    shop: &Arc<Mutex<S>>,
    host: &str,
    url: &str,
    json: &str,
) -> String {
    let carrier = Carrier { shop: Arc::clone(shop), venue: Venue::Polymarket };
    let headers = [(HOST.to_owned(), host.to_owned())];
    let method = if json.is_empty() { "GET" } else { "POST" };
    let mut wait = Duration::from_millis(200);
    loop {
        let reply = carrier.ask(method, url, &headers, json).await;
        if reply.status == 200 {
            return reply.body;
        }
        clock::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(2));
    }
}

/// Reads a Polymarket market from Gamma and the CLOB.
pub(crate) async fn load_polymarket<S: Shop>(
    shop: Arc<Mutex<S>>,
    id: String,
) -> Result<Market, (Venue, String)> {
    let short = id.strip_suffix("00").unwrap_or(&id);
    let query = [("limit", "100"), ("condition_ids", &id), ("condition_ids", short)];
    let gamma = encode::url("http://127.0.0.1:9", "/markets", &query);
    let clob = encode::url("http://127.0.0.1:9", &format!("/clob-markets/{id}"), &[]);
    let listings = ask_polymarket(&shop, "gamma", &gamma, "").await;
    let compact = ask_polymarket(&shop, "clob", &clob, "").await;
    let read = || -> Result<Market, Error> {
        let listings = parse::market::listings(&listings)?;
        let found = listings.found.into_iter().find(|one| one.condition == id);
        found.unwrap().market(&compact)
    };
    read().map_err(|_| (Venue::Polymarket, id))
}
