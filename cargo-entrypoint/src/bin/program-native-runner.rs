//! The process in which a native program runs, installed beside `cargo-entrypoint`.

use std::process::ExitCode;

fn main() -> ExitCode {
    native_runner::main()
}
