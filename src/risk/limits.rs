//! What may be put at risk, in dollars with fees included, in seconds and in counts.

use std::time::Duration;

use crate::domain::Money;
use crate::plan::NoPlan;

/// All limits. None of them ever refuses an order that makes what is at risk smaller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// One order, in dollars; 25 are sensible for a beginning.
    pub order: Money,
    /// One market, in dollars.
    pub market: Money,
    /// One pair, both legs together, in dollars.
    pub pair: Money,
    /// One event of either venue, both legs of all its pairs together, in dollars.
    pub event: Money,
    /// Kalshi, then Polymarket, in dollars.
    pub venues: [Money; 2],
    /// Everything together, in dollars.
    pub total: Money,
    /// What may be matched and not yet confirmed at once, in dollars.
    pub unconfirmed: Money,
    /// What may stand alone at once, in dollars at cost: the larger leg of every trade under way.
    pub stranded: Money,
    /// How long something may stand alone before its pair is halted; thirty seconds are sensible.
    pub stranded_max: Duration,
    /// What was lost for good on a UTC day, gains of the day taken off, and what all trades under
    /// way stand to lose at worst, together, in dollars.
    pub loss_per_day: Money,
    /// Trades that are not locked yet; one is sensible for a beginning.
    pub open_trades: usize,
    /// Orders per second over both venues; orders that reduce are counted and never refused.
    pub orders_per_second: u32,
    /// Refusals in a row that halt a pair, a venue, everything.
    pub rejections: [u32; 3],
    /// Remainders below what their venue takes, in one market, in dollars, each contract
    /// counted as one.
    pub dust_market: Money,
    /// The same over all markets.
    pub dust_total: Money,
    /// What must stay in each purse beyond all that is reserved, in dollars.
    pub purse_margin: Money,
    /// The oldest reading of a purse that is believed; a minute is sensible.
    pub purse_age_max: Duration,
    /// How long after a payment a reading of a purse may still not show it.
    pub purse_lag: Duration,
    /// How much more than its estimate a venue may take as the fee of a fill, in dollars, before
    /// the pair is halted.
    pub fee_tolerance: Money,
}

impl Limits {
    /// What the events of a plan leave of their limit where so much is in each.
    pub(super) fn events_left(&self, events: &[Money; 2]) -> Money {
        self.event - events[0].max(events[1])
    }
}

/// Why something is not traded although an edge was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoTrade {
    /// Sending was stopped for good.
    Killed,
    /// What the journal holds and what the venues say has not been brought together yet.
    NotReconciled,
    /// The journal cannot be written.
    JournalBroken,
    /// A person or a breaker halted the pair, its venue, or everything.
    Halted,
    /// No person has approved the pair.
    NotApproved,
    /// The pair was not accepted on this machine as it stands.
    NotAcceptedHere,
    /// The rules are not known to be the ones that were reviewed.
    RulesChanged,
    /// The venue does not take orders at present, as its last answers say.
    VenueNotTradable,
    /// Kalshi's leg would not wait for Polymarket's, and Polymarket's order routes have not
    /// answered lately.
    VenueSilent,
    /// An approval that the market's orders need to settle is missing on the chain.
    ApprovalMissing,
    /// What the market means can change: its event may get new outcomes.
    OpenEnded,
    /// A venue does not say which event a market belongs to.
    EventUnknown,
    /// A known pause of a venue is about to begin, or lasts.
    PauseAhead,
    /// A plan is under way on one of the markets.
    MarketBusy,
    /// A person keeps one of the markets for themselves.
    MarketIgnored,
    /// The fate of an order is not known.
    OrderUnknown,
    /// Orders of an earlier run are not known yet, or a leg of it is on its way out.
    Resuming,
    /// Both venues hold orders before they match.
    VenueDelay,
    /// What is left on the venues' grids is below a smallest order.
    PlanBelowMinimum,
    /// The books show no way out of a leg without its other one within the loss budget.
    NoWayOut,
    /// Nothing is to be gained by closing early.
    NoGain,
    /// Too many trades are under way.
    LimitOpenTrades,
    /// Too many orders were sent in the last second.
    LimitOrderRate,
    /// An order would be too large.
    LimitOrder,
    /// Too much in one market.
    LimitMarket,
    /// Too much in the pair.
    LimitPair,
    /// Too much in one event.
    LimitEvent,
    /// Too much at one venue.
    LimitVenue,
    /// Too much in all.
    LimitTotal,
    /// Too much is matched and not confirmed.
    LimitUnconfirmed,
    /// Too much would stand alone at once.
    LimitStranded,
    /// The day's losses leave no room for what the plan may lose.
    LimitLoss,
    /// What a partial fill may leave is too much dust.
    LimitDust,
    /// It is not known, or not known recently enough, what a purse holds.
    PurseUnknown,
    /// A purse does not hold enough.
    PurseShort,
}

impl NoTrade {
    /// All reasons, in the order of their index.
    pub const ALL: [Self; 35] = [
        Self::Killed,
        Self::NotReconciled,
        Self::JournalBroken,
        Self::Halted,
        Self::NotApproved,
        Self::NotAcceptedHere,
        Self::RulesChanged,
        Self::VenueNotTradable,
        Self::VenueSilent,
        Self::ApprovalMissing,
        Self::OpenEnded,
        Self::EventUnknown,
        Self::PauseAhead,
        Self::MarketBusy,
        Self::MarketIgnored,
        Self::OrderUnknown,
        Self::Resuming,
        Self::VenueDelay,
        Self::PlanBelowMinimum,
        Self::NoWayOut,
        Self::NoGain,
        Self::LimitOpenTrades,
        Self::LimitOrderRate,
        Self::LimitOrder,
        Self::LimitMarket,
        Self::LimitPair,
        Self::LimitEvent,
        Self::LimitVenue,
        Self::LimitTotal,
        Self::LimitUnconfirmed,
        Self::LimitStranded,
        Self::LimitLoss,
        Self::LimitDust,
        Self::PurseUnknown,
        Self::PurseShort,
    ];

    /// The reason's place in [`NoTrade::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether less of the same may be traded.
    pub const fn is_of_size(self) -> bool {
        matches!(
            self,
            Self::NoWayOut
                | Self::LimitOrder
                | Self::LimitMarket
                | Self::LimitPair
                | Self::LimitEvent
                | Self::LimitVenue
                | Self::LimitTotal
                | Self::LimitUnconfirmed
                | Self::LimitStranded
                | Self::PurseShort
        )
    }

    /// The reason in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::NotReconciled => "not_reconciled",
            Self::JournalBroken => "journal_broken",
            Self::Halted => "halted",
            Self::NotApproved => "not_approved",
            Self::NotAcceptedHere => "not_accepted_here",
            Self::RulesChanged => "rules_changed",
            Self::VenueNotTradable => "venue_not_tradable",
            Self::VenueSilent => "venue_silent",
            Self::ApprovalMissing => "approval_missing",
            Self::OpenEnded => "market_open_ended",
            Self::EventUnknown => "event_unknown",
            Self::PauseAhead => "pause_ahead",
            Self::MarketBusy => "market_busy",
            Self::MarketIgnored => "market_ignored",
            Self::OrderUnknown => "order_unknown",
            Self::Resuming => "resuming",
            Self::VenueDelay => "venue_delay",
            Self::PlanBelowMinimum => "plan_below_minimum",
            Self::NoWayOut => "no_way_out",
            Self::NoGain => "no_gain",
            Self::LimitOpenTrades => "limit_open_trades",
            Self::LimitOrderRate => "limit_order_rate",
            Self::LimitOrder => "limit_order",
            Self::LimitMarket => "limit_market",
            Self::LimitPair => "limit_pair",
            Self::LimitEvent => "limit_event",
            Self::LimitVenue => "limit_venue",
            Self::LimitTotal => "limit_total",
            Self::LimitUnconfirmed => "limit_unconfirmed",
            Self::LimitStranded => "limit_stranded",
            Self::LimitLoss => "limit_loss",
            Self::LimitDust => "limit_dust",
            Self::PurseUnknown => "purse_unknown",
            Self::PurseShort => "purse_short",
        }
    }
}

impl From<NoPlan> for NoTrade {
    fn from(no: NoPlan) -> Self {
        match no {
            NoPlan::VenueDelay => Self::VenueDelay,
            NoPlan::BelowMinimum => Self::PlanBelowMinimum,
            NoPlan::NoWayOut => Self::NoWayOut,
            NoPlan::NoGain => Self::NoGain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_index_and_a_name_of_its_own() {
        let mut names = std::collections::BTreeSet::new();
        for (at, reason) in NoTrade::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), at);
            assert!(names.insert(reason.name()));
        }
        for no in NoPlan::ALL {
            assert_eq!(NoTrade::from(no).name(), no.name());
        }
    }
}
