//! Plumbing that knows no market: HTTP, WebSockets, budgets, patience, clocks.
//!
//! Only `http`, `ws` and `clock` touch the world; `rate` and `backoff` take the time and their seed
//! as arguments, so that a simulation drives them too.

pub mod backoff;
pub mod clock;
pub mod http;
pub mod rate;
pub mod tls;
pub mod ws;

/// What every request and every handshake says of who sends it: the venues' firewalls turn away
/// clients that say nothing, and some that say the name of a library.
pub const USER_AGENT: &str = concat!("crossbook/", env!("CARGO_PKG_VERSION"));
