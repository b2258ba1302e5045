//! The hot frames as serde reads them: one pass, straight into the scratch.
//!
//! Entries of unknown tokens are passed over. An entry that makes no sense does not stop the pass:
//! the first one is noted, and the caller refuses the frame with its name.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::book::Level;
use crate::domain::{Price, Quantity, Side};
use crate::venue::Error;
use crate::venue::polymarket::error::unreadable;
use crate::venue::polymarket::wire;

use super::{Change, Place, Scratch, about, change};

/// What a frame says outside of its arrays.
#[derive(Default)]
pub(super) struct Head<'a> {
    pub asset: Option<&'a str>,
    pub timestamp: Option<&'a str>,
    pub has_changes: bool,
    pub has_bids: bool,
    pub has_asks: bool,
}

pub(super) fn read<'a, F: Fn(&str) -> Option<Place>>(
    text: &'a str,
    frame: Frame<'_, F>,
    event: &str,
) -> Result<Head<'a>, Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = frame.deserialize(&mut deserializer);
    let ended = read.and_then(|head| deserializer.end().map(|()| head));
    ended.map_err(|error| unreadable(about(event, text), &error))
}

/// The first item that made no sense: its field and its text.
pub(super) type Failed = Option<(&'static str, String)>;

/// A `book` or `price_change`, decoded straight into the scratch.
pub(super) struct Frame<'s, F> {
    pub resolve: &'s F,
    pub scratch: &'s mut Scratch,
    pub failed: &'s mut Failed,
}

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    AssetId,
    Timestamp,
    PriceChanges,
    Bids,
    Asks,
    #[serde(other)]
    Other,
}

impl<'de, F: Fn(&str) -> Option<Place>> DeserializeSeed<'de> for Frame<'_, F> {
    type Value = Head<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Head<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: Fn(&str) -> Option<Place>> Visitor<'de> for Frame<'_, F> {
    type Value = Head<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of the market channel")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Head<'de>, A::Error> {
        let mut head = Head::default();
        while let Some(key) = map.next_key()? {
            match key {
                Key::AssetId => head.asset = Some(map.next_value()?),
                Key::Timestamp => head.timestamp = Some(map.next_value()?),
                Key::PriceChanges => {
                    head.has_changes = true;
                    let resolve = self.resolve;
                    let items = &mut self.scratch.changes;
                    map.next_value_seed(Changes { resolve, items, failed: self.failed })?;
                }
                Key::Bids => {
                    head.has_bids = true;
                    let items = &mut self.scratch.levels;
                    map.next_value_seed(Levels { side: Side::Bid, items, failed: self.failed })?;
                }
                Key::Asks => {
                    head.has_asks = true;
                    let items = &mut self.scratch.levels;
                    map.next_value_seed(Levels { side: Side::Ask, items, failed: self.failed })?;
                }
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(head)
    }
}

struct Changes<'s, F> {
    resolve: &'s F,
    items: &'s mut Vec<Change>,
    failed: &'s mut Failed,
}

impl<'de, F: Fn(&str) -> Option<Place>> DeserializeSeed<'de> for Changes<'_, F> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: Fn(&str) -> Option<Place>> Visitor<'de> for Changes<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of price changes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(item) = seq.next_element::<wire::Change<'de>>()? {
            let Some(place) = (self.resolve)(item.asset_id) else { continue };
            match change(place, &item) {
                Ok(change) => self.items.push(change),
                Err((field, said)) => {
                    self.failed.get_or_insert_with(|| (field, said.to_owned()));
                }
            }
        }
        Ok(())
    }
}

struct Levels<'s> {
    side: Side,
    items: &'s mut Vec<(Side, Level)>,
    failed: &'s mut Failed,
}

impl<'de> DeserializeSeed<'de> for Levels<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Levels<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of levels")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(item) = seq.next_element::<wire::Level<'de>>()? {
            match (Price::parse(item.price), Quantity::parse(item.size)) {
                (Ok(price), Ok(quantity)) => {
                    self.items.push((self.side, Level { price, quantity }));
                }
                (Err(_), _) => {
                    self.failed.get_or_insert_with(|| ("price", item.price.to_owned()));
                }
                (_, Err(_)) => {
                    self.failed.get_or_insert_with(|| ("size", item.size.to_owned()));
                }
            }
        }
        Ok(())
    }
}
