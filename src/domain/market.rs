//! One question at one venue, and the facts about it that money depends on.

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::contract::{Outcome, Venue};
use super::fee::FeePlan;
use super::money::Money;
use super::price::Price;
use super::quantity::Quantity;
use super::time::Timestamp;

/// A market's place in the tables of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MarketIndex(pub u32);

impl MarketIndex {
    /// The index into a table.
    pub const fn at(self) -> usize {
        self.0 as usize
    }
}

/// Prices of one step width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// Where the band begins, in 1/10,000 dollars.
    pub start: u16,
    /// Where it ends, in 1/10,000 dollars; shared with the next band.
    pub end: u16,
    /// The distance of valid prices, in 1/10,000 dollars.
    pub step: u16,
}

/// Which prices a market accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceGrid {
    bands: Vec<Band>,
}

impl PriceGrid {
    /// The most bands a market may have.
    pub const BANDS_MAX: usize = 32;

    /// Takes the bands of a market; `None` if one is empty, reversed, beyond a dollar, or has no
    /// step, or if there is none or too many.
    pub fn new(bands: Vec<Band>) -> Option<Self> {
        let sound = |band: &Band| band.step > 0 && band.start < band.end && band.end <= Price::ONE;
        let counted = !bands.is_empty() && bands.len() <= Self::BANDS_MAX;
        (counted && bands.iter().all(sound)).then_some(Self { bands })
    }

    /// One step width from zero to a dollar; `None` for a step of zero or above a dollar.
    pub fn uniform(step: u16) -> Option<Self> {
        Self::new(vec![Band { start: 0, end: Price::ONE, step }]).filter(|_| step < Price::ONE)
    }

    /// The bands, as the venue lists them.
    pub fn bands(&self) -> &[Band] {
        &self.bands
    }

    /// Whether the venue accepts this price.
    pub fn contains(&self, price: Price) -> bool {
        let units = price.units();
        self.bands.iter().any(|band| {
            units >= band.start
                && units <= band.end
                && (units - band.start).is_multiple_of(band.step)
        })
    }
}

/// The smallest order a venue takes in a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Minimum {
    /// Fewest contracts.
    pub quantity: Quantity,
    /// Fewest dollars.
    pub notional: Money,
}

/// Whether a market can be traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Orders are taken.
    Open,
    /// Orders are not taken at present.
    Paused,
    /// Trading is over, or the market is not known any more.
    Closed,
}

/// Which contract on the chain settles a Polymarket market, and so how its orders are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Settlement {
    /// The CTF exchange of CLOB V2, domain version 2.
    Standard,
    /// The neg-risk exchange of CLOB V2, domain version 2.
    NegRisk,
    /// ExchangeV3 of Protocol V2, domain version 3.
    ProtocolV2,
}

impl Settlement {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Standard, Self::NegRisk, Self::ProtocolV2];

    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::NegRisk => "neg_risk",
            Self::ProtocolV2 => "protocol_v2",
        }
    }
}

/// The two tokens of a Polymarket market, as decimal text, in the order of its outcomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The token of the first outcome, which the book calls YES.
    pub yes: String,
    /// The token of the second outcome.
    pub no: String,
    /// The venue's label of the first outcome: `Yes`, `Up`, a team.
    pub yes_label: String,
    /// The venue's label of the second outcome.
    pub no_label: String,
    /// Which contract settles them; `None` where the venue's words leave it open, and then no order
    /// can be signed.
    pub settlement: Option<Settlement>,
    /// Whether the event may get new outcomes, or this is its "other" outcome: what such a market
    /// means can change, so it is watched and not traded.
    pub is_open_ended: bool,
}

impl Tokens {
    /// Which contract a label names, ignoring case; `None` for neither.
    pub fn outcome_of(&self, label: &str) -> Option<Outcome> {
        if self.yes_label.eq_ignore_ascii_case(label) {
            Some(Outcome::Yes)
        } else if self.no_label.eq_ignore_ascii_case(label) {
            Some(Outcome::No)
        } else {
            None
        }
    }
}

/// The hash that a rules text is known by: SHA-256 as 64 hex digits.
pub fn rules_hash(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether two markets of one venue are of one event: by its name, or by the neg-risk market that
/// they are parts of, whatever the other says. What has no name is nobody else's.
pub fn shares_event(one: (&str, &str), other: (&str, &str)) -> bool {
    let is_same = |one: &str, other: &str| !one.is_empty() && one == other;
    is_same(one.0, other.0) || is_same(one.1, other.1)
}

/// What is known about a market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Market {
    /// Where it trades.
    pub venue: Venue,
    /// Kalshi ticker or Polymarket condition id.
    pub id: String,
    /// The question, as the venue words it.
    pub title: String,
    /// The venue's event that the market belongs to; empty when unknown.
    pub event: String,
    /// Polymarket's id of the neg-risk market, at most one of whose outcomes pays, that the market
    /// is a part of; empty where there is none.
    pub group: String,
    /// Valid prices; `None` when the venue did not tell.
    pub grid: Option<PriceGrid>,
    /// Taker fee over time.
    pub fee: FeePlan,
    /// Smallest order.
    pub minimum: Minimum,
    /// Whether orders are taken.
    pub status: Status,
    /// When trading ends; `None` when unknown.
    pub closes: Option<Timestamp>,
    /// When the game or the measured period begins; `None` when there is none.
    pub starts: Option<Timestamp>,
    /// How long the venue holds a marketable order before it matches.
    pub delay: Duration,
    /// Kalshi's `exchange_index`: the shard whose cash pays and whose engine matches; `None` where
    /// the venue did not tell, and on Polymarket.
    pub shard: Option<u32>,
    /// The SHA-256 of the rules text, as 64 hex digits; `None` where it is not known.
    pub rules: Option<String>,
    /// What decides beside the rules, in the venue's own fields: Kalshi's strikes and sources.
    pub basis: Option<String>,
    /// What one YES contract pays, once the venue says so for good.
    pub yes_pays: Option<Money>,
    /// The two tokens; `Some` on Polymarket only.
    pub tokens: Option<Tokens>,
}

impl Market {
    /// The two names of its event, for [`shares_event`].
    pub fn event_names(&self) -> (&str, &str) {
        (&self.event, &self.group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markets_share_an_event_by_either_of_its_names() {
        for (one, other, same) in [
            (("fed", "0xaa"), ("fed", "0xaa"), true),
            (("fed", "0xaa"), ("rates", "0xaa"), true),
            (("fed", "0xaa"), ("fed", "0xbb"), true),
            (("fed", "0xaa"), ("fed", ""), true),
            (("", "0xaa"), ("fed", "0xaa"), true),
            (("fed", "0xaa"), ("rates", "0xbb"), false),
            (("fed", ""), ("rates", ""), false),
            (("", ""), ("", ""), false),
            // An id is no name.
            (("0xaa", ""), ("", "0xaa"), false),
        ] {
            assert_eq!(shares_event(one, other), same, "{one:?} {other:?}");
            assert_eq!(shares_event(other, one), same, "{other:?} {one:?}");
        }
    }
}
