use std::collections::BTreeMap;

use super::*;
use crate::book::{Book, Health, Stamped};
use crate::domain::market::Status;
use crate::domain::{Outcome, Quantity};

mod broken;
mod captures;
mod lifecycle;
mod stories;

const A: &str = "KXDEMO-26DEC31-T50";
const B: &str = "KXDEMO-26DEC31-T60";
const C: &str = "KXTYPO";

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn wanted(index: u32, ticker: &str) -> Wanted {
    Wanted { market: MarketIndex(index), id: ticker.to_owned(), tokens: None }
}

/// Books as an engine would keep them.
#[derive(Default)]
struct Books(BTreeMap<MarketIndex, Book>);

impl Books {
    fn apply(&mut self, update: &Update, now: Timestamp) {
        match *update {
            Update::Snapshot { market, lane } => self.of(market).begin(lane, 0),
            Update::Set { market, side, price, quantity } => {
                self.of(market).set(side, price, quantity, now);
            }
            Update::Change { market, side, price, change } => {
                self.of(market).change(side, price, change, now);
            }
            Update::SnapshotEnd { market } => self.of(market).end(now),
            Update::Stamp { market, sequence, source, .. } => {
                self.of(market).stamp(sequence, source);
            }
            Update::Lost { market, why } => self.of(market).lose(why, now),
            Update::LaneLost { why, .. } => self.0.values_mut().for_each(|b| b.lose(why, now)),
            Update::LaneProof { .. } => self.0.values_mut().for_each(|b| b.prove(now)),
            Update::Proof { market } => self.of(market).prove(now),
            _ => {}
        }
    }

    fn of(&mut self, market: MarketIndex) -> &mut Book {
        self.0.entry(market).or_default()
    }
}

/// A stream, its books, and what it said last.
struct Rig {
    stream: Stream,
    books: Books,
    out: Output,
    clock: i64,
}

impl Rig {
    fn new(stream: Stream) -> Self {
        Self { stream, books: Books::default(), out: Output::default(), clock: 1_000 }
    }

    fn live(markets_per_frame: usize) -> Self {
        let settings = Settings {
            snapshot_deadline: Duration::from_secs(5),
            silence_max: Duration::from_secs(25),
            markets_per_frame,
            ..Settings::new("wss://host.invalid/trade-api/ws/v2".to_owned(), Lane(3))
        };
        Self::new(Stream::live(settings, None))
    }

    /// A live lane with the books of A and B whole: sid 1, next number 3.
    fn whole() -> Self {
        let mut rig = Self::live(500);
        rig.run(|s, now, out| s.watch(&[wanted(0, A), wanted(1, B)], now, out));
        rig.connect();
        rig.text(r#"{"type":"subscribed","id":1,"msg":{"channel":"orderbook_delta","sid":1}}"#);
        rig.text(r#"{"type":"subscribed","id":2,"msg":{"channel":"market_lifecycle_v2","sid":2}}"#);
        rig.text(&snapshot(1, 1, A));
        rig.text(&snapshot(1, 2, B));
        assert!(rig.is_whole(0) && rig.is_whole(1));
        rig
    }

    fn run(&mut self, step: impl FnOnce(&mut Stream, Timestamp, &mut Output)) {
        self.out.clear();
        let now = at(self.clock);
        step(&mut self.stream, now, &mut self.out);
        for update in &self.out.updates {
            self.books.apply(update, now);
        }
    }

    fn connect(&mut self) {
        self.run(|s, now, out| s.on_timer(now, out));
        assert!(self.out.connect);
        self.run(|s, now, out| s.on_open(now, out));
    }

    fn text(&mut self, text: &str) {
        self.run(|s, now, out| s.on_text(text, now, out));
    }

    fn wait(&mut self, millis: i64) {
        self.clock += millis;
        self.run(|s, now, out| s.on_timer(now, out));
    }

    fn is_whole(&mut self, market: u32) -> bool {
        self.books.of(MarketIndex(market)).health() == Health::Whole
    }

    fn lost(&mut self, market: u32) -> Option<Loss> {
        match self.books.of(MarketIndex(market)).health() {
            Health::Lost { why, .. } => Some(why),
            _ => None,
        }
    }

    fn has(&self, update: Update) -> bool {
        self.out.updates.contains(&update)
    }

    fn proof(&self) -> bool {
        self.has(Update::LaneProof { lane: Lane(3) })
    }

    /// What was sent, with the command's number left out.
    fn sent(&self) -> Vec<String> {
        let cut = |frame: &String| frame.split_once(",\"cmd\"").unwrap().1.to_owned();
        self.out.frames.iter().map(cut).collect()
    }
}

fn snapshot(sid: u64, seq: u64, ticker: &str) -> String {
    let head = format!(r#"{{"type":"orderbook_snapshot","sid":{sid},"seq":{seq},"msg":"#);
    let about = format!(r#"{{"market_ticker":"{ticker}","market_id":"x","#);
    let yes = r#""yes_dollars_fp":[["0.4000","55.00"],["0.4100","120.00"]]"#;
    let no = r#""no_dollars_fp":[["0.5700","75.50"]]"#;
    format!("{head}{about}{yes},{no}}}}}")
}

fn delta(sid: u64, seq: u64, ticker: &str) -> String {
    let head = format!(r#"{{"type":"orderbook_delta","sid":{sid},"seq":{seq},"msg":"#);
    let about = format!(r#"{{"market_ticker":"{ticker}","market_id":"x","#);
    let level = r#""price_dollars":"0.4100","delta_fp":"-1.00","side":"yes","#;
    format!(r#"{head}{about}{level}"ts":"x","ts_ms":1795341600123}}}}"#)
}

/// The end of a command that changes a subscription.
fn update(sid: u64, action: &str, tickers: &str) -> String {
    let params = format!(r#"{{"sid":{sid},"action":"{action}","market_tickers":[{tickers}]}}"#);
    format!(r#":"update_subscription","params":{params}}}"#)
}

fn error(sid: u64, code: u32) -> String {
    format!(r#"{{"type":"error","sid":{sid},"msg":{{"code":{code},"msg":"words"}}}}"#)
}
