//! What Gamma and the CLOB say about a market, checked against each other.
//!
//! Gamma has the words (title, rules, labels) and says which protocol the market lives on; the CLOB
//! has the numbers that hold (tick, minimum, fee, whether orders are taken). A market whose
//! protocol version is missing or unknown, or whose tokens differ between the two, is refused. A
//! fee that the two do not agree on is unknown, and an unknown fee makes no edge.

use std::time::Duration;

use serde_json::value::RawValue;

use crate::domain::decimal::parse_scaled;
use crate::domain::market::{Settlement, Status, Tokens};
use crate::domain::{
    FeeModel, FeePlan, Market, Minimum, Money, PriceGrid, Quantity, Rate, Timestamp, Venue,
};
use crate::venue::Error;
use crate::venue::polymarket::error::{malformed, unreadable};
use crate::venue::polymarket::{facts, wire};

use super::number::{plain, scaled, unquoted};

/// A market as Gamma lists it.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The condition id, `0x` and 64 hexadecimal digits.
    pub condition: String,
    /// The question.
    pub title: String,
    /// The market's name in URLs.
    pub slug: String,
    /// The rules, which decide what the market pays on; hash these.
    pub rules: String,
    /// The slug of its event, empty when unknown.
    pub event: String,
    /// The id of the neg-risk market that it is a part of; empty where there is none.
    pub group: String,
    /// The title of its event, empty when unknown.
    pub event_title: String,
    /// Whether trading is over.
    pub is_closed: bool,
    /// Whether the event may get new outcomes, or this is its "other" outcome: what such a market
    /// means can change.
    pub is_open_ended: bool,
    /// The planned end: neither the end of trading nor the day of payment.
    pub planned_end: Option<Timestamp>,
    raw: Box<wire::GammaMarket>,
}

/// Markets that could be read, and why others could not.
#[derive(Debug, Default)]
pub struct Listings {
    /// Those that could be read.
    pub found: Vec<Listing>,
    /// One error for each that could not.
    pub refused: Vec<Error>,
    /// Where the next page begins; `None` on the last one.
    pub next_cursor: Option<String>,
}

/// An event of Gamma and its markets.
#[derive(Debug)]
pub struct Event {
    /// The event's name in URLs.
    pub slug: String,
    /// What it is about.
    pub title: String,
    /// Its markets.
    pub markets: Listings,
}

/// A condition id as the CLOB wants it: `0x` and 64 digits, lower case. Gamma shows those of
/// Protocol V2 with 62 digits; the missing last byte is zero.
pub fn condition(text: &str) -> Option<String> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (is_hex, digits.len()) {
        (true, 64) => Some(format!("0x{}", digits.to_ascii_lowercase())),
        (true, 62) => Some(format!("0x{}00", digits.to_ascii_lowercase())),
        _ => None,
    }
}

/// Reads a list of markets: a plain array, or a key-set page.
pub fn listings(text: &str) -> Result<Listings, Error> {
    let (items, next_cursor) = page(text, "get_markets")?;
    let mut all = Listings { next_cursor, ..Listings::default() };
    for raw in items {
        match serde_json::from_str::<wire::GammaMarket>(raw.get()) {
            Ok(market) => all.take(market, None),
            Err(error) => all.refused.push(unreadable("market of Gamma", &error)),
        }
    }
    Ok(all)
}

/// Reads a list of events: a plain array, a key-set page, or one event.
pub fn events(text: &str) -> Result<(Vec<Event>, Option<String>), Error> {
    let (items, next_cursor) = page(text, "get_events")?;
    let mut all = Vec::with_capacity(items.len());
    for raw in items {
        let event: wire::GammaEvent = serde_json::from_str(raw.get())
            .map_err(|error| unreadable("event of Gamma", &error))?;
        let parent = wire::GammaParent {
            slug: event.slug.clone(),
            title: event.title.clone(),
            neg_risk_augmented: event.neg_risk_augmented,
            neg_risk_market_id: event.neg_risk_market_id.clone(),
        };
        let mut markets = Listings::default();
        for market in event.markets.unwrap_or_default() {
            markets.take(market, Some(&parent));
        }
        let slug = event.slug.unwrap_or_default();
        all.push(Event { slug, title: event.title.unwrap_or_default(), markets });
    }
    Ok((all, next_cursor))
}

fn page<'a>(text: &'a str, what: &str) -> Result<(Vec<&'a RawValue>, Option<String>), Error> {
    let refused = |error: serde_json::Error| unreadable(what, &error);
    if text.trim_start().starts_with('[') {
        return Ok((serde_json::from_str(text).map_err(refused)?, None));
    }
    let page: wire::Page<'a> = serde_json::from_str(text).map_err(refused)?;
    // An event has `markets` too, and an id, which a page has not.
    let is_item = page.id.is_some();
    match page.events.or(page.markets) {
        Some(items) if !is_item => {
            let items = serde_json::from_str(items.get()).map_err(refused)?;
            Ok((items, page.next_cursor.filter(|cursor| !cursor.is_empty())))
        }
        _ if is_item => Ok((vec![serde_json::from_str(text).map_err(refused)?], None)),
        _ => Err(malformed(what, "markets", "missing")),
    }
}

/// The neg-risk market that a market is a part of, by its own word, or by that of an event of it
/// where it says that it is a part of one. An id of zeros is none.
fn group(raw: &wire::GammaMarket, parent: Option<&wire::GammaParent>) -> String {
    let events = raw.events.iter().flatten().chain(parent);
    let of_event = events.filter_map(|event| event.neg_risk_market_id.as_deref());
    let of_event = of_event.filter(|_| raw.neg_risk == Some(true));
    let own = raw.neg_risk_market_id.as_deref();
    let said = own.into_iter().chain(of_event).map(str::trim);
    let is_one = |id: &&str| id.trim_start_matches("0x").chars().any(|digit| digit != '0');
    said.filter(is_one).map(str::to_ascii_lowercase).next().unwrap_or_default()
}

impl Listings {
    fn take(&mut self, market: wire::GammaMarket, parent: Option<&wire::GammaParent>) {
        match Listing::new(market, parent) {
            Ok(listing) => self.found.push(listing),
            Err(error) => self.refused.push(error),
        }
    }
}

impl Listing {
    fn new(raw: wire::GammaMarket, parent: Option<&wire::GammaParent>) -> Result<Self, Error> {
        let said = raw.condition_id.as_deref().unwrap_or_default();
        let name = raw.slug.clone().unwrap_or_default();
        let Some(condition) = condition(said) else {
            return Err(malformed(format!("market {name}"), "conditionId", said));
        };
        let Some(title) = raw.question.clone() else {
            return Err(malformed(format!("market {condition}"), "question", "missing"));
        };
        let Some(rules) = raw.description.clone() else {
            return Err(malformed(format!("market {condition}"), "description", "missing"));
        };
        let own = raw.events.as_deref().and_then(<[_]>::first);
        let event = own.or(parent);
        let all = raw.events.iter().flatten().chain(parent);
        let augmented = all.filter_map(|event| event.neg_risk_augmented).any(|is| is);
        Ok(Self {
            title,
            slug: name,
            rules,
            event: event.and_then(|event| event.slug.clone()).unwrap_or_default(),
            group: group(&raw, parent),
            event_title: event.and_then(|event| event.title.clone()).unwrap_or_default(),
            is_closed: raw.closed == Some(true),
            is_open_ended: augmented || raw.neg_risk_other == Some(true),
            planned_end: raw.end_date.as_deref().and_then(time),
            condition,
            raw: Box::new(raw),
        })
    }

    /// Who is asked for the outcome, beside what the rules say.
    fn basis(&self) -> Option<String> {
        let source = self.raw.resolution_source.as_deref().filter(|source| !source.is_empty());
        source.map(|source| format!("resolution_source {source}"))
    }

    fn wrong(&self, field: &str, text: impl AsRef<str>) -> Error {
        malformed(format!("market {}", self.condition), field, text)
    }

    /// Both tokens with their labels, in the order of the outcomes.
    pub fn tokens(&self) -> Result<Tokens, Error> {
        let (field, ids, is_v2) = match self.raw.version.as_deref() {
            Some("v1") => ("clobTokenIds", &self.raw.clob_token_ids, false),
            Some("v2") => ("positionIds", &self.raw.position_ids, true),
            Some(other) => return Err(self.wrong("version", format!("unknown: {other}"))),
            None => return Err(self.wrong("version", "missing")),
        };
        let [yes, no] = self.two(field, ids.as_deref())?;
        let [yes_label, no_label] = self.two("outcomes", self.raw.outcomes.as_deref())?;
        for token in [&yes, &no] {
            match is_v2_id(token) {
                Some(found) if found == is_v2 => {}
                Some(_) => {
                    let text = format!("{token} does not belong to the version of the market");
                    return Err(self.wrong(field, text));
                }
                None => return Err(self.wrong(field, format!("not a token id: {token}"))),
            }
        }
        if yes == no || yes_label.eq_ignore_ascii_case(&no_label) {
            return Err(self.wrong(field, "both outcomes are the same"));
        }
        let settlement = match (is_v2, self.raw.neg_risk) {
            (true, _) => Some(Settlement::ProtocolV2),
            (false, Some(true)) => Some(Settlement::NegRisk),
            (false, Some(false)) => Some(Settlement::Standard),
            (false, None) => None,
        };
        let is_open_ended = self.is_open_ended;
        Ok(Tokens { yes, no, yes_label, no_label, settlement, is_open_ended })
    }

    /// Two texts: a JSON array, or a string that holds one.
    fn two(&self, field: &str, raw: Option<&RawValue>) -> Result<[String; 2], Error> {
        let raw = raw.ok_or_else(|| self.wrong(field, "missing"))?;
        let read = match serde_json::from_str::<String>(raw.get()) {
            Ok(inner) => serde_json::from_str::<Vec<String>>(&inner),
            Err(_) => serde_json::from_str::<Vec<String>>(raw.get()),
        };
        let all = read.map_err(|error| self.wrong(field, error.to_string()))?;
        <[String; 2]>::try_from(all)
            .map_err(|all| self.wrong(field, format!("{} entries instead of two", all.len())))
    }

    /// The market with the numbers that the CLOB (`/clob-markets/{condition_id}`) has for it.
    pub fn market(&self, clob: &str) -> Result<Market, Error> {
        let clob: wire::ClobMarket = serde_json::from_str(clob)
            .map_err(|error| unreadable(format!("market {}", self.condition), &error))?;
        let mut tokens = self.tokens()?;
        self.cross_check(&clob, &tokens)?;
        if tokens.settlement.is_none() {
            // Gamma does not always say; the order book's word then decides alone.
            tokens.settlement = clob.nr.map(|is_neg_risk| match is_neg_risk {
                true => Settlement::NegRisk,
                false => Settlement::Standard,
            });
        }
        let number = |field: &str, raw: &Option<Box<RawValue>>, decimals: u32| {
            let raw = raw.as_deref().ok_or_else(|| self.wrong(field, "missing"))?;
            scaled(raw, decimals)
                .map_err(|error| self.wrong(field, format!("{error}: {}", raw.get())))
        };
        let step = number("mts", &clob.mts, 4)?;
        let grid = u16::try_from(step).ok().and_then(PriceGrid::uniform);
        let grid = grid.ok_or_else(|| self.wrong("mts", "not a price step"))?;
        let least = Quantity::from_units(number("mos", &clob.mos, 6)?)
            .ok_or_else(|| self.wrong("mos", "not a quantity"))?;
        let notional = Money::from_micros(facts::NOTIONAL_MIN_DOLLARS * Money::DOLLAR);
        let schedule = self.raw.fee_schedule.as_deref();
        Ok(Market {
            venue: Venue::Polymarket,
            id: self.condition.clone(),
            title: self.title.clone(),
            event: self.event.clone(),
            group: self.group.clone(),
            grid: Some(grid),
            fee: fee(clob.fd.as_deref(), self.raw.fees_enabled, schedule),
            minimum: Minimum { quantity: least, notional },
            status: self.status(&clob),
            // Gamma's `endDate` is the planned end, often neither that of trading nor that of the
            // event: the venue does not say when trading ends.
            closes: None,
            starts: self.starts(&clob),
            delay: self.delay(&clob)?,
            shard: None,
            rules: Some(crate::domain::market::rules_hash(&self.rules)),
            basis: self.basis(),
            yes_pays: self.yes_pays(),
            tokens: Some(tokens),
        })
    }

    /// What a contract of the first outcome pays, once the market has resolved. Resolution knows
    /// one outcome, the other, and half of each; any other price is a price and no payment.
    fn yes_pays(&self) -> Option<Money> {
        let said = self.raw.resolution_status.as_deref();
        let said = said.or(self.raw.uma_resolution_status.as_deref());
        if self.raw.closed != Some(true) || said != Some("resolved") {
            return None;
        }
        let [yes, no] = self.two("outcomePrices", self.raw.outcome_prices.as_deref()).ok()?;
        let (yes, no) = (Money::parse(&yes).ok()?, Money::parse(&no).ok()?);
        let is_payout = [0, Money::DOLLAR / 2, Money::DOLLAR].contains(&yes.micros());
        (is_payout && (yes + no).micros() == Money::DOLLAR).then_some(yes)
    }

    fn cross_check(&self, clob: &wire::ClobMarket, tokens: &Tokens) -> Result<(), Error> {
        if let Some(said) = clob.c.as_deref()
            && condition(said).as_deref() != Some(self.condition.as_str())
        {
            return Err(self.wrong("c", format!("the order book is of {said}")));
        }
        if clob.v.is_some() && clob.v != self.raw.version {
            return Err(self.wrong("v", "Gamma and the order book name different versions"));
        }
        if let (Some(ours), Some(theirs)) = (self.raw.neg_risk, clob.nr)
            && ours != theirs
        {
            return Err(self.wrong("nr", "Gamma and the order book disagree on negative risk"));
        }
        let label_of = |token: &str| clob.t.iter().find(|one| one.t == token).map(|one| &one.o);
        for (token, label) in [(&tokens.yes, &tokens.yes_label), (&tokens.no, &tokens.no_label)] {
            match label_of(token) {
                Some(said) if said.eq_ignore_ascii_case(label) => {}
                Some(said) => {
                    return Err(self.wrong("t", format!("token of {label} is labelled {said}")));
                }
                None => return Err(self.wrong("t", format!("no token {token}"))),
            }
        }
        if clob.t.len() == 2 { Ok(()) } else { Err(self.wrong("t", "not two tokens")) }
    }

    fn status(&self, clob: &wire::ClobMarket) -> Status {
        let raw = &self.raw;
        if raw.closed == Some(true) || raw.enable_order_book == Some(false) {
            return Status::Closed;
        }
        let refused = raw.active == Some(false) || raw.accepting_orders == Some(false);
        let accepts = clob.ao.or(raw.accepting_orders) == Some(true);
        if accepts && !refused { Status::Open } else { Status::Paused }
    }

    /// The earliest start that either source names: near it, no new position is taken.
    fn starts(&self, clob: &wire::ClobMarket) -> Option<Timestamp> {
        let said = [&clob.gst, &self.raw.game_start_time, &self.raw.event_start_time];
        said.into_iter().filter_map(|text| text.as_deref().and_then(time)).min()
    }

    /// The longest delay that either source names.
    fn delay(&self, clob: &wire::ClobMarket) -> Result<Duration, Error> {
        let mut longest =
            if clob.itode == Some(true) { facts::ITODE_DELAY } else { Duration::ZERO };
        for (field, raw) in [("sd", &clob.sd), ("secondsDelay", &self.raw.seconds_delay)] {
            let Some(raw) = raw.as_deref() else { continue };
            let millis = scaled(raw, 3).ok().and_then(|millis| u64::try_from(millis).ok());
            let millis = millis.ok_or_else(|| self.wrong(field, raw.get()))?;
            longest = longest.max(Duration::from_millis(millis));
        }
        Ok(longest)
    }
}

/// A fee both sources agree on: `fd` of the CLOB, against Gamma's `feeSchedule` and `feesEnabled`.
fn fee(fd: Option<&RawValue>, enabled: Option<bool>, schedule: Option<&RawValue>) -> FeePlan {
    let ours = fd.map(|raw| {
        let fd: wire::Fd<'_> = serde_json::from_str(raw.get()).ok()?;
        model(fd.r, fd.e, fd.to)
    });
    let theirs = schedule.map(|raw| {
        let said: wire::FeeSchedule<'_> = serde_json::from_str(raw.get()).ok()?;
        model(said.rate, said.exponent, said.taker_only)
    });
    let free = FeeModel::polymarket(Rate::ZERO, 1);
    let is_free = |model: FeeModel| model.rate == Rate::ZERO;
    let agreed = match (ours, theirs) {
        // Something is there that could not be understood.
        (Some(None), _) | (_, Some(None)) => None,
        (Some(Some(ours)), Some(Some(theirs))) => {
            let same = ours == theirs || (is_free(ours) && is_free(theirs));
            same.then_some(ours).filter(|model| enabled != Some(false) || is_free(*model))
        }
        // Only the CLOB names a rate: Gamma must not deny a fee, nor promise one that is none.
        (Some(Some(ours)), None) => {
            let denied = enabled == Some(false) && !is_free(ours);
            let promised = enabled == Some(true) && is_free(ours);
            (!denied && !promised).then_some(ours)
        }
        (None, Some(Some(theirs))) => {
            if is_free(theirs) {
                free
            } else {
                None
            }
        }
        (None, None) => {
            if enabled == Some(true) {
                None
            } else {
                free
            }
        }
    };
    agreed.map_or_else(FeePlan::unknown, FeePlan::constant)
}

fn model(rate: &RawValue, exponent: &RawValue, taker_only: bool) -> Option<FeeModel> {
    let rate = Rate::parse(&plain(unquoted(rate.get())).ok()?).ok()?;
    let exponent = parse_scaled(&plain(unquoted(exponent.get())).ok()?, 0).ok()?;
    // A fee for makers too has not been seen, and what it would mean for a taker is not known.
    if taker_only { FeeModel::polymarket(rate, u8::try_from(exponent).ok()?) } else { None }
}

/// RFC 3339, or Gamma's `2026-12-24 18:30:00+00`.
fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    Timestamp::parse(text).or_else(|| {
        let text = text.replacen(' ', "T", 1);
        let hours_only = text.len() > 3 && matches!(text.as_bytes()[text.len() - 3], b'+' | b'-');
        Timestamp::parse(&if hours_only { format!("{text}:00") } else { text })
    })
}

/// Whether a token id is a position of Protocol V2: its bits 40 to 103 are all zero. `None` for
/// what is not a 256-bit decimal number.
pub fn is_v2_id(text: &str) -> Option<bool> {
    if text.is_empty() || text.len() > 78 {
        return None;
    }
    // Four limbs of 64 bits, lowest first.
    let mut limbs = [0u64; 4];
    for byte in text.bytes() {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        let mut carry = u128::from(digit);
        for limb in &mut limbs {
            let product = u128::from(*limb) * 10 + carry;
            *limb = u64::try_from(product & u128::from(u64::MAX)).ok()?;
            carry = product >> 64;
        }
        if carry != 0 {
            return None;
        }
    }
    let low = u128::from(limbs[0]) | (u128::from(limbs[1]) << 64);
    Some((low >> 40).trailing_zeros() >= 64)
}

#[cfg(test)]
mod tests;
