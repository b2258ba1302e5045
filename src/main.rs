//! The `crossbook` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    crossbook::app::main(std::env::args_os())
}
