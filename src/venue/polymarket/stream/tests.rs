use super::*;
use crate::book::{Book, Health};
use crate::domain::Price;

const YES: &str = "71321045679252212594626385532706912750332728571942532289631379312455583992563";
const NO: &str = "52114319501245915516055106046884209969926127482827954674443846427813813222426";
const CONDITION: &str = "0xabababababababababababababababababababababababababababababababab";
const LANE: Lane = Lane(3);

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/polymarket/", $name))
    };
}

mod frame;
mod session;

fn settings() -> Settings {
    Settings {
        url: "wss://example.test/ws".to_owned(),
        ping_every: Duration::from_secs(5),
        pong_max: Duration::from_secs(15),
        image_deadline: Duration::from_secs(10),
        image_patience_max: Duration::from_secs(300),
        silence_max: Duration::from_secs(60),
        reconnect_planned: Duration::from_secs(1_200),
        backoff_first: Duration::from_millis(500),
        backoff_longest: Duration::from_secs(30),
        limited_wait: Duration::from_secs(30),
    }
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_763_800_000 + secs)
}

fn wanted(market: u32) -> Wanted {
    let tokens = match market {
        0 => (YES.to_owned(), NO.to_owned()),
        other => (format!("71{other:05}1"), format!("71{other:05}2")),
    };
    let id = if market == 0 { CONDITION.to_owned() } else { format!("0x{market:064x}") };
    Wanted { market: MarketIndex(market), id, tokens: Some(tokens) }
}

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

/// A session and the books it feeds.
struct Story {
    stream: Stream,
    books: Vec<Book>,
    updates: Vec<Update>,
    frames: Vec<String>,
    notices: Vec<Notice>,
    connect: bool,
    close: bool,
}

impl Story {
    fn down(markets: u32) -> Self {
        let mut story = Self {
            stream: Stream::new(settings(), LANE, 7, Mode::Live),
            books: vec![Book::new(); markets as usize],
            updates: Vec::new(),
            frames: Vec::new(),
            notices: Vec::new(),
            connect: false,
            close: false,
        };
        let all: Vec<_> = (0..markets).map(wanted).collect();
        story.act(at(0), |stream, now, out| stream.watch(&all, now, out));
        story
    }

    fn open(markets: u32) -> Self {
        let mut story = Self::down(markets);
        story.timer(at(0));
        assert!(story.connect);
        story.act(at(0), Feed::on_open);
        story
    }

    fn act(&mut self, now: Timestamp, step: impl FnOnce(&mut Stream, Timestamp, &mut Output)) {
        let mut out = Output::default();
        step(&mut self.stream, now, &mut out);
        for update in &out.updates {
            apply(&mut self.books, update, now);
        }
        self.updates = out.updates;
        self.frames = out.frames;
        self.notices = out.notices;
        self.connect = out.connect;
        self.close = out.close;
    }

    fn text(&mut self, text: &str, now: Timestamp) {
        self.act(now, |stream, now, out| stream.on_text(text, now, out));
    }

    fn timer(&mut self, now: Timestamp) {
        self.act(now, |stream, now, out| stream.on_timer(now, out));
    }

    /// Runs the timers up to `until`, answering each `PING`; gives what was sent beside it.
    fn quiet_until(&mut self, until: Timestamp) -> Vec<String> {
        let mut sent = Vec::new();
        while self.stream.deadline() <= until {
            let now = self.stream.deadline();
            self.timer(now);
            sent.append(&mut self.frames);
            if self.close {
                break;
            }
            if sent.pop_if(|frame| frame == "PING").is_some() {
                self.act(now, |stream, now, out| stream.on_text("PONG", now, out));
            }
        }
        sent
    }

    fn has(&self, wanted: &Update) -> bool {
        self.updates.contains(wanted)
    }
}

fn apply(books: &mut [Book], update: &Update, now: Timestamp) {
    match *update {
        Update::Snapshot { market, lane } => books[market.at()].begin(lane, 0),
        Update::Set { market, side, price, quantity } => {
            books[market.at()].set(side, price, quantity, now);
        }
        Update::SnapshotEnd { market } => books[market.at()].end(now),
        Update::Stamp { market, sequence, source, .. } => {
            books[market.at()].stamp(sequence, source);
        }
        Update::Announced { market, bid, ask } => books[market.at()].announce(bid, ask, now),
        Update::Proof { market } => books[market.at()].prove(now),
        Update::Lost { market, why } => books[market.at()].lose(why, now),
        Update::LaneLost { why, .. } => books.iter_mut().for_each(|book| book.lose(why, now)),
        _ => {}
    }
}

fn best(book: &Book) -> (Option<String>, Option<String>) {
    let show = |level: Option<crate::book::Level>| level.map(|level| level.price.to_string());
    (show(book.bids().best()), show(book.asks().best()))
}

fn prices(bid: &str, ask: &str) -> (Option<String>, Option<String>) {
    (Some(bid.to_owned()), Some(ask.to_owned()))
}

fn book_of(market: u32, timestamp: i64) -> String {
    let asset = wanted(market).tokens.unwrap().0;
    format!(
        r#"{{"asset_id":"{asset}","timestamp":"{timestamp}",
        "bids":[{{"price":"0.4","size":"1"}}],"asks":[],"event_type":"book"}}"#
    )
}
