//! `cargo entrypoint`: builds programs, runs them, and shows what they did.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_entrypoint::run()
}
