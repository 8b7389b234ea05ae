//! `cargo entrypoint` in this workspace.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_entrypoint::run()
}
