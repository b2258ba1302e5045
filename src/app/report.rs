//! What a run tells: lines for people or for programs, a status line, a summary.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal as _, Write as _};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use crate::domain::{Finding, Timestamp, Venue};
use crate::engine::effect::{Act, Effect, Record};
use crate::pairing::{Difference, Pair};
use crate::ui::cli::record::Counts;
use crate::ui::cli::text::{Colour, Tone, clean};
use crate::ui::cli::{people, record, trade};
use crate::ui::findings::lines;
use crate::venue::Notice;

use super::desk::Journal;
use super::pipeline::{News, Pipeline};
use super::terminal;

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// One JSON object a line.
    Json,
    /// Lines for people.
    People,
}

/// Lines that may wait for a terminal or a pipe that does not read. Beyond it they are counted and
/// left out: nobody holds the engine up.
const LINES_MAX: usize = 100_000;

enum Out {
    Line(String),
    Status(String),
}

/// Writes results to stdout on a thread of its own.
pub struct Reporter {
    style: Style,
    colour: Colour,
    terminal: bool,
    lines: Option<SyncSender<Out>>,
    thread: Option<JoinHandle<()>>,
    lost: u64,
    heard: bool,
    lanes: BTreeMap<(Venue, u16), Line>,
    polled: bool,
    no_outcome: BTreeSet<(String, String)>,
    feeds: BTreeMap<&'static str, FeedCounts>,
    resyncs: u64,
    opened: u64,
}

/// The state of a connection, as it was told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Live,
    Down,
}

/// What happened to the connections of a venue.
#[derive(Debug, Clone, Copy, Default)]
struct FeedCounts {
    live: u64,
    down: u64,
    gaps: u64,
    no_snapshot: u64,
    strange: u64,
    venue_errors: u64,
    unanswered: u64,
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter").field("style", &self.style).finish_non_exhaustive()
    }
}

impl Reporter {
    /// Starts the writing thread.
    pub fn start(style: Style) -> std::io::Result<Self> {
        let terminal = std::io::stdout().is_terminal() && style == Style::People;
        let wants_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = if terminal && !wants_none { Colour::On } else { Colour::Off };
        let (sender, receiver) = sync_channel(LINES_MAX);
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || write_all(&receiver))?;
        Ok(Self {
            style,
            colour,
            terminal,
            lines: Some(sender),
            thread: Some(thread),
            lost: 0,
            heard: true,
            lanes: BTreeMap::new(),
            polled: false,
            no_outcome: BTreeSet::new(),
            feeds: BTreeMap::new(),
            resyncs: 0,
            opened: 0,
        })
    }

    /// How results are written.
    pub const fn style(&self) -> Style {
        self.style
    }

    /// The colours in use.
    pub const fn colour(&self) -> Colour {
        self.colour
    }

    /// Tells one piece of news.
    pub fn tell(&mut self, news: &News, pipeline: &Pipeline, now: Timestamp) {
        match news {
            News::Decision(effect) => self.decision(effect, pipeline),
            News::Feed(venue, notice) => self.notice(*venue, notice, pipeline, now),
            News::Desk(venue, text) => tracing::warn!("{venue}: {text}"),
            News::Journal(Journal::Broken(why)) => {
                tracing::error!("the journal cannot be written, nothing new is traded: {why}");
            }
            News::Journal(Journal::Whole) => tracing::warn!("the journal can be written again"),
            News::Pairs(differences) => self.pairs(differences, now),
            News::Findings(findings) => Self::findings(findings),
            News::Untraded { pair, why } => self.untraded(pair, why),
            News::LimitsHeld { pair, back } => self.limits_held(pair, back),
            News::NoSuchOutcome { pair, outcome, labels } => {
                self.no_outcome(pair, outcome, labels);
            }
        }
    }

    fn decision(&mut self, effect: &Effect, pipeline: &Pipeline) {
        match effect {
            Effect::Opportunity(found) => {
                self.opened += 1;
                let text = match self.style {
                    Style::Json => record::opportunity(found),
                    Style::People => people::opportunity(found, self.colour),
                };
                self.line(text);
            }
            Effect::Closed(closed) => {
                let text = match self.style {
                    Style::Json => record::closed(closed),
                    Style::People => people::closed(closed, self.colour),
                };
                self.line(text);
            }
            Effect::Doubt { at, pair, reason } => {
                let reason = reason.replace('_', " ");
                let people = format!(
                    "{pair} looks wrong ({reason}): it makes no opportunity; are the contracts \
                     really the same?\n"
                );
                let record = json!({
                    "kind": "pair_doubted", "at": at.to_string(), "pair": pair.0,
                    "reason": reason.replace(' ', "_"),
                });
                self.say(&record, &people);
            }
            Effect::Resync { market, why } => {
                self.resyncs += 1;
                tracing::info!("book {} is asked for again: {}", market.0, why.name());
            }
            Effect::Reload { market } => tracing::debug!("facts of {} are read again", market.0),
            Effect::Probe { venue } => tracing::debug!("{venue}'s order routes are asked"),
            Effect::Act(Act::Write(told)) => self.record(told, pipeline),
            Effect::Act(Act::Place(order) | Act::Adopt { order, .. }) => {
                self.record(&Record::Placed(order.clone()), pipeline);
            }
            Effect::Act(act) => tracing::debug!("{act:?}"),
        }
    }

    /// Tells what trading did.
    fn record(&mut self, told: &Record, pipeline: &Pipeline) {
        let text = match self.style {
            Style::Json => trade::record(told, pipeline).map(|value| record::line(&value) + "\n"),
            Style::People => trade::people(told, pipeline, self.colour),
        };
        if let Some(text) = text {
            self.line(text);
        }
    }

    fn notice(&mut self, venue: Venue, notice: &Notice, pipeline: &Pipeline, now: Timestamp) {
        let counts = self.feeds.entry(venue.name()).or_default();
        match notice {
            Notice::Live { lane } => {
                counts.live += 1;
                let before = self.lanes.insert((venue, lane.0), Line::Live);
                let first = !self.lanes.iter().any(|((of, other), state)| {
                    *of == venue && *other != lane.0 && *state == Line::Live
                });
                match before {
                    Some(Line::Down) => self.feed_line(venue, "live again", "live", now),
                    None if first => self.feed_line(venue, "live", "live", now),
                    _ => {}
                }
                tracing::info!("{venue} connection {} is live", lane.0);
            }
            Notice::Down { lane, reason, retry_at } => {
                counts.down += 1;
                let wait = retry_at.since(now).as_millis();
                let reason = clean(reason, 300);
                self.lanes.insert((venue, lane.0), Line::Down);
                self.down_record(venue, &reason, wait, now);
                tracing::warn!(
                    "{venue} connection {} is down: {reason}; again in {wait} ms",
                    lane.0
                );
            }
            Notice::Gap { lane, expected, found } => {
                counts.gaps += 1;
                tracing::warn!(
                    "{venue} connection {}: sequence {found} came, {expected} was due; \
                     its books are lost until new images come",
                    lane.0
                );
            }
            Notice::NoSnapshot { market } => {
                counts.no_snapshot += 1;
                let id = pipeline.registry().get(*market).map_or("?", |entry| entry.id.as_str());
                tracing::warn!(
                    "{venue} sent no image of {} in time; does it exist?",
                    clean(id, 80)
                );
            }
            Notice::Strange { lane, what } => {
                counts.strange += 1;
                tracing::warn!("{venue} connection {}: {}", lane.0, clean(what, 200));
            }
            Notice::VenueError { lane, code, text } => {
                counts.venue_errors += 1;
                let text = clean(text, 200);
                tracing::warn!("{venue} connection {} answers error {code}: {text}", lane.0);
            }
        }
    }

    fn feed_line(&mut self, venue: Venue, words: &str, state: &str, now: Timestamp) {
        let text = match self.style {
            Style::Json => record::line(&json!({
                "kind": "feed", "venue": venue.name(), "state": state, "at": now.to_string(),
            })),
            Style::People => format!("{venue} is {words}\n"),
        };
        self.line(text);
    }

    /// People read of it in the log.
    fn down_record(&mut self, venue: Venue, reason: &str, wait_ms: u128, now: Timestamp) {
        if self.style == Style::Json {
            let line = json!({"kind": "feed", "venue": venue.name(), "state": "down",
                "at": now.to_string(), "reason": reason, "retry_ms": wait_ms});
            self.line(record::line(&line));
        }
    }

    /// A venue does not answer requests, or refuses the key they are signed with.
    pub fn trouble(&mut self, venue: Venue, text: &str, wait: Duration, now: Timestamp) {
        self.feeds.entry(venue.name()).or_default().unanswered += 1;
        let (text, wait) = (clean(text, 400), wait.as_millis());
        self.down_record(venue, &text, wait, now);
        tracing::warn!("{text}; asked again in {wait} ms, and until it answers");
    }

    /// Books came over REST. Kalshi's do so without a key, which is told once.
    pub fn books_read(&mut self, venue: Venue, now: Timestamp) {
        if venue == Venue::Kalshi && !std::mem::replace(&mut self.polled, true) {
            self.feed_line(venue, "polled", "polled", now);
        }
    }

    fn no_outcome(&mut self, pair: &str, outcome: &str, labels: &[String; 2]) {
        if !self.no_outcome.insert((pair.to_owned(), outcome.to_owned())) {
            return;
        }
        let [yes, no] = [clean(&labels[0], 60), clean(&labels[1], 60)];
        let outcome = clean(outcome, 60);
        let reason =
            format!("the Polymarket market has no outcome `{outcome}`; it has `{yes}` and `{no}`");
        tracing::error!("pair {pair} is not watched: {reason}");
        if self.style == Style::Json {
            let line = json!({"kind": "pair_not_watched", "pair": pair, "reason": reason});
            self.line(record::line(&line));
        }
    }

    fn untraded(&mut self, pair: &str, why: &str) {
        tracing::warn!("pair {pair} {why}");
        if self.style == Style::Json {
            let line = json!({"kind": "pair_not_traded", "pair": pair, "reason": why});
            self.line(record::line(&line));
        }
    }

    fn limits_held(&mut self, pair: &str, back: &str) {
        tracing::warn!(
            "pair {pair} has looser limits than were accepted, which hold on: {back}; \
             `crossbook pairs accept {pair}` puts the looser ones in force"
        );
        if self.style == Style::Json {
            let line = json!({"kind": "limits_held", "pair": pair, "held_back": back});
            self.line(record::line(&line));
        }
    }

    fn pairs(&mut self, differences: &[Difference], now: Timestamp) {
        self.no_outcome.clear();
        for difference in differences {
            let text = match self.style {
                Style::Json => record::line(&json!({
                    "kind": "pairs_changed", "at": now.to_string(), "text": difference.to_string(),
                })),
                Style::People => format!("{}\n", clean(&difference.to_string(), 300)),
            };
            self.line(text);
        }
    }

    fn findings(findings: &[Finding]) {
        for line in lines(findings).lines() {
            tracing::warn!("{line}");
        }
    }

    /// A market that is not there, and with it the pairs that name it.
    pub fn no_market(&mut self, venue: Venue, id: &str, why: &str, pipeline: &Pipeline) {
        const NAMED_MAX: usize = 5;
        let names = |pair: &&Pair| match venue {
            Venue::Kalshi => pair.kalshi == id,
            Venue::Polymarket => pair.polymarket == id,
        };
        let named = pipeline.pairs().pairs().iter().filter(names).take(NAMED_MAX);
        let pairs: Vec<_> = named.map(|pair| (pair.id.0.clone(), pair.place.to_string())).collect();
        let why = clean(why, 300);
        for (pair, place) in &pairs {
            tracing::error!("pair {pair} ({place}) is not watched: {why}");
        }
        if pairs.is_empty() {
            tracing::info!("{venue} market {}, which no pair names any more: {why}", clean(id, 80));
        }
        if self.style == Style::Json {
            let pairs: Vec<_> = pairs.into_iter().map(|(pair, _)| pair).collect();
            let line = json!({"kind": "market_missing", "venue": venue.name(), "market": id,
                "reason": why, "pairs": pairs});
            self.line(record::line(&line));
        }
    }

    /// A line of explanation.
    pub fn note(&mut self, text: &str) {
        match self.style {
            Style::Json => self.line(record::line(&json!({"kind": "note", "text": text}))),
            Style::People => self.line(format!("{text}\n")),
        }
    }

    /// A record for programs, or a line for people.
    pub fn say(&mut self, json: &Value, people: &str) {
        match self.style {
            Style::Json => self.line(record::line(json)),
            Style::People => self.line(people.to_owned()),
        }
    }

    /// Draws the status line, on a terminal only.
    pub fn status(&mut self, pipeline: &Pipeline) {
        if !self.terminal {
            return;
        }
        let engine = pipeline.engine();
        let text = format!(
            "books {} kalshi {} polymarket | pairs {} | updates {} | open {} | opened {} closed {}",
            engine.books().whole(Venue::Kalshi),
            engine.books().whole(Venue::Polymarket),
            engine.pairs(),
            engine.books().updates(),
            engine.open(),
            engine.counters().opened,
            engine.counters().closed,
        );
        let text = self.colour.paint(Tone::Dim, &text);
        self.send(Out::Status(text));
    }

    /// The counts of a run, for the summary's `rejections`.
    pub fn rejections(pipeline: &Pipeline) -> Counts {
        let counts = pipeline.engine().counters().rejections;
        crate::detect::NoEdge::ALL
            .iter()
            .zip(counts)
            .filter(|(_, count)| *count > 0)
            .map(|(reason, count)| (reason.name(), count))
            .collect()
    }

    /// What happened to the feeds, for the summary.
    pub fn feeds(&self, pipeline: &Pipeline) -> Value {
        let mut feeds = serde_json::Map::new();
        for venue in Venue::ALL {
            let counts = self.feeds.get(venue.name()).copied().unwrap_or_default();
            let lanes = pipeline.lanes().filter(|(_, of)| *of == venue).count();
            let books = pipeline.engine().books().whole(venue);
            let value = json!({
                "connections": lanes, "books_whole": books, "live": counts.live,
                "down": counts.down, "gaps": counts.gaps, "no_snapshot": counts.no_snapshot,
                "strange": counts.strange, "venue_errors": counts.venue_errors,
                "unanswered": counts.unanswered,
            });
            feeds.insert(venue.name().to_owned(), value);
        }
        Value::Object(feeds)
    }

    /// Books that had to be asked for again.
    pub const fn resyncs(&self) -> u64 {
        self.resyncs
    }

    /// Lines that nobody read in time.
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    /// Whether anybody still reads: `crossbook watch --json | head -1` is over after one line.
    pub const fn is_heard(&self) -> bool {
        self.heard
    }

    /// Writes what is waiting and ends the thread.
    pub fn finish(&mut self) {
        self.lines = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    fn line(&mut self, mut text: String) {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        self.send(Out::Line(text));
    }

    fn send(&mut self, out: Out) {
        let Some(lines) = &self.lines else { return };
        match lines.try_send(out) {
            Ok(()) => {}
            Err(TrySendError::Disconnected(_)) => self.heard = false,
            Err(TrySendError::Full(_)) => self.lost += 1,
        }
    }
}

fn write_all(lines: &std::sync::mpsc::Receiver<Out>) {
    let mut stdout = std::io::stdout().lock();
    while let Ok(out) = lines.recv() {
        let result = match out {
            Out::Line(text) => terminal::write_lines(&mut stdout, &text),
            Out::Status(text) => terminal::draw_status(&mut stdout, &text),
        };
        if result.is_err() {
            // Nobody reads any more: a closed pipe. The run ends when it notices.
            return;
        }
    }
    let _ = terminal::wipe(&mut stdout).and_then(|()| stdout.flush());
}
