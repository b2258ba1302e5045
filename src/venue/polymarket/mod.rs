//! The client side of Polymarket's global order book: its market data and its order side.
//!
//! A market has two tokens and one pool of liquidity. The book kept here is that of the first
//! token, called YES; what the venue says about the second is mirrored.
//!
//! - [`stream::Stream`] is the [`crate::venue::Feed`] of one connection to the market channel,
//!   [`private::Private`] the one of the user channel.
//! - [`rest::Client`] reads Gamma (facts, rules) and the CLOB (ticks, fees, books, time).
//! - [`Gateway`] turns orders into signed requests and answers into reports, for an
//!   [`account::Account`]; [`sign`] and [`amount`] hold what the exchange contracts demand.
//! - [`parse`] and [`encode`] translate, purely; [`facts`] holds addresses and limits.

pub mod account;
pub mod amount;
pub mod encode;
pub mod error;
pub mod facts;
pub mod gateway;
pub mod parse;
pub mod private;
#[cfg(test)]
mod recorded;
pub mod rest;
pub mod sign;
pub mod stream;
mod wire;

pub use gateway::Gateway;

use crate::book::Lane;
use crate::domain::{MarketIndex, Outcome, Timestamp};
use crate::venue::{Feed as _, Output, Wanted};

/// Reads any text as every message of this venue and drops what it finds: the entry of fuzz
/// targets. The first market's tokens are `1` and `2`.
pub fn swallow(text: &str) {
    let resolve = |token: &str| {
        let outcome = match token {
            "1" => Outcome::Yes,
            "2" => Outcome::No,
            _ => return None,
        };
        Some(parse::Place { market: MarketIndex(0), outcome })
    };
    let _ = (parse::kind(text), parse::assets_in(text), parse::books(text, &resolve).is_ok());
    let _ = parse::market::events(text).is_ok();
    if let Ok(listings) = parse::market::listings(text) {
        for listing in listings.found {
            let _ = listing.market(text).is_ok();
        }
    }
    let settings = stream::Settings {
        url: facts::WS_URL.to_owned(),
        ping_every: facts::PING_EVERY,
        pong_max: facts::PONG_MAX,
        image_deadline: facts::PONG_MAX,
        image_patience_max: facts::PONG_MAX,
        silence_max: facts::PONG_MAX,
        reconnect_planned: facts::PONG_MAX,
        backoff_first: facts::PING_EVERY,
        backoff_longest: facts::PING_EVERY,
        limited_wait: facts::PING_EVERY,
    };
    let tokens = Some(("1".to_owned(), "2".to_owned()));
    let wanted = [Wanted { market: MarketIndex(0), id: "0xab".to_owned(), tokens }];
    for mode in [stream::Mode::Live, stream::Mode::Replay] {
        let mut stream = stream::Stream::new(settings.clone(), Lane(0), 0, mode);
        let mut out = Output::default();
        stream.watch(&wanted, Timestamp::ZERO, &mut out);
        stream.on_timer(Timestamp::ZERO, &mut out);
        stream.on_open(Timestamp::ZERO, &mut out);
        for line in text.lines() {
            stream.on_text(line, Timestamp::ZERO, &mut out);
            stream.on_timer(stream.deadline(), &mut out);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_that_arrives_panics(text in "(.|\n){0,120}") {
            swallow(&text);
        }

        #[test]
        fn nothing_in_json_panics(
            text in concat!(
                "[\\[{](\"(event_type|book|price_change|asset_id|1|2|bids|asks|price|size|",
                "best_bid_ask|price_changes|0\\.5|NaN|-1)\"|[:,\\[\\]{}0-9.e-]){0,40}",
            ),
        ) {
            swallow(&text);
        }
    }
}
