//! What becomes of matched orders: trades that settle after a while or fail, markets that resolve
//! and pay, shares that are merged.

use serde_json::json;

use crate::domain::market::Status;
use crate::domain::{Action, Money, Price, Quantity, Side, Timestamp};

use super::super::faults::Resolution;
use super::super::matching::{OrderNumber, Owner};
use super::super::{Fact, Floor, Reply, hex};
use super::account::{Course, Leg, Meets, Party, Stage, State, Trade, fee};
use super::asset::Asset;
use super::order::{Life, dollars_of};
use super::place;
use super::sign::Address;
use super::trading::{Ear, OURS, Scene, Trading, error, field};
use super::user::{Happened, trade_event};
use sha2::{Digest as _, Sha256};

/// How a market ended.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    /// What one share of YES is worth.
    pub(super) yes_pays: Money,
    /// When it ended.
    pub(super) at: Timestamp,
    /// When holders are paid without asking.
    pays: Timestamp,
    /// What the account was paid: when, and how much for how many shares.
    pub(super) paid: Vec<(Timestamp, Money, Quantity)>,
}

impl Ending {
    /// What a share of YES and a share of NO are worth, as text.
    pub(super) fn payouts(&self) -> [String; 2] {
        let no = Money::from_micros(Money::DOLLAR) - self.yes_pays;
        [dollars_of(self.yes_pays), dollars_of(no)]
    }
}

/// Fills of one incoming order at one price.
#[derive(Debug)]
struct Run {
    price: Price,
    side: Side,
    taker: (OrderNumber, Owner),
    makers: Vec<(OrderNumber, Owner, Quantity)>,
}

fn runs(facts: &[Fact]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for fact in facts {
        let Fact::Trade { price, quantity, taker, maker_order, taker_order } = *fact else {
            continue;
        };
        let maker = (maker_order.0, maker_order.1, quantity);
        match runs.last_mut() {
            Some(run) if run.price == price && run.taker == taker_order => run.makers.push(maker),
            _ => runs.push(Run { price, side: taker, taker: taker_order, makers: vec![maker] }),
        }
    }
    runs
}

impl Trading {
    /// Books what a step of matching did to the account's orders.
    pub(super) fn meet(&mut self, market: usize, facts: &[Fact], ear: &mut Ear<'_>) {
        for run in runs(facts) {
            if run.taker.1 == OURS || run.makers.iter().any(|(_, owner, _)| *owner == OURS) {
                self.book(market, &run, ear);
            }
        }
    }

    fn book(&mut self, market: usize, run: &Run, ear: &mut Ear<'_>) {
        let all = run.makers.iter().fold(Quantity::ZERO, |sum, (_, _, q)| sum.saturating_add(*q));
        let rate = ear.floor.listings[market].rate;
        let mut legs = Vec::new();
        let mut course = Course::Usual;
        let took = self.resting.get(&(market, run.taker.0)).filter(|_| run.taker.1 == OURS);
        if let Some(&place) = took {
            let order = &self.account.orders[place];
            let price = order.wanted.asset.price(run.price);
            // The taker pays what the share costs at least; makers get what they asked for.
            let money = match order.wanted.action {
                Action::Buy => Money::cost_ceil(price, all),
                Action::Sell => Money::cost_floor(price, all),
            };
            course = order.course;
            legs.push(Leg { order: place, quantity: all, money, fee: fee(rate, price, all) });
        }
        let took = took.is_some();
        let mut own = Vec::new();
        for (number, owner, quantity) in &run.makers {
            let place = self.resting.get(&(market, *number)).filter(|_| *owner == OURS);
            let Some(&place) = place else { continue };
            let order = &self.account.orders[place];
            let price = order.wanted.asset.price(run.price);
            let money = Money::cost_floor(price, *quantity);
            if course == Course::Usual {
                course = order.course;
            }
            legs.push(Leg { order: place, quantity: *quantity, money, fee: Money::ZERO });
            own.push(place);
        }
        let taker = self.party(market, run.taker, (run.side, run.price), all);
        let makers = run.makers.iter().map(|(number, owner, quantity)| {
            let against = super::super::matching::opposite(run.side);
            self.party(market, (*number, *owner), (against, run.price), *quantity)
        });
        let makers = makers.collect();
        let clock = self.clock(ear.now);
        let trade = Trade {
            id: self.trade_id(),
            taker,
            makers,
            took,
            legs,
            stage: Stage::Matched,
            course,
            matched: clock,
            updated: clock,
            started: ear.now,
            due: ear.now.after(self.first_wait(course)),
            hash: String::new(),
        };
        let place = self.account.matched(trade);
        for order in own {
            self.fill_resting(market, order, ear);
        }
        self.tell_trade(place, ear);
    }

    /// A resting order of the account was hit.
    fn fill_resting(&mut self, market: usize, place: usize, ear: &mut Ear<'_>) {
        let order = &mut self.account.orders[place];
        if order.open().is_zero() {
            order.state = State::Matched;
            if let Some(number) = order.number.take() {
                self.resting.remove(&(market, number));
            }
        }
        self.tell(Happened::Update, place, ear);
    }

    /// One side of a trade. Strangers' orders have made-up names, and half of them deal in the
    /// other token: who buys NO at `q` sells YES at `1 - q`.
    fn party(
        &self,
        market: usize,
        (number, owner): (OrderNumber, Owner),
        (side, price): (Side, Price),
        quantity: Quantity,
    ) -> Party {
        let ours = self.resting.get(&(market, number)).filter(|_| owner == OURS);
        if let Some(order) = ours.map(|place| &self.account.orders[*place]) {
            let asset = order.wanted.asset;
            return Party {
                order: order.wanted.id.clone(),
                owner: order.owner.clone(),
                address: self.wallet.funder.to_string(),
                asset,
                side: asset.side(side),
                price: asset.price(price),
                quantity,
            };
        }
        let [yes, no] = Asset::both(market);
        let asset = if number.0.is_multiple_of(2) { yes } else { no };
        let name = |purpose: &str, detail: u64| -> [u8; 32] {
            let hash = Sha256::new().chain_update(purpose).chain_update(owner.0.to_be_bytes());
            hash.chain_update(detail.to_be_bytes()).finalize().into()
        };
        let mut address = [0; 20];
        address.copy_from_slice(&name("wallet", 0)[..20]);
        let of_market = u64::try_from(market).unwrap_or(u64::MAX) << 40;
        Party {
            order: format!("0x{}", hex(&name("order", of_market ^ number.0))),
            owner: super::access::uuid(name("key", 0)),
            address: Address(address).to_string(),
            asset,
            side: asset.side(side),
            price: asset.price(price),
            quantity,
        }
    }

    fn tell_trade(&mut self, place: usize, ear: &mut Ear<'_>) {
        let trade = &self.account.trades[place];
        let event = trade_event(trade, ear.floor, self.trouble.clock(ear.now));
        let market = ear.floor.listings[trade.taker.asset.market].id.clone();
        self.users.say(&market, &event, ear.now, ear.out);
    }

    fn first_wait(&self, course: Course) -> std::time::Duration {
        let half = self.wallet.settles_in / 2;
        match course {
            Course::Usual => half,
            Course::Late(after) | Course::Fails(after) => half.min(after),
        }
    }

    /// Moves every trade on that is due.
    pub(super) fn settle(&mut self, ear: &mut Ear<'_>) {
        let due: Vec<usize> = self.account.unsettled.iter().copied().collect();
        for place in due {
            while let Some((stage, next)) = self.next_stage(place, ear.now) {
                if matches!(stage, Stage::Mined | Stage::Retrying) {
                    // On the way to the chain; a retry is another transaction.
                    self.account.trades[place].hash = self.transaction();
                }
                self.account.trades[place].due = next;
                let clock = self.clock(ear.now);
                self.account.advance(place, stage, clock);
                self.tell_trade(place, ear);
            }
        }
    }

    /// What comes next for a trade, if it is time, and when it is time again.
    fn next_stage(&self, place: usize, now: Timestamp) -> Option<(Stage, Timestamp)> {
        let trade = &self.account.trades[place];
        if now < trade.due {
            return None;
        }
        let at = |span| trade.started.after(span);
        match (trade.stage, trade.course) {
            (Stage::Matched, Course::Usual) => Some((Stage::Mined, at(self.wallet.settles_in))),
            (Stage::Matched, Course::Late(after) | Course::Fails(after)) => {
                Some((Stage::Retrying, at(after)))
            }
            (Stage::Retrying, Course::Fails(_)) => Some((Stage::Failed, now)),
            (Stage::Retrying, _) => Some((Stage::Mined, now)),
            (Stage::Mined, _) => Some((Stage::Confirmed, now)),
            (Stage::Confirmed | Stage::Failed, _) => None,
        }
    }

    /// Lets delayed orders whose wait is over meet the book.
    pub(super) fn end_delays(&mut self, scene: &mut Scene<'_>) {
        for place in self.delayed.clone() {
            let State::Delayed(until, meets) = self.account.orders[place].state else { continue };
            if scene.now < until {
                continue;
            }
            self.delayed.remove(&place);
            match meets {
                // The kill is told on the channel; there is nobody to answer any more.
                Meets::Book => drop(place::run(self, place, scene)),
                Meets::Nothing => {
                    self.account.orders[place].state = State::Over("UNMATCHED".to_owned());
                    self.tell(Happened::Cancellation, place, &mut scene.ear());
                }
            }
        }
    }

    /// Ends orders whose time is over.
    pub(super) fn expire(&mut self, scene: &mut Scene<'_>) {
        let clock = self.clock(scene.now);
        let over = |life: Life| matches!(life, Life::Gtd(until) if clock >= until);
        let due: Vec<usize> = self
            .resting
            .values()
            .copied()
            .filter(|place| over(self.account.orders[*place].wanted.life))
            .collect();
        for place in due {
            self.end_order(place, "CANCELED_EXPIRED_ORDER", scene);
        }
    }

    /// A market ends: no orders any more, and shares are worth what they pay.
    pub(super) fn resolve(
        &mut self,
        market: usize,
        resolution: Resolution,
        pays_after: std::time::Duration,
        scene: &mut Scene<'_>,
    ) {
        let now = scene.now;
        let Some(listing) = scene.floor.listings.get_mut(market) else { return };
        if self.endings.contains_key(&market) {
            return;
        }
        listing.status = Status::Closed;
        listing.closes = listing.closes.min(now);
        let yes_pays = Money::from_micros(match resolution {
            Resolution::Yes => Money::DOLLAR,
            Resolution::No => 0,
            Resolution::Value(price) => i64::from(price.units()) * 100,
        });
        let pays = now.after(pays_after);
        self.endings.insert(market, Ending { yes_pays, at: now, pays, paid: Vec::new() });
        let open: Vec<usize> = self
            .open_orders()
            .filter(|(_, order)| order.wanted.asset.market == market)
            .map(|(place, _)| place)
            .collect();
        for place in open {
            self.end_order(place, "CANCELED_MARKET_RESOLVED", scene);
        }
    }

    /// Pays the holders of resolved markets that are due.
    pub(super) fn redeem_due(&mut self, now: Timestamp) {
        let due: Vec<usize> = self
            .endings
            .iter()
            .filter(|(_, ending)| now >= ending.pays)
            .map(|(market, _)| *market)
            .collect();
        for market in due {
            self.redeem(market, now);
        }
    }

    fn redeem(&mut self, market: usize, now: Timestamp) -> Money {
        let Some(ending) = self.endings.get_mut(&market) else { return Money::ZERO };
        let settled = Asset::both(market)
            .iter()
            .fold(Quantity::ZERO, |sum, asset| sum.saturating_add(self.account.settled(*asset)));
        if settled.is_zero() {
            return Money::ZERO;
        }
        let paid = self.account.redeem(market, ending.yes_pays);
        ending.paid.push((now, paid, settled));
        paid
    }

    /// `POST /embedded/redeem`: what a wallet would do on the chain.
    pub(super) fn redeem_by(&mut self, body: &[u8], scene: &Scene<'_>) -> Reply {
        let Some(market) = market_of(body, scene.floor) else {
            return error(404, "market not found");
        };
        if !self.endings.contains_key(&market) {
            return error(400, "market is not resolved");
        }
        let paid = self.redeem(market, scene.now);
        Reply::json(200, &json!({ "market": field(body, "market"), "paid": dollars_of(paid) }))
    }

    /// `POST /embedded/merge`: one share of each outcome becomes a dollar.
    pub(super) fn merge_by(&mut self, body: &[u8], floor: &Floor) -> Reply {
        let Some(market) = market_of(body, floor) else { return error(404, "market not found") };
        let amount = field(body, "amount").and_then(|text| text.parse().ok());
        let Some(quantity) =
            amount.and_then(Quantity::from_units).filter(|quantity| !quantity.is_zero())
        else {
            return error(400, "invalid amount");
        };
        if !self.account.merge(market, quantity) {
            return error(400, "not enough balance: both outcomes have to be settled and free");
        }
        let amount = quantity.units().to_string();
        Reply::json(200, &json!({ "market": field(body, "market"), "amount": amount }))
    }
}

fn market_of(body: &[u8], floor: &Floor) -> Option<usize> {
    let wanted = field(body, "market")?;
    floor.listings.iter().position(|listing| listing.id == wanted)
}
