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
