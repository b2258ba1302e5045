//! Fills against live books, as they stand when an order arrives.
//!
//! What a venue shows reaches us late: the book here shows the moment of arrival only some time
//! after it. So an order meets it twice, when it arrives and when what was so at its arrival must
//! have come back, and takes of each level no more than both times showed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::book::{Book, Ladder};
use crate::domain::{
    FeeModel, Market, MarketIndex, Money, Outcome, Price, Quantity, Side, Timestamp, Venue,
};

use super::wire::{PaperAnswer, PaperFill, PaperOrder};
use crate::venue::gateway::Call;

/// What the simulator sees of the live markets.
pub trait Sight {
    /// The book, if it may be believed now.
    fn book(&self, market: MarketIndex) -> Option<&Book>;
    /// What is known of the market.
    fn facts(&self, market: MarketIndex) -> Option<&Market>;
    /// How long until the book shows the market as it was at that moment, or later; zero when it
    /// does. One that is told of every change does after the way here, one that is read now and
    /// then only after the next reading, and until then this is when to look again.
    fn unseen_for(&self, market: MarketIndex, moment: Timestamp, now: Timestamp) -> Duration;
}

/// What becomes of a call that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// It is answered with this body.
    Answered(String),
    /// It can't be answered yet: it is to be brought again after this.
    Waits(Duration),
}

/// What was taken of a level, and what the level showed then.
#[derive(Debug, Clone, Copy)]
struct Taken {
    quantity: Quantity,
    shown: Quantity,
}

/// One venue's paper account and the fills that its orders would have had.
#[derive(Debug)]
pub struct Simulator {
    venue: Venue,
    cash: Money,
    /// Held contracts, by market and whether YES.
    held: BTreeMap<(MarketIndex, bool), Quantity>,
    taken: BTreeMap<(MarketIndex, Side, Price), Taken>,
    answers: BTreeMap<u64, PaperAnswer>,
    /// Orders that have come and wait, and what was offered to them at that time; nothing before.
    waiting: BTreeMap<u64, Option<Offered>>,
    /// What markets paid: of YES, in all, and when.
    payments: BTreeMap<MarketIndex, (Money, Money, Timestamp)>,
}

/// What a book showed at its prices; `None` where it was not known.
type Offered = Option<BTreeMap<Price, Quantity>>;

/// How long an order waits for a book that is not older than it.
const SEEN_MAX: Duration = Duration::from_secs(15);

/// Answers that are kept for questions about orders.
const ANSWERS_MAX: usize = 100_000;

impl Simulator {
    /// An account with this much cash and nothing held.
    pub fn new(venue: Venue, cash: Money) -> Self {
        Self {
            venue,
            cash,
            held: BTreeMap::new(),
            taken: BTreeMap::new(),
            answers: BTreeMap::new(),
            waiting: BTreeMap::new(),
            payments: BTreeMap::new(),
        }
    }

    /// Takes over what an earlier run left.
    pub fn restore(&mut self, held: &[(MarketIndex, Outcome, Quantity)], cash: Money) {
        self.cash = cash;
        self.held = held
            .iter()
            .map(|(market, outcome, quantity)| ((*market, *outcome == Outcome::Yes), *quantity))
            .collect();
    }

    /// What can be spent.
    pub const fn cash(&self) -> Money {
        self.cash
    }

    /// A call of the paper gateway has come at `arrived`, and is looked at now.
    pub fn arrive(
        &mut self,
        call: &Call,
        sight: &dyn Sight,
        arrived: Timestamp,
        now: Timestamp,
    ) -> Arrival {
        let answer = match (call.method, route(call)) {
            ("POST", "order") => match self.place(call, sight, arrived, now) {
                Ok(answer) => answer,
                Err(wait) => return Arrival::Waits(wait),
            },
            _ => self.respond(call, sight, now),
        };
        Arrival::Answered(serde_json::to_string(&answer).unwrap_or_default())
    }

    fn respond(&mut self, call: &Call, sight: &dyn Sight, now: Timestamp) -> PaperAnswer {
        let number = || call.url.rsplit('/').next().and_then(|text| text.parse().ok()).unwrap_or(0);
        let at = now.nanos();
        match (call.method, route(call)) {
            ("POST", "merge") => self.merge(call, now),
            (_, "settlements") => self.settle(sight, now),
            (_, "order") => {
                let intent = number();
                if self.waiting.contains_key(&intent) {
                    return PaperAnswer::Waits { intent };
                }
                let known = self.answers.get(&intent).cloned();
                known.unwrap_or(PaperAnswer::NotFound { intent, at })
            }
            (_, "positions") => PaperAnswer::Positions {
                positions: self
                    .held
                    .iter()
                    .filter(|(_, quantity)| !quantity.is_zero())
                    .map(|((market, yes), quantity)| (market.0, *yes, quantity.units()))
                    .collect(),
                at,
            },
            _ => PaperAnswer::Cash { micros: self.cash.micros(), at },
        }
    }

    /// The answer to an order, or how long it waits: first as long as the venue holds it, then
    /// until the book is not older than that moment. The book is looked at both times.
    fn place(
        &mut self,
        call: &Call,
        sight: &dyn Sight,
        arrived: Timestamp,
        now: Timestamp,
    ) -> Result<PaperAnswer, Duration> {
        let body = call.body.as_deref().unwrap_or_default();
        let Ok(order) = serde_json::from_str::<PaperOrder>(body) else {
            return Ok(refused(0, "other", "the order cannot be read"));
        };
        if let Some(known) = self.answers.get(&order.intent) {
            return Ok(known.clone());
        }
        let market = MarketIndex(order.market);
        let delay = sight.facts(market).map_or(Duration::ZERO, |facts| facts.delay);
        let due = arrived.after(delay);
        let met = self.waiting.entry(order.intent).or_default();
        if now < due {
            return Err(due.since(now));
        }
        let first = met.get_or_insert_with(|| order.meets(sight.book(market)));
        let unseen = sight.unseen_for(market, due, now);
        // What was not known then will not be known later.
        if !unseen.is_zero() && first.is_some() && now.since(due) < SEEN_MAX {
            return Err(unseen);
        }
        let first = first.take();
        self.waiting.remove(&order.intent);
        let answer = if unseen.is_zero() || first.is_none() {
            self.take(&order, first.as_ref(), sight, now)
        } else {
            refused(order.intent, "paused", "no reading of the book came behind the order")
        };
        if self.answers.len() == ANSWERS_MAX {
            self.answers.pop_first();
        }
        self.answers.insert(order.intent, answer.clone());
        Ok(answer)
    }

    /// Pays what is held in markets that have resolved, each once, and tells of all that was paid.
    fn settle(&mut self, sight: &dyn Sight, now: Timestamp) -> PaperAnswer {
        let markets: BTreeSet<MarketIndex> = self.held.keys().map(|(market, _)| *market).collect();
        for market in markets {
            let Some(pays) = sight.facts(market).and_then(|facts| facts.yes_pays) else { continue };
            let mut of = |yes| self.held.remove(&(market, yes)).unwrap_or_default();
            let (yes, no) = (of(true), of(false));
            if yes.is_zero() && no.is_zero() {
                continue;
            }
            let other = Money::from_micros(Money::DOLLAR) - pays;
            let paid = each_floor(pays, yes) + each_floor(other, no);
            self.cash += paid;
            let known = self.payments.entry(market).or_insert((pays, Money::ZERO, now));
            known.1 += paid;
            known.2 = now;
        }
        let payments = self
            .payments
            .iter()
            .map(|(market, (pays, paid, at))| (market.0, pays.micros(), paid.micros(), at.nanos()));
        PaperAnswer::Settled { payments: payments.collect() }
    }

    fn take(
        &mut self,
        order: &PaperOrder,
        first: Option<&BTreeMap<Price, Quantity>>,
        sight: &dyn Sight,
        now: Timestamp,
    ) -> PaperAnswer {
        let market = MarketIndex(order.market);
        let refuse = |why, text: &str| refused(order.intent, why, text);
        let (Some(first), Some(book), Some(facts)) =
            (first, sight.book(market), sight.facts(market))
        else {
            return refuse("paused", "the live book is not known at present");
        };
        let Some(fee) = facts.fee.at(now) else {
            return refuse("other", "the fee of the market is not known");
        };
        let Some(limit) = Price::from_units(order.limit) else {
            return refuse("other", "the limit is no price");
        };
        let fills = self.walk(order, limit, (first, book), fee);
        let spent: Money = fills.iter().fold(Money::ZERO, |sum, fill| sum + fill.money + fill.fee);
        let brought =
            fills.iter().fold(Quantity::ZERO, |sum, fill| sum.saturating_add(fill.quantity));
        if brought.is_zero() {
            return refuse("no_match", "nothing was offered within the limit");
        }
        if order.whole && !order.is_whole(brought, &fills) {
            return refuse("no_match", "the order could not be filled whole");
        }
        if order.buy && spent > self.cash {
            return refuse("funds", "not enough paper money");
        }
        self.book(order, market, &fills);
        let fills = (0..).zip(fills).map(|(at, fill)| fill.wire(order.intent, at, now)).collect();
        PaperAnswer::Done { intent: order.intent, fills }
    }

    /// What the order takes, best price first, at the contract's own price: of each level no more
    /// than the book showed `first` and shows now.
    fn walk(
        &mut self,
        order: &PaperOrder,
        limit: Price,
        (first, book): (&BTreeMap<Price, Quantity>, &Book),
        fee: FeeModel,
    ) -> Vec<Level> {
        let market = MarketIndex(order.market);
        let ladder = order.side(book);
        let held = self.held.get(&(market, order.yes)).copied().unwrap_or_default();
        let mut contracts = match order.contracts.and_then(Quantity::from_units) {
            Some(contracts) if order.buy => contracts,
            Some(contracts) => contracts.min(held),
            None => Quantity::MAX,
        };
        let mut money = order.collateral.map_or(Money::from_micros(i64::MAX), Money::from_micros);
        let mut fills = Vec::new();
        for level in ladder.best_first() {
            let price = if order.yes { level.price } else { level.price.mirror() };
            let within = if order.buy { price <= limit } else { price >= limit };
            if !within || contracts.is_zero() || !money.is_positive() {
                break;
            }
            let key = (market, ladder.side(), level.price);
            let before = first.get(&level.price).copied().unwrap_or_default();
            let free = self.free(key, level.quantity).min(before);
            let quantity = free.min(contracts).min(affordable(money, price));
            if quantity.is_zero() {
                continue;
            }
            let cost = if order.buy {
                Money::cost_ceil(price, quantity)
            } else {
                Money::cost_floor(price, quantity)
            };
            let fee = fee.estimate(price, quantity);
            contracts = contracts.saturating_sub(quantity);
            money -= cost;
            fills.push(Level { key, shown: level.quantity, quantity, money: cost, fee });
        }
        fills
    }

    /// What is left of a level after what was taken while it showed the same.
    fn free(&mut self, key: (MarketIndex, Side, Price), shown: Quantity) -> Quantity {
        match self.taken.get(&key) {
            Some(taken) if taken.shown == shown => shown.saturating_sub(taken.quantity),
            Some(_) => {
                self.taken.remove(&key);
                shown
            }
            None => shown,
        }
    }

    fn book(&mut self, order: &PaperOrder, market: MarketIndex, fills: &[Level]) {
        for fill in fills {
            let taken = self
                .taken
                .entry(fill.key)
                .or_insert(Taken { quantity: Quantity::ZERO, shown: fill.shown });
            taken.quantity = taken.quantity.saturating_add(fill.quantity);
            let held = self.held.entry((market, order.yes)).or_default();
            if order.buy {
                *held = held.saturating_add(fill.quantity);
                self.cash = self.cash - fill.money - fill.fee;
            } else {
                *held = held.saturating_sub(fill.quantity);
                self.cash = self.cash + fill.money - fill.fee;
            }
        }
        // Kalshi has one signed position for each market: YES and NO are a dollar at once.
        if self.venue == Venue::Kalshi {
            self.net(market, Quantity::MAX);
        }
    }

    /// Turns contracts of both outcomes into a dollar each, at most so many.
    fn net(&mut self, market: MarketIndex, most: Quantity) -> Quantity {
        let of = |held: &BTreeMap<_, _>, yes| held.get(&(market, yes)).copied().unwrap_or_default();
        let (yes, no): (Quantity, Quantity) = (of(&self.held, true), of(&self.held, false));
        let both = yes.min(no).min(most);
        if !both.is_zero() {
            self.held.insert((market, true), yes.saturating_sub(both));
            self.held.insert((market, false), no.saturating_sub(both));
            self.cash += Money::payout(both);
        }
        both
    }

    fn merge(&mut self, call: &Call, now: Timestamp) -> PaperAnswer {
        let read: Option<(u32, i64)> =
            call.body.as_deref().and_then(|body| serde_json::from_str(body).ok());
        let (market, contracts) = read.unwrap_or_default();
        let most = Quantity::from_units(contracts).unwrap_or(Quantity::ZERO);
        let both = self.net(MarketIndex(market), most);
        PaperAnswer::Merged { market, contracts: both.units(), at: now.nanos() }
    }
}

/// One level's share of an order.
#[derive(Debug, Clone, Copy)]
struct Level {
    key: (MarketIndex, Side, Price),
    shown: Quantity,
    quantity: Quantity,
    money: Money,
    fee: Money,
}

impl Level {
    fn wire(&self, intent: u64, at: u32, now: Timestamp) -> PaperFill {
        PaperFill {
            trade: format!("paper-{intent}-{at}"),
            contracts: self.quantity.units(),
            money: self.money.micros(),
            fee: self.fee.micros(),
            at: now.nanos(),
        }
    }
}

impl PaperOrder {
    /// A buyer of YES and a seller of NO take asks of YES; the others take its bids.
    const fn side<'a>(&self, book: &'a Book) -> &'a Ladder {
        if self.yes == self.buy { book.asks() } else { book.bids() }
    }

    /// What a book offers it.
    fn meets(&self, book: Option<&Book>) -> Offered {
        let levels = self.side(book?).best_first();
        Some(levels.map(|level| (level.price, level.quantity)).collect())
    }

    fn is_whole(&self, brought: Quantity, fills: &[Level]) -> bool {
        let cost = fills.iter().fold(Money::ZERO, |sum, fill| sum + fill.money);
        match (self.contracts, self.collateral) {
            (Some(contracts), _) => brought.units() == contracts,
            // Less than a cent is too little to buy anything with.
            (None, Some(collateral)) => collateral - cost.micros() < CENT,
            (None, None) => false,
        }
    }
}

/// A cent in micro-dollars.
const CENT: i64 = 10_000;
/// What a BUY by collateral delivers has at most four decimals.
const COLLATERAL_GRAIN: i64 = 100;

/// The most that this much money buys, in shares of four decimals.
fn affordable(money: Money, price: Price) -> Quantity {
    money.buys_floor(price).floor_to(COLLATERAL_GRAIN)
}

/// So much for each of these contracts, rounded down.
fn each_floor(each: Money, quantity: Quantity) -> Money {
    -(-each).per_contract_ceil(quantity)
}

/// What a call is about.
fn route(call: &Call) -> &str {
    call.url.split('/').nth(3).unwrap_or_default()
}

fn refused(intent: u64, why: &str, text: &str) -> PaperAnswer {
    PaperAnswer::Refused { intent, why: why.to_owned(), text: text.to_owned() }
}
