//! The client side of Polymarket's global order book: its market data.
//!
//! A market has two tokens and one pool of liquidity. The book kept here is that of the first token,
//! called YES; what the venue says about the second is mirrored. Nothing here signs or orders.
//!
//! - [`stream::Stream`] is the [`crate::venue::Feed`] of one connection to the market channel.
//! - [`rest::Client`] reads Gamma (facts, rules) and the CLOB (ticks, fees, books, time).
//! - [`parse`] and [`encode`] translate, purely; [`facts`] holds addresses and limits.

pub mod encode;
pub mod error;
pub mod facts;
pub mod parse;
pub mod rest;
pub mod stream;
mod wire;
