//! What the account holds and what it was paid.
//!
//! Positions come from the data API: it lists all of them in one reading, the user's own included.
//! The order book would tell the balance of one token at a time and only of tokens that are asked
//! for. The price is a lag, and readings are dated back by it. Cash comes from the order book,
//! which decides by it what an order may spend.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::report::{Listing, Position, Purse};
use crate::domain::{Money, Outcome, Report, Timestamp, Venue};
use crate::venue::gateway::{Answer, Call, Markets, Subject, Taken};
use crate::venue::polymarket::error::{short, text_of};
use crate::venue::polymarket::parse::reply::{balance, held, redeemed, yes_pays};
use crate::venue::polymarket::wire::account::DataPage;

use super::Gateway;
use super::conversion::asset_type;
use super::question::asked_at;

pub(super) const POSITIONS: &str = "positions";
pub(super) const CASH: &str = "cash";
pub(super) const REDEMPTIONS: &str = "redemptions";
pub(super) const RESOLUTION: &str = "resolution";

/// The most rows on a page of the data API (official client, 2026-10).
pub(super) const ROWS_MAX: &str = "1000";
/// The most tokens whose balance is read again: the venue takes 50 of these in ten seconds (docs,
/// rate limits, 2026-10).
const REFRESHED_MAX: usize = 40;
/// The most pages of one reading.
pub(super) const PAGES_MAX: u32 = 100;

/// A reading of positions that is under way.
#[derive(Debug, Default)]
pub(super) struct Holding {
    /// Which reading: answers to an earlier one are passed over.
    reading: u64,
    asked: Timestamp,
    pages: u32,
    positions: Vec<Position>,
    /// Tokens whose balance the order book was asked to read again since the start.
    refreshed: BTreeSet<String>,
    /// Markets whose resolution was told, and what a YES contract pays there: what is held is worth
    /// nothing, or waits to be redeemed.
    resolved: BTreeMap<String, Money>,
    payments: Payments,
}

/// A list of redemptions that is under way. What a row paid says nothing without the resolution of
/// its market, which is another question: the list is whole when all of them are answered.
#[derive(Debug, Default)]
struct Payments {
    /// Which reading, from 1.
    number: u64,
    asked: Timestamp,
    /// The list is asked for from here on, in seconds.
    start: String,
    pages: u32,
    is_listed: bool,
    has_hole: bool,
    /// Resolutions that were asked for and not answered yet.
    open: usize,
}

impl Payments {
    fn conclude(&self, taken: &mut Taken) {
        if self.is_listed && !self.has_hole && self.open == 0 {
            taken.whole.push((Listing::Settlements, self.asked));
        }
    }
}

impl Gateway {
    pub(super) fn positions_first(&mut self, now: Timestamp) -> Call {
        self.holding.reading += 1;
        self.holding.asked = now;
        self.holding.pages = 0;
        self.holding.positions.clear();
        self.positions_page("")
    }

    fn positions_page(&self, cursor: &str) -> Call {
        let mut query = vec![
            ("user", self.account.maker_text()),
            // Without it positions below a tenth of a share are left out.
            ("filter_type", "TOKENS"),
            ("filter_amount", "0"),
            ("limit", ROWS_MAX),
        ];
        if !cursor.is_empty() {
            query.push(("cursor", cursor));
        }
        let subject = Subject::Other(POSITIONS, self.holding.reading.to_string());
        Self::open(subject, &self.settings.data_url, "/v2/positions", &query)
    }

    pub(super) fn read_positions(
        &mut self,
        reading: &str,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) {
        if reading != self.holding.reading.to_string() {
            return;
        }
        let Some(page) = page(POSITIONS, answer, taken) else { return };
        for row in page.data {
            match held(row) {
                Ok(row) if row.quantity.is_zero() => {}
                Ok(row) => {
                    if row.is_resolved && !self.holding.resolved.contains_key(&row.market) {
                        let detail = format!("0|0|{}|{}", self.holding.asked.secs(), row.market);
                        taken.calls.push(self.resolution_call(&row.market, detail));
                    }
                    let place = markets.by_token(&row.token);
                    if place.is_none() && !row.is_resolved && is_unread(&row.market, markets) {
                        taken.notices.push(unread(&row.market));
                        self.holding.reading += 1;
                        return;
                    }
                    if place.is_some() && !row.is_resolved {
                        taken.calls.extend(self.refresh(&row.token, now));
                    }
                    let (id, quantity) = (row.market, row.quantity);
                    let (market, outcome) = match place {
                        Some((market, outcome)) => (Some(market), outcome),
                        None => (None, Outcome::Yes),
                    };
                    self.holding.positions.push(Position { market, id, outcome, quantity });
                }
                // A reading with a hole in it would look like a position that is gone.
                Err(error) => {
                    taken.notices.push(error.to_string());
                    self.holding.reading += 1;
                    return;
                }
            }
        }
        self.holding.pages += 1;
        let cursor = page.pagination.next_cursor.filter(|_| page.pagination.has_more);
        match cursor {
            Some(cursor) if self.holding.pages < PAGES_MAX => {
                taken.calls.push(self.positions_page(&cursor));
            }
            Some(_) => taken.notices.push("polymarket lists positions without end".to_owned()),
            None => taken.reports.push(Report::Positions {
                venue: Venue::Polymarket,
                positions: std::mem::take(&mut self.holding.positions),
                as_of: self.holding.asked.before(self.settings.data_lag),
            }),
        }
    }

    /// What the wallet holds since before the start may have come there past the order book: it is
    /// asked once to read the token again, else it may refuse to sell it.
    fn refresh(&mut self, token: &str, now: Timestamp) -> Option<Call> {
        let is_new = self.holding.refreshed.len() < REFRESHED_MAX
            && self.holding.refreshed.insert(token.to_owned());
        is_new.then(|| self.update_call("", asset_type(token), Some(token), now))
    }

    pub(super) fn cash_call(&self, now: Timestamp) -> Call {
        let kind = self.account.wallet().number().to_string();
        let query = [("asset_type", "COLLATERAL"), ("signature_type", kind.as_str())];
        self.get(Subject::Other(CASH, String::new()), "/balance-allowance", &query, now)
    }

    pub(super) fn read_cash(call: &Call, answer: &Answer<'_>, now: Timestamp, taken: &mut Taken) {
        let Some(body) = body_of(CASH, answer, taken) else { return };
        match balance(body) {
            Ok(money) => taken.reports.push(Report::Cash {
                venue: Venue::Polymarket,
                purses: vec![(Purse::Collateral, money)],
                as_of: asked_at(call, now),
            }),
            Err(error) => taken.notices.push(error.to_string()),
        }
    }

    pub(super) fn redemptions_first(&mut self, since: Timestamp, now: Timestamp) -> Call {
        let start = since.before(self.settings.data_lag).secs().max(0).to_string();
        let number = self.holding.payments.number + 1;
        self.holding.payments = Payments { number, asked: now, start, ..Payments::default() };
        self.redemptions_page("")
    }

    fn redemptions_page(&self, cursor: &str) -> Call {
        let payments = &self.holding.payments;
        let mut filter = vec![("start", payments.start.as_str())];
        if !cursor.is_empty() {
            filter.push(("cursor", cursor));
        }
        self.redemptions(payments.number, &filter)
    }

    /// What one market paid, right behind a redemption.
    pub(super) fn redemptions_of(&self, condition: &str, _now: Timestamp) -> Call {
        self.redemptions(0, &[("condition_id", condition)])
    }

    fn redemptions(&self, number: u64, filter: &[(&str, &str)]) -> Call {
        let mut query =
            vec![("user", self.account.maker_text()), ("type", "REDEEM"), ("limit", ROWS_MAX)];
        query.extend_from_slice(filter);
        let subject = Subject::Other(REDEMPTIONS, number.to_string());
        Self::open(subject, &self.settings.data_url, "/v2/activity", &query)
    }

    /// Takes a page of redemptions, also one of an earlier reading; only the latest can be whole.
    pub(super) fn read_redemptions(
        &mut self,
        reading: &str,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        taken: &mut Taken,
    ) {
        let Some(page) = page(REDEMPTIONS, answer, taken) else { return };
        let number = reading.parse().unwrap_or(0);
        let is_latest = number != 0 && number == self.holding.payments.number;
        let mut paid: BTreeMap<(String, Timestamp), Money> = BTreeMap::new();
        for row in page.data {
            match redeemed(row) {
                Ok(None) => {}
                // Redemptions of one market in one second have no names to tell them apart.
                Ok(Some(row)) => {
                    *paid.entry((row.market, row.at)).or_default() += row.paid;
                }
                Err(error) => {
                    self.holding.payments.has_hole |= is_latest;
                    taken.notices.push(error.to_string());
                }
            }
        }
        for ((market, at), paid) in paid {
            if let Some(yes_pays) = self.holding.resolved.get(&market) {
                taken.reports.push(settled(market, *yes_pays, paid, at, markets));
                continue;
            }
            self.holding.payments.open += usize::from(is_latest);
            let detail = format!("{number}|{}|{}|{market}", paid.micros(), at.secs());
            taken.calls.push(self.resolution_call(&market, detail));
        }
        if !is_latest {
            return;
        }
        let cursor = page.pagination.next_cursor.filter(|cursor| !cursor.is_empty());
        self.holding.payments.pages += 1;
        match cursor {
            _ if !page.pagination.has_more => {
                self.holding.payments.is_listed = true;
                self.holding.payments.conclude(taken);
            }
            Some(cursor) if self.holding.payments.pages < PAGES_MAX => {
                taken.calls.push(self.redemptions_page(&cursor));
            }
            _ => taken.notices.push("polymarket lists redemptions without end".to_owned()),
        }
    }

    fn resolution_call(&self, condition: &str, detail: String) -> Call {
        let subject = Subject::Other(RESOLUTION, detail);
        let query = [("condition_id", condition)];
        Self::open(subject, &self.settings.data_url, "/v2/resolutions", &query)
    }

    pub(super) fn read_resolution(
        &mut self,
        detail: &str,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        taken: &mut Taken,
    ) {
        let mut parts = detail.splitn(4, '|');
        let number = parts.next().and_then(|text| text.parse::<u64>().ok());
        let mut amount = || parts.next().and_then(|text| text.parse::<i64>().ok());
        let (Some(number), Some(paid), Some(at)) = (number, amount(), amount()) else { return };
        let id = parts.next().unwrap_or_default().to_owned();
        let Some(body) = body_of(RESOLUTION, answer, taken) else { return };
        let Some(yes_pays) = yes_pays(body) else {
            taken.notices.push(format!("polymarket does not say what market {id} paid"));
            return;
        };
        self.holding.resolved.insert(id.clone(), yes_pays);
        let (paid, at) = (Money::from_micros(paid), Timestamp::from_secs(at));
        taken.reports.push(settled(id, yes_pays, paid, at, markets));
        let payments = &mut self.holding.payments;
        if number != 0 && number == payments.number {
            payments.open = payments.open.saturating_sub(1);
            payments.conclude(taken);
        }
    }
}

fn settled(
    id: String,
    yes_pays: Money,
    paid: Money,
    at: Timestamp,
    markets: &dyn Markets,
) -> Report {
    let (venue, market) = (Venue::Polymarket, markets.by_id(Venue::Polymarket, &id));
    Report::Settled { venue, market, id, yes_pays, paid, at }
}

/// The body of an answer that is one; a notice for every other.
pub(super) fn body_of<'a>(what: &str, answer: &Answer<'a>, taken: &mut Taken) -> Option<&'a str> {
    let text = match answer {
        Answer::Reply { status: 200..=299, body, .. } => return Some(body),
        Answer::Reply { status, body, .. } => format!("status {status}: {}", text_of(body)),
        Answer::NotSent(text) | Answer::Lost(text) => short(text),
    };
    taken.notices.push(format!("polymarket did not answer {what}: {text}"));
    None
}

/// Whether a market is one of ours, and its tokens are not known yet: what is held there is ours,
/// and which contract it is cannot be told.
fn is_unread(condition: &str, markets: &dyn Markets) -> bool {
    let market = markets.by_id(Venue::Polymarket, condition);
    let tokens = |market| markets.facts(market).and_then(|facts| facts.tokens.as_ref());
    market.is_some_and(|market| tokens(market).is_none())
}

fn unread(condition: &str) -> String {
    format!(
        "what the account holds in {} is not compared yet: the tokens of that market are not \
         known; while this goes on nothing new is traded",
        short(condition)
    )
}

pub(super) fn page<'a>(what: &str, answer: &Answer<'a>, taken: &mut Taken) -> Option<DataPage<'a>> {
    let page = serde_json::from_str(body_of(what, answer, taken)?);
    page.map_err(|why| taken.notices.push(format!("polymarket's {what} make no sense: {why}"))).ok()
}
