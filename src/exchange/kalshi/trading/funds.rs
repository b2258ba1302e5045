//! Deposits, withdrawals and interest of a member.

use serde_json::{Value, json};

use crate::domain::Timestamp;
use crate::exchange::Reply;
use crate::exchange::funds::{Entry, Flow, Stage, Transfer};

use super::super::query::page;
use super::Trading;
use super::member::Member;
use super::object::cents;
use super::read::View;

/// The shard that money comes to and leaves from.
const SHARD: u32 = 0;
const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 500;

impl Member {
    fn pour(&mut self, transfer: Transfer, now: Timestamp) -> Stage {
        let free = self.available(SHARD);
        let Some(more) = self.funds.apply(transfer, free) else { return Stage::Failed(now) };
        *self.purses.entry(SHARD).or_default() += more;
        self.updated = now;
        Stage::Applied(now)
    }
}

impl Trading {
    /// Begins a movement of the first member's money: interest comes at once and is listed nowhere.
    pub(super) fn begin_transfer(&mut self, transfer: Transfer, now: Timestamp) {
        let Some(member) = self.members.first_mut() else { return };
        match transfer.flow {
            Flow::Interest | Flow::Rebate => {
                member.pour(transfer, now);
                self.remember(now);
            }
            Flow::Deposit | Flow::Withdrawal => {
                let stage = Stage::Pending(now.after(transfer.after));
                member.funds.entries.push(Entry { transfer, created: now, stage });
                self.end_transfers(now);
            }
        }
    }

    /// Ends the movements that have waited long enough.
    pub(in crate::exchange::kalshi) fn end_transfers(&mut self, now: Timestamp) {
        let mut is_changed = false;
        for member in &mut self.members {
            for place in 0..member.funds.entries.len() {
                let Entry { transfer, stage, .. } = member.funds.entries[place];
                if matches!(stage, Stage::Pending(due) if due <= now) {
                    member.funds.entries[place].stage = member.pour(transfer, now);
                    is_changed = true;
                }
            }
        }
        if is_changed {
            self.remember(now);
        }
    }
}

fn row(number: usize, entry: &Entry) -> Value {
    let (status, ended) = match entry.stage {
        Stage::Pending(_) => ("pending", None),
        Stage::Applied(at) => ("applied", Some(at.secs())),
        Stage::Failed(at) => ("failed", Some(at.secs())),
    };
    json!({
        "id": format!("f0000000-0000-4000-8000-{number:012x}"), "status": status, "type": "ach",
        "amount_cents": cents(entry.transfer.amount), "fee_cents": cents(entry.transfer.fee),
        "created_ts": entry.created.secs(), "finalized_ts": ended,
    })
}

impl View<'_> {
    /// Newest first.
    pub(super) fn transfers(self, flow: Flow) -> Result<Reply, Reply> {
        let limit = self.query.number("limit", (1, LIMIT_MAX), LIMIT_DEFAULT)?;
        let entries = self.member.funds.entries.iter().enumerate().rev();
        let found: Vec<_> = entries.filter(|(_, entry)| entry.transfer.flow == flow).collect();
        let (page, cursor) = page(found, self.query, limit);
        let rows: Value = page.into_iter().map(|(number, entry)| row(number, entry)).collect();
        let name = if flow == Flow::Deposit { "deposits" } else { "withdrawals" };
        Ok(Reply::json(200, &json!({ name: rows, "cursor": cursor })))
    }
}
