//! The next step of a trade: a pure function of what is known and of the markets as they are now.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::domain::report::Refused;
use crate::domain::{Action, MarketIndex, Money, Purpose, Quantity, Timestamp};
use crate::plan::{Kind, Stages};
use crate::risk::Room;

use super::ledger::seat;
use super::trade::{Account, Balance, Trade};
use super::trade_state::{End, Event, Phase, Way, next};
use super::unwind::{Alone, Draft, hedge, is_dust, ways_out};
use super::{Hold, Sight, State};

/// Attempts in vain after which the pause between them doubles, and after which it grows no more:
/// half a second has become half a minute then.
const IN_VAIN_MIN: u32 = 4;
const IN_VAIN_MAX: usize = 10;
/// The same for attempts that never left this machine: two seconds. They say nothing about the
/// market, and what kept them back ends by itself.
const KEPT_BACK_MAX: u32 = 6;

/// What is to be done about a trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing, until something happens.
    Wait,
    /// Orders go out, and the trade moves on.
    Send(Vec<Draft>, Event, String),
    /// The trade moves on.
    Note(Event, String),
    /// No way out fits.
    Stuck(String),
    /// It has stood alone for too long.
    Alarm(String),
    /// It cannot be sold within what may be lost.
    Short(String),
    /// Both outcomes are held and confirmed.
    Merge(MarketIndex, Quantity),
}

/// What a decision may look at.
pub(super) struct View<'a> {
    /// What is known.
    pub(super) state: &'a State,
    /// The markets.
    pub(super) sight: &'a dyn Sight,
    /// The time.
    pub(super) now: Timestamp,
    /// The pause between two attempts to leave a stranded leg.
    pub(super) pause: Duration,
    /// What may be lost, while everything is to be sold.
    pub(super) selling: Option<Selling>,
    /// Markets that no reading has shown since the start.
    pub(super) unseen: &'a BTreeSet<MarketIndex>,
    /// Whether an order that `risk` does not know of yet took some of the room there was.
    pub(super) has_borrowed: bool,
    /// What becomes of a leg that no way out within the loss budget frees.
    pub(super) hold: Hold,
}

/// Everything is to be sold: how much of what may be lost is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Selling {
    /// What may still be lost, over all trades.
    pub(super) loss_left: Money,
    /// Whether a part of it is set aside for sales whose end is not known yet.
    pub(super) is_under_way: bool,
}

impl View<'_> {
    /// The next step of a trade.
    pub(super) fn step(&self, trade: &Trade) -> Step {
        let accounts = trade.accounts(self.state.orders());
        if let Some(event) = self.payment(trade, &accounts) {
            return Step::Note(event, "a market has paid".to_owned());
        }
        let is_open = accounts[0].is_open || accounts[1].is_open;
        if trade.is_left_alone || self.state.is_ignored(trade) {
            return self.left_alone(trade, &accounts, is_open);
        }
        match trade.phase {
            Phase::HalfPaid | Phase::Ended(End::Paid) => Step::Wait,
            Phase::Opened => first(trade),
            Phase::FirstLeg if trade.is_waiting(self.state.orders()) => Step::Wait,
            Phase::FirstLeg => self.second(trade, &accounts, is_open),
            Phase::Stranded(_) => self.stranded(trade, &accounts, is_open),
            Phase::SecondLeg | Phase::BothLegs if is_open => Step::Wait,
            Phase::Locked | Phase::Ended(_) if is_open => Step::Wait,
            Phase::SecondLeg | Phase::BothLegs | Phase::Locked | Phase::Ended(_) => {
                match self.settle_in(trade, &accounts) {
                    Step::Wait => self.at_rest(trade, &accounts),
                    step => step,
                }
            }
        }
    }

    /// The payment that the trade's phase does not know of yet. A leg that holds nothing is owed
    /// nothing: no venue will ever tell of it.
    fn payment(&self, trade: &Trade, accounts: &[Account; 2]) -> Option<Event> {
        if matches!(trade.phase, Phase::Ended(End::Flat)) {
            return None;
        }
        let is_empty = |at: usize| {
            let own = &accounts[at];
            let left = own.change() - trade.given[at].quantity.units();
            !own.is_open && own.unconfirmed.is_zero() && left < Quantity::LOT
        };
        let is_paid = |at: usize| {
            let market = trade.plan.legs[at].market;
            trade.payouts[at].is_some_and(|payout| {
                payout.paid.is_positive() || self.state.ledger().owed(market, payout) == Money::ZERO
            })
        };
        let event = match (is_paid(0), is_paid(1)) {
            (true, true) => Event::BothPaid,
            (false, false) => return None,
            (true, false) if is_empty(1) => Event::BothPaid,
            (false, true) if is_empty(0) => Event::BothPaid,
            _ => Event::OnePaid,
        };
        next(trade.phase, event).map(|_| event)
    }

    /// The first leg has an answer, or nobody knows: what arrived is hedged at once.
    fn second(&self, trade: &Trade, accounts: &[Account; 2], is_open: bool) -> Step {
        if self.is_unseen(trade) {
            return Step::Wait;
        }
        let Balance { surplus: Some((leg, quantity)), .. } = trade.balance(accounts) else {
            return if is_open { Step::Wait } else { self.settle_in(trade, accounts) };
        };
        // What has more is sold on an exit; else what has less is bought.
        let at = match trade.plan.kind {
            Kind::Enter => 1 - leg,
            Kind::Exit => leg,
        };
        match hedge(trade, accounts, (at, quantity), self.sight) {
            Some(draft) => Step::Send(vec![draft], Event::SecondSent, format!("{quantity} came")),
            None if is_open => Step::Wait,
            None => self.settle_in(trade, accounts),
        }
    }

    /// All orders are over: where that leaves the trade.
    pub(super) fn settle_in(&self, trade: &Trade, accounts: &[Account; 2]) -> Step {
        let Balance { matched, surplus } = trade.balance(accounts);
        let given = trade.given[0].quantity.min(trade.given[1].quantity);
        let (event, why) = match surplus {
            Some((leg, quantity)) if !is_dust(&trade.plan, quantity, self.sight) => {
                let venue = trade.plan.legs[leg].venue;
                (Event::Uneven, format!("{venue} has {quantity} more"))
            }
            _ if trade.plan.kind == Kind::Enter && matched > given => {
                (Event::Even, format!("{matched} on both"))
            }
            Some((_, quantity)) => (Event::OnlyDust, format!("{quantity} is left")),
            None => (Event::Empty, "nothing is held".to_owned()),
        };
        match next(trade.phase, event) {
            Some(_) => Step::Note(event, why),
            None => Step::Wait,
        }
    }

    /// One leg has more than the other: the cheapest way out that fits.
    fn stranded(&self, trade: &Trade, accounts: &[Account; 2], is_open: bool) -> Step {
        let since = trade.stranded_since.unwrap_or(trade.since);
        let is_long = self.now >= since.after(trade.plan.stranded_max);
        if is_long && !trade.is_alarmed {
            return Step::Alarm(format!(
                "{} has one leg without its other since {since}",
                trade.id
            ));
        }
        if is_open || self.is_unseen(trade) {
            return Step::Wait;
        }
        match self.settle_in(trade, accounts) {
            Step::Wait => {}
            step => return step,
        }
        if self.now < self.retry_at(trade) {
            return Step::Wait;
        }
        let budget = match self.selling {
            // What this trade has lost meanwhile is taken off already.
            Some(selling) => selling.loss_left,
            None => trade.plan.loss_max - trade.lost(accounts).max(Money::ZERO),
        };
        let room = self.room(trade);
        let Some(mut alone) = Alone::of(trade, accounts, budget, &room) else { return Step::Wait };
        if is_long && self.hold == Hold::Never {
            // All that it cost may be lost.
            alone.budget = alone.budget.max(alone.basis);
        }
        if let Some(best) = ways_out(&trade.plan, &alone, self.sight, self.now).into_iter().next() {
            let why =
                format!("{} of {} for a loss of {}", best.quantity, alone.quantity, best.loss);
            return Step::Send(vec![best.draft], Event::Took(best.way), why);
        }
        let is_shared = self.selling.is_some_and(|selling| selling.is_under_way);
        // What its own venue does not take back has one way out only, and that may be gone for a
        // moment.
        let is_small = self.is_below_minimum(trade, &alone);
        let may_come =
            alone.sellable < alone.quantity || !self.is_priced(trade) || is_shared || is_small;
        if trade.phase == Phase::Stranded(Way::Hold) || may_come && !is_long {
            return Step::Wait;
        }
        Step::Stuck(format!(
            "{}: {} at {} stand alone, no way out loses at most {}",
            trade.id, alone.quantity, trade.plan.legs[alone.leg].venue, alone.budget
        ))
    }

    fn room(&self, trade: &Trade) -> Room {
        let exposure = trade.exposure(self.state.orders()).filter(|_| !self.has_borrowed);
        exposure.map_or(Room::default(), |exposure| self.sight.room(trade.id, &exposure))
    }

    fn is_unseen(&self, trade: &Trade) -> bool {
        trade.plan.legs.iter().any(|leg| self.unseen.contains(&leg.market))
    }

    fn is_below_minimum(&self, trade: &Trade, alone: &Alone) -> bool {
        let market = self.sight.market(trade.plan.legs[alone.leg].market);
        market.is_some_and(|market| alone.quantity < market.minimum.quantity)
    }

    /// Whether all books that a way out could use are believed, and their markets take orders.
    fn is_priced(&self, trade: &Trade) -> bool {
        trade.plan.legs.iter().all(|leg| {
            self.sight.is_tradable(leg.market)
                && self.sight.offers(leg.market, leg.outcome).is_some()
                && self.sight.bids(leg.market, leg.outcome).is_some()
        })
    }

    /// When the next attempt to leave may be made: at once the first time, then with pauses that
    /// double while nothing is filled, and not before the venue wants to hear from us again. A
    /// market that is tried without a pause is never quiet enough to be compared with its venue.
    pub(super) fn retry_at(&self, trade: &Trade) -> Timestamp {
        let Some(last) = trade.orders.last().and_then(|intent| self.state.order(*intent)) else {
            return Timestamp::ZERO;
        };
        let asked = match last.refusal() {
            Some(Refused::Again(wait) | Refused::PostOnly(wait)) => wait,
            _ => Duration::ZERO,
        };
        let pause = match trade.phase {
            Phase::Stranded(Way::Open) => Duration::ZERO,
            _ => {
                let is_kept_back = last.refusal() == Some(Refused::KeptBack);
                let most = if is_kept_back { KEPT_BACK_MAX } else { u32::MAX };
                let in_vain = self.in_vain(trade).min(most);
                self.pause.saturating_mul(1 << in_vain.saturating_sub(IN_VAIN_MIN))
            }
        };
        last.order().at.after(pause.max(asked))
    }

    /// How many orders of a trade in a row have brought nothing, as far as that matters.
    fn in_vain(&self, trade: &Trade) -> u32 {
        let orders = trade.orders.iter().rev().filter_map(|intent| self.state.order(*intent));
        let in_vain = orders.take_while(|order| order.held().quantity.is_zero());
        u32::try_from(in_vain.take(IN_VAIN_MAX).count()).unwrap_or(0)
    }

    /// Nothing is out of place: pairs of both outcomes are merged, and when everything is to go, it
    /// is sold.
    fn at_rest(&self, trade: &Trade, accounts: &[Account; 2]) -> Step {
        for (at, own) in accounts.iter().enumerate() {
            let market = trade.plan.legs[at].market;
            let outcome = trade.plan.legs[at].outcome;
            let ledger = self.state.ledger();
            let sure = own.offset.saturating_sub(own.offset_unconfirmed);
            let both = ledger.held(market, outcome).min(ledger.held(market, outcome.other()));
            let quantity = sure.min(both);
            if !quantity.is_zero() && own.unconfirmed.is_zero() {
                return Step::Merge(market, quantity);
            }
        }
        match self.selling {
            Some(selling) if trade.phase == Phase::Locked => {
                self.sell_both(trade, accounts, selling)
            }
            _ => Step::Wait,
        }
    }

    /// Sells both legs of a locked position for no more loss than is allowed, as much as both books
    /// take.
    fn sell_both(&self, trade: &Trade, accounts: &[Account; 2], selling: Selling) -> Step {
        if self.now < self.retry_at(trade) {
            return Step::Wait;
        }
        let loss_max = selling.loss_left;
        let pair = &trade.plan.pair;
        let Some(locked) = self.state.locked(pair).find(|locked| locked.trade.id == trade.id)
        else {
            return Step::Wait;
        };
        let mut quantity = locked.sellable.floor_to(Quantity::LOT);
        while !quantity.is_zero() {
            let paid = super::trade::share(locked.paid, quantity, locked.quantity);
            let alone = |leg: usize| Alone {
                leg,
                quantity,
                sellable: quantity,
                basis: Money::ZERO,
                budget: Money::from_micros(i64::MAX),
                purses: [Money::ZERO; 2],
                approved: [Money::ZERO; 2],
            };
            let legs: Vec<_> = (0..accounts.len())
                .filter_map(|leg| {
                    ways_out(&trade.plan, &alone(leg), self.sight, self.now)
                        .into_iter()
                        .find(|way| way.way == Way::Unwind && way.quantity == quantity)
                })
                .collect();
            if let [one, other] = legs.as_slice()
                && paid + one.loss_worst + other.loss_worst <= loss_max
            {
                let why = format!("{quantity} of both are sold");
                let drafts = legs.iter().map(|way| exit(&way.draft)).collect();
                return Step::Send(drafts, Event::BothSent, why);
            }
            quantity = halved(quantity);
        }
        if !self.is_priced(trade) || selling.is_under_way {
            return Step::Wait;
        }
        Step::Short(format!(
            "{}: {} of both cannot be sold for {loss_max}",
            trade.id, locked.quantity
        ))
    }
}

fn exit(draft: &Draft) -> Draft {
    Draft { purpose: Purpose::Exit, ..draft.clone() }
}

fn halved(quantity: Quantity) -> Quantity {
    Quantity::from_units(quantity.units() / 2).unwrap_or_default().floor_to(Quantity::LOT)
}

/// The first stage of a plan.
fn first(trade: &Trade) -> Step {
    let draft = |at: usize| {
        let leg = &trade.plan.legs[at];
        let (action, purpose) = match trade.plan.kind {
            Kind::Enter => (Action::Buy, Purpose::Enter),
            Kind::Exit => (Action::Sell, Purpose::Exit),
        };
        Draft {
            venue: leg.venue,
            market: leg.market,
            outcome: leg.outcome,
            action,
            limit: leg.limit,
            size: leg.size,
            purpose,
            borrows: false,
        }
    };
    match trade.plan.stages {
        Stages::First(venue) => {
            let why = format!("{venue} goes first");
            Step::Send(vec![draft(seat(venue))], Event::FirstSent, why)
        }
        Stages::Together => {
            Step::Send(vec![draft(0), draft(1)], Event::BothSent, "both at once".to_owned())
        }
    }
}
