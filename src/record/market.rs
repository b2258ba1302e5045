//! A market's facts as a recording holds them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::fee::{FeeModel, FeePlan, Rate};
use crate::domain::market::{Band, Market, Minimum, PriceGrid, Settlement, Status, Tokens};
use crate::domain::{Money, Quantity, Timestamp, Venue};

/// One step of a fee plan: from when, and the model as `[rate in millionths, exponent]`, or nothing
/// where the fee is not understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeStep {
    /// Nanoseconds since 1970 UTC.
    pub from: i64,
    /// `[rate in millionths, exponent]`.
    pub model: Option<(u32, u8)>,
}

/// The facts of one market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketFacts {
    /// `kalshi` or `polymarket`.
    pub venue: String,
    /// Ticker or condition id.
    pub id: String,
    /// The question.
    #[serde(default)]
    pub title: String,
    /// The venue's event.
    #[serde(default)]
    pub event: String,
    /// Polymarket's id of the neg-risk market that it is a part of.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// `[start, end, step]` in 1/10,000 dollars.
    #[serde(default)]
    pub bands: Vec<(u16, u16, u16)>,
    /// Taker fee over time; empty when unknown.
    #[serde(default)]
    pub fee: Vec<FeeStep>,
    /// Fewest contracts, in millionths.
    #[serde(default)]
    pub minimum_quantity: i64,
    /// Fewest dollars, in millionths.
    #[serde(default)]
    pub minimum_notional: i64,
    /// `open`, `paused` or `closed`.
    pub status: String,
    /// When trading ends, nanoseconds since 1970 UTC.
    #[serde(default)]
    pub closes: Option<i64>,
    /// When the game begins, nanoseconds since 1970 UTC.
    #[serde(default)]
    pub starts: Option<i64>,
    /// The venue's delay on marketable orders, in milliseconds.
    #[serde(default)]
    pub delay_ms: u64,
    /// `[yes token, no token, yes label, no label]`.
    #[serde(default)]
    pub tokens: Option<(String, String, String, String)>,
    /// `standard`, `neg_risk` or `protocol_v2`, where the tokens have one.
    #[serde(default)]
    pub settlement: Option<String>,
    /// Whether what the market means can change with new outcomes of its event.
    #[serde(default)]
    pub is_open_ended: bool,
    /// Kalshi's `exchange_index`.
    #[serde(default)]
    pub shard: Option<u32>,
    /// SHA-256 of the rules text.
    #[serde(default)]
    pub rules: Option<String>,
    /// What decides beside the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
    /// What one YES contract pays, in millionths of a dollar.
    #[serde(default)]
    pub yes_pays: Option<i64>,
    /// The step that fees are estimated in, in millionths of a dollar, where it is not the venue's
    /// usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_grain: Option<u32>,
}

impl From<&Market> for MarketFacts {
    fn from(market: &Market) -> Self {
        let bands = market.grid.iter().flat_map(PriceGrid::bands);
        let step = |(from, model): &(Timestamp, Option<FeeModel>)| FeeStep {
            from: from.nanos(),
            model: model.map(|model| (model.rate.millionths(), model.exponent())),
        };
        let tokens = market.tokens.as_ref().map(|tokens| {
            let Tokens { yes, no, yes_label, no_label, .. } = tokens.clone();
            (yes, no, yes_label, no_label)
        });
        Self {
            venue: market.venue.name().to_owned(),
            id: market.id.clone(),
            title: market.title.clone(),
            event: market.event.clone(),
            group: market.group.clone(),
            bands: bands.map(|band| (band.start, band.end, band.step)).collect(),
            fee: market.fee.steps().iter().map(step).collect(),
            minimum_quantity: market.minimum.quantity.units(),
            minimum_notional: market.minimum.notional.micros(),
            status: status_name(market.status).to_owned(),
            closes: market.closes.map(Timestamp::nanos),
            starts: market.starts.map(Timestamp::nanos),
            delay_ms: u64::try_from(market.delay.as_millis()).unwrap_or(u64::MAX),
            tokens,
            settlement: market
                .tokens
                .as_ref()
                .and_then(|tokens| tokens.settlement)
                .map(|settlement| settlement.name().to_owned()),
            is_open_ended: market.tokens.as_ref().is_some_and(|tokens| tokens.is_open_ended),
            shard: market.shard,
            rules: market.rules.clone(),
            basis: market.basis.clone(),
            yes_pays: market.yes_pays.map(Money::micros),
            fee_grain: unusual_grain(market),
        }
    }
}

fn unusual_grain(market: &Market) -> Option<u32> {
    let usual = match market.venue {
        Venue::Kalshi => FeeModel::KALSHI_GRAIN,
        Venue::Polymarket => FeeModel::POLYMARKET_GRAIN,
    };
    let mut grains = market.fee.steps().iter().filter_map(|(_, model)| Some((*model)?.grain()));
    grains.find(|grain| *grain != usual)
}

impl MarketFacts {
    /// The market, or which field makes no sense.
    pub fn to_market(&self) -> Result<Market, String> {
        let venue = Venue::ALL
            .into_iter()
            .find(|venue| venue.name() == self.venue)
            .ok_or_else(|| format!("unknown venue `{}`", self.venue))?;
        let band = |&(start, end, step): &(u16, u16, u16)| Band { start, end, step };
        let grid = if self.bands.is_empty() {
            None
        } else {
            let grid = PriceGrid::new(self.bands.iter().map(band).collect());
            Some(grid.ok_or_else(|| format!("bands of {} are not a price grid", self.id))?)
        };
        let mut fee = FeePlan::unknown();
        for step in &self.fee {
            let model = match step.model {
                None => None,
                Some((rate, exponent)) => Some(fee_model(venue, rate, exponent)?),
            };
            fee.change_at(Timestamp::from_nanos(step.from), model);
        }
        if let Some(grain) = self.fee_grain {
            fee = fee.rounded_to(grain);
        }
        let quantity = Quantity::from_units(self.minimum_quantity)
            .ok_or_else(|| format!("minimum_quantity {} out of range", self.minimum_quantity))?;
        let status = [Status::Open, Status::Paused, Status::Closed]
            .into_iter()
            .find(|status| status_name(*status) == self.status)
            .ok_or_else(|| format!("unknown status `{}`", self.status))?;
        let settlement = match &self.settlement {
            None => None,
            Some(name) => Some(
                Settlement::ALL
                    .into_iter()
                    .find(|settlement| settlement.name() == name)
                    .ok_or_else(|| format!("unknown settlement `{name}`"))?,
            ),
        };
        let tokens = self.tokens.clone().map(|(yes, no, yes_label, no_label)| Tokens {
            yes,
            no,
            yes_label,
            no_label,
            settlement,
            is_open_ended: self.is_open_ended,
        });
        Ok(Market {
            venue,
            id: self.id.clone(),
            title: self.title.clone(),
            event: self.event.clone(),
            group: self.group.clone(),
            grid,
            fee,
            minimum: Minimum { quantity, notional: Money::from_micros(self.minimum_notional) },
            status,
            closes: self.closes.map(Timestamp::from_nanos),
            starts: self.starts.map(Timestamp::from_nanos),
            delay: Duration::from_millis(self.delay_ms),
            shard: self.shard,
            rules: self.rules.clone(),
            basis: self.basis.clone(),
            yes_pays: self.yes_pays.map(Money::from_micros),
            tokens,
        })
    }
}

fn fee_model(venue: Venue, rate: u32, exponent: u8) -> Result<FeeModel, String> {
    let rate = Rate::from_millionths(rate).ok_or_else(|| format!("fee rate {rate} too high"))?;
    match venue {
        Venue::Kalshi if exponent == 1 => Ok(FeeModel::kalshi(rate)),
        Venue::Kalshi => Err(format!("Kalshi has no fee exponent {exponent}")),
        Venue::Polymarket => FeeModel::polymarket(rate, exponent)
            .ok_or_else(|| format!("fee exponent {exponent} too high")),
    }
}

const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Open => "open",
        Status::Paused => "paused",
        Status::Closed => "closed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market() -> Market {
        let rate = Rate::parse("0.05").unwrap();
        let mut fee = FeePlan::constant(FeeModel::polymarket(rate, 1).unwrap());
        fee.change_at(Timestamp::from_secs(1_800_000_000), None);
        Market {
            venue: Venue::Polymarket,
            id: format!("0x{}", "ab".repeat(32)),
            title: "Fed holds?".to_owned(),
            event: "fed-december".to_owned(),
            group: format!("0x{}", "cd".repeat(32)),
            grid: PriceGrid::uniform(10),
            fee,
            minimum: Minimum {
                quantity: Quantity::contracts(5),
                notional: Money::from_micros(Money::DOLLAR),
            },
            status: Status::Paused,
            closes: Some(Timestamp::from_secs(1_800_000_001)),
            starts: None,
            delay: Duration::from_millis(250),
            shard: None,
            rules: Some("ab".repeat(32)),
            basis: Some("strike_type greater, floor_strike 50".to_owned()),
            yes_pays: Some(Money::from_micros(500_000)),
            tokens: Some(Tokens {
                yes: "111".to_owned(),
                no: "222".to_owned(),
                yes_label: "Yes".to_owned(),
                no_label: "No".to_owned(),
                settlement: Some(Settlement::NegRisk),
                is_open_ended: true,
            }),
        }
    }

    #[test]
    fn a_market_survives_the_recording() {
        let market = market();
        let text = serde_json::to_string(&MarketFacts::from(&market)).unwrap();
        let facts: MarketFacts = serde_json::from_str(&text).unwrap();
        assert_eq!(facts.to_market(), Ok(market));
    }

    #[test]
    fn facts_that_make_no_sense_name_the_field() {
        let facts = MarketFacts::from(&market());
        let broken = MarketFacts { status: "asleep".to_owned(), ..facts.clone() };
        assert!(broken.to_market().unwrap_err().contains("asleep"));
        let broken = MarketFacts { bands: vec![(0, 10_000, 0)], ..facts };
        assert!(broken.to_market().unwrap_err().contains("bands"));
    }
}
