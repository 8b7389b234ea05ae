//! The process in which a native program runs. See the library of this package.

use std::process::ExitCode;

fn main() -> ExitCode {
    native_runner::main()
}
