//! Decimal text to scaled integers and back, without floats.

use std::fmt;

/// Why a text is not the decimal that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// The text is empty or only a sign or a point.
    #[error("empty number")]
    Empty,
    /// A character that does not belong into a plain decimal (exponents, NaN, spaces included).
    #[error("not a plain decimal number")]
    Malformed,
    /// More decimals than the unit holds, and not all of them zero.
    #[error("more than {0} decimals")]
    TooFine(u32),
    /// The number does not fit the unit.
    #[error("number out of range")]
    OutOfRange,
}

/// Parses a plain decimal such as `-12.50` into an integer scaled by `10^decimals`.
///
/// Zeros behind the last decimal the unit holds are accepted; any other digit there is
/// [`DecimalError::TooFine`], never a rounding.
pub fn parse_scaled(text: &str, decimals: u32) -> Result<i64, DecimalError> {
    match leading_scaled(text.as_bytes(), decimals) {
        Some((value, length)) if length == text.len() => Ok(value),
        _ => parse_any(text, decimals),
    }
}

/// Reads the decimal that a text begins with, and tells how many bytes it takes.
///
/// This is the fast way for the numbers that venues write: at most 18 digits, no more decimals than
/// the unit holds. `None` only says that [`parse_scaled`] has to judge the text.
#[inline]
pub fn leading_scaled(bytes: &[u8], decimals: u32) -> Option<(i64, usize)> {
    /// So many digits fit an `i64` whatever they are.
    const DIGITS_MAX: usize = 18;
    const POWERS: [i64; 9] =
        [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let mut value = 0i64;
    let whole = digits(bytes, sign, &mut value);
    let mut end = whole;
    let mut fraction = 0;
    if bytes.get(whole) == Some(&b'.') {
        end = digits(bytes, whole + 1, &mut value);
        fraction = end - whole - 1;
    }
    let count = whole - sign + fraction;
    let missing = (decimals as usize).checked_sub(fraction)?;
    if count == 0 || count > DIGITS_MAX {
        return None;
    }
    let value = value.checked_mul(*POWERS.get(missing)?)?;
    Some((if sign == 1 { -value } else { value }, end))
}

/// Appends the digits from `at` on to `value`, which may wrap, and tells where they end.
#[inline]
fn digits(bytes: &[u8], mut at: usize, value: &mut i64) -> usize {
    while let Some(digit) = bytes.get(at).map(|byte| byte.wrapping_sub(b'0')) {
        if digit > 9 {
            break;
        }
        *value = value.wrapping_mul(10).wrapping_add(i64::from(digit));
        at += 1;
    }
    at
}

/// Judges any text, digit by digit.
fn parse_any(text: &str, decimals: u32) -> Result<i64, DecimalError> {
    let bytes = text.as_bytes();
    let (negative, digits) = match bytes.first() {
        None => return Err(DecimalError::Empty),
        Some(b'-') => (true, &bytes[1..]),
        Some(_) => (false, bytes),
    };
    let mut value: i64 = 0;
    let mut seen = false;
    let mut fraction: Option<u32> = None;
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                seen = true;
                if let Some(count) = fraction.as_mut() {
                    if *count == decimals {
                        if byte != b'0' {
                            return Err(DecimalError::TooFine(decimals));
                        }
                        continue;
                    }
                    *count += 1;
                }
                value = value
                    .checked_mul(10)
                    .and_then(|v| v.checked_add(i64::from(byte - b'0')))
                    .ok_or(DecimalError::OutOfRange)?;
            }
            b'.' if fraction.is_none() => fraction = Some(0),
            _ => return Err(DecimalError::Malformed),
        }
    }
    if !seen {
        return Err(DecimalError::Empty);
    }
    let missing = decimals - fraction.unwrap_or(0);
    let value = 10i64
        .checked_pow(missing)
        .and_then(|scale| value.checked_mul(scale))
        .ok_or(DecimalError::OutOfRange)?;
    Ok(if negative { -value } else { value })
}

/// Writes a scaled integer as a decimal with at least `shown` and at most `decimals` decimals.
///
/// Digits between the two are written only when they are not zero, so that `120` contracts read
/// `120.00` and `19.2307` shares keep every digit they have.
pub fn write_scaled(
    f: &mut fmt::Formatter<'_>,
    value: i64,
    decimals: u32,
    shown: u32,
) -> fmt::Result {
    let scale = 10u64.pow(decimals);
    let magnitude = value.unsigned_abs();
    let (whole, mut part) = (magnitude / scale, magnitude % scale);
    let mut width = decimals;
    while width > shown && part.is_multiple_of(10) {
        part /= 10;
        width -= 1;
    }
    let sign = if value < 0 { "-" } else { "" };
    if width == 0 {
        write!(f, "{sign}{whole}")
    } else {
        write!(f, "{sign}{whole}.{part:0width$}", width = width as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_decimals_scale_exactly() {
        for (text, decimals, value) in [
            ("0.4100", 4, 4_100),
            ("-46.02", 6, -46_020_000),
            ("1", 4, 10_000),
            (".5", 4, 5_000),
            ("5.", 2, 500),
            ("0.410000", 4, 4_100),
            ("32200000.00", 6, 32_200_000_000_000),
        ] {
            assert_eq!(parse_scaled(text, decimals), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_plain_decimal_is_refused() {
        for text in ["", "-", ".", "NaN", "inf", "1e5", " 1", "1 ", "+1", "1.2.3", "0x1", "--1"] {
            assert!(parse_scaled(text, 4).is_err(), "{text:?}");
        }
        assert_eq!(parse_scaled("0.41001", 4), Err(DecimalError::TooFine(4)));
        assert_eq!(parse_scaled("99999999999999999999", 0), Err(DecimalError::OutOfRange));
        assert_eq!(parse_scaled("9223372036854775807", 1), Err(DecimalError::OutOfRange));
    }

    struct Shown(i64, u32, u32);
    impl fmt::Display for Shown {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write_scaled(f, self.0, self.1, self.2)
        }
    }

    proptest! {
        #[test]
        fn written_numbers_read_back(value in any::<i32>(), shown in 0u32..=6) {
            let text = Shown(i64::from(value), 6, shown).to_string();
            prop_assert_eq!(parse_scaled(&text, 6), Ok(i64::from(value)));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}", decimals in 0u32..=8) {
            let _ = parse_scaled(&text, decimals);
        }

        #[test]
        fn the_fast_way_never_differs(
            text in "-?[0-9]{0,21}\\.?[0-9]{0,9}[x.-]?", decimals in 0u32..=8,
        ) {
            prop_assert_eq!(parse_scaled(&text, decimals), parse_any(&text, decimals), "{}", text);
        }

        #[test]
        fn the_fast_way_stops_where_the_number_does(value in any::<i32>(), decimals in 0u32..=8) {
            let text = Shown(i64::from(value), decimals, decimals).to_string();
            let inside = format!("{text}\",\"size\"");
            let found = leading_scaled(inside.as_bytes(), decimals);
            prop_assert_eq!(found, Some((i64::from(value), text.len())));
        }
    }
}
