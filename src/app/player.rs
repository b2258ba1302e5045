//! Plays recordings and captures into the machine, as fast as they go.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;

use crate::domain::{Market, MarketIndex, Timestamp, Venue};
use crate::record::{Entry, Line, ReadError, Reader};
use crate::venue::kalshi::parse::FrameKind;
use crate::venue::{Notice, kalshi, polymarket};

use super::pipeline::{Input, News, Pipeline};
use super::transcript::Played;

/// What a replay makes of the end of the time between two frames.
const TICK: Duration = Duration::from_millis(50);

/// What is given beside a capture holds for all of it, but facts grow old: they are given again
/// this often.
const GIVE_EVERY: Duration = Duration::from_secs(6 * 3_600);

/// What was seen of one market.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Frames that name it.
    pub frames: u64,
    /// Full images.
    pub snapshots: u64,
    /// Changes.
    pub deltas: u64,
    /// How often a skipped number cost it its book.
    pub gaps: u64,
}

/// What a recording says about itself.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// The digest that the recording's last line holds, if it was ended in order and is complete.
    pub recorded_digest: Option<String>,
    /// The version that recorded it.
    pub version: Option<String>,
}

/// Feeds files into a machine and counts what goes by.
#[derive(Debug)]
pub struct Player {
    /// The machine.
    pub pipeline: Pipeline,
    now: Timestamp,
    ticked: Timestamp,
    tallies: BTreeMap<MarketIndex, Tally>,
    undrained: bool,
    recording: About,
    given: Option<Given>,
}

/// What a capture itself does not hold.
#[derive(Debug)]
struct Given {
    markets: Vec<Market>,
    mappings: Vec<(String, String)>,
    at: Option<Timestamp>,
}

impl Player {
    /// A player of an empty machine.
    pub fn new(pipeline: Pipeline) -> Self {
        Self {
            pipeline,
            now: Timestamp::ZERO,
            ticked: Timestamp::ZERO,
            tallies: BTreeMap::new(),
            undrained: false,
            recording: About::default(),
            given: None,
        }
    }

    /// The time of the newest line.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// What was seen of each market.
    pub const fn tallies(&self) -> &BTreeMap<MarketIndex, Tally> {
        &self.tallies
    }

    /// What the file said about itself.
    pub const fn recording(&self) -> &About {
        &self.recording
    }

    /// Takes what a capture itself does not hold; the machine hears of it with the first frame.
    pub fn prepare(&mut self, markets: Vec<Market>, mappings: Vec<(String, String)>) {
        self.given = Some(Given { markets, mappings, at: None });
    }

    /// Gives the machine the facts of the markets, and at the beginning the pairs.
    fn give(&mut self) {
        let Some(given) = &mut self.given else { return };
        if given.at.is_some_and(|at| self.now.since(at) < GIVE_EVERY) {
            return;
        }
        for market in &given.markets {
            self.pipeline.handle(&Input::Market(market), self.now);
        }
        if given.at.replace(self.now).is_none() {
            self.pipeline.handle(&Input::Mappings(&given.mappings), self.now);
        }
        self.pipeline.handle(&Input::Tick, self.now);
    }

    /// Plays one file to its end, calling `told` with each piece of news.
    pub fn play(
        &mut self,
        path: &Path,
        mut told: impl FnMut(&Pipeline, News),
    ) -> anyhow::Result<()> {
        let name = path.display();
        let mut reader = Reader::open(path).with_context(|| format!("cannot open `{name}`"))?;
        loop {
            let entry = match reader.next_entry() {
                Ok(Some(entry)) => entry,
                Ok(None) => break,
                Err(error @ ReadError::Cut(_)) => {
                    tracing::warn!("`{name}`: {error}; what came before it is played");
                    break;
                }
                Err(error) => return Err(error).with_context(|| format!("cannot read `{name}`")),
            };
            match entry {
                Entry::Ours(line) => {
                    let at = reader.line();
                    self.line(*line)
                        .map_err(|text| anyhow::anyhow!("`{name}` line {at}: {text}"))?;
                }
                Entry::Frame { received_ms, text } => self.frame(received_ms, &text),
            }
            while let Some(news) = self.pipeline.news.pop_front() {
                self.count_gap(&news);
                told(&self.pipeline, news);
            }
        }
        // A recording of ours holds every input: one more would be a decision that was never made.
        if self.undrained {
            self.drain();
        }
        while let Some(news) = self.pipeline.news.pop_front() {
            told(&self.pipeline, news);
        }
        Ok(())
    }

    fn line(&mut self, line: Line<'static>) -> Result<(), String> {
        match &line {
            Line::Start { version, .. } => self.recording.version = Some(version.to_string()),
            Line::End { digest, complete, .. } if *complete => {
                let known = (!digest.is_empty()).then(|| digest.to_string());
                self.recording.recorded_digest = known;
            }
            _ => {}
        }
        let Some((played, now)) = Played::from_line(line)? else { return Ok(()) };
        self.now = now;
        if let Input::Text(lane, text) = played.input()
            && let Some(venue) = self.pipeline.venue_of(lane)
        {
            self.tally(venue, text);
        }
        self.pipeline.handle(&played.input(), now);
        Ok(())
    }

    /// A frame of somebody else's capture: its venue shows in its shape, and markets that are not
    /// known yet are taken up as they come.
    fn frame(&mut self, received_ms: Option<i64>, text: &str) {
        let at = received_ms.or_else(|| made_at(text));
        let now = at.map_or(self.now, Timestamp::from_millis).max(self.now);
        if now > self.now {
            self.drain();
        }
        self.now = now;
        self.give();
        let venue = venue_of(text);
        self.adopt(venue, text);
        self.tally(venue, text);
        let lane = self.pipeline.lane_of(venue);
        self.pipeline.handle(&Input::Text(lane, text), now);
        self.undrained = true;
        if received_ms.is_none() {
            self.drain();
        }
    }

    /// Frames with one receive time count as one read of the socket.
    fn drain(&mut self) {
        if std::mem::take(&mut self.undrained) {
            self.pipeline.handle(&Input::Drained, self.now);
        }
        if self.now.since(self.ticked) >= TICK {
            self.ticked = self.now;
            self.pipeline.handle(&Input::Tick, self.now);
        }
        self.give_again();
    }

    /// Gives the machine the facts that it asks for anew: a capture holds no other ones.
    fn give_again(&mut self) {
        let wanted = std::mem::take(&mut self.pipeline.wishes.loads);
        let Some(given) = &self.given else { return };
        for (venue, id) in wanted {
            let is_it = |market: &&Market| market.venue == venue && market.id == id;
            if let Some(market) = given.markets.iter().find(is_it) {
                self.pipeline.handle(&Input::Market(market), self.now);
            }
        }
    }

    fn adopt(&mut self, venue: Venue, text: &str) {
        match venue {
            Venue::Kalshi => {
                if let Some(ticker) = kalshi::parse::market_ticker(text) {
                    self.pipeline.adopt(venue, &ticker, self.now);
                }
            }
            Venue::Polymarket => {
                for named in polymarket::parse::assets_in(text) {
                    let asset = named.asset.as_ref();
                    if self.pipeline.registry().find_token(asset).is_none() {
                        self.pipeline.adopt(venue, asset, self.now);
                    }
                }
            }
        }
    }

    fn tally(&mut self, venue: Venue, text: &str) {
        match venue {
            Venue::Kalshi => {
                let Some(ticker) = kalshi::parse::market_ticker(text) else { return };
                let Some(index) = self.pipeline.registry().find(venue, &ticker) else { return };
                let tally = self.tallies.entry(index).or_default();
                tally.frames += 1;
                match kalshi::parse::kind(text) {
                    FrameKind::Snapshot => tally.snapshots += 1,
                    FrameKind::Delta => tally.deltas += 1,
                    _ => {}
                }
            }
            Venue::Polymarket => {
                let kind = polymarket::parse::kind(text);
                let mut seen = Vec::new();
                for named in polymarket::parse::assets_in(text) {
                    let index = self.pipeline.registry().find_token(named.asset.as_ref());
                    if let Some(index) = index.filter(|index| !seen.contains(index)) {
                        seen.push(index);
                        let tally = self.tallies.entry(index).or_default();
                        tally.frames += 1;
                        match kind {
                            polymarket::parse::Kind::Book => tally.snapshots += 1,
                            polymarket::parse::Kind::PriceChange => tally.deltas += 1,
                            _ => {}
                        }
                    }
                }
            }
        }
    }

    fn count_gap(&mut self, news: &News) {
        if let News::Feed(_, Notice::Gap { lane, .. }) = news {
            for (index, entry) in self.pipeline.registry().iter() {
                if entry.lane == Some(*lane) {
                    self.tallies.entry(index).or_default().gaps += 1;
                }
            }
        }
    }
}

/// Kalshi's frames name their kind in `type`, Polymarket's in `event_type`. Both words also stand
/// deeper inside: Kalshi's lifecycle messages have an `event_type` of their own.
fn venue_of(text: &str) -> Venue {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        r#type: Option<Cow<'a, str>>,
        #[serde(borrow)]
        event_type: Option<Cow<'a, str>>,
    }
    let text = text.trim_start();
    // Nearly all of Kalshi's frames begin so, and reading the rest to be sure is what costs.
    if text.starts_with("{\"type\"") {
        return Venue::Kalshi;
    }
    match serde_json::from_str(text) {
        Ok(Named { r#type: Some(_), event_type: None }) => Venue::Kalshi,
        Ok(Named { event_type: Some(_), .. }) => Venue::Polymarket,
        Ok(Named { .. }) if text.contains("\"asset_id\"") => Venue::Polymarket,
        Ok(Named { .. }) => Venue::Kalshi,
        Err(_) if text.starts_with('[') => Venue::Polymarket,
        Err(_) => Venue::Kalshi,
    }
}

/// When the venue made a frame, for captures that do not say when it arrived: milliseconds in
/// `ts_ms` on Kalshi, as text in `timestamp` on Polymarket.
fn made_at(text: &str) -> Option<i64> {
    let after = |key: &str| text.find(key).map(|at| &text[at + key.len()..]);
    let rest = after("\"ts_ms\":").or_else(|| after("\"timestamp\":\""))?;
    let digits = rest.trim_start().bytes().take_while(u8::is_ascii_digit).count();
    rest.trim_start()[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifecycle_message_of_kalshi_is_not_taken_for_polymarkets() {
        let kalshi = r#"{"sid":2,"type":"market_lifecycle_v2","msg":{"event_type":"deactivated"}}"#;
        assert_eq!(venue_of(kalshi), Venue::Kalshi);
        assert_eq!(venue_of(r#"{"type":"trade","msg":{}}"#), Venue::Kalshi);
        assert_eq!(venue_of(r#"{"market":"0x","event_type":"book"}"#), Venue::Polymarket);
        assert_eq!(venue_of(r#"[{"event_type":"book"}]"#), Venue::Polymarket);
    }

    #[test]
    fn a_bare_frame_brings_its_own_time() {
        assert_eq!(made_at(r#"{"msg":{"ts_ms":1795000000123}}"#), Some(1_795_000_000_123));
        assert_eq!(made_at(r#"{"timestamp":"1763800000000","x":1}"#), Some(1_763_800_000_000));
        assert_eq!(made_at(r#"{"type":"subscribed"}"#), None);
    }
}
