//! The names of the two contracts.

use super::form::Form;
use crate::document::{Field, shortened};

/// Characters of a Kalshi ticker; the longest seen have about forty.
const TICKER_MAX: usize = 96;
/// Hex digits of a condition id.
const CONDITION_DIGITS: usize = 64;
/// Hex digits of a V2 condition id as Gamma shows it.
const CONDITION_DIGITS_V2: usize = 62;
/// A token id is a decimal number of about this many digits.
const TOKEN_DIGITS_MIN: usize = 70;

/// A Kalshi ticker: upper-case letters, digits, dashes and points.
pub(super) fn ticker(field: &Field<String>, form: &mut Form<'_, '_>) -> Option<String> {
    let found = form.required("ticker", field, "\"KXFEDDECISION-26DEC-H0\"")?;
    let text = found.value.as_str();
    let fits = |text: &str| {
        let in_set = |byte: u8| {
            byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.'
        };
        let edges = |edge: Option<&u8>| edge.is_some_and(u8::is_ascii_alphanumeric);
        text.len() <= TICKER_MAX
            && text.bytes().all(in_set)
            && edges(text.as_bytes().first())
            && edges(text.as_bytes().last())
    };
    if fits(text) {
        return Some(text.to_owned());
    }
    let upper = text.trim().to_ascii_uppercase();
    let last = upper.rsplit('/').next().unwrap_or_default().to_owned();
    let cure = if fits(&upper) {
        format!("write `ticker = \"{upper}\"`")
    } else if text.contains("//") && fits(&last) {
        "write the market's ticker, not the address of its page".to_owned()
    } else {
        "write the market's ticker as the venue does, such as `KXFEDDECISION-26DEC-H0`".to_owned()
    };
    let what = format!("`{}` is no Kalshi ticker", shortened(text));
    let why = "a ticker has upper-case letters, digits, dashes and points";
    form.error(&found.span, what, why, cure);
    None
}

/// A Polymarket condition id: `0x` and 64 hex digits; given back in lower case.
pub(super) fn condition(field: &Field<String>, form: &mut Form<'_, '_>) -> Option<String> {
    let found = form.required("condition", field, "\"0x…\"")?;
    let text = found.value.as_str();
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(digits) = digits
        && digits.len() == CONDITION_DIGITS
        && hex(digits)
        && text.starts_with("0x")
    {
        return Some(text.to_ascii_lowercase());
    }
    let why = format!("a condition id is 0x and {CONDITION_DIGITS} hex digits");
    let (what, cure) = describe_condition(text, digits, hex(digits.unwrap_or(text)));
    form.error(&found.span, what, why, cure);
    None
}

fn describe_condition(text: &str, digits: Option<&str>, hex: bool) -> (String, String) {
    let count = digits.unwrap_or(text).len();
    if hex && count == CONDITION_DIGITS_V2 {
        let digits = digits.unwrap_or(text).to_ascii_lowercase();
        let what = format!("this condition id has {CONDITION_DIGITS_V2} hex digits");
        let cure = format!(
            "Gamma shows ids of protocol V2 so: right-pad to {CONDITION_DIGITS} with `00`, \
             `condition = \"0x{digits}00\"`"
        );
        return (what, cure);
    }
    let decimal = text.bytes().all(|byte| byte.is_ascii_digit());
    if decimal && text.len() >= TOKEN_DIGITS_MIN {
        let what = "this is a token id, of one outcome".to_owned();
        return (what, "write the market's condition id; tokens are looked up".to_owned());
    }
    if hex && count == CONDITION_DIGITS {
        let digits = digits.unwrap_or(text).to_ascii_lowercase();
        let what = "this condition id does not begin with `0x`".to_owned();
        return (what, format!("write `condition = \"0x{digits}\"`"));
    }
    let cure = "copy `conditionId` from the market's data".to_owned();
    if hex && digits.is_some() {
        return (format!("this condition id has {count} hex digits"), cure);
    }
    (format!("`{}` is no condition id", shortened(text)), cure)
}
