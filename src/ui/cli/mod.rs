//! The terminal: lines for people, JSON lines for programs.

pub mod people;
pub mod record;
pub mod table;
pub mod text;
pub mod trade;
