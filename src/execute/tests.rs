//! Stories of trades: each disaster, and what the executor makes of it.

mod chance;
mod entry;
mod late;
mod lost;
mod merged;
mod outlay;
mod ruled;
mod scene;
mod stops;
mod stranded;
mod worst;
