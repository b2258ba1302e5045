//! `crossbook replay`: recorded frames through the same codecs and engine.

use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::app::args::Replay;
use crate::app::exit::{Exit, Misuse};
use crate::app::pipeline::{FeedSource, News, Pipeline};
use crate::app::player::Player;
use crate::app::report::{Reporter, Style};
use crate::app::sources::{Captured, KalshiFeed, Sources, engine_settings};
use crate::app::transcript::OWN_LEG;
use crate::app::{clock, mappings, settings};
use crate::book::Level;
use crate::domain::{Date, Market, Price, Quantity, Venue};
use crate::record::market::MarketFacts;
use crate::record::{Entry, FORMAT, Line, Reader};
use crate::venue::kalshi::parse::PriceMode;
use crate::venue::kalshi::stream::Sequence;

/// Runs the command.
pub fn run(args: &Replay) -> anyhow::Result<Exit> {
    let first = first_line(&args.files[0])?;
    let mut player = match &first {
        Some(line) => recorded(line, args)?,
        None => captured(args)?,
    };
    let style = if args.json { Style::Json } else { Style::People };
    let mut reporter = Reporter::start(style)?;
    let mut frames = Vec::new();
    for file in &args.files {
        let before = player.pipeline.frames();
        player.play(file, |pipeline, news| {
            if let News::Decision(_) | News::Feed(..) | News::Findings(_) = news {
                reporter.tell(&news, pipeline, pipeline.now());
            }
        })?;
        frames.push((file, player.pipeline.frames() - before));
    }
    if args.ignore_seq {
        reporter.note("jumps in Kalshi's sequence numbers were taken as natural (--ignore-seq)");
    }
    let matches = matches_recording(&player);
    let (record, text) = summary(&player, &reporter, args, matches);
    reporter.say(&record, &text);
    reporter.finish();
    Ok(if matches == Some(false) { Exit::Failed } else { Exit::Done })
}

/// The first line of a recording of ours; `None` for captures of others.
fn first_line(path: &Path) -> anyhow::Result<Option<Line<'static>>> {
    let name = path.display();
    let mut reader =
        Reader::open(path).map_err(|error| Misuse(format!("cannot open `{name}`: {error}")))?;
    match reader.next_entry().with_context(|| format!("cannot read `{name}`"))? {
        Some(Entry::Ours(line)) => Ok(Some(*line)),
        Some(Entry::Frame { .. }) => Ok(None),
        None => anyhow::bail!("`{name}` is empty"),
    }
}

/// A machine as the recording says the live one was.
fn recorded(line: &Line<'static>, args: &Replay) -> anyhow::Result<Player> {
    let Line::Start { format, version, settings, today, kalshi_feed, seed, kalshi_prices, .. } =
        line
    else {
        anyhow::bail!("the recording does not begin with its first line; was the file cut?");
    };
    anyhow::ensure!(
        *format == FORMAT,
        "the recording has format {format}, this program reads {FORMAT}"
    );
    if args.mappings.is_some() || args.markets.is_some() || args.files.len() > 1 {
        let why = "a recording brings its own mappings and markets, and is played alone";
        return Err(Misuse(why.to_owned()).into());
    }
    anyhow::ensure!(
        kalshi_prices == OWN_LEG,
        "the recording has Kalshi's NO levels as `{kalshi_prices}`; live runs ask for `{OWN_LEG}`"
    );
    if version != env!("CARGO_PKG_VERSION") {
        tracing::warn!("recorded by version {version}; decisions may differ in this one");
    }
    let today: Date = today.parse().with_context(|| format!("`{today}` is no date"))?;
    let feed = KalshiFeed::named(kalshi_feed)
        .with_context(|| format!("unknown kind of Kalshi feed `{kalshi_feed}`"))?;
    let settings = settings::from_text("recording", settings)?;
    let engine = engine_settings(&settings);
    let sources = Sources::new(settings, feed, None, *seed);
    Ok(player(engine, Box::new(sources), today))
}

/// A machine for somebody else's capture.
fn captured(args: &Replay) -> anyhow::Result<Player> {
    let settings = settings::defaults()?;
    let sequence = if args.ignore_seq { Sequence::Ignored } else { Sequence::Checked };
    let prices = if args.yes_prices { PriceMode::Yes } else { PriceMode::OwnLeg };
    let sources = Captured { sequence, prices };
    let mut player = player(engine_settings(&settings), Box::new(sources), clock::today());
    let markets = match &args.markets {
        Some(path) => read_markets(path)?,
        None => Vec::new(),
    };
    let mappings = match &args.mappings {
        Some(dir) => mappings::read(dir).map_err(|error| Misuse(format!("{error:#}")))?,
        None => Vec::new(),
    };
    player.prepare(markets, mappings);
    Ok(player)
}

fn player(engine: crate::engine::Settings, sources: Box<dyn FeedSource>, today: Date) -> Player {
    Player::new(Pipeline::new(engine, sources, today))
}

fn read_markets(path: &Path) -> anyhow::Result<Vec<Market>> {
    let name = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Misuse(format!("cannot read `{name}`: {error}")))?;
    let mut markets = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let market = serde_json::from_str::<MarketFacts>(line)
            .map_err(|error| error.to_string())
            .and_then(|facts| facts.to_market())
            .map_err(|why| Misuse(format!("`{name}` line {}: {why}", at + 1)))?;
        markets.push(market);
    }
    Ok(markets)
}

/// Whether the decisions are those of the recorded run; `None` where nothing says what they were.
fn matches_recording(player: &Player) -> Option<bool> {
    let recorded = player.recording().recorded_digest.as_ref()?;
    Some(*recorded == player.pipeline.digest())
}

fn summary(
    player: &Player,
    reporter: &Reporter,
    args: &Replay,
    matches: Option<bool>,
) -> (Value, String) {
    let pipeline = &player.pipeline;
    let counters = pipeline.engine().counters();
    let markets = markets(player);
    let record = json!({
        "kind": "summary", "frames": pipeline.frames(),
        "updates": pipeline.engine().books().updates(), "markets": markets,
        "opportunities": {"opened": counters.opened, "closed": counters.closed},
        "rejections": Reporter::rejections(pipeline), "feeds": reporter.feeds(pipeline),
        "ignore_seq": args.ignore_seq, "digest": pipeline.digest(),
        "recorded_digest": player.recording().recorded_digest, "digest_matches": matches,
    });
    let mut text = String::new();
    for market in &markets {
        let field = |name: &str| match &market[name] {
            Value::Array(level) => format!(
                "{} x {}",
                level[0].as_str().unwrap_or("-"),
                level[1].as_str().unwrap_or("-")
            ),
            _ if market["whole"] == false => "lost".to_owned(),
            _ => "-".to_owned(),
        };
        text.push_str(&format!(
            "{:<10} {:<40.40} frames {:>7}  gaps {:>3}  bid {:<22} ask {}\n",
            market["venue"].as_str().unwrap_or_default(),
            market["market"].as_str().unwrap_or_default(),
            market["frames"].to_string(),
            market["gaps"].to_string(),
            field("yes_bid"),
            field("yes_ask"),
        ));
    }
    text.push_str(&format!(
        "{} frames, {} updates, {} opportunities opened, {} closed\ndigest {}\n",
        pipeline.frames(),
        pipeline.engine().books().updates(),
        counters.opened,
        counters.closed,
        pipeline.digest(),
    ));
    match matches {
        Some(true) => text.push_str("the decisions are those of the recorded run\n"),
        Some(false) => text.push_str("THE DECISIONS DIFFER from those of the recorded run\n"),
        None => {}
    }
    (record, text)
}

fn markets(player: &Player) -> Vec<Value> {
    let pipeline = &player.pipeline;
    let mut markets: Vec<_> = pipeline.registry().iter().collect();
    markets.sort_by(|a, b| (a.1.venue, &a.1.id).cmp(&(b.1.venue, &b.1.id)));
    let mut records = Vec::new();
    for (index, entry) in markets {
        let Some(slot) = pipeline.engine().books().get(index) else { continue };
        let tally = player.tallies().get(&index).copied().unwrap_or_default();
        let (bids, asks) = (slot.book.bids(), slot.book.asks());
        // What is left of a book that was lost is no book, and is told as nothing.
        let whole = pipeline.engine().books().is_whole(&slot.book);
        let best = |best: Option<Level>| level(best.filter(|_| whole));
        let depth = |depth: usize| if whole { depth } else { 0 };
        let size = |size: Quantity| if whole { size } else { Quantity::ZERO }.to_string();
        records.push(json!({
            "venue": Venue::name(entry.venue), "market": entry.id, "frames": tally.frames,
            "snapshots": tally.snapshots, "deltas": tally.deltas, "gaps": tally.gaps,
            "whole": whole,
            "yes_bid": best(bids.best()), "yes_ask": best(asks.best()),
            "bid_levels": depth(bids.depth()), "ask_levels": depth(asks.depth()),
            "bid_size": size(bids.total()), "ask_size": size(asks.total()),
        }));
    }
    records
}

fn level(level: Option<Level>) -> Value {
    match level {
        Some(Level { price, quantity }) => json!([Price::to_string(&price), quantity.to_string()]),
        None => Value::Null,
    }
}
