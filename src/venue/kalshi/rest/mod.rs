//! Kalshi's endpoints under the venue's own names.
//!
//! Every request is signed when there is a key, waits for its budget, and is tried again a bounded
//! number of times when the venue limits it or does not answer: all of them are reads. Answers are
//! read whole or refused with the field that is wrong.

mod clock;
mod load;
mod query;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use crate::domain::{FeeModel, Timestamp, Venue};
use crate::net::backoff::Backoff;
use crate::net::http::{self, Answer, Call, Failure};
use crate::net::rate::Bucket;
use crate::venue::Error;

use super::parse::{self, Level, malformed, misread, tame};
use super::sign::Signer;
use super::stream::path_of;
use super::wire::http as wire;
use super::{error, facts};

use load::Cache;
pub(super) use query::{Query, escape};

/// What carries requests, and lets time pass between them.
pub trait Transport: Send + Sync {
    /// Asks once.
    fn send(&self, call: Call) -> impl Future<Output = Result<Answer, Failure>> + Send;
    /// Waits.
    fn pause(&self, span: Duration) -> impl Future<Output = ()> + Send;
}

impl Transport for http::Client {
    async fn send(&self, call: Call) -> Result<Answer, Failure> {
        Self::send(self, call).await
    }

    async fn pause(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}

/// How a client asks.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address up to and including `/trade-api/v2`.
    pub base: String,
    /// The longest time for one answer.
    pub timeout: Duration,
    /// Requests a second without a key.
    pub unsigned_per_s: u64,
    /// How much of what the key may read is for this client.
    pub read_share_percent: u64,
    /// How often a read is tried in all.
    pub attempts_max: u32,
    /// First and longest wait between two tries.
    pub retry_wait: (Duration, Duration),
    /// How long what was read of a series or an event is believed.
    pub facts_age_max: Duration,
    /// The step that fees are estimated in, in micro-dollars.
    pub fee_grain: u32,
    /// Seed of the jitter of waits.
    pub seed: u64,
    /// Nanoseconds since 1970-01-01 UTC.
    pub now: fn() -> i64,
}

impl Settings {
    /// What suits the venue at this address.
    pub fn new(base: String) -> Self {
        Self {
            base,
            timeout: Duration::from_secs(10),
            unsigned_per_s: facts::UNSIGNED_REQUESTS_PER_S,
            read_share_percent: 100,
            attempts_max: 5,
            retry_wait: facts::LIMITED_WAIT,
            facts_age_max: Duration::from_mins(5),
            fee_grain: FeeModel::KALSHI_GRAIN,
            seed: 0,
            now: crate::net::clock::unix_nanos,
        }
    }
}

impl Settings {
    const fn share_of(&self, tokens: u64) -> u64 {
        tokens.saturating_mul(self.read_share_percent) / 100
    }
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyScope {
    /// It can't send orders.
    ReadOnly,
    /// It could send orders.
    CanTrade,
    /// The venue does not list the key that signed the question.
    Unknown,
}

/// What changes from request to request.
#[derive(Debug)]
struct State {
    bucket: Bucket,
    cache: Cache,
    seed: u64,
    offset_ms: Option<i64>,
}

/// A client of one exchange.
#[derive(Debug)]
pub struct Client<T = http::Client> {
    transport: T,
    settings: Settings,
    signer: Option<Signer>,
    state: Mutex<State>,
}

impl Client {
    /// A client over HTTP.
    pub fn new(settings: Settings, signer: Option<Signer>) -> Result<Self, Error> {
        let transport = http::Client::new(settings.timeout)
            .map_err(|failure| unavailable("a connection", &failure))?;
        Ok(Self::over(transport, settings, signer))
    }
}

impl<T: Transport> Client<T> {
    /// Most pages of one listing: a million markets.
    pub const PAGES_MAX: usize = 1_000;

    /// A client over any transport.
    pub fn over(transport: T, mut settings: Settings, signer: Option<Signer>) -> Self {
        settings.base.truncate(settings.base.trim_end_matches('/').len());
        let per_s = match signer {
            Some(_) => settings.share_of(facts::READ_TOKENS_PER_S),
            None => settings.unsigned_per_s.saturating_mul(facts::REQUEST_COST),
        };
        let state = State {
            bucket: Bucket::new(per_s, per_s),
            cache: Cache::default(),
            seed: settings.seed,
            offset_ms: None,
        };
        Self { transport, settings, signer, state: Mutex::new(state) }
    }

    /// Whether requests are signed.
    pub const fn is_signed(&self) -> bool {
        self.signer.is_some()
    }

    /// By how many milliseconds the venue's clock is ahead of ours, as of the newest answer that no
    /// cache can have kept; within about a second.
    pub fn clock_offset_ms(&self) -> Option<i64> {
        self.state().offset_ms
    }

    /// Whether the exchange works and trades.
    pub async fn get_exchange_status(&self) -> Result<wire::ExchangeStatus, Error> {
        self.get_json("get_exchange_status", "/exchange/status", &Query::none(), "").await
    }

    /// Weekly hours and announced breaks.
    pub async fn get_exchange_schedule(&self) -> Result<wire::Schedule, Error> {
        let (what, path) = ("get_exchange_schedule", "/exchange/schedule");
        let answer: wire::ScheduleAnswer = self.get_json(what, path, &Query::none(), "").await?;
        Ok(answer.schedule)
    }

    /// A series.
    pub async fn get_series(&self, ticker: &str) -> Result<wire::Series, Error> {
        let path = format!("/series/{}", escape(ticker));
        let answer: wire::SeriesAnswer =
            self.get_json("get_series", &path, &Query::none(), ticker).await?;
        Ok(answer.series)
    }

    /// An event, without its markets.
    pub async fn get_event(&self, ticker: &str) -> Result<wire::Event, Error> {
        let path = format!("/events/{}", escape(ticker));
        let answer: wire::EventAnswer =
            self.get_json("get_event", &path, &Query::none(), ticker).await?;
        Ok(answer.event)
    }

    /// All pages of the markets that a filter lets through.
    pub async fn get_markets(&self, filter: &MarketsFilter) -> Result<Vec<wire::Market>, Error> {
        const WHAT: &str = "get_markets";
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        let mut cursor = String::new();
        for _ in 0..Self::PAGES_MAX {
            let query = filter.query(&cursor);
            let page: wire::MarketsAnswer = self.get_json(WHAT, "/markets", &query, "").await?;
            found.extend(page.markets);
            cursor = page.cursor.unwrap_or_default();
            if cursor.is_empty() {
                return Ok(found);
            }
            // A cursor that the venue does not know brings the first page again, without a word.
            if !seen.insert(cursor.clone()) {
                return Err(malformed(WHAT, "cursor", "the same cursor came twice"));
            }
        }
        Err(malformed(WHAT, "cursor", format_args!("more than {} pages", Self::PAGES_MAX)))
    }

    /// A market, as the venue writes it.
    pub async fn get_market(&self, ticker: &str) -> Result<wire::Market, Error> {
        let path = format!("/markets/{}", escape(ticker));
        let text = self.get("get_market", &path, &Query::none(), ticker).await?;
        parse::market::market_answer(&text, ticker)
    }

    /// All levels of a market's book.
    pub async fn get_orderbook(&self, ticker: &str) -> Result<Vec<Level>, Error> {
        let path = format!("/markets/{}/orderbook", escape(ticker));
        let query = Query::none().with("depth", &facts::ORDERBOOK_DEPTH_ALL.to_string());
        let text = self.get("get_orderbook", &path, &query, ticker).await?;
        parse::orderbook(&text, ticker)
    }

    /// All levels of many books. A ticker that the venue does not know is left out of the answer.
    pub async fn get_orderbooks(&self, tickers: &[&str]) -> Result<parse::Orderbooks, Error> {
        let mut all = parse::Orderbooks::default();
        for chunk in tickers.chunks(facts::ORDERBOOKS_MAX) {
            // The name is repeated: of a list with commas the venue answers only one.
            let query = chunk.iter().fold(Query::none(), |query, one| query.with("tickers", one));
            let text = self.get("get_orderbooks", "/markets/orderbooks", &query, "").await?;
            let mut part = parse::orderbooks(&text)?;
            all.found.append(&mut part.found);
            all.refused.append(&mut part.refused);
        }
        Ok(all)
    }

    /// All levels of at most [`facts::ORDERBOOKS_MAX`] books, as the venue wrote them: for whoever
    /// writes down what arrived before it is read.
    pub async fn get_orderbooks_text(&self, tickers: &[&str]) -> Result<String, Error> {
        let query = tickers.iter().fold(Query::none(), |query, one| query.with("tickers", one));
        self.get("get_orderbooks", "/markets/orderbooks", &query, "").await
    }

    /// The announced changes of a series' fee.
    pub async fn get_series_fee_changes(
        &self,
        series: &str,
    ) -> Result<Vec<parse::FeeChange>, Error> {
        let query = Query::none().with("series_ticker", series);
        let (what, path) = ("get_series_fee_changes", "/series/fee_changes");
        let text = self.get(what, path, &query, series).await?;
        parse::fee::series_fee_changes(&text, series)
    }

    /// The announced changes of an event's fee.
    pub async fn get_event_fee_changes(&self, event: &str) -> Result<Vec<parse::FeeChange>, Error> {
        let query = Query::none().with("event_ticker", event);
        let (what, path) = ("get_event_fee_changes", "/events/fee_changes");
        let text = self.get(what, path, &query, event).await?;
        parse::fee::event_fee_changes(&text, event)
    }

    /// The key's budgets; the budget of reads is kept from here on.
    pub async fn get_account_limits(&self) -> Result<wire::AccountLimits, Error> {
        let (what, path) = ("get_account_limits", "/account/limits");
        let limits: wire::AccountLimits = self.get_json(what, path, &Query::none(), "").await?;
        if self.signer.is_some() {
            let read = limits.read;
            let share = |tokens| self.settings.share_of(tokens);
            let (capacity, refill) = (share(read.bucket_capacity), share(read.refill_rate));
            self.state().bucket.resize(capacity, refill);
        }
        Ok(limits)
    }

    /// The account's keys.
    pub async fn get_api_keys(&self) -> Result<Vec<wire::ApiKey>, Error> {
        let answer: wire::ApiKeysAnswer =
            self.get_json("get_api_keys", "/api_keys", &Query::none(), "").await?;
        Ok(answer.api_keys)
    }

    /// Whether the key that signs could also trade.
    pub async fn key_scope(&self) -> Result<KeyScope, Error> {
        let Some(signer) = &self.signer else { return Ok(KeyScope::Unknown) };
        let keys = self.get_api_keys().await?;
        let ours = keys.iter().find(|key| key.api_key_id == signer.key_id());
        Ok(match ours {
            None => KeyScope::Unknown,
            Some(key) if key.can_trade() => KeyScope::CanTrade,
            Some(_) => KeyScope::ReadOnly,
        })
    }

    async fn get_json<A: for<'de> Deserialize<'de>>(
        &self,
        what: &str,
        path: &str,
        query: &Query,
        id: &str,
    ) -> Result<A, Error> {
        let text = self.get(what, path, query, id).await?;
        let what = if id.is_empty() { what.to_owned() } else { format!("{what} of {id}") };
        serde_json::from_str(&text).map_err(|error| misread(&what, &text, &error))
    }

    /// Asks until there is an answer, the venue refuses for good, or the attempts are used up.
    async fn get(&self, what: &str, path: &str, query: &Query, id: &str) -> Result<String, Error> {
        let mut backoff = self.backoff();
        for attempt in 1.. {
            let error = match self.get_once(what, path, query, id).await {
                Ok(text) => return Ok(text),
                Err(error) => error,
            };
            if !error.is_passing() || attempt >= self.settings.attempts_max {
                return Err(error);
            }
            let wait = match &error {
                Error::Limited { after: Some(after), .. } => {
                    backoff.wait().max((*after).min(self.settings.timeout))
                }
                _ => backoff.wait(),
            };
            self.transport.pause(wait).await;
        }
        Err(unavailable(what, &"no attempt is allowed"))
    }

    async fn get_once(
        &self,
        what: &str,
        path: &str,
        query: &Query,
        id: &str,
    ) -> Result<String, Error> {
        loop {
            let taken = self.state().bucket.take(facts::REQUEST_COST, (self.settings.now)());
            match taken {
                Ok(()) => break,
                Err(wait) => self.transport.pause(wait).await,
            }
        }
        let asked = self.now();
        let bare = format!("{}{path}", self.settings.base);
        let headers = match &self.signer {
            Some(signer) => signer.headers("GET", path_of(&bare), asked)?.into(),
            None => Vec::new(),
        };
        let call =
            Call { url: format!("{bare}{query}"), headers, json: None, method: None, keeps: &[] };
        let answer =
            self.transport.send(call).await.map_err(|failure| unavailable(what, &failure))?;
        self.note_clock(what, answer.date.as_deref(), asked);
        if answer.status == 429 {
            self.state().bucket.drain((self.settings.now)());
        }
        match error::of_answer(answer.status, &answer.body, what, id, answer.retry_after) {
            Some(error) => Err(error),
            None => Ok(answer.body),
        }
    }

    fn note_clock(&self, what: &str, date: Option<&str>, asked: Timestamp) {
        /// Answers to these are made anew each time; the others may come from a cache with its
        /// date.
        const FRESH: [&str; 4] =
            ["get_orderbook", "get_orderbooks", "get_account_limits", "get_api_keys"];
        if FRESH.contains(&what)
            && let Some(offset) = date.and_then(|date| clock::offset_ms(date, asked, self.now()))
        {
            self.state().offset_ms = Some(offset);
        }
    }

    /// Each request has waits of its own, and no two draw the same jitter.
    fn backoff(&self) -> Backoff {
        let mut state = self.state();
        state.seed = state.seed.wrapping_add(1);
        let (first, longest) = self.settings.retry_wait;
        Backoff::new(first, longest, state.seed)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_nanos((self.settings.now)())
    }

    /// Nothing panics while the lock is held, and what it guards is sound after every statement.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub use query::{MarketsFilter, StatusFilter};

fn unavailable(what: &str, why: &dyn std::fmt::Display) -> Error {
    Error::Unavailable { venue: Venue::Kalshi, what: what.to_owned(), text: tame(&why.to_string()) }
}

#[cfg(test)]
mod tests;
