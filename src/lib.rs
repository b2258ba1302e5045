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
//! evidence that a book is whole and live. A *finding* is something that is not right in a file
//! that a person wrote.
//!
//! A *plan* is what is intended, a *trade* one attempt at both *legs* of it. An *intent* is one
//! *order* that was decided on; a *gateway* turns it into the venue's request, a *fill* is a part
//! of it that was matched. What one leg has more than the other is *stranded*; *dust* is a
//! remainder below what its venue takes. *Exposure* is what can be lost at worst. A *report* is
//! what a venue says about our account, and *evidence* what it says about one order. A
//! *movement* is money that came in or went out without a trade. A *record* is something that
//! happened and that state follows from; the *journal* keeps all of them. The *desk* stands between
//! engine, gateways and journal: no order leaves before its record is kept. A trade is *locked*
//! when both legs are matched alike, and over when both venues have paid. A *halt* stops new
//! trades, of a pair, a venue or everything. An *incident* is something that a person must know.
//!
//! # Layers, from the inside out
//!
//! A module may use only what `tests/tidy.rs` lists for it; the order here is the reading order.

pub mod domain;
pub mod document;
pub mod book;
pub mod pairing;
pub mod detect;
pub mod plan;
pub mod risk;
pub mod execute;
pub mod engine;
pub mod journal;
pub mod net;
pub mod venue;
pub mod exchange;
pub mod record;
pub mod ui;
pub mod config;
pub mod app;
