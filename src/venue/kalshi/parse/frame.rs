//! WebSocket messages, understood.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::{Change, Outcome, Price, Quantity, Timestamp};
use crate::venue::Error;

use super::super::wire::{Text, ws};
use super::{delta, malformed, misread};

/// What a frame says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A level changed.
    Delta(Delta<'a>),
    /// All levels of a book.
    Snapshot(Snapshot<'a>),
    /// A subscription exists.
    Subscribed {
        /// The command this answers.
        id: Option<u64>,
        /// The channel.
        channel: Cow<'a, str>,
        /// The subscription's number.
        sid: u64,
    },
    /// A subscription ended.
    Unsubscribed {
        /// Its number.
        sid: Option<u64>,
        /// Its place in the order of the subscription.
        seq: Option<u64>,
    },
    /// A command failed, or a subscription did.
    Failed {
        /// The command this answers.
        id: Option<u64>,
        /// The subscription.
        sid: Option<u64>,
        /// Its place in the order of the subscription.
        seq: Option<u64>,
        /// The code.
        code: i64,
        /// What it means.
        text: Cow<'a, str>,
    },
    /// Something happened to a market.
    Lifecycle(Lifecycle<'a>),
    /// The fee of an event's markets changed.
    FeeUpdate {
        /// The subscription.
        sid: Option<u64>,
        /// Its place in the order of the subscription.
        seq: Option<u64>,
        /// The event.
        event_ticker: Cow<'a, str>,
    },
    /// Anything else: it has a place in its subscription's order, and nothing that is read here.
    Other {
        /// The subscription.
        sid: Option<u64>,
        /// Its place in the order of the subscription.
        seq: Option<u64>,
    },
}

/// A change of one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta<'a> {
    /// The subscription.
    pub sid: u64,
    /// Its place in the order of the subscription.
    pub seq: u64,
    /// The market.
    pub ticker: Cow<'a, str>,
    /// What the level bids for.
    pub leg: Outcome,
    /// The level's price, on the scale of the subscription.
    pub price: Price,
    /// By how much it grew or shrank.
    pub change: Change,
    /// When the venue made it.
    pub source: Option<Timestamp>,
}

/// One level of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// What it bids for.
    pub leg: Outcome,
    /// Its price, on the scale of the subscription.
    pub price: Price,
    /// How many contracts.
    pub quantity: Quantity,
}

/// A full book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot<'a> {
    /// The subscription.
    pub sid: u64,
    /// Its place in the order of the subscription.
    pub seq: u64,
    /// The market.
    pub ticker: Cow<'a, str>,
    /// All levels, as the venue lists them.
    pub levels: Vec<Level>,
    /// When the venue made it, where it says.
    pub source: Option<Timestamp>,
}

/// Something happened to a market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifecycle<'a> {
    /// The subscription.
    pub sid: Option<u64>,
    /// Its place in the order of the subscription.
    pub seq: Option<u64>,
    /// The market.
    pub ticker: Cow<'a, str>,
    /// What happened, as the venue names it.
    pub event: Cow<'a, str>,
}

/// A frame that makes no sense, and what can still be said about it.
#[derive(Debug)]
pub struct Broken {
    /// What is wrong.
    pub error: Error,
    /// The subscription, where it could be read.
    pub sid: Option<u64>,
    /// The place in its order, where it could be read.
    pub seq: Option<u64>,
    /// The market, where it could be read.
    pub ticker: Option<String>,
    /// What kind of frame it is; `None` when even its envelope could not be read.
    pub kind: Option<super::FrameKind>,
}

/// Reads a frame.
pub fn frame(text: &str) -> Result<Frame<'_>, Box<Broken>> {
    match delta::scan(text) {
        Some(delta) => Ok(Frame::Delta(delta)),
        None => frame_by_serde(text),
    }
}

/// Reads a frame without the fast path; the oracle of its test.
pub fn frame_by_serde(text: &str) -> Result<Frame<'_>, Box<Broken>> {
    let head: ws::Head<'_> = serde_json::from_str(text).map_err(|error| {
        let error = misread("frame", text, &error);
        Box::new(Broken { error, sid: None, seq: None, ticker: None, kind: None })
    })?;
    understand(&head).map_err(|error| {
        let about = head.msg.and_then(|msg| serde_json::from_str::<ws::About<'_>>(msg.get()).ok());
        Box::new(Broken {
            error,
            sid: number(head.sid),
            seq: number(head.seq),
            ticker: about.and_then(|about| about.market_ticker).map(|text| text.0.into_owned()),
            kind: Some(super::kind_of(&head.kind)),
        })
    })
}

fn understand<'a>(head: &ws::Head<'a>) -> Result<Frame<'a>, Error> {
    let (id, sid, seq) = (number(head.id), number(head.sid), number(head.seq));
    Ok(match &*head.kind {
        "orderbook_delta" => Frame::Delta(delta_of(head)?),
        "orderbook_snapshot" => Frame::Snapshot(snapshot_of(head)?),
        "subscribed" => {
            let body: ws::Subscribed<'a> = contents(head, "subscribed")?;
            Frame::Subscribed { id, channel: body.channel, sid: body.sid }
        }
        "unsubscribed" => Frame::Unsubscribed { sid, seq },
        "error" => {
            let body: ws::Failed<'a> = contents(head, "error")?;
            let text = body.msg.map_or(Cow::Borrowed(""), |text| text.0);
            Frame::Failed { id, sid: sid.or(body.sid), seq, code: body.code, text }
        }
        "market_lifecycle_v2" => {
            let body: ws::Lifecycle<'a> = contents(head, "market_lifecycle_v2")?;
            let (ticker, event) = (body.market_ticker, body.event_type);
            Frame::Lifecycle(Lifecycle { sid, seq, ticker, event })
        }
        "event_fee_update" => {
            let body: ws::FeeUpdate<'a> = contents(head, "event_fee_update")?;
            Frame::FeeUpdate { sid, seq, event_ticker: body.event_ticker }
        }
        _ => Frame::Other { sid, seq },
    })
}

fn delta_of<'a>(head: &ws::Head<'a>) -> Result<Delta<'a>, Error> {
    const WHAT: &str = "orderbook_delta";
    let body: ws::Delta<'a> = contents(head, WHAT)?;
    let what = || format!("{WHAT} of {}", body.market_ticker);
    let (sid, seq) = place(head, &what())?;
    let leg = match &*body.side {
        "yes" => Outcome::Yes,
        "no" => Outcome::No,
        other => return Err(malformed(&what(), "side", format_args!("{other:?}"))),
    };
    let price = Price::parse(&body.price_dollars)
        .map_err(|why| wrong(&what(), "price_dollars", &body.price_dollars, why))?;
    let change = Change::parse(&body.delta_fp)
        .map_err(|why| wrong(&what(), "delta_fp", &body.delta_fp, why))?;
    let source = body.ts_ms.map(Timestamp::from_millis);
    Ok(Delta { sid, seq, ticker: body.market_ticker, leg, price, change, source })
}

fn snapshot_of<'a>(head: &ws::Head<'a>) -> Result<Snapshot<'a>, Error> {
    const WHAT: &str = "orderbook_snapshot";
    let body: ws::Snapshot<'a> = contents(head, WHAT)?;
    let what = format!("{WHAT} of {}", body.market_ticker);
    let (sid, seq) = place(head, &what)?;
    let (yes, no) =
        (body.yes_dollars_fp.unwrap_or_default(), body.no_dollars_fp.unwrap_or_default());
    let mut levels = Vec::with_capacity(yes.len() + no.len());
    push_levels(&what, "yes_dollars_fp", Outcome::Yes, &yes, &mut levels)?;
    push_levels(&what, "no_dollars_fp", Outcome::No, &no, &mut levels)?;
    let source = body.ts_ms.map(Timestamp::from_millis);
    Ok(Snapshot { sid, seq, ticker: body.market_ticker, levels, source })
}

/// Reads the levels of one side. A side may be long: 9,999 prices at most.
pub(super) fn push_levels(
    what: &str,
    field: &str,
    leg: Outcome,
    from: &[(Text<'_>, Text<'_>)],
    into: &mut Vec<Level>,
) -> Result<(), Error> {
    if from.len() > usize::from(Price::ONE) {
        return Err(malformed(what, field, format_args!("{} levels", from.len())));
    }
    for (price, size) in from {
        let (price, size) = (price.as_str(), size.as_str());
        let quantity = Quantity::parse(size).map_err(|why| wrong(what, field, size, why))?;
        let price = Price::parse(price).map_err(|why| wrong(what, field, price, why))?;
        into.push(Level { leg, price, quantity });
    }
    Ok(())
}

fn wrong(what: &str, field: &str, text: &str, why: crate::domain::DecimalError) -> Error {
    malformed(what, field, format_args!("{text:?}: {why}"))
}

fn place(head: &ws::Head<'_>, what: &str) -> Result<(u64, u64), Error> {
    let sid = number(head.sid).ok_or_else(|| malformed(what, "sid", "missing or no number"))?;
    let seq = number(head.seq).ok_or_else(|| malformed(what, "seq", "missing or no number"))?;
    Ok((sid, seq))
}

fn contents<'a, T: Deserialize<'a>>(head: &ws::Head<'a>, what: &str) -> Result<T, Error> {
    let text = head.msg.ok_or_else(|| malformed(what, "msg", "missing"))?.get();
    serde_json::from_str(text).map_err(|error| {
        let about = serde_json::from_str::<ws::About<'_>>(text).ok();
        match about.and_then(|about| about.market_ticker) {
            Some(ticker) => misread(&format!("{what} of {}", ticker.as_str()), text, &error),
            None => misread(what, text, &error),
        }
    })
}

fn number(raw: Option<&RawValue>) -> Option<u64> {
    raw.and_then(|raw| raw.get().parse().ok())
}
