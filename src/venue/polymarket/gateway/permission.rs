//! Whether the account may trade: where we are, what the venue says about it, what it approved.
//!
//! Four answers make a permission. One that says no, or that can't be had, makes it read-only at
//! once; all four of one round are needed to say yes. Answers overtake each other: once a round has
//! come to a word, what an earlier one brings is not heard any more. An approval that is missing
//! closes the markets that its contract settles, and no others. Nothing here works around any of
//! them.
//!
//! The order book keeps what it read of the chain. It is asked to read again before each look at
//! its allowances, at the start and with every round from then on, else it goes on with what was
//! there before an approval or a deposit.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::domain::market::Settlement;
use crate::domain::report::Permission;
use crate::domain::{Report, Timestamp, Venue};
use crate::venue::gateway::{Answer, Call, Subject, Taken};
use crate::venue::polymarket::error::{short, text_of};
use crate::venue::polymarket::facts::contract;

use super::Gateway;

pub(super) const GEOBLOCK: &str = "geoblock";
pub(super) const CLOSED_ONLY: &str = "closed_only";
pub(super) const APPROVALS: &str = "approvals";
pub(super) const ALLOWANCES: &str = "allowances";
/// The order book is to read the chain again.
pub(super) const UPDATE: &str = "balance_update";
pub(super) const VERSION: &str = "version";
/// The domain versions that orders are signed for here.
const VERSION_FIRST: u64 = 2;
const VERSION_LAST: u64 = 3;
const NAMES: [&str; 4] = [GEOBLOCK, CLOSED_ONLY, APPROVALS, ALLOWANCES];

/// What must be approved before an order can settle: a missing approval shows as orders that match
/// and never settle (py-clob-client-v2 issue 100, 2026-07-08). What buys comes first, then what
/// sells: nothing is bought that could not be sold again.
const REQUIRED: [(&str, &str, &str, Settlement); 6] = [
    ("collateral for the exchange", contract::COLLATERAL, contract::EXCHANGE, Settlement::Standard),
    (
        "collateral for the neg-risk exchange",
        contract::COLLATERAL,
        contract::NEG_RISK_EXCHANGE,
        Settlement::NegRisk,
    ),
    (
        "collateral for ExchangeV3",
        contract::COLLATERAL,
        contract::EXCHANGE_V3,
        Settlement::ProtocolV2,
    ),
    ("outcomes for the exchange", contract::OUTCOMES, contract::EXCHANGE, Settlement::Standard),
    (
        "outcomes for the neg-risk exchange",
        contract::OUTCOMES,
        contract::NEG_RISK_EXCHANGE,
        Settlement::NegRisk,
    ),
    (
        "positions for ExchangeV3",
        contract::POSITIONS,
        contract::EXCHANGE_V3,
        Settlement::ProtocolV2,
    ),
];

/// Which of the answers of a round have said yes, and which approvals they found missing.
#[derive(Debug, Default)]
pub(super) struct Round {
    number: u64,
    /// Whether it has come to a word.
    has_spoken: bool,
    passed: [bool; NAMES.len()],
    /// Places in [`REQUIRED`].
    missing: BTreeSet<usize>,
}

impl Gateway {
    pub(super) fn permission_calls(&mut self, now: Timestamp) -> Vec<Call> {
        let number = self.permission.number + 1;
        self.permission = Round { number, ..Round::default() };
        let user = [("user", self.account.maker_text())];
        let other = |name| Subject::Other(name, number.to_string());
        let (site, data) = (&self.settings.site_url, &self.settings.data_url);
        vec![
            Self::open(other(GEOBLOCK), site, "/api/geoblock", &[]),
            self.get(other(CLOSED_ONLY), "/auth/ban-status/closed-only", &[], now),
            Self::open(other(APPROVALS), data, "/v2/approvals", &user),
            self.update_call(&number.to_string(), "COLLATERAL", None, now),
        ]
    }

    /// Asks the order book to read the balance and the approvals of one asset again; once it has,
    /// the allowances are asked for `round`, if it is one.
    pub(super) fn update_call(
        &self,
        round: &str,
        asset: &str,
        token: Option<&str>,
        now: Timestamp,
    ) -> Call {
        let kind = self.account.wallet().number().to_string();
        let mut query = vec![("asset_type", asset), ("signature_type", kind.as_str())];
        query.extend(token.map(|token| ("token_id", token)));
        let subject = Subject::Other(UPDATE, round.to_owned());
        self.get(subject, "/balance-allowance/update", &query, now)
    }

    /// Whatever became of it: the allowances are looked at as the order book has them.
    pub(super) fn read_update(
        &self,
        round: &str,
        answer: &Answer<'_>,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        let _ = super::holding::body_of("balance-allowance/update", answer, taken);
        if !round.is_empty() {
            let kind = self.account.wallet().number().to_string();
            let query = [("asset_type", "COLLATERAL"), ("signature_type", kind.as_str())];
            let subject = Subject::Other(ALLOWANCES, round.to_owned());
            taken.calls.push(self.get(subject, "/balance-allowance", &query, now));
        }
    }

    /// Which orders the order book takes, asked when it did not take one for what it was signed
    /// for.
    ///
    /// An order's name is the hash of what is signed, and the journal has it before anything is
    /// sent: the same intent can't go out again under another name. The market is read anew, and
    /// the next order is signed for what it is then.
    pub(super) fn version_call(&self) -> Call {
        let subject = Subject::Other(VERSION, String::new());
        Self::open(subject, &self.settings.clob_url, "/version", &[])
    }

    pub(super) fn read_version(answer: &Answer<'_>, taken: &mut Taken) {
        let Some(body) = super::holding::body_of(VERSION, answer, taken) else { return };
        let said: Option<Value> = serde_json::from_str(body).ok();
        match said.and_then(|said| said["version"].as_u64()) {
            Some(version @ VERSION_FIRST..=VERSION_LAST) => taken.notices.push(format!(
                "polymarket takes orders of version {version} and refused one: its market is read \
                 anew"
            )),
            version => {
                let version = version.map_or("unknown".to_owned(), |version| version.to_string());
                let text = format!("polymarket's order version is {version}: crossbook is too old");
                let permission = Permission::ReadOnly(text);
                taken.reports.push(Report::Permission { venue: Venue::Polymarket, permission });
            }
        }
    }

    /// Reads one answer of a round.
    pub(super) fn read_permission(
        &mut self,
        name: &str,
        round: &str,
        answer: &Answer<'_>,
        taken: &mut Taken,
    ) {
        let is_late = round != self.permission.number.to_string();
        if is_late && self.permission.has_spoken {
            return;
        }
        let judged = match answer {
            Answer::Reply { status: 200..=299, body, .. } => judge(name, body),
            Answer::Reply { status, body, .. } => {
                Err(format!("{name}: status {status}: {}", text_of(body)))
            }
            Answer::NotSent(text) | Answer::Lost(text) => Err(format!("{name}: {}", short(text))),
        };
        let permission = match judged {
            Err(text) => Permission::ReadOnly(text),
            Ok(_) if is_late => return,
            Ok(missing) => {
                let round = &mut self.permission;
                round.missing.extend(missing);
                for (known, passed) in NAMES.iter().zip(&mut round.passed) {
                    *passed |= *known == name;
                }
                if round.passed.contains(&false) {
                    return;
                }
                round.permission()
            }
        };
        self.permission.has_spoken |= !is_late;
        taken.reports.push(Report::Permission { venue: Venue::Polymarket, permission });
    }
}

impl Round {
    /// What the answers come to, all of which said yes.
    fn permission(&self) -> Permission {
        if self.missing.is_empty() {
            return Permission::Open;
        }
        let missing = || self.missing.iter().filter_map(|at| REQUIRED.get(*at));
        let names: Vec<&str> = missing().map(|(what, ..)| *what).collect();
        let names = names.join(", ");
        let is_closed = |kind: &Settlement| missing().any(|(.., of)| of == kind);
        let closed: Vec<Settlement> = Settlement::ALL.into_iter().filter(is_closed).collect();
        if closed.len() == Settlement::ALL.len() {
            return Permission::ReadOnly(format!("not approved: {names}; approve it on the site"));
        }
        let kinds: Vec<&str> = closed.iter().map(|kind| kind.name()).collect();
        let why = format!(
            "polymarket's {} markets are not traded: not approved: {names}; approve it on the site",
            kinds.join(" and ")
        );
        Permission::OpenBut { closed, why }
    }
}

/// Which approvals an answer shows to be missing; an error where it says no to everything.
fn judge(name: &str, body: &str) -> Result<Vec<usize>, String> {
    let body: Value =
        serde_json::from_str(body).map_err(|_| format!("{name}: {}", text_of(body)))?;
    match name {
        GEOBLOCK => match body["blocked"].as_bool() {
            Some(false) => Ok(Vec::new()),
            Some(true) => {
                let place = body["country"].as_str().unwrap_or("this place");
                Err(format!("polymarket does not take orders from {}", short(place)))
            }
            None => Err("geoblock: the answer does not say whether we are blocked".to_owned()),
        },
        CLOSED_ONLY => match body["closed_only"].as_bool() {
            Some(false) => Ok(Vec::new()),
            Some(true) => Err("the account may only close positions".to_owned()),
            None => Err("closed-only: the answer does not say".to_owned()),
        },
        ALLOWANCES => Ok(allowances(&body)),
        _ => approvals(&body),
    }
}

fn approvals(body: &Value) -> Result<Vec<usize>, String> {
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
    let missing = REQUIRED.iter().enumerate();
    let missing = missing.filter(|(_, (_, token, spender, _))| !is_approved(token, spender));
    Ok(missing.map(|(at, _)| at).collect())
}

/// What the order book may move of the collateral, by contract, as it knows. An allowance of
/// nothing is none; a contract that it does not list is judged by the chain alone.
fn allowances(body: &Value) -> Vec<usize> {
    let Some(all) = body["allowances"].as_object() else { return Vec::new() };
    let is_nothing = |said: &Value| match said {
        Value::String(text) => text.parse::<u128>() == Ok(0),
        other => other.as_u64() == Some(0),
    };
    let is_refused = |spender: &str| {
        let mut said = all.iter().filter(|(who, _)| who.eq_ignore_ascii_case(spender));
        said.any(|(_, said)| is_nothing(said))
    };
    let of_collateral =
        REQUIRED.iter().enumerate().filter(|(_, (_, token, ..))| *token == contract::COLLATERAL);
    of_collateral.filter(|(_, (_, _, spender, _))| is_refused(spender)).map(|(at, _)| at).collect()
}
