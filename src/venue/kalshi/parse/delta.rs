//! The hot path: one shape of `orderbook_delta`, read without a JSON parser.
//!
//! [`scan`] reads exactly the bytes that the venue writes today, key for key, and answers `None` to
//! anything else: another order of keys, a space, an escape, a value out of range. The general
//! reader then has its say, so this module can make a frame faster but never mean something
//! different; a property test holds the two equal.

use std::borrow::Cow;

use crate::domain::decimal::leading_scaled;
use crate::domain::{Change, Outcome, Price, Timestamp};

use super::frame::Delta;

/// Reads a delta in the venue's present shape, `None` for anything else.
pub fn scan(text: &str) -> Option<Delta<'_>> {
    let mut rest = Cursor { text, at: 0 };
    rest.expect(r#"{"type":"orderbook_delta","sid":"#)?;
    let sid = rest.number()?;
    rest.expect(r#","seq":"#)?;
    let seq = rest.number()?;
    rest.expect(r#","msg":{"market_ticker":""#)?;
    let ticker = rest.string()?;
    rest.expect(r#","market_id":""#)?;
    rest.string()?;
    rest.expect(r#","price_dollars":""#)?;
    let price = Price::from_units(u16::try_from(rest.decimal(4)?).ok()?)?;
    rest.expect(r#","delta_fp":""#)?;
    let change = Change::from_units(rest.decimal(6)?)?;
    rest.expect(r#","side":""#)?;
    let leg = if rest.expect(r#"yes""#).is_some() {
        Outcome::Yes
    } else {
        rest.expect(r#"no""#)?;
        Outcome::No
    };
    rest.expect(r#","ts":""#)?;
    rest.string()?;
    rest.expect(r#","ts_ms":"#)?;
    let millis = i64::try_from(rest.number()?).ok()?;
    rest.expect("}}")?;
    if rest.at != text.len() {
        return None;
    }
    let source = Some(Timestamp::from_millis(millis));
    Some(Delta { sid, seq, ticker: Cow::Borrowed(ticker), leg, price, change, source })
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    fn expect(&mut self, words: &str) -> Option<()> {
        let end = self.at + words.len();
        if self.text.as_bytes().get(self.at..end)? == words.as_bytes() {
            self.at = end;
            Some(())
        } else {
            None
        }
    }

    /// A number without sign, fraction, exponent or leading zero, of at most 18 digits.
    #[inline]
    fn number(&mut self) -> Option<u64> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut value = 0u64;
        while let Some(digit) = bytes.get(self.at).map(|byte| byte.wrapping_sub(b'0')) {
            if digit > 9 {
                break;
            }
            if self.at - start == 18 {
                return None;
            }
            value = value * 10 + u64::from(digit);
            self.at += 1;
        }
        let length = self.at - start;
        let leading_zero = length > 1 && bytes[start] == b'0';
        (length > 0 && !leading_zero).then_some(value)
    }

    /// A plain decimal and the quote behind it.
    #[inline]
    fn decimal(&mut self, decimals: u32) -> Option<i64> {
        let (value, length) = leading_scaled(self.text.as_bytes().get(self.at..)?, decimals)?;
        self.at += length;
        self.expect("\"")?;
        Some(value)
    }

    /// The rest of a string whose opening quote has been read, up to its closing quote.
    #[inline]
    fn string(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut at = start;
        // Eight bytes at a time while none of them ends the string or needs the general reader.
        while let Some(chunk) = bytes.get(at..at + 8) {
            let word = u64::from_le_bytes(chunk.try_into().ok()?);
            let found = special(word);
            if found != 0 {
                at += (found.trailing_zeros() / 8) as usize;
                return self.close(start, at);
            }
            at += 8;
        }
        while let Some(byte) = bytes.get(at) {
            if *byte == b'"' || *byte == b'\\' || *byte < 0x20 {
                return self.close(start, at);
            }
            at += 1;
        }
        None
    }

    #[inline]
    fn close(&mut self, start: usize, at: usize) -> Option<&'a str> {
        if self.text.as_bytes()[at] != b'"' {
            return None;
        }
        self.at = at + 1;
        self.text.get(start..at)
    }
}

/// Marks, from the lowest byte up to the first match, the bytes that are a quote, a backslash or a
/// control character. (Borrows make marks above the first match unreliable; only it is used.)
const fn special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    const fn zero_bytes(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & HIGHS
    }
    let quote = zero_bytes(word ^ (ONES * b'"' as u64));
    let backslash = zero_bytes(word ^ (ONES * b'\\' as u64));
    let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
    quote | backslash | control
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::frame::{Frame, frame_by_serde};
    use super::*;

    const SHAPE: &str = concat!(
        r#"{"type":"orderbook_delta","sid":1,"seq":24,"msg":{"market_ticker":"#,
        r#""KXDEMO-26DEC31-T50","market_id":"0b7c6d5e-1111-4222-8333-444455556666","#,
        r#""price_dollars":"0.4300","delta_fp":"-100.00","side":"yes","#,
        r#""ts":"2026-11-22T10:00:00.97871Z","ts_ms":1795341600978}}"#
    );

    /// Where the fast path has an answer, the general reader has the same.
    fn agrees(text: &str) -> bool {
        match scan(text) {
            None => true,
            Some(delta) => frame_by_serde(text).is_ok_and(|frame| frame == Frame::Delta(delta)),
        }
    }

    #[test]
    fn the_recorded_shape_takes_the_fast_path() {
        let delta = scan(SHAPE).unwrap();
        assert_eq!((delta.sid, delta.seq, &*delta.ticker), (1, 24, "KXDEMO-26DEC31-T50"));
        assert_eq!((delta.leg, delta.price.units()), (Outcome::Yes, 4_300));
        assert_eq!(delta.change.units(), -100_000_000);
        assert_eq!(delta.source, Some(Timestamp::from_millis(1_795_341_600_978)));
        assert!(agrees(SHAPE));
    }

    #[test]
    fn what_json_forbids_is_left_to_the_general_reader() {
        for (from, to) in [
            ("\"seq\":24", "\"seq\":024"),
            ("\"seq\":24", "\"seq\":"),
            ("\"seq\":24", "\"seq\":9999999999999999999999"),
            ("KXDEMO", "KX\\u0044EMO"),
            ("KXDEMO", "KX\u{1}EMO"),
            ("0.4300", "0.43001"),
            ("\"yes\"", "\"maybe\""),
            ("}}", "}} "),
            ("}}", "}}}"),
            ("1795341600978", "-1"),
        ] {
            assert_eq!(scan(&SHAPE.replace(from, to)), None, "{to}");
        }
        for end in 0..SHAPE.len() {
            assert_eq!(scan(&SHAPE[..end]), None, "cut at {end}");
        }
    }

    proptest! {
        #[test]
        fn the_fast_path_agrees_with_the_general_reader(
            sid in any::<u64>(),
            seq in any::<u64>(),
            ticker in "[ -~äé€]{0,30}",
            price in "-?[0-9]{0,2}\\.?[0-9]{0,6}",
            change in "-?[0-9]{0,12}\\.?[0-9]{0,7}",
            leg in prop::sample::select(vec!["yes", "no", "NO", ""]),
            ts in "[ -~\u{1}\u{7f}\u{80}ä]{0,30}",
            millis in any::<i64>(),
        ) {
            let head = format!(r#"{{"type":"orderbook_delta","sid":{sid},"seq":{seq},"msg":{{"#);
            let about = format!(r#""market_ticker":"{ticker}","market_id":"x","#);
            let level = format!(r#""price_dollars":"{price}","delta_fp":"{change}","#);
            let time = format!(r#""side":"{leg}","ts":"{ts}","ts_ms":{millis}}}}}"#);
            let text = format!("{head}{about}{level}{time}");
            prop_assert!(agrees(&text), "{}", text);
        }

        #[test]
        fn a_changed_byte_never_splits_the_two_readers(
            at in 0..SHAPE.len(), with in any::<char>(), cut in 0usize..3,
        ) {
            let mut text = SHAPE.to_owned();
            text.replace_range(at..(at + cut).min(SHAPE.len()), with.encode_utf8(&mut [0; 4]));
            prop_assert!(agrees(&text), "{}", text);
        }
    }
}
