//! Fee types and their changes to a fee over time.

use serde_json::value::RawValue;

use crate::domain::fee::Multiplier;
use crate::domain::{FeeModel, FeePlan, Rate, Timestamp};
use crate::venue::Error;

use super::super::facts;
use super::super::wire::http;
use super::{malformed, misread};

/// A fee as the venue names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fee {
    /// The formula's name.
    pub kind: String,
    /// The scale of the formula, as decimal text.
    pub multiplier: String,
}

impl Fee {
    /// The taker fee it stands for; `None` for a formula or a scale that is not understood.
    pub fn model(&self) -> Option<FeeModel> {
        if !facts::QUADRATIC_FEE_TYPES.contains(&self.kind.as_str()) {
            return None;
        }
        let multiplier = Multiplier::parse(&self.multiplier).ok()?;
        let rate = Rate::from_millionths(facts::TAKER_RATE_MILLIONTHS)?.times(multiplier)?;
        Some(FeeModel::kalshi(rate))
    }

    fn from_parts(kind: Option<&str>, multiplier: Option<&RawValue>) -> Option<Self> {
        let kind = kind.filter(|kind| !kind.is_empty())?.to_owned();
        // A type without a multiplier is not taken as one times the type: nobody said so.
        let multiplier = multiplier.map(number_text).unwrap_or_default();
        Some(Self { kind, multiplier })
    }
}

/// From when on another fee holds; for an event, no fee means that the series' holds again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeChange {
    /// The moment of effect.
    pub from: Timestamp,
    /// What holds from then on.
    pub fee: Option<Fee>,
}

/// The fee of a series.
pub fn series_fee(series: &http::Series) -> Option<Fee> {
    Fee::from_parts(series.fee_type.as_deref(), series.fee_multiplier.as_deref())
}

/// The fee that an event sets in place of its series'.
pub fn event_fee(event: &http::Event) -> Option<Fee> {
    Fee::from_parts(event.fee_type_override.as_deref(), event.fee_multiplier_override.as_deref())
}

/// Reads the announced changes of a series' fee.
pub fn series_fee_changes(text: &str, series: &str) -> Result<Vec<FeeChange>, Error> {
    let what = format!("fee changes of series {series}");
    let answer: http::SeriesFeeChanges =
        serde_json::from_str(text).map_err(|error| misread(&what, text, &error))?;
    let ours = |change: &&http::FeeChange| {
        change.series_ticker.as_deref().is_none_or(|ticker| ticker == series)
    };
    answer.series_fee_change_arr.iter().filter(ours).map(|raw| change(&what, raw)).collect()
}

/// Reads the announced changes of an event's fee.
pub fn event_fee_changes(text: &str, event: &str) -> Result<Vec<FeeChange>, Error> {
    let what = format!("fee changes of event {event}");
    let answer: http::EventFeeChanges =
        serde_json::from_str(text).map_err(|error| misread(&what, text, &error))?;
    let ours = |change: &&http::FeeChange| {
        change.event_ticker.as_deref().is_none_or(|ticker| ticker == event)
    };
    answer.event_fee_change_arr.iter().filter(ours).map(|raw| change(&what, raw)).collect()
}

fn change(what: &str, raw: &http::FeeChange) -> Result<FeeChange, Error> {
    let text = raw.scheduled_ts.as_deref().map(number_text).unwrap_or_default();
    let seconds = || text.parse().ok().map(Timestamp::from_secs);
    let from = Timestamp::parse(&text)
        .or_else(seconds)
        .ok_or_else(|| malformed(what, "scheduled_ts", format_args!("{text:?} is no time")))?;
    let fee = Fee::from_parts(raw.fee_type.as_deref(), raw.fee_multiplier.as_deref());
    Ok(FeeChange { from, fee })
}

/// A JSON number, or a text that holds one, as it is written.
fn number_text(raw: &RawValue) -> String {
    let text = raw.get();
    if text == "null" {
        return String::new();
    }
    serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned())
}

/// The fee of a market over time: the event's where it sets one, else the series'.
///
/// `as_of` is when series and event were read: what changed before it is in them already.
pub fn fee_plan(
    series: Option<&Fee>,
    event: Option<&Fee>,
    series_changes: &[FeeChange],
    event_changes: &[FeeChange],
    as_of: Timestamp,
) -> FeePlan {
    let model = |fee: Option<&Fee>| fee.and_then(Fee::model);
    let mut plan = FeePlan::unknown();
    plan.change_at(Timestamp::ZERO, model(event.or(series)));
    let mut moments: Vec<Timestamp> =
        series_changes.iter().chain(event_changes).map(|change| change.from).collect();
    moments.retain(|from| *from > as_of);
    moments.sort_unstable();
    moments.dedup();
    for moment in moments {
        let event = in_force(event, event_changes, as_of, moment);
        let series = in_force(series, series_changes, as_of, moment);
        plan.change_at(moment, model(event.or(series)));
    }
    plan
}

/// The last word at `moment`: the newest change up to it, or what was read.
fn in_force<'a>(
    read: Option<&'a Fee>,
    changes: &'a [FeeChange],
    as_of: Timestamp,
    moment: Timestamp,
) -> Option<&'a Fee> {
    let due = changes.iter().filter(|change| change.from > as_of && change.from <= moment);
    match due.max_by_key(|change| change.from) {
        Some(change) => change.fee.as_ref(),
        None => read,
    }
}
