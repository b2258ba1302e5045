//! crossbook finds the moments at which YES on one prediction market plus NO on another costs less
//! than the dollar they pay.
//!
//! # Words
//!
//! One word, one thing. A *venue* lists *markets*, each one question. A *contract* is a market and
//! an *outcome* (yes or no). A *pair* says that a Kalshi and a Polymarket contract pay on the same
//! event. A *book* holds what rests in a market, as *ladders* of *levels*. An *edge* is what is
//! left of the payout after cost, every fee and the resolution risk. An *opportunity* is an edge
//! that was seen; a named `NoEdge` is the reason why there is none. A *feed* brings a venue's
//! *frames* and turns them into *updates*; a *lane* is one connection of a feed, whose books are
//! whole or lost together. A *drain* is all frames that one read of a socket brought. *Proof* is
//! evidence that a book is whole and live.
//! event. A *book* holds what rests in a market, as *ladders* of *levels*. An *edge* is what is left
//! of the payout after cost, every fee and the resolution risk. An *opportunity* is an edge that was
//! seen; a named `NoEdge` is the reason why there is none. A *feed* brings a venue's *frames* and
//! turns them into *updates*; a *lane* is one connection of a feed, whose books are whole or lost
//! together. A *drain* is all frames that one read of a socket brought. *Proof* is evidence that a
//! book is whole and live. A *finding* is something that is not right in a file that a person wrote.
//!
//! # Layers, from the inside out
//!
//! A module may use only what `tests/tidy.rs` lists for it; the order here is the reading order.

/// Values and arithmetic: prices, quantities, money, fees, markets, times.
pub mod domain;
/// TOML that people write, with every position kept and every mistake reported.
pub mod document;
/// One market's liquidity as YES and as NO, and whether it may be believed.
pub mod book;
/// Mapping files: which contract on one venue pays on the same event as which on the other.
pub mod pairing;
/// Two books and a pair: an edge, or the named reason why there is none.
pub mod detect;
/// One synchronous machine from updates to decisions.
pub mod engine;
/// Plumbing that knows no market.
pub mod net;
/// The client side of both venues.
pub mod venue;
/// The embedded exchanges, server side.
pub mod exchange;
/// Raw frames in and out of compressed files.
pub mod record;
/// What people and programs see.
pub mod ui;
/// The settings and the only home of their defaults.
pub mod config;
/// The composition root.
pub mod app;
