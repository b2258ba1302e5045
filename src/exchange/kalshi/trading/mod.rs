//! The trading side: members, their orders in the real books, cash, positions, settlement.
//!
//! Orders of members meet those of the agents. What a book did is absorbed here once, whoever
//! caused it: fills are booked and news go out, to everybody and to the members concerned.
//!
//! Invariants: every trade has one id on all channels; an order's book number is known as long as
//! it rests; cash moves in hundredths of a cent.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use serde_json::Value;

use crate::domain::{Change, Money, Price, Quantity, Side, Timestamp};
use crate::exchange::faults::{OrderFault, Resolution};
use crate::exchange::ledger::Statement;
use crate::exchange::matching::{OrderNumber, Owner, SelfTrade};
use crate::exchange::{Fact, Floor};

use super::frames::Print;
use member::{Booking, FIRST_OWNER, Member};
use order::{Fill, Reason, Role, leg_price};

pub(super) use change::Sweep;
pub(super) use settle::outcome;

/// What a demo member starts with on each shard.
const DEMO_CASH: [(u32, Money); 2] = [
    (0, Money::from_micros(5_000 * Money::DOLLAR)),
    (2, Money::from_micros(5_000 * Money::DOLLAR)),
];
/// How many past states a read lag keeps at most.
const IMAGES_MAX: usize = 1_024;

/// Whose order caused a change of a book, and the client's id of that order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cause {
    pub(super) member: usize,
    pub(super) client: Option<String>,
}

/// Something that a connection may have to be told.
#[derive(Debug, Clone)]
pub(super) enum News {
    /// A level of a book changed.
    Level { market: usize, side: Side, price: Price, change: Change, cause: Option<Cause> },
    /// A trade.
    Print { market: usize, print: Print },
    /// A message about a market's life.
    Lifecycle(Value),
    /// A message to a member, on a channel, about a market if about any.
    Private { member: usize, channel: &'static str, market: Option<usize>, msg: Value },
}

/// How a market ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending {
    pub(super) resolution: Resolution,
    pub(super) pays: Timestamp,
    /// When it was paid.
    pub(super) paid: Option<Timestamp>,
}

/// Portfolio reads that show the past.
#[derive(Debug)]
struct Lag {
    behind: Duration,
    until: Timestamp,
    /// Past states, oldest first.
    images: VecDeque<(Timestamp, Vec<Member>)>,
}

/// All members and what they do.
#[derive(Debug)]
pub(super) struct Trading {
    members: Vec<Member>,
    by_number: BTreeMap<(usize, OrderNumber), (usize, u64)>,
    last_order: u64,
    last_group: u64,
    last_transfer: u64,
    trades: u64,
    news: Vec<News>,
    pub(super) endings: BTreeMap<usize, Ending>,
    /// Groups that tripped and whose orders are still to be cancelled.
    tripped: Vec<(usize, u64)>,
    /// Orders whose fills are taken back, and when.
    busts: Vec<(Timestamp, usize, u64)>,
    lag: Option<Lag>,
    /// What the next orders meet.
    order_faults: VecDeque<OrderFault>,
    /// How often each fault has met an order, by its name.
    pub(super) met: BTreeMap<&'static str, u64>,
    /// No orders are taken until then.
    pub(super) halted: Option<Timestamp>,
    /// Members have no funds until then.
    broke: Option<Timestamp>,
    /// Cancels are answered with 404 until then.
    cancels_denied: Option<Timestamp>,
}

impl Trading {
    /// Opens as many members' accounts, each with the demo cash.
    pub(super) fn new(members: usize) -> Self {
        let places = (0_u32..).take(members);
        Self {
            members: places.map(|place| Member::new(place, &DEMO_CASH)).collect(),
            by_number: BTreeMap::new(),
            last_order: 0,
            last_group: 0,
            last_transfer: 0,
            trades: 0,
            news: Vec::new(),
            endings: BTreeMap::new(),
            tripped: Vec::new(),
            busts: Vec::new(),
            lag: None,
            order_faults: VecDeque::new(),
            met: BTreeMap::new(),
            halted: None,
            broke: None,
            cancels_denied: None,
        }
    }

    /// Gives a member this cash instead of the demo cash.
    pub(super) fn fund(&mut self, place: usize, cash: &[(u32, Money)]) {
        if let (Some(member), Ok(number)) = (self.members.get_mut(place), u32::try_from(place)) {
            *member = Member::new(number, cash);
        }
    }

    /// What is to be told since the last time.
    pub(super) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// Takes in what a book did: books the members' fills and spreads the news.
    pub(super) fn absorb(
        &mut self,
        market: usize,
        facts: &[Fact],
        cause: Option<&Cause>,
        floor: &Floor,
        now: Timestamp,
    ) {
        let mut touched = BTreeSet::new();
        for fact in facts {
            match *fact {
                Fact::Level { side, price, before, after } => {
                    let change = Change::from_units(after.units() - before.units());
                    let change = change.filter(|change| change.units() != 0);
                    self.news.extend(change.map(|change| {
                        let cause = cause.cloned();
                        News::Level { market, side, price, change, cause }
                    }));
                }
                Fact::Trade { price, quantity, taker, maker_order, taker_order } => {
                    self.trades += 1;
                    let id = format!("7ade0000-0000-4000-8000-{:012x}", self.trades);
                    for (number, owner, role) in [
                        (maker_order.0, maker_order.1, Role::Maker),
                        (taker_order.0, taker_order.1, Role::Taker),
                    ] {
                        let Some(place) = self.place_of(market, number, owner) else { continue };
                        let met = Meeting { id: &id, price, quantity, role };
                        self.fill(place, met, floor, now);
                        touched.insert(place);
                    }
                    let print = Print { id, price, quantity, taker, at: now };
                    self.news.push(News::Print { market, print });
                }
            }
        }
        for place in touched {
            self.tell_order(place, floor);
            self.tell_position(place.0, market, floor);
        }
        self.remember(now);
    }

    fn place_of(&self, market: usize, number: OrderNumber, owner: Owner) -> Option<(usize, u64)> {
        if owner.0 < FIRST_OWNER {
            return None;
        }
        self.by_number.get(&(market, number)).copied()
    }

    /// Books one fill of a member's order.
    fn fill(
        &mut self,
        (place, serial): (usize, u64),
        met: Meeting<'_>,
        floor: &Floor,
        now: Timestamp,
    ) {
        let Some(member) = self.members.get_mut(place) else { return };
        let Some(order) = member.orders.get_mut(&serial) else { return };
        let Meeting { id, price, quantity, role } = met;
        let market = order.market;
        let cost = Money::cost_ceil(leg_price(order.side, price), quantity);
        let model = match role {
            Role::Taker => fee::model(floor.listings[market].rate, price, quantity),
            // All series here are `quadratic`: makers pay nothing.
            Role::Maker => Money::ZERO,
        };
        let charge = fee::charge(cost, model, order.carried);
        let slot = usize::from(role == Role::Maker);
        order.carried = charge.carried;
        order.cost[slot] += cost;
        order.fees[slot] += charge.fee;
        order.filled = order.filled.saturating_add(quantity);
        if role == Role::Maker {
            order.resting = order.resting.saturating_sub(quantity);
            if order.resting.is_zero() {
                self.by_number.extract_if(.., |_, at| *at == (place, serial)).for_each(drop);
                order.number = None;
            }
        }
        order.reason = Reason::TRADE;
        order.updated = now;
        let (side, shard, group) = (order.side, order.shard, order.group);
        let fill = Fill {
            trade: id.to_owned(),
            order: serial,
            client: order.client.clone(),
            market,
            shard,
            side,
            price,
            quantity,
            role,
            fee: charge.fee,
            at: now,
        };
        member.book(Booking { market, shard, side, price, quantity, fee: charge.fee }, now);
        let msg = object::fill_message(&fill, member.position(market), &floor.listings[market]);
        member.fills.push(fill);
        self.tell(place, "fill", Some(market), msg);
        self.count(place, group, quantity, now);
    }

    /// Counts a fill against the order's group.
    fn count(&mut self, place: usize, group: Option<u64>, quantity: Quantity, now: Timestamp) {
        let Some(number) = group else { return };
        let member = self.members.get_mut(place);
        let group = member.and_then(|member| member.groups.get_mut(&number));
        if group.is_some_and(|group| group.count(quantity, now)) {
            self.tripped.push((place, number));
            let msg = group::update("triggered", number, None, now);
            self.tell(place, "order_group_updates", None, msg);
        }
    }

    fn tell(&mut self, member: usize, channel: &'static str, market: Option<usize>, msg: Value) {
        self.news.push(News::Private { member, channel, market, msg });
    }

    /// Tells a member how one of its orders stands.
    fn tell_order(&mut self, (place, serial): (usize, u64), floor: &Floor) {
        let Some(member) = self.members.get(place) else { return };
        let Some(order) = member.orders.get(&serial) else { return };
        let market = order.market;
        let msg = object::order_message(order, &member.user_id(), &floor.listings[market]);
        self.tell(place, "user_orders", Some(market), msg);
    }

    /// Tells a member how its position stands.
    fn tell_position(&mut self, place: usize, market: usize, floor: &Floor) {
        let Some(member) = self.members.get(place) else { return };
        let Some(position) = member.positions.get(&market) else { return };
        let msg = object::position_message(position, &member.user_id(), &floor.listings[market]);
        self.tell(place, "market_positions", Some(market), msg);
    }

    /// Tells everybody about a market's life.
    pub(super) fn announce(&mut self, message: Value) {
        self.news.push(News::Lifecycle(message));
    }

    /// Cancels what a pause, or its end, cancels.
    pub(super) fn halt(&mut self, sweep: Sweep, floor: &mut Floor, now: Timestamp) {
        self.sweep(sweep, Reason::HALT, floor, now);
    }

    /// Lets portfolio reads show the state of `behind` ago.
    fn lag(&mut self, behind: Duration, until: Timestamp, now: Timestamp) {
        let images = VecDeque::from([(now.before(behind), self.members.clone())]);
        self.lag = Some(Lag { behind, until, images });
    }

    fn remember(&mut self, now: Timestamp) {
        if self.lag.as_ref().is_some_and(|lag| now >= lag.until) {
            self.lag = None;
        }
        let Some(lag) = &mut self.lag else { return };
        // Of what is older than any read shows, only the newest is ever looked at.
        let shown = now.before(lag.behind);
        while lag.images.get(1).is_some_and(|(at, _)| *at <= shown) {
            lag.images.pop_front();
        }
        if lag.images.len() == IMAGES_MAX {
            lag.images.pop_front();
        }
        lag.images.push_back((now, self.members.clone()));
    }

    /// The members as portfolio reads show them, and how far behind that is.
    fn seen(&self, now: Timestamp) -> (&[Member], Duration) {
        let Some(lag) = self.lag.as_ref().filter(|lag| now < lag.until) else {
            return (&self.members, Duration::ZERO);
        };
        let shown = now.before(lag.behind);
        let past = lag.images.iter().rev().find(|(at, _)| *at <= shown).or(lag.images.front());
        (past.map_or(&self.members, |(_, members)| members), lag.behind)
    }

    /// The truth about a member.
    pub(super) fn statement(&self, place: usize) -> Statement {
        self.members.get(place).map_or_else(Statement::default, object::statement)
    }
}

/// One meeting of two orders, seen from a member's order.
#[derive(Debug, Clone, Copy)]
struct Meeting<'a> {
    id: &'a str,
    price: Price,
    quantity: Quantity,
    role: Role,
}

/// The venue's word for a rule against self-trades.
const fn self_trade_name(rule: SelfTrade) -> &'static str {
    match rule {
        SelfTrade::MakerGoes => "maker",
        SelfTrade::TakerStops | SelfTrade::Allowed => "taker_at_cross",
    }
}

mod change;
mod create;
mod fee;
mod funds;
mod group;
mod groups;
mod member;
mod mischief;
mod object;
mod order;
mod read;
pub(super) mod route;
mod settle;
mod ticket;
