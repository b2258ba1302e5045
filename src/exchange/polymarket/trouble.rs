//! What is broken on the trading side at present.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::json;

use crate::domain::Timestamp;

use super::super::Reply;
use super::super::faults::{Fault, OrderFault};
use super::account::Account;

/// States of the account kept while reads lag.
const STATES_MAX: usize = 4_096;

/// Reads that show the past.
#[derive(Debug)]
struct Lag {
    behind: Duration,
    until: Timestamp,
    /// Oldest first.
    states: VecDeque<(Timestamp, Account)>,
}

/// Everything that is broken, and until when.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    orders: VecDeque<OrderFault>,
    /// How often each fault has met an order, by its name.
    pub(super) met: BTreeMap<&'static str, u64>,
    away: Option<Timestamp>,
    post_only: Option<Timestamp>,
    paused: Option<Timestamp>,
    broke: Option<Timestamp>,
    revoked: Option<Timestamp>,
    denied: Option<Timestamp>,
    skewed: Option<(i64, Timestamp)>,
    lag: Option<Lag>,
}

fn lasts(until: Option<Timestamp>, now: Timestamp) -> bool {
    until.is_some_and(|until| now < until)
}

impl Trouble {
    /// Takes a fault of the trading side; the rest is not for it.
    pub(super) fn strike(&mut self, fault: &Fault, account: &Account, now: Timestamp) {
        let until = |span: &Duration| Some(now.after(*span));
        match fault {
            Fault::Order(fault) => self.orders.push_back(fault.clone()),
            Fault::Restart { away, post_only } => {
                self.away = until(away);
                self.post_only = Some(now.after(*away).after(*post_only));
            }
            Fault::TradingPause { lasts } => self.paused = until(lasts),
            Fault::NoFunds { lasts } => self.broke = until(lasts),
            Fault::KeyRevoked { lasts } => self.revoked = until(lasts),
            Fault::CancelsDenied { lasts } => self.denied = until(lasts),
            Fault::ClockSkew { ms, lasts } => self.skewed = Some((*ms, now.after(*lasts))),
            Fault::ReadLag { behind, lasts } => {
                let states = VecDeque::from([(now, account.clone())]);
                self.lag = Some(Lag { behind: *behind, until: now.after(*lasts), states });
            }
            _ => {}
        }
    }

    /// What becomes of the order request that has come.
    pub(super) fn next_order(&mut self) -> Option<OrderFault> {
        self.orders.pop_front()
    }

    /// Counts an order that met a fault.
    pub(super) fn meet(&mut self, fault: &OrderFault) {
        *self.met.entry(fault.name()).or_default() += 1;
    }

    /// The exchange's own clock.
    pub(super) fn clock(&self, now: Timestamp) -> Timestamp {
        match self.skewed {
            Some((ms, until)) if now < until => {
                let span = Duration::from_millis(ms.unsigned_abs());
                if ms < 0 { now.before(span) } else { now.after(span) }
            }
            _ => now,
        }
    }

    /// The answer to every request about orders while the matching engine is away.
    pub(super) fn away(&self, now: Timestamp) -> Option<Reply> {
        let error = json!({ "error": "matching engine is restarting, please try again later" });
        lasts(self.away, now).then(|| Reply::json(425, &error))
    }

    /// The answer to a new order that takes while the exchange is coming back.
    pub(super) fn post_only(&self, now: Timestamp) -> Option<Reply> {
        let until = self.post_only.filter(|until| now < *until)?;
        let wait = until.since(now);
        let body = json!({
            "error": "post-only mode: only post-only orders and cancels are allowed",
            "code": "post_only_mode",
            "retry_after_seconds": wait.as_secs() + u64::from(wait.subsec_nanos() > 0),
        });
        Some(Reply::json(503, &body))
    }

    /// The answer to every new order while only cancels are taken.
    pub(super) fn paused(&self, now: Timestamp) -> Option<Reply> {
        let error = "Trading is currently cancel-only. New orders are not accepted, but cancels \
                     are allowed.";
        lasts(self.paused, now).then(|| Reply::json(503, &json!({ "error": error })))
    }

    /// Whether the account has no funds.
    pub(super) fn broke(&self, now: Timestamp) -> bool {
        lasts(self.broke, now)
    }

    /// Whether no key is accepted.
    pub(super) fn revoked(&self, now: Timestamp) -> bool {
        lasts(self.revoked, now)
    }

    /// Whether cancels are denied, whatever they do.
    pub(super) fn denies_cancels(&self, now: Timestamp) -> bool {
        lasts(self.denied, now)
    }

    /// Keeps the state of the account for reads that lag.
    pub(super) fn remember(&mut self, account: &Account, now: Timestamp) {
        if self.lag.as_ref().is_some_and(|lag| now >= lag.until) {
            self.lag = None;
        }
        let Some(lag) = &mut self.lag else { return };
        let past = now.before(lag.behind);
        while lag.states.get(1).is_some_and(|(at, _)| *at <= past) {
            lag.states.pop_front();
        }
        if lag.states.len() < STATES_MAX {
            lag.states.push_back((now, account.clone()));
        }
    }

    /// The account as reads see it.
    pub(super) fn seen<'a>(&'a self, account: &'a Account, now: Timestamp) -> &'a Account {
        let Some(lag) = self.lag.as_ref().filter(|lag| now < lag.until) else { return account };
        let past = now.before(lag.behind);
        // At first there is nothing older than the state in which the lag began.
        let old = lag.states.iter().rev().find(|(at, _)| *at <= past);
        old.or(lag.states.front()).map_or(account, |(_, state)| state)
    }
}
