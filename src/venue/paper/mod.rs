//! Paper trading: real books, orders that never leave this machine.
//!
//! [`Venue`](super::super::domain::Venue)s are quoted as they are; what would have been filled is
//! worked out by a [`Simulator`] against the live book as it stands when the order would have
//! arrived, never earlier: behind the venue's delay, and against a book that was read behind it
//! where books are read now and then. It only takes, level by level, at what is offered within the
//! limit, so no place in a queue is assumed; what it took is gone until the venue reports that
//! level anew. What is held when a market resolves is paid as the venue's facts say.
//! The [`Gateway`] beside it speaks to it in JSON, as the real ones speak to theirs: the desk, the
//! executor and the journal cannot tell paper from money.

mod gateway;
mod simulator;
mod wire;

pub use gateway::{Gateway, Merges, SHARD};
pub use simulator::{Arrival, Sight, Simulator};

#[cfg(test)]
mod tests;
