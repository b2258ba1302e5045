//! The commands of a WebSocket client and their answers.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::Timestamp;
use crate::exchange::{Floor, Push};

use super::frames::{Frame, Scale, Tally, Ticker};
use super::stream::{Channel, Images, Link, Markets, Subscription};

/// The most subscriptions of one connection.
const SUBSCRIPTIONS_MAX: usize = 256;
/// The most channels or sids one command may name.
const NAMES_MAX: usize = 64;

#[derive(Debug, Deserialize)]
struct Command {
    #[serde(default)]
    id: u64,
    #[serde(default)]
    cmd: String,
    params: Option<Params>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Params {
    channels: Vec<String>,
    market_ticker: Option<String>,
    market_tickers: Vec<String>,
    sid: Option<u64>,
    sids: Vec<u64>,
    action: Option<String>,
    /// The documented default, false, is announced to flip. A client that leaves the flag out gets
    /// the future default here, so that it notices.
    use_yes_price: Option<bool>,
    send_initial_snapshot: bool,
}

impl Params {
    fn tickers(&self) -> impl Iterator<Item = &str> {
        self.market_tickers.iter().map(String::as_str).chain(self.market_ticker.as_deref())
    }

    fn names_markets(&self) -> bool {
        self.tickers().next().is_some()
    }

    /// The markets that exist among those named; others stay silent.
    fn markets(&self, floor: &Floor) -> BTreeSet<usize> {
        let known = |ticker| floor.listings.iter().position(|listing| listing.id == ticker);
        self.tickers().filter_map(known).collect()
    }
}

/// The error codes of the WebSocket API that are in use.
#[derive(Debug, Clone, Copy)]
struct Problem(u64, &'static str);

const UNREADABLE: Problem = Problem(1, "Unable to process message");
const NO_PARAMS: Problem = Problem(2, "Params required");
const NO_CHANNELS: Problem = Problem(3, "Channels required");
const NO_SIDS: Problem = Problem(4, "Subscription IDs required");
const UNKNOWN_COMMAND: Problem = Problem(5, "Unknown command");
const UNKNOWN_SID: Problem = Problem(7, "Unknown subscription ID");
const UNKNOWN_CHANNEL: Problem = Problem(8, "Unknown channel name");
const INVALID: Problem = Problem(11, "Invalid parameter");
const ONE_SID: Problem = Problem(12, "Exactly one subscription ID is required");
const UNKNOWN_ACTION: Problem = Problem(13, "Unsupported action");
const NO_MARKETS: Problem = Problem(14, "Market ticker required");
const NO_ACTION: Problem = Problem(15, "Action required");
const TOO_MANY: Problem = Problem(26, "Subscription limit exceeded");

/// What a command may look at besides its own link.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) floor: &'a Floor,
    pub(super) tallies: &'a [Tally],
    pub(super) images: Images,
    pub(super) now: Timestamp,
}

/// Carries out one text frame of a client.
pub(super) fn handle(link: &mut Link, text: &str, scene: Scene<'_>, out: &mut Vec<Push>) {
    if link.frozen() {
        return;
    }
    let Ok(Command { id, cmd, params }) = serde_json::from_str(text) else {
        refuse(link, 0, None, UNREADABLE, out);
        return;
    };
    let problem = match (cmd.as_str(), params) {
        ("list_subscriptions", _) => {
            list(link, id, out);
            return;
        }
        ("subscribe", Some(params)) => subscribe(link, id, &params, scene, out),
        ("unsubscribe", Some(params)) => unsubscribe(link, id, &params, out),
        ("update_subscription", Some(params)) => {
            update(link, id, &params, scene, out);
            return;
        }
        ("subscribe" | "unsubscribe" | "update_subscription", None) => Err(NO_PARAMS),
        _ => Err(UNKNOWN_COMMAND),
    };
    if let Err(problem) = problem {
        refuse(link, id, None, problem, out);
    }
}

/// An id of zero means that the command had none.
const fn given(id: u64) -> Option<u64> {
    if id == 0 { None } else { Some(id) }
}

/// Answers with an error; one that concerns a sequenced subscription takes a number.
fn refuse(link: &mut Link, id: u64, sid: Option<u64>, problem: Problem, out: &mut Vec<Push>) {
    let held = sid.and_then(|sid| link.subscriptions.get_mut(&sid));
    let seq = held.and_then(Subscription::next_seq);
    let msg = Some(json!({"code": problem.0, "msg": problem.1}));
    let frame = Frame { id: given(id), kind: "error", sid, seq, msg };
    link.push(frame.text(), out);
}

fn list(link: &Link, id: u64, out: &mut Vec<Push>) {
    let held = link.subscriptions.iter();
    let msg: Value =
        held.map(|(sid, held)| json!({"channel": held.channel.name(), "sid": sid})).collect();
    let frame = Frame { id: given(id), kind: "ok", sid: None, seq: None, msg: Some(msg) };
    link.push(frame.text(), out);
}

fn subscribe(
    link: &mut Link,
    id: u64,
    params: &Params,
    scene: Scene<'_>,
    out: &mut Vec<Push>,
) -> Result<(), Problem> {
    if params.channels.is_empty() {
        return Err(NO_CHANNELS);
    }
    if link.subscriptions.len() + params.channels.len() > SUBSCRIPTIONS_MAX {
        return Err(TOO_MANY);
    }
    if params.market_ticker.is_some() && !params.market_tickers.is_empty() {
        return Err(INVALID);
    }
    let channels: Option<Vec<Channel>> =
        params.channels.iter().map(|name| Channel::parse(name)).collect();
    let channels = channels.ok_or(UNKNOWN_CHANNEL)?;
    if channels.contains(&Channel::Orderbook) && !params.names_markets() {
        return Err(NO_MARKETS);
    }
    for channel in channels {
        open(link, id, channel, params, scene, out);
    }
    Ok(())
}

fn open(
    link: &mut Link,
    id: u64,
    channel: Channel,
    params: &Params,
    scene: Scene<'_>,
    out: &mut Vec<Push>,
) {
    let markets = if params.names_markets() && channel != Channel::Lifecycle {
        Markets::Some(params.markets(scene.floor))
    } else {
        Markets::All
    };
    let scale = if params.use_yes_price.unwrap_or(true) { Scale::Yes } else { Scale::Leg };
    let sid = link.add(Subscription::new(channel, markets.clone(), scale));
    let msg = Some(json!({"channel": channel.name(), "sid": sid}));
    let frame = Frame { id: given(id), kind: "subscribed", sid: None, seq: None, msg };
    link.push(frame.text(), out);
    for market in (0..scene.floor.listings.len()).filter(|market| markets.covers(*market)) {
        match channel {
            Channel::Orderbook => link.image(sid, market, None, scene.images, scene.floor, out),
            Channel::Ticker if params.send_initial_snapshot => {
                let (listing, book) = (&scene.floor.listings[market], &scene.floor.books[market]);
                let tally = scene.tallies.get(market).copied().unwrap_or_default();
                let msg = Some(Ticker::of(listing, book, tally, scene.now));
                let frame = Frame { id: None, kind: "ticker", sid: Some(sid), seq: None, msg };
                link.push(frame.text(), out);
            }
            _ => {}
        }
    }
}

fn unsubscribe(
    link: &mut Link,
    id: u64,
    params: &Params,
    out: &mut Vec<Push>,
) -> Result<(), Problem> {
    let sids: Vec<u64> = params.sids.iter().copied().chain(params.sid).take(NAMES_MAX).collect();
    if sids.is_empty() {
        return Err(NO_SIDS);
    }
    for sid in sids {
        let Some(mut gone) = link.subscriptions.remove(&sid) else {
            refuse(link, id, None, UNKNOWN_SID, out);
            continue;
        };
        let seq = gone.next_seq();
        let frame: Frame<'_, Value> =
            Frame { id: given(id), kind: "unsubscribed", sid: Some(sid), seq, msg: None };
        link.push(frame.text(), out);
    }
    Ok(())
}

fn update(link: &mut Link, id: u64, params: &Params, scene: Scene<'_>, out: &mut Vec<Push>) {
    let named: Vec<u64> = params.sids.iter().copied().chain(params.sid).collect();
    let [sid] = named[..] else {
        refuse(link, id, None, ONE_SID, out);
        return;
    };
    let Some(held) = link.subscriptions.get_mut(&sid) else {
        refuse(link, id, None, UNKNOWN_SID, out);
        return;
    };
    let done = change(held, params, scene.floor);
    let change = match done {
        Ok(change) => change,
        Err(problem) => {
            refuse(link, id, Some(sid), problem, out);
            return;
        }
    };
    if let Some(tickers) = change.listed {
        let seq = held.next_seq();
        let msg = Some(json!({"market_tickers": tickers}));
        let frame = Frame { id: given(id), kind: "ok", sid: Some(sid), seq, msg };
        link.push(frame.text(), out);
    }
    let asked = if change.answers { given(id) } else { None };
    for market in change.images {
        link.image(sid, market, asked, scene.images, scene.floor, out);
    }
}

/// What an update leads to.
#[derive(Debug)]
struct Changed {
    /// The tickers of the subscription, to be listed in an `ok`.
    listed: Option<Vec<String>>,
    /// The markets whose image is to be sent.
    images: BTreeSet<usize>,
    /// Whether these images answer the command and so bear its id.
    answers: bool,
}

fn change(held: &mut Subscription, params: &Params, floor: &Floor) -> Result<Changed, Problem> {
    let action = params.action.as_deref().ok_or(NO_ACTION)?;
    if !matches!(action, "add_markets" | "delete_markets" | "get_snapshot") {
        return Err(UNKNOWN_ACTION);
    }
    if !params.names_markets() {
        return Err(NO_MARKETS);
    }
    let named = params.markets(floor);
    let books = held.channel == Channel::Orderbook;
    let Markets::Some(markets) = &mut held.markets else { return Err(INVALID) };
    if action == "get_snapshot" {
        if !books || !named.is_subset(markets) {
            return Err(INVALID);
        }
        return Ok(Changed { listed: None, images: named, answers: true });
    }
    let mut images = BTreeSet::new();
    if action == "add_markets" {
        images = named.difference(markets).copied().filter(|_| books).collect();
        markets.extend(&named);
    } else {
        markets.retain(|market| !named.contains(market));
    }
    let listed = markets.iter().map(|market| floor.listings[*market].id.clone()).collect();
    if action == "delete_markets" {
        for market in named {
            held.forget(market);
        }
    }
    Ok(Changed { listed: Some(listed), images, answers: false })
}
