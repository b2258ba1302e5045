//! What an account owns by the exchange's own books: the truth a client's ledger is held against.

use serde_json::{Value, json};

use super::Floor;
use crate::domain::{Action, Money, Outcome, Quantity};

/// One order of an account, resting or over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderStatement {
    /// The exchange's id: Kalshi's order id, or the order hash.
    pub id: String,
    /// The client's id: Kalshi's `client_order_id`, empty on Polymarket.
    pub client: String,
    /// The index of the market.
    pub market: usize,
    /// The contract that it buys or sells. On Kalshi a `bid` buys YES and an `ask` buys NO,
    /// whatever is held.
    pub outcome: Outcome,
    /// Buys or sells.
    pub action: Action,
    /// What it filled, without fills that failed or were taken back.
    pub filled: Quantity,
    /// What that cost or brought, without fees.
    pub money: Money,
    /// What was charged for it.
    pub fees: Money,
    /// What rests of it, or waits as delayed.
    pub open: Quantity,
}

/// Everything that an exchange knows of one account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statement {
    /// What was paid in at the start.
    pub paid_in: Money,
    /// What was paid in since then, less what was taken out and what both cost.
    pub moved: Money,
    /// Interest and rebates so far.
    pub earned: Money,
    /// All cash, by purse: Kalshi's shard, zero on Polymarket. What matched orders have spent is
    /// gone, settled or not; what resting orders hold back is still part of it.
    pub cash: Vec<(u32, Money)>,
    /// What is held: market, contract, quantity. Includes what is matched and not yet settled.
    pub positions: Vec<(usize, Outcome, Quantity)>,
    /// The part of the positions that is matched and may still fail.
    pub unsettled: Vec<(usize, Outcome, Quantity)>,
    /// All fees charged so far.
    pub fees: Money,
    /// What resolved markets have paid so far.
    pub payouts: Money,
    /// All orders, oldest first.
    pub orders: Vec<OrderStatement>,
}

impl Statement {
    /// What a client's ledger is held against, with the markets by name.
    pub fn json(&self, floor: &Floor) -> Value {
        let positions: Vec<_> = self
            .positions
            .iter()
            .filter_map(|(market, outcome, quantity)| {
                let listing = floor.listings.get(*market)?;
                Some(json!({
                    "market": listing.id, "outcome": outcome.name(),
                    "quantity": quantity.to_string(),
                }))
            })
            .collect();
        json!({"cash": self.cash_total().to_string(), "positions": positions})
    }

    /// All cash.
    pub fn cash_total(&self) -> Money {
        self.cash.iter().fold(Money::ZERO, |sum, (_, cash)| sum + *cash)
    }
}
