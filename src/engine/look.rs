//! One look at one pair: both gates, both directions, and what follows.

use std::sync::Arc;

use crate::detect::edge::{self, Edge, Terms};
use crate::detect::{NoEdge, gate};
use crate::domain::market::Status;
use crate::domain::{FeeModel, Outcome, Price, Quantity, Timestamp, Venue};

use super::effect::{Closed, Effect, Leg, Opportunity, OpportunityId, Phase};
use super::seat::Open;
use super::{Engine, books::Slot, venue_at};

/// What both directions of a pair stand on, once both books are believed.
pub(super) struct Ground {
    pub(super) terms: Terms,
    /// The fees in force, Kalshi's first.
    fees: [FeeModel; 2],
}

impl Ground {
    /// The same for no more than so many contracts.
    pub(super) fn at_most(&self, most: Quantity) -> Self {
        let contracts_max = most.min(self.terms.contracts_max);
        Self { terms: Terms { contracts_max, ..self.terms }, fees: self.fees }
    }
}

impl Engine {
    /// Looks at both directions of a pair, once a round.
    pub(super) fn look(&mut self, pair: u32, now: Timestamp, effects: &mut Vec<Effect>) {
        let at = pair as usize;
        if std::mem::replace(&mut self.pairs[at].looked, self.look_number) == self.look_number {
            return;
        }
        self.counters.looks += 1;
        let ground = self.gate(at, now);
        for direction in 0..2 {
            let result = match &ground {
                Ok(ground) => self.walk(at, direction, ground),
                Err(no) => Err(*no),
            };
            match (result, &ground) {
                (Ok(found), Ok(ground)) => {
                    self.found(at, direction, &found, now, effects);
                    self.attempt(at, direction, &found, ground, now, effects);
                }
                (Ok(_), Err(no)) => self.rejected(at, direction, *no, now, effects),
                (Err(no), _) => self.rejected(at, direction, no, now, effects),
            }
        }
        self.wait_or_not(pair);
    }

    /// Whether both books of a pair may be believed, and believe each other; then what both
    /// directions have in common.
    fn gate(&self, at: usize, now: Timestamp) -> Result<Ground, NoEdge> {
        let watched = &self.pairs[at].watched;
        let (kalshi, polymarket) = self.slots(at).ok_or(NoEdge::MarketUnknown)?;
        for slot in [kalshi, polymarket] {
            let facts = slot.facts.as_ref().ok_or(NoEdge::MarketUnknown)?;
            let lane = self.books.lane_of(&slot.book);
            if self.exchanges[venue_at(facts.venue)] != Status::Open {
                return Err(NoEdge::MarketPaused);
            }
            let offset = self.clock_offsets[venue_at(facts.venue)];
            gate::check(&slot.book, lane, facts, &self.settings.gate, offset, now)?;
        }
        let same = if watched.is_same() { gate::Same::Yes } else { gate::Same::No };
        let apart = gate::mids_apart(&kalshi.book, &polymarket.book, same);
        if apart.is_some_and(|apart| apart > self.settings.mids_apart_max) {
            return Err(NoEdge::MidsApart);
        }
        let fee = |slot: &Slot| slot.facts.as_ref().and_then(|facts| facts.fee.at(now));
        let fees = [kalshi, polymarket].map(fee);
        let [Some(kalshi), Some(polymarket)] = fees else { return Err(NoEdge::FeeUnknown) };
        Ok(Ground { terms: self.terms(at), fees: [kalshi, polymarket] })
    }

    fn slots(&self, at: usize) -> Option<(&Slot, &Slot)> {
        let watched = &self.pairs[at].watched;
        self.books.get(watched.kalshi).zip(self.books.get(watched.polymarket))
    }

    fn terms(&self, at: usize) -> Terms {
        let pair = &self.pairs[at].watched.pair;
        let settings = &self.settings;
        Terms {
            resolution_risk: pair.resolution_risk,
            contracts_max: pair
                .limits
                .contracts_max
                .map_or(settings.contracts_max, |own| own.min(settings.contracts_max)),
            edge_min: pair
                .limits
                .edge_min
                .map_or(settings.edge_min, |own| own.max(settings.edge_min)),
            edge_max: settings.edge_max,
            profit_min: settings.profit_min,
        }
    }

    pub(super) fn walk(
        &mut self,
        at: usize,
        direction: usize,
        ground: &Ground,
    ) -> Result<Edge, NoEdge> {
        let outcomes = self.pairs[at].outcomes(direction);
        let watched = &self.pairs[at].watched;
        let slots = self.books.get(watched.kalshi).zip(self.books.get(watched.polymarket));
        let (kalshi, polymarket) = slots.ok_or(NoEdge::MarketUnknown)?;
        let mut kalshi_leg = leg(kalshi, outcomes.0, ground.fees[0])?;
        let mut polymarket_leg = leg(polymarket, outcomes.1, ground.fees[1])?;
        // What we took is gone, whatever the books still show.
        let left = |market, ladder| self.trader.as_ref()?.left_of(market, ladder);
        let kalshi_left = left(watched.kalshi, kalshi_leg.ladder);
        let polymarket_left = left(watched.polymarket, polymarket_leg.ladder);
        kalshi_leg.ladder = kalshi_left.as_ref().unwrap_or(kalshi_leg.ladder);
        polymarket_leg.ladder = polymarket_left.as_ref().unwrap_or(polymarket_leg.ladder);
        edge::walk(&kalshi_leg, &polymarket_leg, &ground.terms, &mut self.fills)
    }

    fn found(
        &mut self,
        at: usize,
        direction: usize,
        edge: &Edge,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let percent = i64::from(100 + self.settings.grown_by_percent);
        let seat = &mut self.pairs[at].seats[direction];
        seat.last = None;
        let (id, phase) = match &mut seat.open {
            Some(open) => {
                if edge.profit > open.best_profit {
                    (open.best_profit, open.best_quantity) = (edge.profit, edge.quantity);
                }
                if edge.profit.micros() < open.reported.micros().saturating_mul(percent) / 100 {
                    return;
                }
                open.reported = edge.profit;
                (open.id, Phase::Grown)
            }
            None => {
                let id = OpportunityId(self.next_id);
                self.next_id += 1;
                self.counters.opened += 1;
                seat.open = Some(Open {
                    id,
                    since: now,
                    reported: edge.profit,
                    best_profit: edge.profit,
                    best_quantity: edge.quantity,
                });
                (id, Phase::Opened)
            }
        };
        if let Some(opportunity) = self.opportunity(at, direction, edge, now, id, phase) {
            effects.push(Effect::Opportunity(Box::new(opportunity)));
        }
    }

    fn rejected(
        &mut self,
        at: usize,
        direction: usize,
        no: NoEdge,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        self.counters.rejections[no.index()] += 1;
        let slot = &mut self.pairs[at];
        slot.seats[direction].last = Some(no);
        if no.speaks_against_the_pair() && !std::mem::replace(&mut slot.doubted, true) {
            let pair = slot.watched.pair.id.clone();
            effects.push(Effect::Doubt { at: now, pair: pair.clone(), reason: no.name() });
            self.suspend(&pair, no, now, effects);
        }
        let closed: Option<Closed> = self.pairs[at].close(direction, no.name(), now);
        self.report_closed(closed, effects);
    }

    /// A pair is looked at as time passes while an opportunity is open (it must close when a book
    /// ages) or while the reason for no edge can pass without a change of the books.
    fn wait_or_not(&mut self, pair: u32) {
        let slot = &mut self.pairs[pair as usize];
        let waits = slot
            .seats
            .iter()
            .any(|seat| seat.open.is_some() || seat.last.is_some_and(NoEdge::passes_with_time));
        slot.waiting = waits;
        if waits && !std::mem::replace(&mut slot.listed, true) {
            self.waiting.push(pair);
        }
    }

    fn opportunity(
        &self,
        at: usize,
        direction: usize,
        edge: &Edge,
        now: Timestamp,
        id: OpportunityId,
        phase: Phase,
    ) -> Option<Opportunity> {
        let slot = &self.pairs[at];
        let pair = &slot.watched.pair;
        let (kalshi, polymarket) = self.slots(at)?;
        let outcomes = slot.outcomes(direction);
        let outlay = edge.cost + edge.fees;
        let named = if outcomes.1 == slot.watched.named { Outcome::Yes } else { Outcome::No };
        let held = |fills: &[(Price, Quantity)], side: &edge::LegEdge, outcome| edge::Holding {
            quantity: fills.iter().fold(Quantity::ZERO, |sum, fill| sum.saturating_add(fill.1)),
            cost: side.cost,
            outcome,
        };
        let report = |venue, slot: &Slot, outcome, side: &edge::LegEdge, fills: &[_]| {
            let facts = slot.facts.as_ref()?;
            Some(Leg {
                venue,
                market: slot.id.clone(),
                outcome,
                limit: side.limit,
                fills: fills.to_vec(),
                fee: side.fee,
                fee_model: facts.fee.at(now)?,
                book_age: gate::book_age(&slot.book, self.books.lane_of(&slot.book), venue, now),
            })
        };
        Some(Opportunity {
            phase,
            at: now,
            id,
            pair: pair.id.clone(),
            title: Arc::clone(&slot.title),
            standing: pair.standing,
            quantity: edge.quantity,
            payout: edge.payout,
            cost: edge.cost,
            fees: edge.fees,
            resolution_risk: edge.resolution_risk,
            profit: edge.profit,
            edge: edge.edge,
            annualised: pair
                .settles
                .and_then(|settles| edge::annualised(edge.profit, outlay, now, settles)),
            worst: edge::worst(
                &pair.payoff,
                &held(&self.fills.kalshi, &edge.kalshi, outcomes.0),
                &held(&self.fills.polymarket, &edge.polymarket, named),
                edge.fees,
            ),
            legs: [
                report(Venue::Kalshi, kalshi, outcomes.0, &edge.kalshi, &self.fills.kalshi)?,
                report(
                    Venue::Polymarket,
                    polymarket,
                    outcomes.1,
                    &edge.polymarket,
                    &self.fills.polymarket,
                )?,
            ],
        })
    }
}

fn leg(slot: &Slot, outcome: Outcome, fee: FeeModel) -> Result<edge::Leg<'_>, NoEdge> {
    let facts = slot.facts.as_ref().ok_or(NoEdge::MarketUnknown)?;
    Ok(edge::Leg { outcome, ladder: slot.book.offers(outcome), fee, minimum: facts.minimum })
}
