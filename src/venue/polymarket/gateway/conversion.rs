//! Outcomes into dollars: by request at the embedded exchange, by a person on a chain.

use serde_json::json;

use crate::domain::market::Settlement;
use crate::domain::{Market, MarketIndex, Quantity, Report, Timestamp};
use crate::venue::gateway::{Answer, Call, Class, Conversion, Markets, Subject, Taken};
use crate::venue::polymarket::error::{short, text_of};
use crate::venue::polymarket::facts;
use crate::venue::polymarket::parse::market::is_v2_id;

use super::{Chain, Gateway, Request};

pub(super) const MERGE: &str = "merge";
pub(super) const REDEEM: &str = "redeem";

impl Gateway {
    pub(super) fn conversion(
        &self,
        conversion: Conversion,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let market = match conversion {
            Conversion::Merge { market, .. } | Conversion::Redeem { market } => market,
        };
        let Some(known) = markets.facts(market) else {
            let text = "the market is not known".to_owned();
            taken.reports.push(Report::NotConverted { market, text });
            return;
        };
        if self.settings.chain == Chain::Polygon {
            let text = self.by_hand(conversion, known);
            taken.reports.push(Report::NotConverted { market, text });
            return;
        }
        let (name, path, detail, body) = match conversion {
            Conversion::Merge { quantity, .. } => {
                let amount = quantity.units();
                let body = json!({ "market": known.id, "amount": amount.to_string() });
                (MERGE, "/embedded/merge", format!("{}|{amount}", market.0), body)
            }
            Conversion::Redeem { .. } => {
                let body = json!({ "market": known.id });
                (REDEEM, "/embedded/redeem", market.0.to_string(), body)
            }
        };
        let request = Request {
            subject: Subject::Other(name, detail),
            class: Class::Read,
            method: "POST",
            path,
            query: &[],
            body: Some(body.to_string()),
        };
        taken.calls.push(self.signed(request, now));
    }

    /// What a person with the wallet has to call.
    fn by_hand(&self, conversion: Conversion, market: &Market) -> String {
        let settlement = market.tokens.as_ref().and_then(|tokens| tokens.settlement);
        let id = &market.id;
        let short_id = id.get(..64).unwrap_or(id);
        let (contract, call) = match (settlement, conversion) {
            (None, _) => {
                return format!("market {id}: which contract settles it is not known");
            }
            (Some(Settlement::ProtocolV2), Conversion::Merge { quantity, .. }) => {
                (facts::contract::ROUTER, format!("merge({short_id}, {})", quantity.units()))
            }
            (Some(Settlement::ProtocolV2), Conversion::Redeem { .. }) => (
                facts::contract::ROUTER,
                format!("redeem({short_id}, outcome, amount) for each outcome that is held"),
            ),
            (Some(kind), conversion) => {
                let adapter = if kind == Settlement::NegRisk {
                    facts::contract::NEG_RISK_ADAPTER
                } else {
                    facts::contract::ADAPTER
                };
                let head = format!("{}, 0x0, {id}, [1,2]", facts::contract::COLLATERAL);
                let call = match conversion {
                    Conversion::Merge { quantity, .. } => {
                        format!("mergePositions({head}, {})", quantity.units())
                    }
                    Conversion::Redeem { .. } => format!("redeemPositions({head})"),
                };
                (adapter, call)
            }
        };
        format!(
            "from wallet {} call {call} of contract {contract} on Polygon, or use the site; \
             amounts are millionths",
            self.account.maker_text()
        )
    }

    /// What the order book has to read anew of the chain once outcomes became dollars.
    fn updates(&self, market: MarketIndex, markets: &dyn Markets, now: Timestamp) -> Vec<Call> {
        let mut calls = vec![self.update_call("", "COLLATERAL", None, now)];
        let tokens = markets.facts(market).and_then(|market| market.tokens.as_ref());
        for token in tokens.into_iter().flat_map(|tokens| [&tokens.yes, &tokens.no]) {
            calls.push(self.update_call("", asset_type(token), Some(token), now));
        }
        calls
    }

    pub(super) fn read_conversion(
        &self,
        call: &Call,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let Subject::Other(name, detail) = &call.subject else { return };
        let (index, amount) = detail.split_once('|').unwrap_or((detail, "0"));
        let Ok(index) = index.parse() else { return };
        let market = MarketIndex(index);
        let text = match answer {
            Answer::Reply { status: 200..=299, body, .. } if *name == MERGE => {
                let quantity = amount.parse().ok().and_then(Quantity::from_units);
                let quantity = quantity.unwrap_or_default();
                if serde_json::from_str::<serde_json::Value>(body).is_ok() {
                    taken.reports.push(Report::Merged { market, quantity, at: now });
                    taken.calls.extend(self.updates(market, markets, now));
                    return;
                }
                "the answer could not be read; positions and cash will tell".to_owned()
            }
            Answer::Reply { status: 200..=299, .. } => {
                // What was paid, and at which value, stands in the wallet's history.
                if let Some(known) = markets.facts(market) {
                    taken.calls.push(self.redemptions_of(&known.id, now));
                    taken.calls.extend(self.updates(market, markets, now));
                }
                return;
            }
            Answer::Reply { status, body, .. } => format!("status {status}: {}", text_of(body)),
            Answer::NotSent(text) | Answer::Lost(text) => short(text),
        };
        taken.reports.push(Report::NotConverted { market, text });
    }
}

/// The order book's word for the kind of a token.
pub(super) fn asset_type(token: &str) -> &'static str {
    if is_v2_id(token) == Some(true) { "CONDITIONAL-V2" } else { "CONDITIONAL" }
}
