//! What markets paid.
//!
//! Kalshi's list of settlements has money and values in whole cents, unlike everything else that it
//! says. A market that ends between its outcomes may pay a value that is finer than that: what it
//! was only the market itself tells.

use crate::domain::report::Listing;
use crate::domain::{MarketIndex, Money, Report, Timestamp, Venue};
use crate::venue::Error;
use crate::venue::gateway::{Answer, Markets, Taken};

use super::super::parse::market::{market_answer, yes_pays};
use super::super::parse::{malformed, portfolio as parse, tame};
use super::super::rest::Query;
use super::super::wire::portfolio as wire;
use super::Gateway;
use super::inquiry::read_page;
use super::walk::{Errand, Walk};

/// The least that two values in whole cents differ by.
const CENT: Money = Money::from_micros(10_000);

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settled {
    ticker: String,
    market: Option<MarketIndex>,
    yes_pays: Money,
    paid: Money,
    at: Timestamp,
}

impl Settled {
    fn read(wire: &wire::Settlement, markets: &dyn Markets) -> Result<Self, Error> {
        let what = format!("settlement of {}", wire.ticker);
        let at = Timestamp::parse(&wire.settled_time).ok_or_else(|| {
            malformed(&what, "settled_time", format_args!("{:?}", wire.settled_time))
        })?;
        let yes_pays = match (wire.market_result.as_deref(), wire.value) {
            (Some("yes"), _) => Money::from_micros(Money::DOLLAR),
            (Some("no"), _) => Money::ZERO,
            (_, Some(value)) if (0..=100).contains(&value) => parse::cents(&what, "value", value)?,
            (_, value) => return Err(malformed(&what, "value", format_args!("{value:?}"))),
        };
        Ok(Self {
            ticker: wire.ticker.clone(),
            market: markets.by_id(Venue::Kalshi, &wire.ticker),
            yes_pays,
            paid: parse::cents(&what, "revenue", wire.revenue)?,
            at,
        })
    }

    /// Whether the value may be finer than it is told.
    fn is_rough(&self) -> bool {
        self.yes_pays > Money::ZERO && self.yes_pays < Money::from_micros(Money::DOLLAR)
    }

    /// Whether a finer value may be what was told.
    fn agrees_with(&self, value: Money) -> bool {
        (value - self.yes_pays).max(self.yes_pays - value) < CENT
    }

    fn report(self, yes_pays: Money) -> Report {
        let Self { ticker: id, market, paid, at, .. } = self;
        Report::Settled { venue: Venue::Kalshi, market, id, yes_pays, paid, at }
    }
}

impl Gateway {
    /// A row whose value has to be asked for is a hole: the next listing shows it again.
    pub(super) fn read_settlements(
        &mut self,
        mut walk: Walk,
        since: Timestamp,
        answer: &Answer<'_>,
        markets: &dyn Markets,
        now: Timestamp,
        taken: &mut Taken,
    ) -> Result<(), String> {
        let page: wire::SettlementsPage = read_page(answer, "settlements")?;
        for wire in page.settlements {
            match Settled::read(&wire, markets) {
                Ok(settled) if settled.at < since => {}
                Ok(settled) => match self.value_of(&settled, markets) {
                    Some(value) => taken.reports.push(settled.report(value)),
                    None => {
                        walk.has_hole = true;
                        self.ask_value(settled, now, taken);
                    }
                },
                Err(error) => {
                    walk.has_hole = true;
                    taken.notices.push(error.to_string());
                }
            }
        }
        self.next_of(Listing::Settlements, walk, page.cursor.as_deref(), now, taken)
    }

    /// What a market paid for a contract of YES, if that is known to the last digit. Nobody needs
    /// more than the list tells of a market that is not mapped.
    fn value_of(&self, settled: &Settled, markets: &dyn Markets) -> Option<Money> {
        let Some(market) = settled.market.filter(|_| settled.is_rough()) else {
            return Some(settled.yes_pays);
        };
        let known = markets.facts(market).and_then(|facts| facts.yes_pays);
        let known = known.filter(|value| settled.agrees_with(*value));
        known.or_else(|| self.values.get(&settled.ticker).copied())
    }

    fn ask_value(&mut self, settled: Settled, now: Timestamp, taken: &mut Taken) {
        let path = format!("/markets/{}", settled.ticker);
        let walk = Walk::new(Errand::Value(settled), &path, Query::none(), now);
        self.walk_on(walk, "", now, taken);
    }

    /// The market itself says what it paid. Where it does not, what the list tells has to do; an
    /// answer that is none leaves the row for the next listing.
    pub(super) fn read_value(&mut self, settled: Settled, answer: &Answer<'_>, taken: &mut Taken) {
        let told = match Self::body_of(answer, "a market") {
            Ok(body) => market_answer(body, &settled.ticker)
                .map(|wire| yes_pays(&wire).filter(|value| settled.agrees_with(*value))),
            Err(_) if matches!(answer, Answer::Reply { status: 404, .. }) => Ok(None),
            Err(why) => return taken.notices.push(why),
        };
        let value = match told {
            Ok(Some(value)) => value,
            Ok(None) => {
                let (ticker, cents) = (tame(&settled.ticker), settled.yes_pays);
                let text = format!("kalshi does not say what {ticker} paid finer than {cents}");
                taken.notices.push(text);
                settled.yes_pays
            }
            Err(error) => return taken.notices.push(error.to_string()),
        };
        self.values.insert(settled.ticker.clone(), value);
        taken.reports.push(settled.report(value));
    }
}
