//! The `crossbook` command.
fn main() {}
