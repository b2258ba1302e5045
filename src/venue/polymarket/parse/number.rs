//! JSON numbers as exact decimals.
//!
//! Ticks, minimums and fee rates come as JSON numbers. Their text is taken as it stands, `5e-2`
//! included: nothing passes through a float.

use serde_json::value::RawValue;

use crate::domain::DecimalError;
use crate::domain::decimal::parse_scaled;

/// The largest exponent, up or down, that is believed.
const EXPONENT_MAX: usize = 18;
/// The longest number that is read.
const LENGTH_MAX: usize = 40;

/// A JSON number, or a string that holds one, as an integer scaled by `10^decimals`.
pub fn scaled(raw: &RawValue, decimals: u32) -> Result<i64, DecimalError> {
    parse_scaled(&plain(unquoted(raw.get()))?, decimals)
}

/// The text without the quotes that some numbers stand in.
pub fn unquoted(raw: &str) -> &str {
    raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(raw)
}

/// A decimal without an exponent that equals `text`.
pub fn plain(text: &str) -> Result<String, DecimalError> {
    if text.len() > LENGTH_MAX {
        return Err(DecimalError::OutOfRange);
    }
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return Ok(text.to_owned());
    };
    let (down, digits) = match exponent.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, exponent.strip_prefix('+').unwrap_or(exponent)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DecimalError::Malformed);
    }
    let shift: usize = digits.parse().map_err(|_| DecimalError::OutOfRange)?;
    if shift > EXPONENT_MAX {
        return Err(DecimalError::OutOfRange);
    }
    let (sign, unsigned) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(part) {
        return Err(DecimalError::Malformed);
    }
    Ok(if down {
        let padded = format!("{}{whole}", "0".repeat(shift));
        let (left, right) = padded.split_at(padded.len() - shift);
        format!("{sign}{}.{right}{part}", if left.is_empty() { "0" } else { left })
    } else {
        let padded = format!("{part}{}", "0".repeat(shift));
        let (left, right) = padded.split_at(shift);
        format!("{sign}{whole}{left}.{}", right.trim_end_matches('0'))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str, decimals: u32) -> Result<i64, DecimalError> {
        let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
        scaled(&raw, decimals)
    }

    #[test]
    fn numbers_and_strings_with_and_without_exponents_are_exact() {
        for (json, decimals, value) in [
            ("0.05", 6, 50_000),
            ("5e-2", 6, 50_000),
            ("1e-3", 4, 10),
            ("1E-03", 4, 10),
            ("1.5e+1", 2, 1_500),
            ("12.345e1", 4, 1_234_500),
            ("-2.5e-1", 4, -2_500),
            ("1e0", 0, 1),
            ("\"0.001\"", 4, 10),
            ("5", 6, 5_000_000),
            ("0", 4, 0),
            ("0.07", 6, 70_000),
        ] {
            assert_eq!(read(json, decimals), Ok(value), "{json}");
        }
    }

    #[test]
    fn what_is_no_number_or_beyond_reason_is_refused() {
        for json in ["\"\"", "\"abc\"", "true", "{}", "\"1e\"", "\"e5\"", "1e400", "\"NaN\""] {
            assert!(read(json, 6).is_err(), "{json}");
        }
        assert_eq!(read("0.0000001", 6), Err(DecimalError::TooFine(6)));
        assert_eq!(read(&"9".repeat(50), 6), Err(DecimalError::OutOfRange));
    }

    proptest! {
        #[test]
        fn an_exponent_moves_the_point(mantissa in 0i64..1_000_000, exponent in 0u32..6) {
            let json = format!("{mantissa}e-{exponent}");
            let expected = mantissa * 10i64.pow(6 - exponent);
            prop_assert_eq!(read(&json, 6), Ok(expected));
            let up = format!("{mantissa}e{exponent}");
            prop_assert_eq!(read(&up, 0), Ok(mantissa * 10i64.pow(exponent)));
        }

        #[test]
        fn no_text_panics(text in ".{0,50}") {
            let _ = plain(&text);
        }
    }
}
