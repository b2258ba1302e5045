//! The real binary as its users run it, over loopback only.
//!
//! Every wait has a limit, and every child process ends with the test that started it.

mod accept;
mod agent;
mod capture;
mod crash;
mod demo;
mod lost;
mod opportunity;
mod past;
mod recorded;
mod reload;
mod ruling;
mod run;
mod sim;
mod stop;
mod trade;
mod trouble;
mod usage;
