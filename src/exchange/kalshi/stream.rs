//! The WebSocket side: connections, subscriptions, commands, and what goes out on each.
//!
//! Invariants: `seq` rises by one per frame of a sequenced `sid`, over all its markets, replies and
//! errors of that `sid` included. A market's image precedes its first delta. A link that is frozen
//! is sent nothing, heartbeats included.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use crate::domain::Timestamp;
use crate::exchange::{Connection, Floor, Push};

use super::frames::{Frame, Scale, Snapshot};

/// Kalshi pings with this body this often.
pub(super) const HEARTBEAT: &str = "heartbeat";
const HEARTBEAT_EVERY: Duration = Duration::from_secs(10);

/// The channels a client may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Channel {
    Orderbook,
    Trade,
    Ticker,
    Lifecycle,
    /// A channel about the member's own orders and money.
    Private(&'static str),
    /// A real channel on which nothing happens here.
    Quiet(&'static str),
}

impl Channel {
    const PRIVATE: [&'static str; 4] =
        ["fill", "user_orders", "market_positions", "order_group_updates"];
    const QUIET: [&'static str; 2] = ["multivariate_market_lifecycle", "communications"];

    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "orderbook_delta" => Some(Self::Orderbook),
            "trade" => Some(Self::Trade),
            "ticker" => Some(Self::Ticker),
            "market_lifecycle_v2" => Some(Self::Lifecycle),
            _ => {
                let private = Self::PRIVATE.into_iter().find(|private| *private == name);
                let quiet = Self::QUIET.into_iter().find(|quiet| *quiet == name);
                private.map(Self::Private).or(quiet.map(Self::Quiet))
            }
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Orderbook => "orderbook_delta",
            Self::Trade => "trade",
            Self::Ticker => "ticker",
            Self::Lifecycle => "market_lifecycle_v2",
            Self::Private(name) | Self::Quiet(name) => name,
        }
    }

    fn sequenced(self) -> bool {
        matches!(self, Self::Orderbook | Self::Trade | Self::Lifecycle)
            || self == Self::Private("order_group_updates")
    }
}

/// Which markets a subscription covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Markets {
    All,
    Some(BTreeSet<usize>),
}

impl Markets {
    pub(super) fn covers(&self, market: usize) -> bool {
        match self {
            Self::All => true,
            Self::Some(markets) => markets.contains(&market),
        }
    }
}

/// One channel of one link.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) channel: Channel,
    pub(super) markets: Markets,
    pub(super) scale: Scale,
    seq: u64,
    /// Markets whose image is held back, with the id of the command that asked for it. Their deltas
    /// are held back too: the image, once sent, contains them.
    awaited: BTreeMap<usize, Option<u64>>,
}

impl Subscription {
    pub(super) const fn new(channel: Channel, markets: Markets, scale: Scale) -> Self {
        Self { channel, markets, scale, seq: 0, awaited: BTreeMap::new() }
    }

    /// The next sequence number, on channels that have one.
    pub(super) fn next_seq(&mut self) -> Option<u64> {
        self.channel.sequenced().then(|| {
            self.seq += 1;
            self.seq
        })
    }

    /// Whether deltas of a market go out.
    pub(super) fn live(&self, market: usize) -> bool {
        self.markets.covers(market) && !self.awaited.contains_key(&market)
    }

    pub(super) fn hold(&mut self, market: usize, id: Option<u64>) {
        self.awaited.insert(market, id);
    }

    pub(super) fn forget(&mut self, market: usize) {
        self.awaited.remove(&market);
    }
}

/// Whether a link is sent anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Voice {
    Speaks,
    FrozenUntil(Timestamp),
}

/// One WebSocket connection.
#[derive(Debug)]
pub(super) struct Link {
    connection: Connection,
    /// Whose key opened it.
    pub(super) member: usize,
    pub(super) subscriptions: BTreeMap<u64, Subscription>,
    last_sid: u64,
    heartbeat_due: Timestamp,
    voice: Voice,
    /// Whether the next delta is lost on the way.
    loses_next: bool,
}

impl Link {
    pub(super) fn new(connection: Connection, member: usize, now: Timestamp) -> Self {
        Self {
            connection,
            member,
            subscriptions: BTreeMap::new(),
            last_sid: 0,
            heartbeat_due: now.after(HEARTBEAT_EVERY),
            voice: Voice::Speaks,
            loses_next: false,
        }
    }

    /// Adds a subscription; the number it gets is never used again on this link.
    pub(super) fn add(&mut self, subscription: Subscription) -> u64 {
        self.last_sid += 1;
        self.subscriptions.insert(self.last_sid, subscription);
        self.last_sid
    }

    pub(super) fn frozen(&self) -> bool {
        self.voice != Voice::Speaks
    }

    pub(super) fn freeze(&mut self, until: Timestamp, out: &mut Vec<Push>) {
        self.voice = Voice::FrozenUntil(until);
        out.push(Push::Stall(self.connection));
    }

    /// Whether the link's freeze is over, so that it is to be cut.
    pub(super) fn thawed(&self, now: Timestamp) -> bool {
        matches!(self.voice, Voice::FrozenUntil(until) if until <= now)
    }

    /// The next delta takes its number and gets lost, if this link has books at all.
    pub(super) fn lose_next(&mut self) {
        self.loses_next =
            self.subscriptions.values().any(|held| held.channel == Channel::Orderbook);
    }

    pub(super) fn beat(&mut self, now: Timestamp, out: &mut Vec<Push>) {
        if self.frozen() || now < self.heartbeat_due {
            return;
        }
        self.heartbeat_due = now.after(HEARTBEAT_EVERY);
        out.push(Push::Ping(self.connection, HEARTBEAT));
    }

    pub(super) fn push(&self, text: String, out: &mut Vec<Push>) {
        if !self.frozen() {
            out.push(Push::Text(self.connection, text));
        }
    }

    /// Sends a message on every subscription that `wants` it; a delta may be lost on the way.
    pub(super) fn publish<T: Serialize>(
        &mut self,
        kind: &str,
        wants: impl Fn(&Subscription) -> bool,
        message: impl Fn(&Subscription) -> T,
        out: &mut Vec<Push>,
    ) {
        if self.frozen() {
            return;
        }
        for (&sid, held) in &mut self.subscriptions {
            if !wants(held) {
                continue;
            }
            let seq = held.next_seq();
            if held.channel == Channel::Orderbook && self.loses_next {
                self.loses_next = false;
                continue;
            }
            let msg = Some(message(held));
            let frame = Frame { id: None, kind, sid: Some(sid), seq, msg };
            out.push(Push::Text(self.connection, frame.text()));
        }
    }

    /// Sends the image of a market, or notes that it is due once images come again.
    pub(super) fn image(
        &mut self,
        sid: u64,
        market: usize,
        id: Option<u64>,
        images: Images,
        floor: &Floor,
        out: &mut Vec<Push>,
    ) {
        let Some(held) = self.subscriptions.get_mut(&sid) else { return };
        if images == Images::HeldBack {
            held.hold(market, id);
            return;
        }
        held.forget(market);
        let scale = held.scale;
        let seq = held.next_seq();
        let msg = Some(Snapshot::of(&floor.listings[market], &floor.books[market], scale));
        let frame = Frame { id, kind: "orderbook_snapshot", sid: Some(sid), seq, msg };
        self.push(frame.text(), out);
    }

    /// Sends every image that was held back.
    pub(super) fn release(&mut self, floor: &Floor, out: &mut Vec<Push>) {
        let due: Vec<(u64, usize, Option<u64>)> = self
            .subscriptions
            .iter()
            .flat_map(|(sid, held)| held.awaited.iter().map(|(market, id)| (*sid, *market, *id)))
            .collect();
        for (sid, market, id) in due {
            self.image(sid, market, id, Images::Sent, floor, out);
        }
    }
}

/// Whether images go out at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Images {
    Sent,
    HeldBack,
}
