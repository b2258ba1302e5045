//! The composition root: settings, wiring, tasks, commands. Nothing imports it but `main`.

pub mod args;
pub mod audit;
pub mod carrier;
pub mod clock;
pub mod commands;
pub mod control;
pub mod desk;
pub mod driver;
pub mod embedded;
pub mod exit;
pub mod history;
pub mod input;
mod keep;
pub mod killfile;
pub mod lane;
pub mod live;
pub mod loader;
pub mod mappings;
pub mod milestone;
pub mod names;
pub mod pipeline;
pub mod player;
pub mod poll;
pub mod registry;
pub mod report;
pub mod settings;
pub mod shutdown;
pub mod sources;
pub mod standing;
pub mod tasks;
pub mod terminal;
pub mod terms;
pub mod trading;
pub mod transcript;
pub mod wallet;

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use crate::config::Level;
use args::{Cli, Command, Demo};
use exit::{Exit, Misuse};
use terminal::Beside;

/// Runs the command that the arguments name, and says how it ended.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help goes to stdout and is no mistake; everything else is one.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(error) => {
            let exit = if error.is::<Misuse>() { Exit::Usage } else { Exit::Failed };
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            exit.into()
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    // The commands that read a configuration file start their log by that file.
    let command = match cli.command {
        Some(Command::Watch(args)) => return commands::watch::run(args, cli.log),
        Some(Command::Trade(args)) => return commands::trade::run(args, cli.log),
        other => other,
    };
    start_log(settings::log_level(cli.log)?)?;
    match command {
        None => commands::demo::run(Demo { seed: 1, ..Demo::default() }),
        Some(Command::Demo(args)) => commands::demo::run(args),
        Some(Command::Watch(args)) => commands::watch::run(args, None),
        Some(Command::Trade(args)) => commands::trade::run(args, None),
        Some(Command::Replay(args)) => commands::replay::run(&args),
        Some(Command::Sim(args)) => commands::sim::run(&args),
        Some(Command::Positions(args)) => commands::positions::run(&args),
        #[cfg(unix)]
        Some(Command::Cash(command)) => commands::ruling::cash(&command),
        Some(Command::Orders(args)) => commands::orders::run(&args),
        Some(Command::Trades(args)) => commands::trades::run(&args),
        Some(Command::Pnl(args)) => commands::pnl::run(&args),
        Some(Command::Incidents(args)) => commands::incidents::run(&args),
        #[cfg(unix)]
        Some(Command::Control(command)) => commands::control::run(&command),
        Some(Command::Pairs(command)) => commands::pairs::run(&command),
    }
}

/// Logs go to stderr; results go to stdout.
fn start_log(level: Level) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(format!("crossbook={}", level.name()))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(|| Beside(std::io::stderr()))
        .try_init()
        .map_err(|error| anyhow::anyhow!("cannot start the log: {error}"))
}
