//! The engine's side of trading: what of it goes to the trader, and with what around it.

use crate::book::{Ladder, Update};
use crate::detect::NoEdge;
use crate::detect::edge::{Edge, Fills};
use crate::domain::{IntentId, MarketIndex, Quantity, Timestamp, TradeId};
use crate::engine::books::Books;
use crate::engine::event::Event;
use crate::engine::look::Ground;
use crate::engine::seat::PairSlot;
use crate::engine::{Effect, Engine};
use crate::execute::{Record, reconcile};
use crate::pairing::PairId;
use crate::risk::NoTrade;

use super::attempt::Seen;
use super::{Around, Settings, Trader};

/// The most sizes of one edge that are tried to find one that fits.
const CUTS_MAX: usize = 12;

impl Engine {
    /// Switches trading on. `history` is what the journal holds, oldest first; what follows from it
    /// is asked about, and nothing new is traded before
    /// [`Reconciled`](crate::engine::event::Command::Reconciled). To be called before the markets
    /// are told.
    pub fn enable_trading<'a>(
        &mut self,
        settings: Settings,
        history: impl IntoIterator<Item = &'a Record>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let mut trader = Box::new(Trader::new(settings));
        for record in history {
            trader.replay(record);
        }
        trader.resume(&self.around(now), effects);
        self.trader = Some(trader);
    }

    /// Numbers what is new from here on, unless the history held higher numbers.
    pub fn number_from(&mut self, intent: IntentId, trade: TradeId) {
        if let Some(trader) = &mut self.trader {
            trader.number_from(intent, trade);
        }
    }

    /// Lets readings of the account decide whether anything new may be traded: it may once both
    /// venues' positions and cash agree with the books, and not while they differ. Without this,
    /// only [`Reconciled`](crate::engine::event::Command::Reconciled) decides.
    pub fn reconcile_with(&mut self, settings: reconcile::Settings) {
        if let Some(trader) = &mut self.trader {
            trader.reconcile_with(settings);
        }
    }

    /// What trades, where trading is on.
    pub fn trader(&self) -> Option<&Trader> {
        self.trader.as_deref()
    }

    fn around(&self, now: Timestamp) -> Around<'_> {
        Around { books: &self.books, gate: &self.settings.gate, exchanges: self.exchanges, now }
    }

    /// The trader, if there is one, and what it may look at. It stays in its place, so that it is
    /// still there when something panics.
    fn trading(&mut self, now: Timestamp) -> Option<(&mut Trader, Around<'_>)> {
        let Self { trader, books, settings, exchanges, .. } = self;
        let trader = trader.as_deref_mut()?;
        let around = Around { books, gate: &settings.gate, exchanges: *exchanges, now };
        Some((trader, around))
    }

    /// Gives an event to the trader, if there is one.
    pub(in crate::engine) fn trade(
        &mut self,
        event: &Event<'_>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some((trader, around)) = self.trading(now) else { return };
        match *event {
            Event::Report(report) => trader.report(report, &around, effects),
            Event::Route { venue, route } => trader.hear_route(venue, route, now),
            Event::Command(command) => trader.command(command, &around, effects),
            Event::Accepted(pairs) => trader.accept(pairs),
            Event::Verified(pairs) => trader.verify(pairs),
            Event::Tick => trader.tick(&around, effects),
            _ => {}
        }
    }

    /// Offers an edge that was just found to the trader, if there is one: all of it, or as much as
    /// limits and purses leave room for.
    pub(in crate::engine) fn attempt(
        &mut self,
        at: usize,
        direction: usize,
        edge: &Edge,
        ground: &Ground,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let mut begun = self.attempt_one(at, direction, edge, now);
        if begun.is_err_and(NoTrade::is_of_size)
            && let Some(most) = self.most_that_fits(at, direction, edge.quantity, ground, now)
            && let Ok(less) = self.walk(at, direction, &ground.at_most(most))
        {
            begun = self.attempt_one(at, direction, &less, now);
        }
        let pair = std::sync::Arc::clone(&self.pairs[at].watched.pair);
        let Some((trader, around)) = self.trading(now) else { return };
        trader.conclude_attempt(&pair.id, begun, &around, effects);
    }

    /// Offers the edge that was walked last.
    fn attempt_one(
        &mut self,
        at: usize,
        direction: usize,
        edge: &Edge,
        now: Timestamp,
    ) -> Result<(), NoTrade> {
        let Self { trader, books, settings, exchanges, pairs, fills, .. } = self;
        let Some(trader) = trader.as_deref_mut() else { return Ok(()) };
        let around = Around { books, gate: &settings.gate, exchanges: *exchanges, now };
        trader.attempt(&seen(&pairs[at], fills, direction, edge), &around)
    }

    /// The most contracts that limits and purses leave room for: halved until they fit, then
    /// brought nearer. `None` where not even the least that the venues take fits.
    fn most_that_fits(
        &mut self,
        at: usize,
        direction: usize,
        whole: Quantity,
        ground: &Ground,
        now: Timestamp,
    ) -> Option<Quantity> {
        let half = |low: Quantity, high: Quantity| {
            let sum = low.units().saturating_add(high.units());
            Quantity::from_units(sum / 2).unwrap_or_default().floor_to(Quantity::LOT)
        };
        let (mut low, mut high) = (None, whole);
        let mut too_small = Quantity::ZERO;
        for _ in 0..CUTS_MAX {
            let most = half(low.unwrap_or(too_small), high);
            if most <= low.unwrap_or(too_small) {
                break;
            }
            let Ok(edge) = self.walk(at, direction, &ground.at_most(most)) else {
                too_small = most;
                continue;
            };
            let seen = seen(&self.pairs[at], &self.fills, direction, &edge);
            let judged = self.trader.as_ref()?.judge_edge(&seen, &self.around(now));
            match judged {
                Ok(()) => low = Some(most),
                Err(no) if no.is_of_size() => high = most,
                Err(_) => return None,
            }
        }
        low
    }

    /// Stops new trades of a pair that the books speak against.
    pub(in crate::engine) fn suspend(
        &mut self,
        pair: &PairId,
        no: NoEdge,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some((trader, around)) = self.trading(now) else { return };
        trader.suspend(pair, no.name(), &around, effects);
    }
}

fn seen<'a>(slot: &'a PairSlot, fills: &'a Fills, direction: usize, edge: &'a Edge) -> Seen<'a> {
    let outcomes = slot.outcomes(direction);
    Seen {
        watched: &slot.watched,
        outcomes: [outcomes.0, outcomes.1],
        opportunity: slot.seats[direction].open.map_or(0, |open| open.id.0),
        edge,
        fills,
    }
}

impl Trader {
    fn number_from(&mut self, intent: IntentId, trade: TradeId) {
        self.executor.number_from(intent, trade);
        self.risk.number_from(self.executor.state().next_trade());
    }

    /// Hears an update before it is applied.
    #[inline]
    pub(in crate::engine) fn hear(&mut self, update: &Update, books: &Books) {
        self.floor.taken.hear(update, books);
    }

    /// A ladder less what our orders took of it; `None` when they took nothing.
    pub(in crate::engine) fn left_of(
        &self,
        market: MarketIndex,
        ladder: &Ladder,
    ) -> Option<Ladder> {
        self.floor.taken.ladder_of(market, ladder)
    }
}
