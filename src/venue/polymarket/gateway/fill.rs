//! Trades to fills of our orders.

use crate::domain::report::{Fee, Refusal, Rest, Total};
use crate::domain::{
    Action, Evidence, FeeModel, Fill, IntentId, MarketIndex, Money, OrderId, Quantity, Report,
    Size, Timestamp, Venue,
};
use crate::venue::gateway::{Markets, Taken};
use crate::venue::polymarket::error::short;
use crate::venue::polymarket::parse::account::{Leg, OrderState, Trade};

use super::{Gateway, Known};

/// Two tellings of one fill may differ by so many millionths of a share, and of a dollar: the venue
/// rounds its average prices, and a fill may be off by dust (field notes of users, 2026-07).
pub(super) const DUST: i64 = 10_000;

/// What a trade brought the order that is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The order has no part in it.
    Nothing,
    /// This much, failed or not.
    Filled(Total),
    /// The order may have a part in it that could not be read.
    Unread,
}

/// Why a fill of one of our orders is not booked.
struct Unbooked {
    why: String,
    /// Whether another reading would say the same: no listing is read again for it.
    is_final: bool,
}

impl Gateway {
    /// Tells what a trade means for the account: a fill for each of our orders in it.
    pub(super) fn take_trade(
        &mut self,
        trade: &Trade,
        search: Option<IntentId>,
        markets: &dyn Markets,
        taken: &mut Taken,
    ) -> Found {
        let mut found = Found::Nothing;
        if let Some(word) = &trade.strange {
            let word = short(word);
            taken.notices.push(format!("trade {} is {word}: taken as matched", trade.id));
        }
        for leg in &trade.legs {
            if let Some(intent) = self.by_id.get(&leg.order.to_ascii_lowercase()).copied() {
                let fill = match self.own_fill(trade, leg, intent, markets) {
                    Ok(fill) => fill,
                    Err(Unbooked { why, is_final }) => {
                        taken.notices.push(why);
                        if search.map_or(!is_final, |one| one == intent) {
                            found = Found::Unread;
                        }
                        continue;
                    }
                };
                if search == Some(intent) {
                    let (quantity, money) = (fill.quantity, fill.money);
                    found = Found::Filled(Total { quantity, money });
                }
                taken.reports.push(Report::Order { intent, evidence: Evidence::Fill(fill) });
            } else if self.is_foreign(trade, leg) {
                let market = markets.by_token(&leg.token).map(|place| place.0);
                let fill = fill(trade, leg, leg.action, market, markets);
                taken.reports.push(foreign(&leg.order, market, Evidence::Fill(fill)));
            }
        }
        found
    }

    /// The fill of one of our orders, or why it is not booked: the order is asked about until its
    /// fills are known.
    fn own_fill(
        &mut self,
        trade: &Trade,
        leg: &Leg,
        intent: IntentId,
        markets: &dyn Markets,
    ) -> Result<Fill, Unbooked> {
        let unbooked = |why: String, is_final| Unbooked { why, is_final };
        let known = self.orders.get_mut(&intent);
        let known = known.ok_or_else(|| unbooked(format!("{intent} is not known"), true))?;
        // Without the market's facts the fee would be booked as nothing, for good.
        let market = known.order.market;
        if markets.facts(market).is_none() {
            return Err(unbooked(format!("the market of {intent} is not known yet"), false));
        }
        let mut fill = fill(trade, leg, known.order.action, Some(market), markets);
        let doubt = known.doubt_token(&leg.token, markets);
        if let Some(doubt) = doubt.or_else(|| known.doubt_fill(fill.quantity, fill.money)) {
            let id = short(&trade.id);
            let why = format!("trade {id} is not believed of {intent}: {doubt}");
            return Err(unbooked(why, true));
        }
        known.tell_alike(&mut fill);
        Ok(fill)
    }

    /// Whether a leg that is none of our orders belongs to the account. The name beside a trade is
    /// whose message it is; only a taker's own message names the taker.
    fn is_foreign(&self, trade: &Trade, leg: &Leg) -> bool {
        let is_named = leg.owner == self.account.credentials().api_key();
        is_named && (!leg.takes || trade.for_taker == Some(true))
    }

    /// What an order's state is evidence of, and whether its trades are to be looked for.
    pub(super) fn evidence(&self, intent: IntentId, state: &OrderState) -> (Evidence, bool) {
        let Some(known) = self.orders.get(&intent) else {
            return (Evidence::Unclear("not known here".to_owned()), false);
        };
        let Some(rest) = state.rest(known.order.lifetime) else {
            let text = format!("polymarket calls the order {}", short(&state.status));
            return (Evidence::Unclear(text), false);
        };
        // An order that met others, or that trades are named of, has not matched nothing whatever
        // its size says: the size is behind.
        let is_empty = state.matched.is_some_and(Quantity::is_zero) && !state.has_met();
        let filled = known.total.or(is_empty.then(Total::default));
        let is_open = state.matched.is_some() || state.has_met() || rest == Rest::Nothing;
        let search = filled.is_none() && is_open;
        let trades = state.trades.clone();
        (Evidence::Standing { id: known.id.clone(), filled, rest, trades }, search)
    }
}

impl Known {
    /// Why what names this order and a token is not about it. The order's name is a hash of token,
    /// side, both amounts and time: what is left to doubt is the venue's row. A token of which
    /// nothing is known says nothing.
    pub(super) fn doubt_token(&self, token: &str, markets: &dyn Markets) -> Option<String> {
        let order = &self.order;
        let (market, outcome) = markets.by_token(token)?;
        let is_same = (market, outcome) == (order.market, order.outcome);
        (!is_same).then(|| format!("its token {} is another one", short(token)))
    }

    /// Why a fill cannot be this order's: it is larger, or worse than the limit. The venue rounds
    /// average prices, by less than a cent each.
    fn doubt_fill(&self, quantity: Quantity, money: Money) -> Option<String> {
        let order = &self.order;
        let dust = Money::from_micros(quantity.units() / 100 + DUST);
        let is_larger = match order.size {
            Size::Contracts(count) => quantity.units() > count.units() + DUST,
            Size::Collateral(spend) => money > spend + dust,
        };
        let is_worse = match order.action {
            Action::Buy => money > Money::cost_ceil(order.limit, quantity) + dust,
            Action::Sell => money + dust < Money::cost_floor(order.limit, quantity),
        };
        match (is_larger, is_worse) {
            (true, _) => Some(format!("{quantity} for {money} is more than was sent")),
            (false, true) => Some(format!("{quantity} for {money} is worse than {}", order.limit)),
            (false, false) => None,
        }
    }

    /// The user channel and the list of trades round differently: one fill is told as it was told
    /// first, as long as the two differ by dust.
    fn tell_alike(&mut self, fill: &mut Fill) {
        let first = (fill.quantity, fill.money);
        let (quantity, money) = *self.told.entry(fill.trade.clone()).or_insert(first);
        let apart = fill.quantity.units().abs_diff(quantity.units());
        let dollars = fill.money.micros().abs_diff(money.micros());
        if apart.max(dollars) <= DUST.unsigned_abs() {
            (fill.quantity, fill.money) = (quantity, money);
        }
    }
}

/// Something about an order that is none of ours. An order's id is a hash and bears no tag.
pub(super) fn foreign(id: &str, market: Option<MarketIndex>, evidence: Evidence) -> Report {
    Report::Foreign {
        venue: Venue::Polymarket,
        id: OrderId(id.to_owned()),
        is_ours: false,
        market,
        evidence,
    }
}

fn fill(
    trade: &Trade,
    leg: &Leg,
    action: Action,
    market: Option<MarketIndex>,
    markets: &dyn Markets,
) -> Fill {
    let model = market.and_then(|market| fee_model(market, trade.at, markets));
    Fill {
        trade: trade.id.clone(),
        quantity: leg.quantity,
        money: leg.money(action),
        // The venue says 0 whatever it charges (py-clob-client-v2 issue 107, 2026-08-04).
        fee: Fee::Computed(model.map_or(Money::ZERO, |model| leg.fee(model))),
        finality: trade.finality,
        at: trade.at,
    }
}

/// The fee in force when the trade matched; where it is not known any more, the last one that was.
fn fee_model(market: MarketIndex, at: Timestamp, markets: &dyn Markets) -> Option<FeeModel> {
    let plan = &markets.facts(market)?.fee;
    plan.at(at).or_else(|| plan.steps().iter().rev().find_map(|step| step.1))
}

/// The refusal as evidence.
pub(super) const fn refused(refusal: Refusal) -> Evidence {
    Evidence::Refused(refusal)
}
