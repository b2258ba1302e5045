//! What a person says of a difference, with the venue's name of the market.

use serde_json::{Value, json};

use crate::app::pipeline::Pipeline;
use crate::domain::{MarketIndex, Outcome, TradeId, Venue};
use crate::engine::event::Ruling;
use crate::engine::trade::ruling::Change;

use super::venue as venue_of;

/// What a person says of a difference between the ledger and a venue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The venue's word holds for what is held in a market.
    Adopt {
        /// Where.
        venue: Venue,
        /// Kalshi ticker or Polymarket condition id.
        market: String,
        /// One contract of it, or both.
        outcome: Option<Outcome>,
    },
    /// A market is the person's own business.
    Ignore {
        /// Where.
        venue: Venue,
        /// Kalshi ticker or Polymarket condition id.
        market: String,
    },
    /// The venue's word holds for its cash.
    AcceptCash {
        /// Where.
        venue: Venue,
    },
}

impl Said {
    /// Adds what is said to a request.
    pub(super) fn out(&self, mut request: Value) -> Value {
        let (what, venue, market, outcome) = match self {
            Self::Adopt { venue, market, outcome } => {
                ("adopt", venue, Some(market), outcome.map(Outcome::name))
            }
            Self::Ignore { venue, market } => ("ignore", venue, Some(market), None),
            Self::AcceptCash { venue } => ("accept-cash", venue, None, None),
        };
        request["what"] = what.into();
        request["venue"] = venue.name().into();
        request["market"] = json!(market);
        request["outcome"] = json!(outcome);
        request
    }

    /// What a request says.
    pub(super) fn read(request: &Value) -> Result<Self, String> {
        let text = |key: &str| request.get(key).and_then(Value::as_str);
        let venue = venue_of(text("venue"))?;
        let market = || text("market").map(str::to_owned).ok_or("the line has no `market`");
        Ok(match text("what") {
            Some("adopt") => {
                let outcome = match request.get("outcome") {
                    None | Some(Value::Null) => None,
                    Some(_) => Some(outcome(text("outcome"))?),
                };
                Self::Adopt { venue, market: market()?, outcome }
            }
            Some("ignore") => Self::Ignore { venue, market: market()? },
            Some("accept-cash") => Self::AcceptCash { venue },
            _ => return Err("`what` is `adopt`, `ignore` or `accept-cash`".to_owned()),
        })
    }

    /// What it means for the engine, and what it would change now.
    pub(super) fn changes(&self, pipeline: &Pipeline) -> Result<(Ruling, Value), String> {
        let trader = pipeline.engine().trader().ok_or("nothing is traded here")?;
        let find = |venue: Venue, market: &str| -> Result<MarketIndex, String> {
            pipeline.registry().find(venue, market).ok_or_else(|| {
                format!(
                    "`{market}` is no market of a pair at {venue}, nor does the journal hold \
                     anything there: it is left alone as it is"
                )
            })
        };
        let (ruling, place) = match self {
            Self::Adopt { venue, market, outcome } => {
                let (venue, outcome, index) = (*venue, *outcome, find(*venue, market)?);
                let place = json!({ "venue": venue.name(), "market": market });
                (Ruling::Adopt { venue, market: index, outcome }, place)
            }
            Self::Ignore { venue, market } => {
                let (venue, index) = (*venue, find(*venue, market)?);
                let place = json!({ "venue": venue.name(), "market": market });
                (Ruling::Ignore { venue, market: index }, place)
            }
            Self::AcceptCash { venue } => {
                let venue = *venue;
                (Ruling::AcceptCash { venue }, json!({ "venue": venue.name() }))
            }
        };
        let changes = trader.proposal(&ruling)?;
        let changes = changes.iter().map(|change| told(change, place.clone())).collect();
        Ok((ruling, Value::Array(changes)))
    }
}

fn outcome(name: Option<&str>) -> Result<Outcome, String> {
    let found = [Outcome::Yes, Outcome::No].into_iter().find(|one| Some(one.name()) == name);
    found.ok_or_else(|| "an outcome is `yes` or `no`".to_owned())
}

fn told(change: &Change, mut place: Value) -> Value {
    let names = |trades: &[TradeId]| -> Value {
        trades.iter().map(ToString::to_string).collect::<Vec<_>>().into()
    };
    match change {
        Change::Held { outcome, ours, theirs, trades } => {
            place["outcome"] = outcome.name().into();
            place["ledger"] = ours.to_string().into();
            place["becomes"] = theirs.to_string().into();
            place["trades"] = names(trades);
        }
        Change::LeftAlone { trades } => {
            place["left_alone"] = true.into();
            place["trades"] = names(trades);
        }
        Change::Cash(amount) => place["cash"] = amount.to_string().into(),
    }
    place
}
