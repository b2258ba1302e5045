//! What was paid in and what was taken out.
//!
//! Kalshi lists deposits and withdrawals, and nothing else that moves without a trade: interest
//! shows in the balance alone. The lists have no filter by time and no promised order, and a row
//! changes while it is on its way, so that both are read whole every time.

use crate::domain::movement::{Kind, Movement};
use crate::domain::{Money, Report, Timestamp, Venue};
use crate::venue::Error;
use crate::venue::gateway::{Answer, Taken};

use super::super::facts;
use super::super::parse::{malformed, portfolio as parse};
use super::super::rest::Query;
use super::super::wire::portfolio as wire;
use super::Gateway;
use super::inquiry::read_page;
use super::walk::{Errand, Walk};

/// Rows of which it is remembered that a person was told of them.
const ODD_MAX: usize = 1_000;

/// Which of the two lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    In,
    Out,
}

impl Way {
    const fn path(self) -> &'static str {
        match self {
            Self::In => "/portfolio/deposits",
            Self::Out => "/portfolio/withdrawals",
        }
    }

    /// The kind of its rows, which is also the name in messages.
    const fn kind(self) -> Kind {
        match self {
            Self::In => Kind::Deposit,
            Self::Out => Kind::Withdrawal,
        }
    }
}

/// The first pages of both lists.
pub(super) fn walks(since: Timestamp, now: Timestamp) -> Vec<Walk> {
    let query = Query::none().with("limit", &facts::MOVEMENTS_PAGE.to_string());
    let walk = |way: Way| Walk::new(Errand::Movements(way, since), way.path(), query.clone(), now);
    [Way::In, Way::Out].map(walk).into()
}

/// What a row did to the balance; `None` while it did nothing, or for good. "applied" means that
/// the funds are in the balance, or out of it (docs, `openapi.yaml` 3.27.0).
fn read(way: Way, row: &wire::Movement) -> Result<Option<Movement>, Error> {
    let what = format!("{} {}", way.kind().name(), row.id);
    let kind = match row.status.as_str() {
        "applied" => way.kind(),
        "returned" => Kind::Returned,
        "pending" | "failed" => return Ok(None),
        other => return Err(malformed(&what, "status", format_args!("{other:?}"))),
    };
    let cents = |field, cents: Option<i64>| match cents {
        Some(cents) if cents >= 0 => parse::cents(&what, field, cents),
        _ => Err(malformed(&what, field, format_args!("{cents:?}"))),
    };
    let (amount, fee) =
        (cents("amount_cents", row.amount_cents)?, cents("fee_cents", row.fee_cents.or(Some(0)))?);
    let stamp = row.finalized_ts.text().or_else(|| row.created_ts.text());
    let at = stamp.and_then(wire::moment);
    let at = at.ok_or_else(|| malformed(&what, "finalized_ts", format_args!("{stamp:?}")))?;
    if row.id.is_empty() {
        return Err(malformed(&what, "id", "missing"));
    }
    let is_out = (way == Way::Out) != (kind == Kind::Returned);
    let amount = if is_out { Money::ZERO - amount } else { amount };
    let fee = if kind == Kind::Returned { Money::ZERO } else { fee };
    // Both lists may count from one.
    let id = format!("{}/{}", way.kind().name(), row.id);
    Ok(Some(Movement { id, kind, amount, fee, at }))
}

impl Gateway {
    pub(super) fn read_movements(
        &mut self,
        walk: Walk,
        way: Way,
        since: Timestamp,
        answer: &Answer<'_>,
        now: Timestamp,
        taken: &mut Taken,
    ) -> Result<(), String> {
        // Accounts that never took anything out are answered so (users, 2026-09).
        if matches!(answer, Answer::Reply { status: 404, .. }) {
            return Ok(());
        }
        let name = way.kind().name();
        let page: wire::MovementsPage = read_page(answer, name)?;
        for row in &page.rows {
            match read(way, row) {
                Ok(Some(movement)) if movement.at >= since => {
                    taken.reports.push(Report::Moved { venue: Venue::Kalshi, movement });
                }
                Ok(_) => {}
                Err(error) => {
                    let text = error.to_string();
                    if self.odd.len() < ODD_MAX && self.odd.insert(text.clone()) {
                        taken.notices.push(text);
                    }
                }
            }
        }
        self.next_page(walk, page.cursor.as_deref(), name, now, taken).map(drop)
    }
}
