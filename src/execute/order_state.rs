//! What is known about one order: a table of moves, and the sums that follow from evidence, which
//! comes late, twice and in any order. Fills are told apart by trade id; of the total that was told
//! and the sum of fills the larger counts as held, and the order is *known* when they agree.
//! Evidence against what was final reopens the order and is an incident.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::report::{Fee, Refusal, Refused, Rest, Total};
use crate::domain::{
    Action, Evidence, Fill, Finality, Money, Order, Quantity, Size, Timestamp, Venue,
};

use super::incident;

mod table;

pub use table::{Move, News, Phase, next};

/// How long after its decision a venue's reading may still miss an order that it has: reads lag
/// behind writes, on both venues by less than a second when they are well.
pub const NOT_FOUND_GRACE: Duration = Duration::from_secs(5);

/// A venue's listing may lack a fill that is younger than this.
pub const LISTING_LAG: Duration = Duration::from_secs(15);

/// By so much the sum of Polymarket's fills may differ from what it says of the order, and two
/// tellings of one fill from each other (field notes of users, 2026-07): its channel and its
/// listings round differently. Kalshi counts exactly.
const DUST: Quantity = match Quantity::from_units(Quantity::LOT) {
    Some(quantity) => quantity,
    None => Quantity::ZERO,
};

/// What an order has brought, as it is booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Booked {
    /// Contracts, and what they cost or brought.
    pub total: Total,
    /// Fees that the venue told.
    pub fee: Money,
    /// Fees by the formula, until they are trued up.
    pub fee_computed: Money,
}

impl Booked {
    /// All fees.
    pub fn fees(&self) -> Money {
        self.fee + self.fee_computed
    }
}

/// What a person must know about a piece of evidence.
pub type Notice = (&'static str, String);

/// One order and all that is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracked {
    order: Order,
    phase: Phase,
    /// The largest total that the venue told.
    told: Total,
    fills: BTreeMap<String, Fill>,
    /// By how much fills were told again with less.
    shaved: Quantity,
    /// Whether the venue has ever acknowledged the order.
    is_seen: bool,
    /// The venue's reading that first did not find the order.
    missing: Option<Timestamp>,
    /// Fills that the venue's listing lacks, and the reading that first lacked them.
    unlisted: BTreeMap<String, Timestamp>,
    /// Whether the venue told a fill in two ways.
    is_disputed: bool,
    /// Whether a person took the venue's word for what became of it.
    is_accepted: bool,
    /// Why the venue refused it.
    refusal: Option<Refused>,
}

impl Tracked {
    /// An order that was just decided on.
    pub const fn new(order: Order) -> Self {
        Self {
            order,
            phase: Phase::Decided,
            told: Total { quantity: Quantity::ZERO, money: Money::ZERO },
            fills: BTreeMap::new(),
            shaved: Quantity::ZERO,
            is_seen: false,
            missing: None,
            unlisted: BTreeMap::new(),
            is_disputed: false,
            is_accepted: false,
            refusal: None,
        }
    }

    /// The order as it was decided on.
    pub const fn order(&self) -> &Order {
        &self.order
    }

    /// Where it is in its life.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// When it was decided on, or the venue last filled something of it.
    pub fn moved_at(&self) -> Timestamp {
        self.fills.values().map(|fill| fill.at).fold(self.order.at, Timestamp::max)
    }

    /// Why the venue refused it, if it did.
    pub const fn refusal(&self) -> Option<Refused> {
        self.refusal
    }

    /// Takes evidence in and says what a person must know about it.
    pub fn take(&mut self, evidence: &Evidence) -> Vec<Notice> {
        let mut notices = Vec::new();
        let Some(news) = self.read(evidence, &mut notices) else { return notices };
        let moved = next(self.phase, news);
        if let Some(kind) = moved.incident {
            notices.push((kind, format!("{} was {}: {evidence:?}", self, self.phase.name())));
            self.is_disputed |= kind == incident::CONTRADICTION;
        }
        self.phase = moved.to;
        notices
    }

    /// Keeps what evidence tells and reduces it to news; `None` when it says nothing yet.
    fn read(&mut self, evidence: &Evidence, notices: &mut Vec<Notice>) -> Option<News> {
        Some(match evidence {
            Evidence::Standing { filled, rest, .. } => {
                self.is_seen = true;
                self.missing = None;
                self.hear(filled.unwrap_or_default(), notices);
                match (rest, filled) {
                    (Rest::Resting, _) => News::Resting,
                    (Rest::Delayed, _) => News::Delayed,
                    // It is over, and how much it filled is still to be asked.
                    (Rest::Nothing, None) => News::NotCancelled,
                    (Rest::Nothing, Some(total)) if total.quantity.is_zero() => self.empty(),
                    (Rest::Nothing, Some(_)) => News::Over,
                }
            }
            Evidence::Fill(fill) => {
                self.is_seen = true;
                self.missing = None;
                let had_any = !self.named().quantity.is_zero();
                self.take_fill(fill, notices);
                let is_only_failed = fill.finality == Finality::Failed && !had_any;
                if is_only_failed { News::Unclear } else { News::Filled }
            }
            Evidence::Refused(Refusal { kind, .. }) => {
                self.refusal = Some(*kind);
                if self.held().quantity.is_zero() { News::Refused } else { News::Denied }
            }
            Evidence::Listed { trades, as_of } => {
                if !self.strike(trades, *as_of, notices) {
                    return None;
                }
                News::Filled
            }
            Evidence::Unclear(_) => News::Unclear,
            Evidence::NotCancelled(_) => News::NotCancelled,
            Evidence::NotFound { as_of } => {
                if *as_of <= self.order.at.after(NOT_FOUND_GRACE) {
                    return None;
                }
                let first = *self.missing.get_or_insert(*as_of);
                match (first < *as_of, self.is_seen) {
                    (false, _) => return None,
                    (true, false) => News::Missing,
                    (true, true) => News::Vanished,
                }
            }
        })
    }

    /// What it means that the venue says the order ended with nothing.
    fn empty(&self) -> News {
        match (self.phase, self.held().quantity.is_zero()) {
            (Phase::Refused | Phase::Gone, true) => News::Refused,
            // Fills outrun the reading of an order: it is over, and its fills say more than it.
            _ => News::Over,
        }
    }

    /// Keeps the largest total that was told.
    fn hear(&mut self, total: Total, notices: &mut Vec<Notice>) {
        let is_final = self.phase == Phase::Done;
        if is_final && total.quantity > self.told.quantity.max(self.named().quantity) {
            let text = format!("{self} had ended and now shows {} filled", total.quantity);
            notices.push((incident::LATE_FILL, text));
        }
        if total.quantity > self.told.quantity {
            self.told = total;
        }
    }

    /// Takes back what the venue's whole listing lacks in two readings; true when there was any.
    fn strike(&mut self, listed: &[String], as_of: Timestamp, notices: &mut Vec<Notice>) -> bool {
        let mut struck = Vec::new();
        for (trade, fill) in &mut self.fills {
            let is_old = as_of > fill.at.after(LISTING_LAG);
            if listed.contains(trade) || fill.finality == Finality::Failed || !is_old {
                self.unlisted.remove(trade);
            } else if *self.unlisted.entry(trade.clone()).or_insert(as_of) < as_of {
                self.unlisted.remove(trade);
                fill.finality = Finality::Failed;
                struck.push(format!("fill {trade}: the venue took it back"));
            }
        }
        struck.extend(self.strike_total(listed, as_of));
        let is_any = !struck.is_empty();
        let told =
            struck.into_iter().map(|text| (incident::FILL_FAILED, format!("{self}, {text}")));
        notices.extend(told);
        is_any
    }

    /// The same of what was told as a total and never fill by fill.
    fn strike_total(&mut self, listed: &[String], as_of: Timestamp) -> Option<String> {
        const TOTAL: &str = "";
        let stands =
            |fill: &&Fill| fill.finality != Finality::Failed && listed.contains(&fill.trade);
        let (left, failed) = (sum(self.fills.values().filter(stands)), self.failed());
        let told = self.told.quantity.saturating_sub(failed.quantity);
        let is_named = listed.iter().all(|trade| self.fills.contains_key(trade));
        let is_old = as_of > self.moved_at().after(LISTING_LAG);
        if self.unlisted.keys().any(|trade| trade != TOTAL) || told <= left.quantity || !is_named {
            self.unlisted.remove(TOTAL);
        } else if is_old && *self.unlisted.entry(TOTAL.to_owned()).or_insert(as_of) < as_of {
            self.unlisted.remove(TOTAL);
            self.told = Total {
                quantity: left.quantity.saturating_add(failed.quantity),
                money: left.money + failed.money,
            };
            let gone = told.saturating_sub(left.quantity);
            return Some(format!(
                "{gone} that were told and never listed: the venue took them back"
            ));
        }
        None
    }

    fn take_fill(&mut self, fill: &Fill, notices: &mut Vec<Notice>) {
        let is_final = self.phase == Phase::Done;
        let about = format!("{self}, fill {}", fill.trade);
        let Some(known) = self.fills.get_mut(&fill.trade) else {
            self.fills.insert(fill.trade.clone(), fill.clone());
            if fill.finality == Finality::Failed {
                notices.push((incident::FILL_FAILED, about));
            } else if is_final && self.named().quantity > self.told.quantity {
                let text = format!("{about}: {} beyond the final total", fill.quantity);
                notices.push((incident::LATE_FILL, text));
            }
            return;
        };
        if self.order.venue == Venue::Polymarket && is_dust_apart(known, fill) {
            let before = known.quantity;
            (known.quantity, known.money) = worse(self.order.action, known, fill);
            let less = before.saturating_sub(known.quantity);
            self.shaved = self.shaved.saturating_add(less);
        } else if (known.quantity, known.money) != (fill.quantity, fill.money) {
            let text = format!(
                "{about}: {} for {}, then {} for {}",
                known.quantity, known.money, fill.quantity, fill.money
            );
            notices.push((incident::FILL_CHANGED, text));
            (known.quantity, known.money) = worse(self.order.action, known, fill);
            self.is_disputed = true;
        }
        known.fee = match (known.fee, fill.fee) {
            (Fee::Reported(a), Fee::Reported(b)) => Fee::Reported(a.max(b)),
            (Fee::Computed(_), told @ Fee::Reported(_)) => told,
            (known, Fee::Computed(_)) => known,
        };
        match (known.finality, fill.finality) {
            (Finality::Matched, Finality::Confirmed) => known.finality = Finality::Confirmed,
            (Finality::Matched | Finality::Confirmed, Finality::Failed) => {
                known.finality = Finality::Failed;
                notices.push((incident::FILL_FAILED, about));
            }
            (Finality::Failed, Finality::Confirmed) => {
                notices.push((incident::CONTRADICTION, format!("{about}: failed, then confirmed")));
                self.is_disputed = true;
            }
            // News that were overtaken, or came twice.
            _ => {}
        }
    }

    /// All that fills named, those that failed too.
    fn named(&self) -> Total {
        sum(self.fills.values())
    }

    fn failed(&self) -> Total {
        sum(self.fills.values().filter(|fill| fill.finality == Finality::Failed))
    }

    /// What the order brought at the most: the larger of what was told and what fills add up to,
    /// less what failed.
    pub fn held(&self) -> Total {
        let (named, failed) = (self.named(), self.failed());
        let most = if self.is_all_named() { named } else { self.told };
        Total {
            quantity: most.quantity.saturating_sub(failed.quantity),
            money: (most.money - failed.money).max(Money::ZERO),
        }
    }

    /// Whether all that the venue told as a total was told fill by fill too. What is left by its
    /// rounding, of the total and of each fill, is not waited for.
    fn is_all_named(&self) -> bool {
        let named = self.named().quantity;
        let missing = self.told.quantity.saturating_sub(named);
        let rounds = self.order.venue == Venue::Polymarket && !named.is_zero();
        missing.is_zero() || rounds && missing <= DUST.saturating_add(self.shaved)
    }

    /// What of it is settled for good. Every Kalshi fill is.
    pub fn confirmed(&self) -> Quantity {
        if self.order.venue == Venue::Kalshi {
            return self.held().quantity;
        }
        sum(self.fills.values().filter(|fill| fill.finality == Finality::Confirmed)).quantity
    }

    /// What is matched and may still fail.
    pub fn unconfirmed(&self) -> Quantity {
        self.held().quantity.saturating_sub(self.confirmed())
    }

    /// What of the order goes into the ledger.
    pub fn booked(&self) -> Booked {
        let mut booked = Booked { total: self.held(), ..Booked::default() };
        for fill in self.fills.values().filter(|fill| fill.finality != Finality::Failed) {
            match fill.fee {
                Fee::Reported(fee) => booked.fee += fee,
                Fee::Computed(fee) => booked.fee_computed += fee,
            }
        }
        booked
    }

    /// What was told as a total and not fill by fill yet: its fees are not known.
    pub fn quantity_unnamed(&self) -> Quantity {
        let named = self.named().quantity;
        if self.is_all_named() { Quantity::ZERO } else { self.told.quantity.saturating_sub(named) }
    }

    /// The most dollars that a BUY may still spend, without fees.
    pub fn spend_open(&self) -> Money {
        if !self.phase.is_open() || self.order.action == Action::Sell {
            return Money::ZERO;
        }
        let spent = self.named().money.max(self.told.money);
        (self.order.spend_max() - spent).max(Money::ZERO)
    }

    /// The most contracts that may still come, or go; a BUY by collateral may bring more.
    pub fn quantity_open(&self) -> Quantity {
        if !self.phase.is_open() {
            return Quantity::ZERO;
        }
        match self.order.size {
            Size::Contracts(quantity) => {
                quantity.saturating_sub(self.named().quantity.max(self.told.quantity))
            }
            Size::Collateral(_) => self.spend_open().buys_ceil(self.order.limit),
        }
    }

    /// Whether what came of the order is settled beyond doubt, but for confirmations.
    pub fn is_known(&self) -> bool {
        !self.phase.is_open() && !self.is_disputed && (self.is_accepted || self.is_all_named())
    }

    /// Whether two accounts of the order differ: nothing but a person or a venue ends that.
    pub const fn is_disputed(&self) -> bool {
        self.is_disputed
    }

    /// A person took the venue's word for the market: no account of the order is in doubt any more,
    /// and one whose fate nobody knows is over. What is under way goes on.
    pub(super) fn reconcile(&mut self) {
        self.is_disputed = false;
        if self.phase == Phase::Unknown {
            self.phase = Phase::Done;
        }
        self.is_accepted = !self.phase.is_open();
    }

    /// Whether the venue's last listing lacked a fill, which a second one has yet to confirm.
    pub fn lacks_fills(&self) -> bool {
        !self.unlisted.is_empty()
    }

    /// Whether it is over for good: known, and nothing can fail any more.
    pub fn is_final(&self) -> bool {
        self.is_known() && (self.is_accepted || self.unconfirmed().is_zero())
    }
}

impl std::fmt::Display for Tracked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let order = &self.order;
        let (action, purpose) = (order.action.name(), order.purpose.name());
        write!(f, "{} ({} {action} {} to {purpose})", order.intent, order.venue, order.outcome)
    }
}

fn sum<'a>(fills: impl Iterator<Item = &'a Fill>) -> Total {
    fills.fold(Total::default(), |sum, fill| Total {
        quantity: sum.quantity.saturating_add(fill.quantity),
        money: sum.money.saturating_add(fill.money),
    })
}

/// Whether two accounts of one fill differ by no more than Polymarket's rounding: a lot, and what a
/// lot costs at the most.
fn is_dust_apart(one: &Fill, other: &Fill) -> bool {
    let apart = one.quantity.units().abs_diff(other.quantity.units());
    let dollars = one.money.micros().abs_diff(other.money.micros());
    let most = DUST.units().unsigned_abs();
    apart <= most && dollars <= Money::payout(DUST).micros().unsigned_abs()
}

/// Of two accounts of one fill, what is worse for us: a BUY that brought less for more, a SELL that
/// took more for less.
fn worse(action: Action, one: &Fill, other: &Fill) -> (Quantity, Money) {
    match action {
        Action::Buy => (one.quantity.min(other.quantity), one.money.max(other.money)),
        Action::Sell => (one.quantity.max(other.quantity), one.money.min(other.money)),
    }
}

#[cfg(test)]
mod tests;
