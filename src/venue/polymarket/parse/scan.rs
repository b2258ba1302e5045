//! A scanner for exactly the two hot shapes.
//!
//! It reads flat objects of strings without escapes, in any order of keys and with any white space,
//! and gives up (`None`) at whatever else it meets: an escape, a number, a key it does not know, a
//! key that comes twice, a price that is none. Giving up costs a second reading by serde and
//! nothing more, so this file never has to judge what is wrong. A property test holds the two
//! readings equal.
//!
//! Entries and levels, of which a frame has many, are first read as the venue writes them today:
//! these keys in this order. What differs is read key by key.

use crate::book::Level;
use crate::domain::decimal::leading_scaled;
use crate::domain::{Price, Quantity, Side, Timestamp};

use super::{Best, Change, Image, Place, change, orient, timestamp};
use crate::venue::polymarket::wire;

/// The event type, where it stands first or last in the object and is a plain string.
pub fn event_type(text: &str) -> Option<&str> {
    last(text).or_else(|| first(text))
}

fn last(text: &str) -> Option<&str> {
    for (end, name) in
        [("\"event_type\":\"price_change\"}", "price_change"), ("\"event_type\":\"book\"}", "book")]
    {
        if let Some(before) = text.strip_suffix(end) {
            return (text.starts_with('{') && !before.ends_with('\\')).then_some(name);
        }
    }
    let (before, name) = text.strip_suffix("\"}")?.rsplit_once('"')?;
    let before = before.trim_end().strip_suffix(':')?.trim_end();
    let before = before.strip_suffix("\"event_type\"")?;
    // An object that ends here and began with the text is the frame itself, not one inside it.
    let plain = !before.ends_with('\\') && text.starts_with('{') && !name.contains('\\');
    plain.then_some(name)
}

fn first(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("{\"event_type\":")?.trim_start();
    let (name, _) = rest.strip_prefix('"')?.split_once('"')?;
    (!name.contains('\\')).then_some(name)
}

/// Decodes a `price_change`; `None` where the shape is not exactly as expected.
pub fn price_change(
    text: &str,
    resolve: &impl Fn(&str) -> Option<Place>,
    changes: &mut Vec<Change>,
) -> Option<Option<Timestamp>> {
    let mut cursor = Cursor::new(text);
    let (mut source, mut has_changes) = (None, false);
    cursor.eat(b'{')?;
    loop {
        match cursor.key()? {
            "price_changes" if !has_changes => {
                has_changes = true;
                cursor.list(|cursor| one_change(cursor, resolve, changes))?;
            }
            "timestamp" if source.is_none() => source = Some(cursor.string()?),
            "market" | "event_type" => {
                cursor.string()?;
            }
            _ => return None,
        }
        if cursor.is_last(b'}')? {
            break;
        }
    }
    cursor.end()?;
    if !has_changes { None } else { source_of(source) }
}

fn one_change(
    cursor: &mut Cursor<'_>,
    resolve: &impl Fn(&str) -> Option<Place>,
    changes: &mut Vec<Change>,
) -> Option<()> {
    let start = cursor.at;
    if usual_change(cursor, resolve, changes).is_some() {
        return Some(());
    }
    cursor.at = start;
    any_change(cursor, resolve, changes)
}

/// An entry as it is written today.
fn usual_change(
    cursor: &mut Cursor<'_>,
    resolve: &impl Fn(&str) -> Option<Place>,
    changes: &mut Vec<Change>,
) -> Option<()> {
    cursor.pass(r#"{"asset_id":""#)?;
    let asset = cursor.close_string()?;
    cursor.follows(r#""price":""#)?;
    let price = cursor.price()?;
    cursor.follows(r#""size":""#)?;
    let quantity = cursor.quantity()?;
    cursor.follows(r#""side":""#)?;
    let side = if cursor.pass(r#"BUY""#).is_some() {
        Side::Bid
    } else {
        cursor.pass(r#"SELL""#)?;
        Side::Ask
    };
    cursor.follows(r#""hash":""#)?;
    cursor.close_string()?;
    cursor.follows(r#""best_bid":""#)?;
    let bid = cursor.best_price()?;
    cursor.follows(r#""best_ask":""#)?;
    let ask = cursor.best_price()?;
    cursor.pass("}")?;
    if let Some(Place { market, outcome }) = resolve(asset) {
        let best = Some(Best { bid, ask }.of_yes(outcome));
        changes.push(Change { market, side, price, quantity, best }.of_yes(outcome));
    }
    Some(())
}

fn any_change(
    cursor: &mut Cursor<'_>,
    resolve: &impl Fn(&str) -> Option<Place>,
    changes: &mut Vec<Change>,
) -> Option<()> {
    let (mut asset_id, mut price, mut size, mut side) = (None, None, None, None);
    let (mut best_bid, mut best_ask, mut hash) = (None, None, None);
    cursor.eat(b'{')?;
    loop {
        let slot = match cursor.key()? {
            "asset_id" => &mut asset_id,
            "price" => &mut price,
            "size" => &mut size,
            "side" => &mut side,
            "best_bid" => &mut best_bid,
            "best_ask" => &mut best_ask,
            "hash" => &mut hash,
            _ => return None,
        };
        if slot.replace(cursor.string()?).is_some() {
            return None;
        }
        if cursor.is_last(b'}')? {
            break;
        }
    }
    let (asset_id, price, size, side) = (asset_id?, price?, size?, side?);
    if let Some(place) = resolve(asset_id) {
        let item = wire::Change { asset_id, price, size, side, best_bid, best_ask };
        changes.push(change(place, &item).ok()?);
    }
    Some(())
}

/// Decodes a `book`; `None` where the shape is not exactly as expected.
pub fn book(
    text: &str,
    resolve: &impl Fn(&str) -> Option<Place>,
    levels: &mut Vec<(Side, Level)>,
) -> Option<Image> {
    let mut cursor = Cursor::new(text);
    let (mut source, mut asset, mut has_bids, mut has_asks) = (None, None, false, false);
    cursor.eat(b'{')?;
    loop {
        match cursor.key()? {
            "bids" if !has_bids => {
                has_bids = true;
                cursor.list(|cursor| one_level(cursor, Side::Bid, levels))?;
            }
            "asks" if !has_asks => {
                has_asks = true;
                cursor.list(|cursor| one_level(cursor, Side::Ask, levels))?;
            }
            "timestamp" if source.is_none() => source = Some(cursor.string()?),
            "asset_id" if asset.is_none() => asset = Some(cursor.string()?),
            "bids" | "asks" | "timestamp" | "asset_id" | "price_changes" => return None,
            _ => cursor.plain()?,
        }
        if cursor.is_last(b'}')? {
            break;
        }
    }
    cursor.end()?;
    if !has_bids || !has_asks {
        return None;
    }
    let place = resolve(asset?);
    let source = source_of(source)?;
    orient(place, levels);
    Some(Image { place, source })
}

fn one_level(cursor: &mut Cursor<'_>, side: Side, levels: &mut Vec<(Side, Level)>) -> Option<()> {
    let start = cursor.at;
    let level = match usual_level(cursor) {
        Some(level) => level,
        None => {
            cursor.at = start;
            any_level(cursor)?
        }
    };
    levels.push((side, level));
    Some(())
}

/// A level as it is written today.
#[inline]
fn usual_level(cursor: &mut Cursor<'_>) -> Option<Level> {
    cursor.pass(r#"{"price":""#)?;
    let price = cursor.price()?;
    cursor.follows(r#""size":""#)?;
    let quantity = cursor.quantity()?;
    cursor.pass("}")?;
    Some(Level { price, quantity })
}

fn any_level(cursor: &mut Cursor<'_>) -> Option<Level> {
    let (mut price, mut size) = (None, None);
    cursor.eat(b'{')?;
    loop {
        let slot = match cursor.key()? {
            "price" => &mut price,
            "size" => &mut size,
            _ => return None,
        };
        if slot.replace(cursor.string()?).is_some() {
            return None;
        }
        if cursor.is_last(b'}')? {
            break;
        }
    }
    let price = Price::parse(price?).ok()?;
    let quantity = Quantity::parse(size?).ok()?;
    Some(Level { price, quantity })
}

fn source_of(said: Option<&str>) -> Option<Option<Timestamp>> {
    match said {
        None | Some("") => Some(None),
        Some(said) => timestamp(said).map(Some),
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                other => return Some(*other),
            }
        }
        None
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        if self.peek()? == byte {
            self.at += 1;
            Some(())
        } else {
            None
        }
    }

    /// Whether a list or object ends here; a comma says that it goes on.
    fn is_last(&mut self, end: u8) -> Option<bool> {
        let found = self.peek()?;
        self.at += 1;
        match found {
            b',' => Some(false),
            other => (other == end).then_some(true),
        }
    }

    fn key(&mut self) -> Option<&'a str> {
        let key = self.string()?;
        self.eat(b':')?;
        Some(key)
    }

    fn list(&mut self, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.eat(b'[')?;
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            item(self)?;
            if self.is_last(b']')? {
                return Some(());
            }
            // Items begin at the cursor, whatever white space stands between them.
            self.peek()?;
        }
    }

    /// Passes over a string or a word that is none of the fields wanted here.
    fn plain(&mut self) -> Option<()> {
        if self.peek()? == b'"' {
            return self.string().map(|_| ());
        }
        let rest = self.text.get(self.at..)?;
        let word = ["false", "true", "null"].into_iter().find(|word| rest.starts_with(word))?;
        self.at += word.len();
        Some(())
    }

    fn end(&mut self) -> Option<()> {
        if self.peek().is_none() { Some(()) } else { None }
    }

    /// Passes over exactly these bytes.
    #[inline]
    fn pass(&mut self, expected: &str) -> Option<()> {
        let end = self.at + expected.len();
        if self.text.as_bytes().get(self.at..end)? != expected.as_bytes() {
            return None;
        }
        self.at = end;
        Some(())
    }

    /// Passes over a comma, one space if there is one, and exactly these bytes.
    #[inline]
    fn follows(&mut self, expected: &str) -> Option<()> {
        self.pass(",")?;
        self.at += usize::from(self.text.as_bytes().get(self.at) == Some(&b' '));
        self.pass(expected)
    }

    /// A plain decimal and the quote behind it.
    #[inline]
    fn decimal(&mut self, decimals: u32) -> Option<i64> {
        let (value, length) = leading_scaled(self.text.as_bytes().get(self.at..)?, decimals)?;
        self.at += length;
        self.pass("\"")?;
        Some(value)
    }

    #[inline]
    fn price(&mut self) -> Option<Price> {
        Price::from_units(u16::try_from(self.decimal(4)?).ok()?)
    }

    #[inline]
    fn quantity(&mut self) -> Option<Quantity> {
        Quantity::from_units(self.decimal(6)?)
    }

    /// A best price as announced: zero and one say that the side is empty.
    #[inline]
    fn best_price(&mut self) -> Option<Option<Price>> {
        match self.decimal(4)? {
            0 | 10_000 => Some(None),
            units => Price::from_units(u16::try_from(units).ok()?).map(Some),
        }
    }

    /// A string without escapes and control characters.
    fn string(&mut self) -> Option<&'a str> {
        self.eat(b'"')?;
        self.close_string()
    }

    /// The rest of a string whose opening quote has been passed, eight bytes at a time.
    #[inline]
    fn close_string(&mut self) -> Option<&'a str> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        let mut at = start;
        while let Some(chunk) = bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()) {
            let found = special(u64::from_le_bytes(chunk));
            if found != 0 {
                at += found.trailing_zeros() as usize / 8;
                return self.close(start, at);
            }
            at += 8;
        }
        while bytes.get(at).is_some_and(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)) {
            at += 1;
        }
        self.close(start, at)
    }

    #[inline]
    fn close(&mut self, start: usize, at: usize) -> Option<&'a str> {
        if *self.text.as_bytes().get(at)? != b'"' {
            return None;
        }
        self.at = at + 1;
        self.text.get(start..at)
    }
}

/// Marks the highest bit of the first byte that is a quote, a backslash or a control character.
/// Bytes above the first marked one may be marked wrongly, which the caller never looks at.
const fn special(eight: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    const fn zero(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & HIGHS
    }
    let quote = zero(eight ^ (ONES * 0x22));
    let backslash = zero(eight ^ (ONES * 0x5C));
    let control = eight.wrapping_sub(ONES * 0x20) & !eight & HIGHS;
    quote | backslash | control
}
