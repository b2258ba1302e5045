//! What held for a pair when a person accepted it: its own limits, and when and at which prices its
//! markets trade.
//!
//! The fingerprint of a pair is what its mapping file says; these terms are what the file may
//! change without a new look, and what only the venues say. Limits that became looser than the
//! accepted ones are held back. A venue that moved a close or the start of a game, or changed the
//! prices that it takes, has changed what was accepted; but a Polymarket market whose price comes
//! near nothing or a dollar takes finer prices from then on, as every market there does: finer is
//! no change there.

use serde_json::{Value, json};

use crate::domain::market::Band;
use crate::domain::{Market, Money, Price, PriceGrid, Quantity, Timestamp, Venue};
use crate::pairing::Limits;

/// What a venue said of a market.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// When trading ends.
    closes: Option<Timestamp>,
    /// When the game begins.
    starts: Option<Timestamp>,
    /// Which prices are taken.
    grid: Option<PriceGrid>,
    /// What decides beside the rules.
    basis: Option<String>,
}

/// What held when a pair was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    limits: Limits,
    /// Kalshi's market, then Polymarket's.
    seen: [Facts; 2],
}

impl Facts {
    /// What is known of a market.
    pub fn of(market: &Market) -> Self {
        let Market { closes, starts, grid, basis, .. } = market.clone();
        Self { closes, starts, grid, basis }
    }

    /// How a market differs from this, in words.
    fn apart(&self, venue: Venue, market: &Market) -> Option<String> {
        let when =
            |at: Option<Timestamp>| at.map_or_else(|| "not told".to_owned(), |at| at.to_string());
        let moments = [
            ("close", self.closes, market.closes),
            ("start of the game", self.starts, market.starts),
        ];
        if let Some((what, old, new)) = moments.into_iter().find(|(_, old, new)| old != new) {
            return Some(format!("{venue} moved the {what}: {} -> {}", when(old), when(new)));
        }
        if self.basis != market.basis {
            let told =
                |basis: &Option<String>| basis.clone().unwrap_or_else(|| "nothing".to_owned());
            let (old, new) = (told(&self.basis), told(&market.basis));
            return Some(format!("{venue} changed what decides: {old} -> {new}"));
        }
        let is_same = match (&self.grid, &market.grid, venue) {
            (old, new, Venue::Kalshi) => old == new,
            (Some(old), Some(new), Venue::Polymarket) => takes_all(new, old),
            (old, new, Venue::Polymarket) => old == new,
        };
        let (old, new) = (steps(self.grid.as_ref()), steps(market.grid.as_ref()));
        (!is_same).then(|| format!("{venue} changed the prices it takes: {old} -> {new}"))
    }

    fn out(&self) -> Value {
        let grid = self.grid.as_ref().map(|grid| {
            grid.bands().iter().map(|band| [band.start, band.end, band.step]).collect::<Vec<_>>()
        });
        json!({
            "closes_nanos": self.closes.map(Timestamp::nanos),
            "starts_nanos": self.starts.map(Timestamp::nanos),
            "bands": grid,
            "basis": self.basis,
        })
    }

    fn read(value: &Value) -> Option<Self> {
        let (closes, starts) = (moment(value, "closes_nanos")?, moment(value, "starts_nanos")?);
        let grid = match value.get("bands")? {
            Value::Null => None,
            bands => Some(PriceGrid::new(
                bands.as_array()?.iter().map(band).collect::<Option<Vec<_>>>()?,
            )?),
        };
        let basis = match value.get("basis")? {
            Value::Null => None,
            text => Some(text.as_str()?.to_owned()),
        };
        Some(Self { closes, starts, grid, basis })
    }
}

/// A moment that may not have been told; `None` where the field makes no sense.
fn moment(value: &Value, field: &str) -> Option<Option<Timestamp>> {
    match value.get(field)? {
        Value::Null => Some(None),
        nanos => Some(Some(Timestamp::from_nanos(nanos.as_i64()?))),
    }
}

fn band(value: &Value) -> Option<Band> {
    let [start, end, step] = value.as_array()?.as_slice() else { return None };
    let units = |value: &Value| value.as_u64().and_then(|units| u16::try_from(units).ok());
    Some(Band { start: units(start)?, end: units(end)?, step: units(step)? })
}

/// Whether a grid takes every price that another takes.
fn takes_all(grid: &PriceGrid, other: &PriceGrid) -> bool {
    let prices = (1..Price::ONE).filter_map(Price::from_units);
    prices.filter(|price| other.contains(*price)).all(|price| grid.contains(price))
}

/// The steps of a grid, in words.
fn steps(grid: Option<&PriceGrid>) -> String {
    let price = |units: u16| {
        let micros = i64::from(units) * (Money::DOLLAR / i64::from(Price::ONE));
        Money::from_micros(micros).to_string()
    };
    let Some(grid) = grid else { return "not told".to_owned() };
    let bands = grid.bands().iter().map(|band| {
        format!("steps of {} from {} to {}", price(band.step), price(band.start), price(band.end))
    });
    bands.collect::<Vec<_>>().join(", ")
}

impl Terms {
    /// What holds now.
    pub const fn new(limits: Limits, seen: [Facts; 2]) -> Self {
        Self { limits, seen }
    }

    /// How the venues differ from what was accepted, in words; `None` where they do not.
    pub fn apart(&self, kalshi: &Market, polymarket: &Market) -> Option<String> {
        let [at_kalshi, at_polymarket] = &self.seen;
        at_kalshi
            .apart(Venue::Kalshi, kalshi)
            .or_else(|| at_polymarket.apart(Venue::Polymarket, polymarket))
    }

    /// The limits that hold where a file says these, and what of them is held back, in words.
    pub fn restrain(&self, told: Limits) -> (Limits, Option<String>) {
        let accepted = self.limits;
        let contracts_max = match (told.contracts_max, accepted.contracts_max) {
            (Some(told), Some(accepted)) => Some(told.min(accepted)),
            (told, accepted) => told.or(accepted),
        };
        let edge_min = match (told.edge_min, accepted.edge_min) {
            (Some(told), Some(accepted)) => Some(told.max(accepted)),
            (told, accepted) => told.or(accepted),
        };
        let none = || "none".to_owned();
        let mut back = Vec::new();
        if contracts_max != told.contracts_max {
            let [old, new] = [contracts_max, told.contracts_max]
                .map(|count: Option<Quantity>| count.map_or_else(none, |count| count.to_string()));
            back.push(format!("max_contracts {old} -> {new}"));
        }
        if edge_min != told.edge_min {
            let [old, new] = [edge_min, told.edge_min]
                .map(|edge: Option<Money>| edge.map_or_else(none, |edge| edge.to_string()));
            back.push(format!("min_edge {old} -> {new}"));
        }
        let limits = Limits { contracts_max, edge_min, ..told };
        (limits, (!back.is_empty()).then(|| back.join(", ")))
    }

    /// As one JSON object.
    pub fn out(&self) -> Value {
        let Limits { contracts_max, edge_min, .. } = self.limits;
        json!({
            "contracts_max_micros": contracts_max.map(Quantity::units),
            "edge_min_micros": edge_min.map(Money::micros),
            "seen": self.seen.each_ref().map(Facts::out),
        })
    }

    /// What one JSON object says; `None` where it makes no sense.
    pub fn read(value: &Value) -> Option<Self> {
        let contracts_max = match value.get("contracts_max_micros")? {
            Value::Null => None,
            units => Some(Quantity::from_units(units.as_i64()?)?),
        };
        let edge_min = match value.get("edge_min_micros")? {
            Value::Null => None,
            micros => Some(Money::from_micros(micros.as_i64()?)),
        };
        let [kalshi, polymarket] = value.get("seen")?.as_array()?.as_slice() else { return None };
        let seen = [Facts::read(kalshi)?, Facts::read(polymarket)?];
        let limits = Limits { contracts_max, edge_min, ..Limits::default() };
        Some(Self { limits, seen })
    }

    /// What was seen of the venues, in words.
    pub fn words(&self) -> [String; 2] {
        let [kalshi, polymarket] = &self.seen;
        [(Venue::Kalshi, kalshi), (Venue::Polymarket, polymarket)].map(|(venue, facts)| {
            let closes = facts.closes.map(|at| format!("closes {at}"));
            let closes = closes.unwrap_or_else(|| "does not tell when it closes".to_owned());
            let starts = facts.starts.map(|at| format!(", begins {at}")).unwrap_or_default();
            let basis = facts.basis.as_ref().map(|basis| format!("; {basis}")).unwrap_or_default();
            format!("{venue} {closes}{starts}, {}{basis}", steps(facts.grid.as_ref()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::market::{Minimum, Status};
    use crate::domain::{FeeModel, FeePlan, Rate};

    fn market(venue: Venue, step: u16) -> Market {
        let rate = Rate::parse("0.04").unwrap();
        Market {
            venue,
            id: "m".to_owned(),
            title: String::new(),
            event: String::new(),
            group: String::new(),
            grid: PriceGrid::uniform(step),
            fee: FeePlan::constant(FeeModel::kalshi(rate)),
            minimum: Minimum::default(),
            status: Status::Open,
            closes: Some(Timestamp::from_secs(2_000_000_000)),
            starts: None,
            delay: Duration::ZERO,
            shard: None,
            rules: None,
            basis: None,
            yes_pays: None,
            tokens: None,
        }
    }

    fn limits(contracts: Option<u32>, edge: Option<i64>) -> Limits {
        Limits {
            contracts_max: contracts.map(Quantity::contracts),
            edge_min: edge.map(Money::from_micros),
            legs: None,
        }
    }

    fn seen() -> Terms {
        let [kalshi, polymarket] = Venue::ALL.map(|venue| Facts::of(&market(venue, 100)));
        Terms::new(limits(Some(100), Some(10_000)), [kalshi, polymarket])
    }

    #[test]
    fn a_moved_close_and_other_prices_are_told_old_and_new() {
        let [kalshi, polymarket] = Venue::ALL.map(|venue| market(venue, 100));
        assert_eq!(seen().apart(&kalshi, &polymarket), None);
        let closes = Some(Timestamp::from_secs(2_000_003_600));
        let later = Market { closes, ..kalshi };
        let text = seen().apart(&later, &polymarket).unwrap();
        assert!(text.contains("2033-05-18T03:33:20") && text.contains("-> 2033-05-18T04:33:20"));
        for step in [10, 200] {
            let text = seen().apart(&market(Venue::Kalshi, step), &polymarket).unwrap();
            assert!(text.contains("steps of 0.010000"), "{text}");
        }
    }

    #[test]
    fn a_strike_that_moved_is_not_what_was_accepted() {
        let [kalshi, polymarket] = Venue::ALL.map(|venue| market(venue, 100));
        let at = |strike: u32| Market {
            basis: Some(format!("strike_type greater, floor_strike {strike}")),
            ..kalshi.clone()
        };
        let terms = Terms::new(limits(None, None), [Facts::of(&at(50)), Facts::of(&polymarket)]);
        assert_eq!(terms.apart(&at(50), &polymarket), None);
        let text = terms.apart(&at(55), &polymarket).unwrap();
        assert!(text.contains("floor_strike 50 -> strike_type greater, floor_strike 55"), "{text}");
        assert!(terms.apart(&kalshi, &polymarket).is_some(), "it is not told any more");
    }

    #[test]
    fn a_game_that_was_postponed_is_not_what_was_accepted() {
        let [kalshi, polymarket] = Venue::ALL.map(|venue| market(venue, 100));
        let starts =
            |secs| Market { starts: Some(Timestamp::from_secs(secs)), ..polymarket.clone() };
        let accepted = [Facts::of(&kalshi), Facts::of(&starts(1_900_000_000))];
        let terms = Terms::new(limits(None, None), accepted);
        assert_eq!(terms.apart(&kalshi, &starts(1_900_000_000)), None);
        for moved in [starts(1_900_086_400), polymarket] {
            let text = terms.apart(&kalshi, &moved).unwrap();
            assert!(text.contains("moved the start of the game: 2030-03-17"), "{text}");
        }
        assert!(terms.words()[1].contains("begins 2030-03-17"));
    }

    #[test]
    fn a_finer_tick_is_ordinary_on_polymarket_and_a_coarser_one_is_not() {
        let kalshi = market(Venue::Kalshi, 100);
        assert_eq!(seen().apart(&kalshi, &market(Venue::Polymarket, 10)), None);
        assert!(seen().apart(&kalshi, &market(Venue::Polymarket, 200)).is_some());
    }

    #[test]
    fn looser_limits_are_held_back_and_tighter_ones_hold_at_once() {
        let tighter = limits(Some(50), Some(20_000));
        assert_eq!(seen().restrain(tighter), (tighter, None));
        for looser in [limits(Some(500), Some(1)), limits(None, None)] {
            let (holds, back) = seen().restrain(looser);
            assert_eq!(holds, limits(Some(100), Some(10_000)));
            let back = back.unwrap();
            assert!(back.contains("max_contracts 100.00 -> ") && back.contains("min_edge"));
        }
        let free = Terms::new(limits(None, None), seen().seen);
        assert_eq!(free.restrain(tighter), (tighter, None));
    }

    #[test]
    fn terms_come_back_as_they_were() {
        let mut unknown = seen();
        let [kalshi, _] = &mut unknown.seen;
        (kalshi.closes, kalshi.grid) = (None, None);
        kalshi.starts = Some(Timestamp::from_secs(1_900_000_000));
        kalshi.basis = Some("strike_type greater, floor_strike 50".to_owned());
        for terms in [seen(), unknown, Terms::new(limits(None, None), seen().seen)] {
            let text = terms.out().to_string();
            assert_eq!(Terms::read(&serde_json::from_str(&text).unwrap()), Some(terms));
        }
        for broken in ["seen", "edge_min_micros"] {
            let mut value = seen().out();
            value[broken] = json!("whatever");
            assert_eq!(Terms::read(&value), None, "{broken}");
        }
        let mut value = seen().out();
        value["seen"] = Value::Null;
        assert_eq!(Terms::read(&value), None, "nobody asked the venues");
    }
}
