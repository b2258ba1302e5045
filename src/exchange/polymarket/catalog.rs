//! What Gamma says of each market and each event: ids, slugs, dates, prices, fees.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::domain::market::Status;
use crate::domain::{Rate, Side};

use super::super::{Floor, Listing};
use super::asset::{Asset, dollars, number, shares, tick};
use super::settle::Ending;

/// The number of the first market; ids are numbers in decimal.
const FIRST_MARKET: usize = 1_000_001;
/// The number of the first event.
const FIRST_EVENT: usize = 20_001;

/// The floor's markets, grouped by their events in the order of first appearance.
#[derive(Debug)]
pub(super) struct Catalog<'a> {
    floor: &'a Floor,
    /// How markets ended.
    endings: Option<&'a BTreeMap<usize, Ending>>,
    /// The markets of each event.
    events: Vec<Vec<usize>>,
    /// The event of each market.
    event_of: Vec<usize>,
}

impl<'a> Catalog<'a> {
    /// Groups a floor's markets, some of which have ended.
    pub(super) fn with(floor: &'a Floor, endings: &'a BTreeMap<usize, Ending>) -> Self {
        Self { endings: Some(endings), ..Self::of(floor) }
    }

    /// Groups a floor's markets.
    pub(super) fn of(floor: &'a Floor) -> Self {
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut events, mut event_of) = (Vec::<Vec<usize>>::new(), Vec::new());
        for (market, listing) in floor.listings.iter().enumerate() {
            let place = *places.entry(&listing.event).or_insert_with(|| {
                events.push(Vec::new());
                events.len() - 1
            });
            events[place].push(market);
            event_of.push(place);
        }
        Self { floor, endings: None, events, event_of }
    }

    /// How many markets there are.
    pub(super) fn markets(&self) -> usize {
        self.event_of.len()
    }

    /// How many events there are.
    pub(super) fn events(&self) -> usize {
        self.events.len()
    }

    /// The id of the event of a market.
    pub(super) fn event_id(&self, market: usize) -> String {
        (FIRST_EVENT + self.event_of[market]).to_string()
    }

    /// A market with the event it belongs to.
    pub(super) fn market_with_event(&self, market: usize) -> Value {
        let mut body = self.market(market);
        body["events"] = json!([self.event(self.event_of[market])]);
        body
    }

    /// An event with its markets.
    pub(super) fn event_with_markets(&self, event: usize) -> Value {
        let mut body = self.event(event);
        let markets = self.events[event].iter().map(|market| self.market(*market));
        body["markets"] = markets.collect();
        body
    }

    fn market(&self, market: usize) -> Value {
        let mut body = dress(market, self.floor);
        let Some(ending) = self.endings.and_then(|endings| endings.get(&market)) else {
            return body;
        };
        let [yes, no] = ending.payouts();
        body["outcomePrices"] = nested([&yes, &no]).into();
        body["umaResolutionStatus"] = "resolved".into();
        body["automaticallyResolved"] = false.into();
        body["closedTime"] = ending.at.to_string().into();
        body
    }

    fn event(&self, event: usize) -> Value {
        let listings = || self.events[event].iter().map(|market| &self.floor.listings[*market]);
        let closed = listings().all(|listing| listing.status == Status::Closed);
        let Some(first) = listings().next() else { return Value::Null };
        let group = listings().find(|listing| listing.is_neg_risk()).map(|one| &one.group);
        let mut body = json!({
            "id": (FIRST_EVENT + event).to_string(),
            "ticker": first.event,
            "slug": first.event,
            "title": first.title,
            "description": first.rules,
            "resolutionSource": "",
            "endDate": end_date(first),
            "active": true,
            "closed": closed,
            "archived": false,
            "enableOrderBook": !closed,
            "negRisk": group.is_some(),
            "enableNegRisk": group.is_some(),
            "negRiskAugmented": false,
        });
        if let Some(group) = group {
            body["negRiskMarketID"] = group.as_str().into();
        }
        body
    }
}

/// The id of a market.
pub(super) fn market_id(market: usize) -> String {
    (FIRST_MARKET + market).to_string()
}

/// A market's slug: its question in lower case, and a number that makes it unique.
pub(super) fn market_slug(market: usize, listing: &Listing) -> String {
    let mut slug = String::with_capacity(listing.title.len() + 5);
    for part in listing.title.split(|c: char| !c.is_ascii_alphanumeric()) {
        if !part.is_empty() {
            slug.push_str(&part.to_ascii_lowercase());
            slug.push('-');
        }
    }
    slug + &(market + 1).to_string()
}

/// The day that was planned for the end, at midnight: never when trading or the settlement ends.
pub(super) fn end_date(listing: &Listing) -> String {
    let text = listing.closes.to_string();
    format!("{}T00:00:00Z", text.get(..10).unwrap_or_default())
}

/// The prices of the two outcomes: halfway between the best bid and the best ask, or the last trade
/// when a side is empty.
pub(super) fn outcome_prices(market: usize, floor: &Floor) -> [String; 2] {
    let book = &floor.books[market];
    let sides = [Side::Bid, Side::Ask];
    let quoted = sides.iter().all(|side| book.best(*side).is_some());
    Asset::both(market).map(|asset| match book.last_trade() {
        Some(price) if !quoted => dollars(asset.price(price).units()),
        _ => asset.quote(book).middle(),
    })
}

/// A list as Gamma writes it: a string that holds JSON, with a space behind each comma.
fn nested(entries: [&str; 2]) -> String {
    format!("[{}, {}]", json!(entries[0]), json!(entries[1]))
}

fn dress(index: usize, floor: &Floor) -> Value {
    let listing = &floor.listings[index];
    let [yes, _] = Asset::both(index);
    let book = &floor.books[index];
    let quote = yes.quote(book);
    let prices = outcome_prices(index, floor);
    let closed = listing.status == Status::Closed;
    let end = end_date(listing);
    let last = book.last_trade().map_or(Value::Null, |price| number(&dollars(price.units())));
    let mut body = json!({
        "id": market_id(index),
        "question": listing.title,
        "slug": market_slug(index, listing),
        "conditionId": listing.id,
        "version": "v1",
        "clobTokenIds": nested([&listing.tokens.0, &listing.tokens.1]),
        "positionIds": null,
        "outcomes": nested([&listing.labels.0, &listing.labels.1]),
        "outcomePrices": nested([&prices[0], &prices[1]]),
        "negRisk": listing.is_neg_risk(),
        "endDate": end,
        "endDateIso": &end[..10.min(end.len())],
        "description": listing.rules,
        "resolutionSource": "",
        "active": true,
        "closed": closed,
        "archived": false,
        "acceptingOrders": listing.status == Status::Open,
        "enableOrderBook": !closed,
        "orderPriceMinTickSize": number(&dollars(tick(listing))),
        "orderMinSize": number(&shares(listing.minimum)),
        "bestBid": number(&dollars(quote.bid)),
        "bestAsk": number(&dollars(quote.ask)),
        "spread": number(&dollars(quote.spread())),
        "lastTradePrice": last,
        "feesEnabled": listing.rate != Rate::ZERO,
        "secondsDelay": 0,
    });
    // Markets of no neg-risk market do without the field.
    if listing.is_neg_risk() {
        body["negRiskMarketID"] = listing.group.as_str().into();
    }
    if listing.rate != Rate::ZERO {
        body["feeSchedule"] = json!({
            "exponent": 1,
            "rate": number(&listing.rate.to_string()),
            "takerOnly": true,
            "rebateRate": 0.25,
        });
    }
    body
}
