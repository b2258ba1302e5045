//! The bodies of order requests, and refusals in the venue's shapes.

use serde_json::{Map, Value, json};

use crate::domain::{Price, Quantity, Side};
use crate::exchange::Reply;
use crate::exchange::matching::SelfTrade;

use super::order::TimeInForce;

/// Why a request of a member is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::exchange::kalshi) struct Refused {
    status: u16,
    code: &'static str,
    details: Option<&'static str>,
    shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// `{"error": {…}}`
    Nested,
    /// `{"code": …}`, of bodies that cannot be read.
    Flat,
}

impl Refused {
    pub(super) const fn new(status: u16, code: &'static str) -> Self {
        Self { status, code, details: None, shape: Shape::Nested }
    }

    pub(super) const fn with(status: u16, code: &'static str, details: &'static str) -> Self {
        Self { status, code, details: Some(details), shape: Shape::Nested }
    }

    /// A body that is not what the schema says.
    pub(super) const fn unreadable(details: &'static str) -> Self {
        let shape = Shape::Flat;
        Self { status: 400, code: "bad_request", details: Some(details), shape }
    }

    pub(super) const fn invalid(details: &'static str) -> Self {
        Self::with(400, "invalid_order", details)
    }

    /// The error object.
    pub(super) fn value(&self) -> Value {
        let mut error = json!({"code": self.code, "message": self.code.replace('_', " ")});
        if let Some(details) = self.details {
            error["details"] = details.into();
        }
        error
    }

    pub(super) fn reply(&self) -> Reply {
        let body = match self.shape {
            Shape::Nested => json!({"error": self.value()}),
            Shape::Flat => self.value(),
        };
        Reply::json(self.status, &body)
    }
}

/// A JSON object whose fields are read one by one, each with its type.
#[derive(Debug)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn parse(body: &[u8]) -> Result<Self, Refused> {
        Self::of(serde_json::from_slice(body).map_err(|_| Refused::unreadable("invalid JSON"))?)
    }

    pub(super) fn of(value: Value) -> Result<Self, Refused> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(Refused::unreadable("a JSON object was expected")),
        }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// The objects of a list.
    pub(super) fn list(&self, name: &'static str) -> Result<Vec<Value>, Refused> {
        let list = self.get(name).and_then(Value::as_array).cloned();
        list.ok_or(Refused::unreadable(name))
    }

    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>, Refused> {
        let read = |value: &'_ Value| value.is_string();
        match self.get(name) {
            Some(value) if !read(value) => Err(Refused::unreadable(name)),
            value => Ok(value.and_then(Value::as_str).filter(|text| !text.is_empty())),
        }
    }

    pub(super) fn required(&self, name: &'static str) -> Result<&str, Refused> {
        self.text(name)?.ok_or(Refused::unreadable(name))
    }

    pub(super) fn flag(&self, name: &'static str) -> Result<bool, Refused> {
        self.get(name).map_or(Ok(false), |value| value.as_bool().ok_or(Refused::unreadable(name)))
    }

    pub(super) fn integer(&self, name: &'static str) -> Result<Option<i64>, Refused> {
        self.get(name).map(|value| value.as_i64().ok_or(Refused::unreadable(name))).transpose()
    }

    /// Contracts as text with at most two decimals.
    pub(super) fn count(&self, name: &'static str) -> Result<Option<Quantity>, Refused> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let count = Quantity::parse(text).ok().filter(|_| decimals <= 2);
        count.map(Some).ok_or(Refused::invalid("invalid count"))
    }

    pub(super) fn price(&self) -> Result<Price, Refused> {
        let text = self.required("price")?;
        Price::parse(text).map_err(|_| Refused::new(400, "invalid_price"))
    }

    pub(super) fn side(&self) -> Result<Side, Refused> {
        match self.required("side")? {
            "bid" => Ok(Side::Bid),
            "ask" => Ok(Side::Ask),
            _ => Err(Refused::unreadable("side")),
        }
    }
}

/// An order as a member asks for it.
#[derive(Debug, Clone)]
pub(in crate::exchange::kalshi) struct Ticket {
    pub(super) ticker: String,
    pub(super) client: Option<String>,
    pub(super) side: Side,
    pub(super) count: Quantity,
    pub(super) price: Price,
    pub(super) force: TimeInForce,
    pub(super) self_trade: SelfTrade,
    pub(super) expires: Option<i64>,
    pub(super) post_only: bool,
    pub(super) reduce_only: bool,
    pub(super) cancels_on_pause: bool,
    pub(super) group: Option<String>,
    pub(super) shard: Option<i64>,
}

impl Ticket {
    pub(in crate::exchange::kalshi) fn parse(body: &[u8]) -> Result<Self, Refused> {
        Self::of(&Fields::parse(body)?)
    }

    pub(super) fn of(fields: &Fields) -> Result<Self, Refused> {
        let force = match fields.required("time_in_force")? {
            "fill_or_kill" => TimeInForce::FillOrKill,
            "immediate_or_cancel" => TimeInForce::ImmediateOrCancel,
            "good_till_canceled" => TimeInForce::GoodTillCanceled,
            _ => return Err(Refused::unreadable("time_in_force")),
        };
        let self_trade = match fields.required("self_trade_prevention_type")? {
            "taker_at_cross" => SelfTrade::TakerStops,
            "maker" => SelfTrade::MakerGoes,
            _ => return Err(Refused::unreadable("self_trade_prevention_type")),
        };
        if fields.integer("subaccount")?.is_some_and(|subaccount| subaccount != 0) {
            return Err(Refused::invalid("no such subaccount"));
        }
        let ticket = Self {
            ticker: fields.required("ticker")?.to_owned(),
            client: fields.text("client_order_id")?.map(str::to_owned),
            side: fields.side()?,
            count: fields.count("count")?.ok_or(Refused::unreadable("count"))?,
            price: fields.price()?,
            force,
            self_trade,
            expires: fields.integer("expiration_time")?,
            post_only: fields.flag("post_only")?,
            reduce_only: fields.flag("reduce_only")?,
            cancels_on_pause: fields.flag("cancel_order_on_pause")?,
            group: fields.text("order_group_id")?.map(str::to_owned),
            shard: fields.integer("exchange_index")?,
        };
        ticket.consistent()
    }

    /// Refuses fields that do not go together.
    fn consistent(self) -> Result<Self, Refused> {
        let rests = self.force == TimeInForce::GoodTillCanceled;
        if self.count.is_zero() {
            return Err(Refused::invalid("invalid count"));
        }
        if self.reduce_only && self.force != TimeInForce::ImmediateOrCancel {
            return Err(Refused::invalid("reduce only orders must be immediate or cancel"));
        }
        if self.expires.is_some() && !rests {
            return Err(Refused::invalid("expiration needs good till canceled"));
        }
        if self.post_only && !rests {
            return Err(Refused::invalid("post only needs good till canceled"));
        }
        Ok(self)
    }
}
