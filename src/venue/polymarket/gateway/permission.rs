//! Whether the account may trade: where we are, what the venue says about it, what it approved.
//!
//! Three answers make a permission. One that says no, or that can't be had, makes it read-only at
//! once; all three are needed to say yes. Nothing here works around any of them.

use serde_json::Value;

use crate::domain::report::Permission;
use crate::domain::{Report, Timestamp, Venue};
use crate::venue::gateway::{Answer, Call, Subject, Taken};
use crate::venue::polymarket::error::{short, text_of};
use crate::venue::polymarket::facts::contract;

use super::Gateway;

pub(super) const GEOBLOCK: &str = "geoblock";
pub(super) const CLOSED_ONLY: &str = "closed_only";
pub(super) const APPROVALS: &str = "approvals";
const NAMES: [&str; 3] = [GEOBLOCK, CLOSED_ONLY, APPROVALS];

/// What must be approved before an order can settle: a missing approval shows as orders that match
/// and never settle (py-clob-client-v2 issue 100, 2026-07-08).
const REQUIRED: [(&str, &str, &str); 4] = [
    ("collateral for the exchange", contract::COLLATERAL, contract::EXCHANGE),
    ("collateral for the neg-risk exchange", contract::COLLATERAL, contract::NEG_RISK_EXCHANGE),
    ("outcomes for the exchange", contract::OUTCOMES, contract::EXCHANGE),
    ("outcomes for the neg-risk exchange", contract::OUTCOMES, contract::NEG_RISK_EXCHANGE),
];

/// Which of the three answers of a round have said yes.
#[derive(Debug, Default)]
pub(super) struct Round {
    passed: [bool; NAMES.len()],
}

impl Gateway {
    pub(super) fn permission_calls(&mut self, now: Timestamp) -> Vec<Call> {
        self.permission = Round::default();
        let user = [("user", self.account.maker_text())];
        let other = |name| Subject::Other(name, String::new());
        let (site, data) = (&self.settings.site_url, &self.settings.data_url);
        vec![
            Self::open(other(GEOBLOCK), site, "/api/geoblock", &[]),
            self.get(other(CLOSED_ONLY), "/auth/ban-status/closed-only", &[], now),
            Self::open(other(APPROVALS), data, "/v2/approvals", &user),
        ]
    }

    pub(super) fn read_permission(&mut self, name: &str, answer: &Answer<'_>, taken: &mut Taken) {
        let judged = match answer {
            Answer::Reply { status: 200..=299, body, .. } => judge(name, body, taken),
            Answer::Reply { status, body, .. } => {
                Err(format!("{name}: status {status}: {}", text_of(body)))
            }
            Answer::NotSent(text) | Answer::Lost(text) => Err(format!("{name}: {}", short(text))),
        };
        let permission = match judged {
            Err(text) => Permission::ReadOnly(text),
            Ok(()) => {
                for (known, passed) in NAMES.iter().zip(&mut self.permission.passed) {
                    *passed |= *known == name;
                }
                if self.permission.passed.contains(&false) {
                    return;
                }
                Permission::Open
            }
        };
        taken.reports.push(Report::Permission { venue: Venue::Polymarket, permission });
    }
}

fn judge(name: &str, body: &str, taken: &mut Taken) -> Result<(), String> {
    let body: Value =
        serde_json::from_str(body).map_err(|_| format!("{name}: {}", text_of(body)))?;
    match name {
        GEOBLOCK => match body["blocked"].as_bool() {
            Some(false) => Ok(()),
            Some(true) => {
                let place = body["country"].as_str().unwrap_or("this place");
                Err(format!("polymarket does not take orders from {}", short(place)))
            }
            None => Err("geoblock: the answer does not say whether we are blocked".to_owned()),
        },
        CLOSED_ONLY => match body["closed_only"].as_bool() {
            Some(false) => Ok(()),
            Some(true) => Err("the account may only close positions".to_owned()),
            None => Err("closed-only: the answer does not say".to_owned()),
        },
        _ => approvals(&body, taken),
    }
}

fn approvals(body: &Value, taken: &mut Taken) -> Result<(), String> {
    let data = if body["data"].is_object() { &body["data"] } else { body };
    let Some(rows) = data["contracts"].as_array() else {
        return Err("approvals: the answer lists no contracts".to_owned());
    };
    let is_approved = |token: &str, spender: &str| {
        rows.iter().any(|row| {
            let is = |field: &str, wanted: &str| {
                row[field].as_str().is_some_and(|said| said.eq_ignore_ascii_case(wanted))
            };
            is("token", token) && is("spender", spender) && row["approved"] == true
        })
    };
    let missing: Vec<&str> = REQUIRED
        .iter()
        .filter(|(_, token, spender)| !is_approved(token, spender))
        .map(|(what, ..)| *what)
        .collect();
    if !is_approved(contract::COLLATERAL, contract::EXCHANGE_V3) {
        let text = "markets of Protocol V2 can not be traded: collateral is not approved for them";
        taken.notices.push(text.to_owned());
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("not approved: {}; approve it on the site", missing.join(", ")))
    }
}
