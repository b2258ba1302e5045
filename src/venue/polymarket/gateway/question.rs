//! What is asked of the venue, and how a question that needs several answers is carried on.
//!
//! A search for the trades of one order keeps what it has found in the detail of its calls, so that
//! nothing is left behind when an answer never comes.

use std::time::Duration;

use crate::domain::report::{Rest, Total};
use crate::domain::{IntentId, Money, Quantity, Timestamp, Venue};
use crate::venue::Error;
use crate::venue::gateway::{Call, Class, Markets, Question, Subject};
use crate::venue::polymarket::encode;
use crate::venue::polymarket::sign::TIMESTAMP_HEADER;

use super::{Gateway, unknown};

pub(super) const OPEN_ORDERS: &str = "open_orders";
pub(super) const FILLS: &str = "fills";
pub(super) const TRADE: &str = "trade";
pub(super) const SEARCH: &str = "order_trades";

/// Where a list of the order book begins, and what it says behind its end.
const FIRST_CURSOR: &str = "MA==";
const LAST_CURSOR: &str = "LTE=";
/// The most pages of one list: a cursor that goes round in circles ends here.
const PAGES_MAX: u32 = 1_000;
/// How much earlier than asked trades are looked for: the venue's clock may differ from ours.
const CLOCK_MARGIN: Duration = Duration::from_secs(60);

/// The trades of one order are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Search {
    pub intent: IntentId,
    /// What may still come of the order; `None` when the venue did not find it.
    pub rest: Option<Rest>,
    /// How much of it matched, where the venue told; nothing where it ended without a word of that.
    pub matched: Option<Quantity>,
    /// What was found so far.
    pub sum: Total,
    /// When the order was asked for.
    pub asked: Timestamp,
    /// Whether something of the list could not be read: what was found is not all, then.
    pub has_hole: bool,
    /// The trades that were found: pages may overlap while the list grows.
    pub trades: Vec<String>,
}

impl Search {
    /// The most trades of one order that a search keeps; an order with more is not judged by it.
    const TRADES_MAX: usize = 256;

    /// A search that has found nothing yet.
    pub(super) fn new(intent: IntentId, asked: Timestamp) -> Self {
        let sum = Total::default();
        let (rest, matched, trades) = (None, None, Vec::new());
        Self { intent, rest, matched, sum, asked, has_hole: false, trades }
    }

    /// Counts a trade of the order, once.
    pub(super) fn find(&mut self, trade: &str, found: Total) {
        if self.trades.iter().any(|known| known == trade) {
            return;
        }
        if self.trades.len() == Self::TRADES_MAX {
            self.has_hole = true;
            return;
        }
        self.trades.push(trade.to_owned());
        self.sum.quantity = self.sum.quantity.saturating_add(found.quantity);
        self.sum.money += found.money;
    }

    fn detail(&self) -> String {
        let rest = match self.rest {
            None => 'm',
            Some(Rest::Nothing) => 'n',
            Some(Rest::Resting) => 'r',
            Some(Rest::Delayed) => 'd',
        };
        let matched = self.matched.map_or(-1, Quantity::units);
        let (found, money) = (self.sum.quantity.units(), self.sum.money.micros());
        let (asked, hole) = (self.asked.secs(), u8::from(self.has_hole));
        let trades = self.trades.join(",");
        format!("{}|{rest}|{matched}|{found}|{money}|{asked}|{hole}|{trades}", self.intent.0)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(8, '|');
        let number = |text: Option<&str>| text?.parse::<i64>().ok();
        let (intent, rest) = (parts.next()?.parse().ok()?, parts.next()?);
        let matched = number(parts.next())?;
        let quantity = number(parts.next()).and_then(Quantity::from_units)?;
        let money = Money::from_micros(number(parts.next())?);
        let asked = Timestamp::from_secs(number(parts.next())?);
        let has_hole = number(parts.next())? != 0;
        let trades = parts.next()?.split(',').filter(|trade| !trade.is_empty());
        Some(Self {
            asked,
            has_hole,
            trades: trades.map(str::to_owned).collect(),
            intent: IntentId(intent),
            rest: match rest {
                "n" => Some(Rest::Nothing),
                "r" => Some(Rest::Resting),
                "d" => Some(Rest::Delayed),
                _ => None,
            },
            matched: Quantity::from_units(matched),
            sum: Total { quantity, money },
        })
    }
}

/// One page of a list: which, what it belongs to, and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    number: u32,
    cursor: String,
    /// What the list was asked with.
    rest: String,
}

/// A list of the account's trades: since when, when it was asked for, and whether a row of it could
/// not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FillList {
    after: i64,
    pub asked: Timestamp,
    pub has_hole: bool,
}

impl FillList {
    fn detail(self) -> String {
        let hole = if self.has_hole { "hole" } else { "whole" };
        format!("{}|{}|{hole}", self.after, self.asked.nanos())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('|');
        let after = parts.next()?.parse().ok()?;
        let asked = Timestamp::from_nanos(parts.next()?.parse().ok()?);
        Some(Self { after, asked, has_hole: parts.next()? != "whole" })
    }
}

impl Page {
    pub(super) fn first(rest: String) -> Self {
        Self { number: 1, cursor: FIRST_CURSOR.to_owned(), rest }
    }

    fn detail(&self) -> String {
        format!("{}#{}#{}", self.number, self.cursor, self.rest)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '#');
        let number = parts.next()?.parse().ok()?;
        let (cursor, rest) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        Some(Self { number, cursor, rest })
    }

    /// The search that the page belongs to.
    pub(super) fn search(&self) -> Option<Search> {
        Search::parse(&self.rest)
    }

    /// Whether a list breaks off here although it is not at its end: its cursor leads back to
    /// itself, or there are too many pages.
    pub(super) fn breaks_off(&self, cursor: Option<&str>) -> bool {
        let goes_on = cursor.is_some_and(|cursor| !cursor.is_empty() && cursor != LAST_CURSOR);
        goes_on && self.next(cursor).is_none()
    }

    /// The list of trades that the page belongs to.
    pub(super) fn fills(&self) -> Option<FillList> {
        FillList::parse(&self.rest)
    }

    /// The same page of a list of trades of which more has been read.
    pub(super) fn with_fills(mut self, fills: FillList) -> Self {
        self.rest = fills.detail();
        self
    }

    /// The page behind this one; `None` behind the last one.
    pub(super) fn next(&self, cursor: Option<&str>) -> Option<Self> {
        let cursor = cursor.filter(|cursor| {
            !cursor.is_empty() && *cursor != LAST_CURSOR && *cursor != self.cursor
        })?;
        let number = self.number.checked_add(1).filter(|number| *number <= PAGES_MAX)?;
        Some(Self { number, cursor: cursor.to_owned(), rest: self.rest.clone() })
    }

    /// The same page on behalf of a search that has found more.
    pub(super) fn with(mut self, search: &Search) -> Self {
        self.rest = search.detail();
        self
    }
}

impl Gateway {
    pub(super) fn question(
        &mut self,
        question: &Question,
        now: Timestamp,
    ) -> Result<Vec<Call>, Error> {
        Ok(match question {
            Question::Order(intent) => {
                vec![self.order_call(*intent, now).ok_or_else(|| unknown(*intent))?]
            }
            Question::Orders(_) => vec![self.orders_page(&Page::first(String::new()), now)],
            Question::Fills(since) => {
                let after = since.before(CLOCK_MARGIN).secs().max(0);
                let list = FillList { after, asked: now, has_hole: false };
                vec![self.fills_page(&Page::first(list.detail()), now)]
            }
            Question::Positions => vec![self.positions_first(now)],
            Question::Cash => vec![self.cash_call(now)],
            Question::Settlements(since) => vec![self.redemptions_first(*since, now)],
            Question::Movements(since) => vec![self.movements_first(*since, now)],
            Question::Permission => self.permission_calls(now),
            // It tells of every trade that fails, and its orders are asked for one by one. Its
            // budgets it tells with every answer of its order routes.
            Question::Market(_) | Question::Limits => Vec::new(),
        })
    }

    /// The question what became of an order.
    pub(super) fn order_call(&self, intent: IntentId, now: Timestamp) -> Option<Call> {
        let known = self.orders.get(&intent)?;
        let path = format!("/data/order/{}", known.id.0);
        Some(self.get(Subject::Order(intent), &path, &[], now))
    }

    pub(super) fn orders_page(&self, page: &Page, now: Timestamp) -> Call {
        let subject = Subject::Other(OPEN_ORDERS, page.detail());
        self.get(subject, "/data/orders", &[("next_cursor", &page.cursor)], now)
    }

    pub(super) fn fills_page(&self, page: &Page, now: Timestamp) -> Call {
        let after = page.fills().map_or(0, |list| list.after).to_string();
        let query = [("after", after.as_str()), ("next_cursor", &page.cursor)];
        self.get(Subject::Other(FILLS, page.detail()), "/data/trades", &query, now)
    }

    /// One trade that the venue named.
    pub(super) fn trade_call(&self, id: &str, now: Timestamp) -> Call {
        let page = Page::first(id.to_owned());
        let query = [("id", id), ("next_cursor", &page.cursor)];
        self.get(Subject::Other(TRADE, page.detail()), "/data/trades", &query, now)
    }

    /// The trades of an order: all of its market since it was decided. An order that rested may
    /// stand in a trade that names the other token, so the token is not asked for.
    pub(super) fn search_page(
        &self,
        page: &Page,
        markets: &dyn Markets,
        now: Timestamp,
    ) -> Option<Call> {
        let known = self.orders.get(&page.search()?.intent)?;
        let after = known.order.at.before(CLOCK_MARGIN).secs().max(0).to_string();
        let market = markets.facts(known.order.market).map(|facts| facts.id.as_str());
        let mut query = vec![("after", after.as_str()), ("next_cursor", &page.cursor)];
        query.extend(market.map(|market| ("market", market)));
        Some(self.get(Subject::Other(SEARCH, page.detail()), "/data/trades", &query, now))
    }

    /// A question to a host that needs no signature.
    pub(super) fn open(subject: Subject, base: &str, path: &str, query: &[(&str, &str)]) -> Call {
        Call {
            venue: Venue::Polymarket,
            subject,
            class: Class::Read,
            cost: 1,
            method: "GET",
            url: encode::url(base, path, query),
            headers: Vec::new(),
            body: None,
        }
    }
}

/// When a signed call was made, to the second: no answer to it can be older news than that.
pub(super) fn asked_at(call: &Call, now: Timestamp) -> Timestamp {
    let header = call.headers.iter().find(|(name, _)| *name == TIMESTAMP_HEADER);
    header.and_then(|(_, text)| text.parse().ok()).map_or(now, Timestamp::from_secs)
}
