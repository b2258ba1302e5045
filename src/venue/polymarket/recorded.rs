//! The recorded files, where `CROSSBOOK_DATA` names their folder.

use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use super::parse::{self, Kind, market};
use super::stream::{Mode, Settings, Stream};
use crate::book::{Book, Health, Lane, Update};
use crate::domain::market::Status;
use crate::domain::{MarketIndex, Price, Timestamp};
use crate::venue::{Feed as _, Notice, Output, Wanted};

fn read(name: &str) -> Option<String> {
    let Ok(folder) = std::env::var("CROSSBOOK_DATA") else {
        println!("skipped: CROSSBOOK_DATA is not set");
        return None;
    };
    let bytes = std::fs::read(PathBuf::from(folder).join(name)).unwrap();
    let mut text = String::new();
    if name.ends_with(".gz") {
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    Some(text)
}

fn lines(name: &str) -> Option<Vec<Value>> {
    Some(read(name)?.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// A replay that learns its markets from the frames, as a replay without mapping data does.
struct Replay {
    stream: Stream,
    assets: Vec<String>,
    books: Vec<Book>,
    updates: Vec<Update>,
    strange: Vec<String>,
}

impl Replay {
    fn new() -> Self {
        let span = Duration::from_secs(1);
        let settings = Settings {
            url: "ws://localhost".to_owned(),
            ping_every: span,
            pong_max: span,
            image_deadline: span,
            image_patience_max: span,
            silence_max: span,
            reconnect_planned: span,
            backoff_first: span,
            backoff_longest: span,
            limited_wait: span,
        };
        Self {
            stream: Stream::new(settings, Lane(0), 0, Mode::Replay),
            assets: Vec::new(),
            books: Vec::new(),
            updates: Vec::new(),
            strange: Vec::new(),
        }
    }

    fn market(&mut self, yes: &str, no: Option<&str>) {
        let market = MarketIndex(u32::try_from(self.books.len()).unwrap());
        self.assets.extend(std::iter::once(yes).chain(no).map(str::to_owned));
        self.books.push(Book::new());
        let tokens = no.map(|no| (yes.to_owned(), no.to_owned()));
        let wanted = Wanted { market, id: yes.to_owned(), tokens };
        self.stream.watch(&[wanted], Timestamp::ZERO, &mut Output::default());
    }

    fn frame(&mut self, text: &str, now: Timestamp) {
        for named in parse::assets_in(text) {
            if !self.assets.iter().any(|asset| *asset == named.asset) {
                self.market(&named.asset, None);
            }
        }
        let mut out = Output::default();
        self.stream.on_text(text, now, &mut out);
        for update in &out.updates {
            match *update {
                Update::Snapshot { market, lane } => self.books[market.at()].begin(lane, 0),
                Update::Set { market, side, price, quantity } => {
                    self.books[market.at()].set(side, price, quantity, now);
                }
                Update::SnapshotEnd { market } => self.books[market.at()].end(now),
                Update::Announced { market, bid, ask } => {
                    self.books[market.at()].announce(bid, ask, now);
                }
                Update::Lost { market, why } => self.books[market.at()].lose(why, now),
                _ => {}
            }
        }
        self.updates = out.updates;
        self.strange.extend(out.notices.into_iter().filter_map(|notice| match notice {
            Notice::Strange { what, .. } => Some(what),
            _ => None,
        }));
    }
}

fn best(book: &Book) -> (Option<Price>, Option<Price>) {
    (book.bids().best().map(|level| level.price), book.asks().best().map(|level| level.price))
}

#[test]
fn recorded_batches_cross_only_while_open_and_end_at_the_announced_best() {
    let Some(all) = lines("polymarket_ws/polyfifa_batches.jsonl") else { return };
    let mut replay = Replay::new();
    let (mut naive_crossings, mut frames) = (0, 0);
    let mut announced = None;
    for line in all {
        let now = Timestamp::from_millis(line["recv_ms"].as_i64().unwrap());
        if line["kind"] == "checkpoint" {
            // The excerpts are of one market and not adjacent: each begins with a fresh replay.
            if let (Some(found), Some(told)) = (replay.books.first().map(best), announced) {
                assert_eq!(found, told, "the book after the batch is what was announced");
            }
            replay = Replay::new();
            let books = line["books"].as_array().unwrap();
            let asset = |at: usize| books[at]["asset_id"].as_str().unwrap();
            replay.market(asset(0), Some(asset(1)));
            for book in books {
                replay.frame(&book.to_string(), now);
            }
            assert_eq!(replay.books[0].health(), Health::Whole);
            continue;
        }
        frames += 1;
        replay.frame(line["raw"].as_str().unwrap(), now);
        for update in &replay.updates {
            if let Update::Announced { bid, ask, .. } = *update {
                announced = Some((bid, ask));
            }
        }
        let book = &replay.books[0];
        if book.crossed_since().is_some() {
            naive_crossings += 1;
            assert!(book.batch_open_since().is_some(), "crossed outside an open batch");
        }
    }
    let book = &replay.books[0];
    assert_eq!(book.batch_open_since(), None);
    assert_eq!(Some(best(book)), announced);
    assert_eq!(frames, 13);
    assert!(naive_crossings > 0, "a reader without batches sees a false crossing");
    assert!(replay.strange.is_empty(), "{:?}", replay.strange);
}

#[test]
fn recorded_books_and_trades_of_an_archiver_are_read() {
    let Some(books) = read("polymarket_ws/ssmd_polymarket_book.jsonl") else { return };
    let mut replay = Replay::new();
    for (at, line) in books.lines().enumerate() {
        assert_eq!(parse::kind(line), Kind::Book);
        replay.frame(line, Timestamp::from_millis(i64::try_from(at).unwrap()));
    }
    assert!(!replay.books.is_empty());
    for book in &replay.books {
        assert_eq!(book.health(), Health::Whole);
        assert_eq!(book.crossed_since(), None);
        assert!(book.bids().depth() + book.asks().depth() >= 26);
    }
    let trades = read("polymarket_ws/ssmd_polymarket_trade.jsonl").unwrap();
    for line in trades.lines() {
        assert_eq!(parse::kind(line), Kind::Trade);
        replay.frame(line, Timestamp::ZERO);
    }
    assert!(replay.strange.is_empty(), "{:?}", replay.strange);
}

#[test]
fn recorded_frames_of_each_kind_are_read() {
    let Some(netqo) = lines("polymarket_ws/netqo_frames.jsonl") else { return };
    let mut replay = Replay::new();
    for line in &netqo {
        replay.frame(line["raw"].as_str().unwrap(), Timestamp::ZERO);
    }
    assert!(replay.strange.is_empty(), "{:?}", replay.strange);
    assert!(replay.books.iter().any(|book| book.health() == Health::Whole));
    let frames = read("polymarket_ws/worldcup_frames_2026-06-23.jsonl").unwrap();
    for line in frames.lines() {
        replay.frame(line, Timestamp::ZERO);
        assert!(!replay.updates.is_empty());
    }
    assert!(replay.strange.is_empty(), "{:?}", replay.strange);
}

#[test]
fn recorded_samples_of_old_formats_are_strange_once() {
    let Some(samples) = lines("polymarket_ws/nautilus_samples.jsonl") else { return };
    let mut replay = Replay::new();
    for line in &samples {
        replay.frame(&line["message"].to_string(), Timestamp::ZERO);
    }
    // One without an event type, reported once, and the flat price_change.
    assert_eq!(replay.strange.len(), 2, "{:?}", replay.strange);
    assert!(replay.strange.iter().any(|what| what.contains("without event_type")));
    assert!(replay.strange.iter().any(|what| what.contains("price_changes")));
}

/// The samples are older than the field that names the protocol version; all are of the first.
fn with_version(mut market: Value) -> Value {
    market.as_object_mut().unwrap().entry("version").or_insert_with(|| "v1".into());
    market
}

#[test]
fn recorded_markets_of_gamma_and_the_order_book_agree() {
    let name = "polymarket_rest/fed_june_2026_";
    let Some(text) = read(&format!("{name}gamma-event.json")) else { return };
    let clob: Vec<Value> =
        serde_json::from_str(&read(&format!("{name}clob-markets.json")).unwrap()).unwrap();
    let (events, _) = market::events(&text).unwrap();
    let listed: usize = events.iter().map(|event| event.markets.found.len()).sum();
    assert!(listed >= clob.len(), "{listed}");
    assert!(events[0].markets.refused.is_empty());
    let unversioned = events[0].markets.found[0].market(&clob[0].to_string()).unwrap_err();
    assert!(unversioned.to_string().contains("version"), "{unversioned}");
    let raw: Value = serde_json::from_str(&text).unwrap();
    let raw = raw.as_array().map_or(&raw, |all| &all[0]);
    let markets = raw["markets"].as_array().unwrap().iter().cloned().map(with_version);
    let listings = market::listings(&Value::from(markets.collect::<Vec<_>>()).to_string()).unwrap();
    let mut loaded = 0;
    for book in &clob {
        let id = book["c"].as_str().unwrap();
        let listing = listings.found.iter().find(|one| one.condition == id).unwrap();
        let market = listing.market(&book.to_string()).unwrap();
        assert_eq!(market.status, Status::Open);
        assert_eq!(market.fee.at(Timestamp::ZERO).unwrap().rate.to_string(), "0.05");
        assert!(listing.rules.len() > 100);
        loaded += 1;
    }
    assert_eq!(loaded, 5);
}

#[test]
fn recorded_books_over_rest_are_read_and_mirror_each_other() {
    let Some(text) = read("polymarket_rest/fed_june_2026_clob-books.json") else { return };
    let clob: Vec<Value> =
        serde_json::from_str(&read("polymarket_rest/fed_june_2026_clob-markets.json").unwrap())
            .unwrap();
    let resolve = |token: &str| {
        clob.iter().enumerate().find_map(|(at, market)| {
            let at = u32::try_from(at).ok()?;
            let outcome = if market["t"][0]["t"] == token {
                crate::domain::Outcome::Yes
            } else if market["t"][1]["t"] == token {
                crate::domain::Outcome::No
            } else {
                return None;
            };
            Some(parse::Place { market: MarketIndex(at), outcome })
        })
    };
    let books = parse::books(&text, &resolve).unwrap();
    assert!(books.refused.is_empty(), "{:?}", books.refused);
    assert_eq!(books.found.len(), 10);
    let mut mirrored = 0;
    for one in &books.found {
        let same = |other: &&parse::Book| other.reading == one.reading;
        mirrored += usize::from(books.found.iter().filter(same).count() == 2);
    }
    println!("{mirrored} of 10 books equal their mirror at the same time");
    for name in ["pmvl_book.json", "nautilus_clob_book_response.json"] {
        let text = read(&format!("polymarket_rest/{name}")).unwrap();
        let any = |_: &str| {
            let outcome = crate::domain::Outcome::Yes;
            Some(parse::Place { market: MarketIndex(0), outcome })
        };
        let books = parse::books(&text, &any).unwrap();
        assert_eq!(books.found.len(), 1, "{name}: {:?}", books.refused);
    }
}

#[test]
fn recorded_listings_are_read() {
    let Some(_) = read("polymarket_rest/pmvl_markets.json") else { return };
    for (name, least) in [
        ("polymarket_rest/pmvl_markets.json", 3),
        ("polymarket_rest/pmvl_events.json", 2),
        ("polymarket_rest/nautilus_gamma_event.json", 1),
        ("same_date/nba_2026-01/polymarket_gamma_events.json.gz", 50),
    ] {
        let text = read(name).unwrap();
        let listings = if name.contains("event") {
            let (events, _) = market::events(&text).unwrap();
            events.into_iter().map(|event| event.markets).collect()
        } else {
            vec![market::listings(&text).unwrap()]
        };
        let found: usize = listings.iter().map(|all| all.found.len()).sum();
        let refused: Vec<_> = listings.iter().flat_map(|all| &all.refused).collect();
        assert!(found >= least, "{name}: {found}");
        // Markets that were announced but have no condition yet can't be traded.
        let unborn = |error: &&&crate::venue::Error| error.to_string().contains("conditionId");
        assert_eq!(refused.iter().filter(unborn).count(), refused.len(), "{name}: {refused:?}");
    }
    for name in ["", "_sports_market_money_line", "_sports_market_map_handicap"] {
        let text = read(&format!("polymarket_rest/nautilus_gamma_market{name}.json")).unwrap();
        let market: Value = serde_json::from_str(&text).unwrap();
        let text = Value::from(vec![with_version(market)]).to_string();
        let listings = market::listings(&text).unwrap();
        let tokens = listings.found[0].tokens().unwrap();
        assert_ne!(tokens.yes_label, "Yes", "{name}: labels are names, not yes and no");
    }
}

#[test]
fn recorded_markets_of_an_event_are_parts_of_one_neg_risk_market() {
    let Some(text) = read("polymarket_rest/fed_june_2026_gamma-event.json") else { return };
    let (all, _) = market::events(&text).unwrap();
    let groups: std::collections::BTreeSet<_> =
        all.iter().flat_map(|event| &event.markets.found).map(|market| &market.group).collect();
    assert_eq!(groups.len(), 1, "{groups:?}");
    assert!(groups.iter().all(|group| group.len() == 66), "{groups:?}");
    let Some(text) = read("polymarket_rest/nautilus_gamma_market_sports_market_money_line.json")
    else {
        return;
    };
    let text = if text.trim_start().starts_with('[') { text } else { format!("[{text}]") };
    let found = market::listings(&text).unwrap().found;
    assert!(!found.is_empty() && found.iter().all(|market| market.group.is_empty()));
}
