//! Kalshi's market data, the client side.
//!
//! `stream` is the session machine, `rest` the endpoints; `wire`, `parse`, `encode`, `sign` and
//! `error` are pure. A Kalshi book holds bids only, for YES and for NO: a bid for NO at `q` is an
//! offer of YES at `1 - q`, and it is turned into one here, so that nobody else has to know.

pub mod encode;
pub mod error;
pub mod facts;
pub mod gateway;
pub mod parse;
pub mod private;
pub mod rest;
pub mod sign;
pub mod stream;
pub mod wire;

pub use gateway::Gateway;
pub use parse::{FrameKind, PriceMode};
pub use sign::Signer;
pub use stream::{Counts, Sequence, Settings, Stream};

use crate::book::Lane;
use crate::domain::{MarketIndex, Timestamp};
use crate::venue::{Feed as _, Output, Wanted};

/// Feeds any text to every reader of this venue; it must come back. For fuzzing.
pub fn fuzz_text(text: &str) {
    let _ = (parse::kind(text), parse::frame(text), parse::frame::frame_by_serde(text));
    let _ = (parse::orderbook(text, "T"), parse::orderbooks(text));
    let _ = (parse::market::market_answer(text, "T"), error::read_body(text));
    let _ = (parse::fee::series_fee_changes(text, "S"), parse::fee::event_fee_changes(text, "E"));
    let mut stream = Stream::passive(Lane(0), PriceMode::OwnLeg, Sequence::Checked);
    let mut out = Output::default();
    if let Some(ticker) = parse::market_ticker(text) {
        let wanted = Wanted { market: MarketIndex(0), id: ticker.into_owned(), tokens: None };
        stream.watch(&[wanted], Timestamp::ZERO, &mut out);
    }
    stream.on_text(text, Timestamp::ZERO, &mut out);
}
