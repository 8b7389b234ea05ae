//! `cargo entrypoint`: builds programs, runs them on the VM, and shows what they did.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;

mod arguments;
mod commands;
mod report;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    // As a cargo subcommand it is called with its own name first.
    let mut words: Vec<_> = std::env::args_os().collect();
    if words.get(1).is_some_and(|word| word == "entrypoint") {
        words.remove(1);
    }
    let result = match Arguments::parse_from(words).command {
        Command::Run(arguments) => return commands::run::run(&arguments),
        Command::Build(arguments) => commands::build::build(&arguments),
        Command::New(arguments) => commands::new::new(&arguments),
        Command::Doctor => commands::doctor::doctor(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::error(&error);
            ExitCode::from(report::EXIT_NOT_RUN)
        }
    }
}
