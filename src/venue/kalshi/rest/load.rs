//! A market with all that money depends on, from the four places where the venue keeps it.

use std::time::Duration;

use rustc_hash::FxHashMap;

use crate::domain::{Market, Timestamp};
use crate::venue::Error;

use super::super::parse::{self, FeeChange, malformed};
use super::super::wire::http as wire;
use super::{Client, Transport};

/// What was read of an event or a series, and when.
#[derive(Debug, Clone)]
struct Kept<F> {
    facts: F,
    changes: Vec<FeeChange>,
    read: Timestamp,
}

/// Events and series that were read before: the markets of one event share both.
#[derive(Debug, Default)]
pub(super) struct Cache {
    events: FxHashMap<String, Kept<wire::Event>>,
    series: FxHashMap<String, Kept<wire::Series>>,
}

impl Cache {
    /// Most events, and most series, that are kept; beyond it all are forgotten.
    const KEPT_MAX: usize = 20_000;
}

fn recall<F: Clone>(
    kept: &FxHashMap<String, Kept<F>>,
    name: &str,
    now: Timestamp,
    age_max: Duration,
) -> Option<Kept<F>> {
    kept.get(name).filter(|kept| now.since(kept.read) < age_max).cloned()
}

fn keep<F: Clone>(into: &mut FxHashMap<String, Kept<F>>, name: &str, kept: &Kept<F>) {
    if into.len() >= Cache::KEPT_MAX && !into.contains_key(name) {
        into.clear();
    }
    into.insert(name.to_owned(), kept.clone());
}

impl<T: Transport> Client<T> {
    /// A market with its fee over time: the market, its event, its series, and what is announced
    /// for both.
    pub async fn load_market(&self, ticker: &str) -> Result<Market, Error> {
        let market = self.get_market(ticker).await?;
        self.complete_market(&market).await
    }

    /// The same for a market that has been read already.
    pub async fn complete_market(&self, market: &wire::Market) -> Result<Market, Error> {
        let ticker = market.ticker.as_deref().unwrap_or_default();
        let what = format!("market {ticker}");
        let name = market.event_ticker.as_deref().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| malformed(&what, "event_ticker", "missing"))?;
        let event = self.event(name).await?;
        let what = format!("event {name}");
        let name = event.facts.series_ticker.as_deref().filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| malformed(&what, "series_ticker", "missing"))?;
        let series = self.series(name).await?;
        let plan = parse::fee_plan(
            parse::fee::series_fee(&series.facts).as_ref(),
            parse::fee::event_fee(&event.facts).as_ref(),
            &series.changes,
            &event.changes,
            event.read.min(series.read),
        )
        .rounded_to(self.settings.fee_grain);
        parse::market(market, Some(&event.facts), plan)
    }

    /// Forgets what was read of an event and its series, because the venue says that it changed.
    pub fn forget_event(&self, event_ticker: &str) {
        let mut state = self.state();
        let series = state.cache.events.remove(event_ticker).and_then(|e| e.facts.series_ticker);
        if let Some(series) = series {
            state.cache.series.remove(&series);
        }
    }

    async fn event(&self, name: &str) -> Result<Kept<wire::Event>, Error> {
        let (read, age_max) = (self.now(), self.settings.facts_age_max);
        let known = recall(&self.state().cache.events, name, read, age_max);
        if let Some(kept) = known {
            return Ok(kept);
        }
        let facts = self.get_event(name).await?;
        let changes = none_if_unknown(self.get_event_fee_changes(name).await)?;
        let kept = Kept { facts, changes, read };
        keep(&mut self.state().cache.events, name, &kept);
        Ok(kept)
    }

    async fn series(&self, name: &str) -> Result<Kept<wire::Series>, Error> {
        let (read, age_max) = (self.now(), self.settings.facts_age_max);
        let known = recall(&self.state().cache.series, name, read, age_max);
        if let Some(kept) = known {
            return Ok(kept);
        }
        let facts = self.get_series(name).await?;
        let changes = none_if_unknown(self.get_series_fee_changes(name).await)?;
        let kept = Kept { facts, changes, read };
        keep(&mut self.state().cache.series, name, &kept);
        Ok(kept)
    }
}

/// A 404 to a question for changes means that there are none.
fn none_if_unknown(answer: Result<Vec<FeeChange>, Error>) -> Result<Vec<FeeChange>, Error> {
    match answer {
        Err(Error::NoSuchMarket { .. }) => Ok(Vec::new()),
        other => other,
    }
}
