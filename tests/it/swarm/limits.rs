//! No limit is exceeded, whatever we believe: by the exchanges' statements, with all that is on its
//! way to them.

use crossbook::domain::{Action, Money, Order, Purpose, Venue};
use crossbook::engine::trade::Trader;

use crate::harness::at;

use super::process;
use super::run::Run;
use super::truth::Stand;

/// What a plan may lose, in micro-dollars: `loss_max` of the configuration.
pub(super) const LOSS_MAX: i128 = 2_000_000;

/// What is over a limit.
#[derive(Default)]
struct Over(Vec<String>);

impl Over {
    fn check(&mut self, what: impl Fn() -> String, is: i128, most: Money) {
        if is > i128::from(most.micros()) {
            self.0.push(format!("{}: {is} micro-dollars where {most} are allowed", what()));
        }
    }
}

impl Run {
    /// Purchases that may still spend: by venue and question, the most that they can. What an
    /// exchange holds open, and what is still on its way.
    pub(super) fn spending(&self, counts: impl Fn(Purpose) -> bool) -> Vec<[i128; 2]> {
        let mut spending = vec![[0, 0]; self.script.questions.len()];
        let buys = |order: &Order| order.action == Action::Buy && counts(order.purpose);
        for venue in Venue::ALL {
            for found in &self.oracle.statements[at(venue)].orders {
                let order = self.order_named(venue, found).filter(|order| buys(order));
                if let Some(order) = order.filter(|_| !found.open.is_zero()) {
                    let left = order.spend_max() - found.money;
                    spending[found.market][at(venue)] += i128::from(left.micros().max(0));
                }
            }
        }
        for flight in self.oracle.flying.values().filter(|one| counts(one.purpose)) {
            spending[flight.market][at(flight.venue)] += flight.spends;
        }
        spending
    }

    /// How both accounts stand in a question.
    pub(super) fn stand(&self, market: usize) -> Stand {
        let relation = process::pairs()[self.script.questions[market]].relation;
        Stand::of(&self.oracle.accounts, market, relation)
    }

    /// Both accounts together in each question.
    pub(super) fn stands(&self) -> Vec<Stand> {
        (0..self.script.questions.len()).map(|market| self.stand(market)).collect()
    }

    /// What was lost for good at the least (locked pairs as the dollar that they pay, what stands
    /// alone at the most that it can have cost), and at the most (all that is held at the least).
    pub(super) fn lost(&self) -> [i128; 2] {
        let [mut least, mut most] = [0, 0];
        for venue in Venue::ALL {
            let statement = &self.oracle.statements[at(venue)];
            let came = statement.paid_in + statement.moved + statement.earned;
            let out = came - statement.cash_total();
            least += i128::from(out.micros());
            most += i128::from(out.micros()) - self.oracle.accounts[at(venue)].dollars();
        }
        for stand in self.stands() {
            least -= stand.locked + stand.alone_cost[1];
        }
        [least, most]
    }

    pub(super) fn judge_limits(&mut self) {
        let limits = &process::settings(&self.script).limits;
        // What buys the other outcome takes more from what is at risk than it costs.
        let spending = self.spending(|purpose| purpose != Purpose::Offset);
        let accounts = &self.oracle.accounts;
        let mut over = Over::default();
        // Without what came back because Kalshi took back what it was netted with.
        let at_risk = |market: usize, venue: usize| {
            let returned = self.oracle.returned.get(&market).filter(|_| venue == 0);
            let here = accounts[venue].dollars_in(market) + spending[market][venue];
            here - returned.copied().unwrap_or(0).min(here)
        };
        let markets = || 0..self.script.questions.len();
        for venue in Venue::ALL {
            let all = markets().map(|market| at_risk(market, at(venue))).sum();
            over.check(|| venue.to_string(), all, limits.venues[at(venue)]);
        }
        let pair = |market: usize| at_risk(market, 0) + at_risk(market, 1);
        over.check(|| "total".to_owned(), markets().map(pair).sum(), limits.total);
        for market in markets() {
            for venue in Venue::ALL {
                let what = || format!("market {market} of {venue}");
                over.check(what, at_risk(market, at(venue)), limits.market);
                let event = self.beside(venue, market).map(pair).sum();
                over.check(|| format!("event of market {market}"), event, limits.event);
            }
            over.check(|| format!("pair {market}"), pair(market), limits.pair);
        }
        over.check(|| "unconfirmed".to_owned(), accounts[1].unconfirmed, limits.unconfirmed);
        // Once a venue has paid, the other one's contracts are all that is left of a locked pair.
        let alone = markets()
            .filter(|market| !self.has_ended(*market) && !self.is_busted(*market))
            .map(|market| self.stand(market).alone_cost[0])
            .sum();
        // Who wants out of everything sells both legs at once, and not always as much of each. Once
        // that is over, and was within the limit again, it stays there.
        let flattens = |trader: &Trader| trader.executor().state().is_flattening();
        let is_over = self.trader().is_some_and(|trader| !flattens(trader));
        if is_over && alone <= i128::from(limits.stranded.micros()) {
            self.watch.is_flattening = false;
        }
        if !self.watch.is_flattening {
            over.check(|| "stranded".to_owned(), alone, limits.stranded);
        }
        if !self.is_half_paid() {
            over.check(|| "lost".to_owned(), self.lost()[0], limits.loss_per_day);
        }
        self.check_orders(&mut over);
        if !over.0.is_empty() {
            self.fail("limits", over.0.join("; "));
        }
    }

    /// Each entry spends what one order may, fees included.
    fn check_orders(&self, over: &mut Over) {
        let most = process::settings(&self.script).limits.order;
        for venue in Venue::ALL {
            for found in &self.oracle.statements[at(venue)].orders {
                let order = self.order_named(venue, found);
                if let Some(order) = order.filter(|order| order.purpose == Purpose::Enter) {
                    let spent = i128::from((found.money + found.fees).micros());
                    over.check(|| order.intent.to_string(), spent, most);
                }
            }
        }
    }

    /// The questions of the same event of a venue.
    fn beside(&self, venue: Venue, market: usize) -> impl Iterator<Item = usize> + '_ {
        let event = move |market: usize| process::event(venue, self.script.questions[market]);
        (0..self.script.questions.len()).filter(move |other| event(*other) == event(market))
    }

    /// Whether a question has ended and not paid all, or otherwise at one venue than at the
    /// other: no limit speaks of what that costs.
    fn is_half_paid(&self) -> bool {
        let ended = self.oracle.endings.iter().flat_map(|endings| endings.keys().copied());
        ended.into_iter().any(|market| {
            let stand = self.stand(market);
            self.script.diverges(market) || stand.alone != 0 || stand.locked != 0
        })
    }
}
