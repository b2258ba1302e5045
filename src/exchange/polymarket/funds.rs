//! Deposits, withdrawals, interest and rebates of the wallet.

use serde_json::json;

use crate::domain::{Money, Timestamp};

use super::super::funds::{Entry, Flow, Stage, Transfer};
use super::account::Account;
use super::asset::number;
use super::data::{Row, transaction};
use super::order::dollars_of;
use super::query::Query;

impl Account {
    /// Moves money without a trade, at once. What cannot be moved leaves no trace.
    pub(super) fn transfer(&mut self, transfer: Transfer, now: Timestamp) {
        let transfer = Transfer { fee: Money::ZERO, ..transfer };
        let free = self.free_cash();
        let Some(more) = self.funds.apply(transfer, free) else { return };
        self.cash += more;
        let stage = Stage::Applied(now);
        self.funds.entries.push(Entry { transfer, created: now, stage });
    }
}

/// Money that moved without a trade, as far as it is listed by now.
pub(super) fn rows(account: &Account, query: &Query, wallet: &str, now: Timestamp) -> Vec<Row> {
    let is_whole = query.first("exclude_deposits_withdrawals") == Some("false");
    let listed = account.funds.entries.iter().enumerate().filter(|(_, entry)| {
        let is_own = matches!(entry.transfer.flow, Flow::Deposit | Flow::Withdrawal);
        entry.created.after(entry.transfer.after) <= now && (is_whole || !is_own)
    });
    let row = |(nth, entry): (usize, &Entry)| {
        let kind = match entry.transfer.flow {
            Flow::Deposit => "DEPOSIT",
            Flow::Withdrawal => "WITHDRAWAL",
            Flow::Interest => "YIELD",
            Flow::Rebate => "MAKER_REBATE",
        };
        let size = number(&dollars_of(entry.transfer.amount));
        let row = json!({
            "proxy_wallet": wallet,
            "timestamp": entry.created.secs(),
            "type": kind,
            "condition_id": "",
            "size": size,
            "usdc_size": size,
            "transaction_hash": transaction(&format!("transfer {nth}")),
        });
        (entry.created, row)
    };
    listed.map(row).collect()
}
