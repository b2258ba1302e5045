//! Raw frames in and out of compressed files, with the metadata that a replay needs.
//!
//! A recording is one JSON object a line, compressed with zstd: everything that entered the feeds
//! and the engine, in order, with its receive time in nanoseconds. Whoever feeds the lines back
//! into the same machines gets the same decisions, because nothing else ever enters them. What
//! *leaves* (handshakes, signatures, subscriptions) is never recorded.

pub mod line;
pub mod market;
pub mod reader;
pub mod writer;

pub use line::{Ended, FORMAT, Line};
pub use reader::{Entry, ReadError, Reader};
pub use writer::Writer;
