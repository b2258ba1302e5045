//! Polymarket's public endpoints under their own names: Gamma for words, the CLOB for numbers.
//!
//! Only reads: each may be repeated, at most [`patience::ATTEMPTS_MAX`] times, with jittered waits
//! that honour `Retry-After`. Every request takes from the budget of its class first, so that the
//! venue's limits are kept without being told.

pub mod patience;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::{Market, Timestamp};
use crate::net::clock;
use crate::net::http::{self, Answer, Call};
use crate::net::rate::Bucket;
use crate::venue::Error;

use super::error::{failure, malformed};
use super::parse::market::{self, Event, Listing, Listings};
use super::parse::{self, Book, Books, Place};
use super::{encode, facts};
use patience::{Patience, Verdict};

/// Where the venue is and how patient we are with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Base of the order books' REST, such as [`facts::CLOB_URL`].
    pub clob_url: String,
    /// Base of the facts' REST, such as [`facts::GAMMA_URL`].
    pub gamma_url: String,
    /// How long one request may take.
    pub timeout: Duration,
    /// The first wait before a request is repeated.
    pub backoff_first: Duration,
    /// The longest wait before a request is repeated.
    pub backoff_longest: Duration,
    /// Seed of the jitter.
    pub seed: u64,
}

/// The most pages that are read of one list.
pub const PAGES_MAX: usize = 2_000;

/// How Gamma's markets are picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By Gamma's own number.
    Id,
    /// By the name in URLs.
    Slug,
    /// By condition id.
    Condition,
}

impl By {
    const fn key(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Slug => "slug",
            Self::Condition => "condition_ids",
        }
    }
}

/// How far the venue's clock is from ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offset {
    /// Theirs less ours, in nanoseconds.
    pub nanos: i64,
    /// How wrong that may be.
    pub error: Duration,
}

impl Offset {
    /// From a time in whole seconds that was read between `sent` and `received`.
    pub fn between(server: Timestamp, sent: Timestamp, received: Timestamp) -> Self {
        // The server cut its fraction off: half a second is the middle of what it may have been.
        const HALF: Duration = Duration::from_millis(500);
        let trip = received.since(sent);
        let nanos = server.after(HALF).nanos().saturating_sub(sent.after(trip / 2).nanos());
        Self { nanos, error: HALF + trip / 2 }
    }
}

#[derive(Debug, Clone, Copy)]
enum Class {
    GammaMarkets,
    GammaEvents,
    Clob,
    Book,
    Books,
}

/// A client with one pool of connections and one budget for each class of requests.
#[derive(Debug)]
pub struct Client {
    settings: Settings,
    http: http::Client,
    budgets: Mutex<Budgets>,
}

#[derive(Debug)]
struct Budgets {
    gamma_markets: Bucket,
    gamma_events: Bucket,
    clob: Bucket,
    book: Bucket,
    books: Bucket,
    /// How many requests were made; each has jitter of its own.
    calls: u64,
}

impl Budgets {
    fn new() -> Self {
        Self {
            gamma_markets: bucket(facts::limit::GAMMA_MARKETS),
            gamma_events: bucket(facts::limit::GAMMA_EVENTS),
            clob: bucket(facts::limit::CLOB),
            book: bucket(facts::limit::BOOK),
            books: bucket(facts::limit::BOOKS),
            calls: 0,
        }
    }

    const fn of(&mut self, class: Class) -> &mut Bucket {
        match class {
            Class::GammaMarkets => &mut self.gamma_markets,
            Class::GammaEvents => &mut self.gamma_events,
            Class::Clob => &mut self.clob,
            Class::Book => &mut self.book,
            Class::Books => &mut self.books,
        }
    }
}

/// Never more than the limit in any ten seconds: a tenth of it at once, eight tenths over them.
fn bucket(in_ten_seconds: u64) -> Bucket {
    Bucket::new(in_ten_seconds / 10, in_ten_seconds * 8 / 100)
}

impl Client {
    /// A client; nothing is asked yet.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let http =
            http::Client::new(settings.timeout).map_err(|error| failure("client", &error))?;
        Ok(Self { settings, http, budgets: Mutex::new(Budgets::new()) })
    }

    /// Gamma `/markets`, any number of keys in as many calls as needed.
    pub async fn get_markets(&self, by: By, keys: &[&str]) -> Result<Listings, Error> {
        let mut all = Listings::default();
        for chunk in keys.chunks(facts::GAMMA_IDS_MAX) {
            let limit = facts::GAMMA_PAGE_MAX.to_string();
            let mut query = vec![("limit", limit.as_str())];
            query.extend(chunk.iter().map(|key| (by.key(), *key)));
            let url = encode::url(&self.settings.gamma_url, "/markets", &query);
            let answer = self.get(Class::GammaMarkets, "get_markets", url).await?;
            let mut listings = market::listings(&answer.body)?;
            all.found.append(&mut listings.found);
            all.refused.append(&mut listings.refused);
        }
        Ok(all)
    }

    /// Gamma `/markets/keyset`, all pages.
    pub async fn get_markets_keyset(&self, filter: &[(&str, &str)]) -> Result<Listings, Error> {
        let mut all = Listings::default();
        let mut cursors = Cursors::default();
        loop {
            let url = self.page_url("/markets/keyset", filter, &cursors);
            let answer = self.get(Class::GammaMarkets, "get_markets_keyset", url).await?;
            let mut page = market::listings(&answer.body)?;
            all.found.append(&mut page.found);
            all.refused.append(&mut page.refused);
            if !cursors.turn("get_markets_keyset", page.next_cursor)? {
                return Ok(all);
            }
        }
    }

    /// Gamma `/events` by slug.
    pub async fn get_event(&self, slug: &str) -> Result<Event, Error> {
        let url = encode::url(&self.settings.gamma_url, "/events", &[("slug", slug)]);
        let answer = self.get(Class::GammaEvents, "get_event", url).await?;
        let (events, _) = market::events(&answer.body)?;
        let found = events.into_iter().find(|event| event.slug == slug);
        found.ok_or_else(|| no_such(slug))
    }

    /// Gamma `/events/keyset`, all pages.
    pub async fn get_events_keyset(&self, filter: &[(&str, &str)]) -> Result<Vec<Event>, Error> {
        let mut all = Vec::new();
        let mut cursors = Cursors::default();
        loop {
            let url = self.page_url("/events/keyset", filter, &cursors);
            let answer = self.get(Class::GammaEvents, "get_events_keyset", url).await?;
            let (mut page, next) = market::events(&answer.body)?;
            all.append(&mut page);
            if !cursors.turn("get_events_keyset", next)? {
                return Ok(all);
            }
        }
    }

    /// CLOB `/clob-markets/{condition_id}`, as it came.
    pub async fn get_clob_market(&self, condition: &str) -> Result<String, Error> {
        let Some(condition) = market::condition(condition) else { return Err(no_such(condition)) };
        let path = format!("/clob-markets/{condition}");
        let url = encode::url(&self.settings.clob_url, &path, &[]);
        match self.get(Class::Clob, "get_clob_market", url).await {
            Err(Error::Refused { status: 404, .. }) => Err(no_such(&condition)),
            other => other.map(|answer| answer.body),
        }
    }

    /// Gamma's listing of one market.
    pub async fn get_listing(&self, condition: &str) -> Result<Listing, Error> {
        let Some(padded) = market::condition(condition) else { return Err(no_such(condition)) };
        // Gamma knows conditions of Protocol V2 by their 62 digits.
        let short = padded.strip_suffix("00").unwrap_or(&padded);
        let mut keys = vec![padded.as_str()];
        if short != padded {
            keys.push(short);
        }
        let listings = self.get_markets(By::Condition, &keys).await?;
        if let Some(found) = listings.found.into_iter().find(|one| one.condition == padded) {
            return Ok(found);
        }
        // Only this market was asked for: what was refused is it.
        Err(listings.refused.into_iter().next().unwrap_or_else(|| no_such(condition)))
    }

    /// Everything about one market, from both sources, checked against each other.
    pub async fn load_market(&self, condition: &str) -> Result<Market, Error> {
        let listing = self.get_listing(condition).await?;
        listing.market(&self.get_clob_market(&listing.condition).await?)
    }

    /// CLOB `/book` of one token; `None` when `resolve` does not know the token that came.
    pub async fn get_book(
        &self,
        token: &str,
        resolve: &(impl Fn(&str) -> Option<Place> + Sync),
    ) -> Result<Option<Book>, Error> {
        let url = encode::url(&self.settings.clob_url, "/book", &[("token_id", token)]);
        match self.get(Class::Book, "get_book", url).await {
            Err(Error::Refused { status: 404, .. }) => Err(no_such(token)),
            other => {
                let mut books = parse::books(&other?.body, resolve)?;
                books.refused.pop().map_or(Ok(books.found.pop()), Err)
            }
        }
    }

    /// CLOB `POST /books`, any number of tokens in as many calls as needed. Tokens without a book
    /// are left out by the venue.
    pub async fn post_books(
        &self,
        tokens: &[&str],
        resolve: &(impl Fn(&str) -> Option<Place> + Sync),
    ) -> Result<Books, Error> {
        let mut all = Books::default();
        for chunk in tokens.chunks(facts::BOOKS_MAX) {
            let url = encode::url(&self.settings.clob_url, "/books", &[]);
            let json = Some(encode::book_requests(chunk));
            let call = Call { url, json, ..Call::default() };
            let answer = self.ask(Class::Books, "post_books", call).await?;
            let mut books = parse::books(&answer.body, resolve)?;
            all.found.append(&mut books.found);
            all.refused.append(&mut books.refused);
        }
        Ok(all)
    }

    /// CLOB `POST /books` of at most [`facts::BOOKS_MAX`] tokens, as the venue wrote it: for
    /// whoever writes down what arrived before it is read.
    pub async fn post_books_text(&self, tokens: &[&str]) -> Result<String, Error> {
        let url = encode::url(&self.settings.clob_url, "/books", &[]);
        let json = Some(encode::book_requests(tokens));
        let call = Call { url, json, ..Call::default() };
        Ok(self.ask(Class::Books, "post_books", call).await?.body)
    }

    /// CLOB `/time`, in whole seconds.
    pub async fn get_time(&self) -> Result<Timestamp, Error> {
        let url = encode::url(&self.settings.clob_url, "/time", &[]);
        let answer = self.get(Class::Clob, "get_time", url).await?;
        server_time(&answer.body)
    }

    /// How far the venue's clock is from ours.
    pub async fn clock_offset(&self) -> Result<Offset, Error> {
        let url = encode::url(&self.settings.clob_url, "/time", &[]);
        let sent = Timestamp::from_nanos(clock::unix_nanos());
        // Asked once: waits between repetitions would count as travel.
        let call = Call { url, ..Call::default() };
        let answer = self.http.send(call).await.map_err(|error| failure("get_time", &error))?;
        let received = Timestamp::from_nanos(clock::unix_nanos());
        let by_body = if answer.status == 200 { server_time(&answer.body).ok() } else { None };
        let by_header = || answer.date.as_deref().and_then(http_date);
        match by_body.or_else(by_header) {
            Some(server) => Ok(Offset::between(server, sent, received)),
            None => Err(super::error::refusal("get_time", &answer)),
        }
    }

    fn page_url(&self, path: &str, filter: &[(&str, &str)], cursors: &Cursors) -> String {
        let limit = facts::GAMMA_PAGE_MAX.to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend_from_slice(filter);
        if let Some(cursor) = cursors.seen.last() {
            query.push(("after_cursor", cursor));
        }
        encode::url(&self.settings.gamma_url, path, &query)
    }

    async fn get(&self, class: Class, what: &str, url: String) -> Result<Answer, Error> {
        self.ask(class, what, Call { url, ..Call::default() }).await
    }

    async fn ask(&self, class: Class, what: &str, call: Call) -> Result<Answer, Error> {
        let mut patience = {
            let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
            budgets.calls = budgets.calls.wrapping_add(1);
            let seed = self.settings.seed ^ budgets.calls.rotate_left(32);
            Patience::new(self.settings.backoff_first, self.settings.backoff_longest, seed)
        };
        loop {
            self.wait_for_budget(class).await;
            let outcome = self.http.send(call.clone()).await;
            match patience.judge(what, outcome) {
                Verdict::Done(answer) => return Ok(answer),
                Verdict::Failed(error) => return Err(error),
                Verdict::Again { wait, is_limited } => {
                    if is_limited {
                        let now = clock::unix_nanos();
                        let mut budgets =
                            self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
                        budgets.of(class).drain(now);
                    }
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    async fn wait_for_budget(&self, class: Class) {
        loop {
            let taken = {
                let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
                budgets.of(class).take(1, clock::unix_nanos())
            };
            match taken {
                Ok(()) => return,
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
    }
}

/// The cursors of a list read page by page.
#[derive(Debug, Default)]
struct Cursors {
    seen: Vec<String>,
}

impl Cursors {
    /// Whether there is another page. A cursor that comes twice would never end.
    fn turn(&mut self, what: &str, next: Option<String>) -> Result<bool, Error> {
        let Some(next) = next else { return Ok(false) };
        if self.seen.contains(&next) {
            return Err(malformed(what, "next_cursor", format!("repeated: {next}")));
        }
        self.seen.push(next);
        if self.seen.len() >= PAGES_MAX {
            return Err(malformed(what, "next_cursor", format!("more than {PAGES_MAX} pages")));
        }
        Ok(true)
    }
}

fn no_such(id: &str) -> Error {
    Error::NoSuchMarket { venue: crate::domain::Venue::Polymarket, id: super::error::short(id) }
}

/// The answer of `/time`: seconds, as a number or as text.
fn server_time(body: &str) -> Result<Timestamp, Error> {
    let text = parse::number::unquoted(body.trim());
    parse::timestamp(text).ok_or_else(|| malformed("get_time", "time", text))
}

/// The `Date` header.
fn http_date(text: &str) -> Option<Timestamp> {
    let text = text.trim().strip_suffix("GMT").map(|rest| format!("{rest}+0000"))?;
    let stamp = jiff::fmt::rfc2822::parse(&text).ok()?.timestamp();
    i64::try_from(stamp.as_nanosecond()).ok().map(Timestamp::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_cursor_ends_the_list_with_an_error() {
        let mut cursors = Cursors::default();
        assert!(cursors.turn("x", Some("a".to_owned())).unwrap());
        assert!(cursors.turn("x", Some("b".to_owned())).unwrap());
        assert!(cursors.turn("x", Some("a".to_owned())).is_err());
        assert!(!cursors.turn("x", None).unwrap());
    }

    #[test]
    fn a_list_without_end_is_given_up() {
        let mut cursors = Cursors::default();
        let failed =
            (0..=PAGES_MAX).position(|at| cursors.turn("x", Some(at.to_string())).is_err());
        assert_eq!(failed, Some(PAGES_MAX - 1));
    }

    #[test]
    fn the_clock_offset_is_taken_at_the_middle_of_the_trip() {
        let (sent, received) = (Timestamp::from_millis(100_000), Timestamp::from_millis(100_200));
        let offset = Offset::between(Timestamp::from_secs(103), sent, received);
        assert_eq!(offset.nanos, 3_400_000_000);
        assert_eq!(offset.error, Duration::from_millis(600));
    }

    #[test]
    fn times_are_read_from_body_and_header() {
        let at = Timestamp::from_secs(1_763_800_000);
        assert_eq!(server_time("1763800000\n").unwrap(), at);
        assert_eq!(server_time("\"1763800000\"").unwrap(), at);
        assert!(server_time("<html>").is_err());
        assert_eq!(http_date("Sat, 22 Nov 2025 08:26:40 GMT"), Some(at));
        assert_eq!(http_date("yesterday"), None);
    }

    #[test]
    fn ten_seconds_never_spend_more_than_the_limit() {
        let mut bucket = bucket(300);
        let mut spent = 0;
        for millis in 0..10_000 {
            spent += u64::from(bucket.take(1, millis * 1_000_000).is_ok());
        }
        assert!((200..=300).contains(&spent), "{spent}");
    }
}
