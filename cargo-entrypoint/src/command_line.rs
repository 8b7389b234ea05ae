//! The command line: which command its words name, and what the process returns.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::{commands, report};

/// Runs `cargo entrypoint` with the arguments of this process, and returns its exit code.
pub fn run() -> ExitCode {
    // As a cargo subcommand it is called with its own name first.
    let mut words: Vec<OsString> = std::env::args_os().collect();
    if words.get(1).is_some_and(|word| word == "entrypoint") {
        words.remove(1);
    }
    let arguments = match Arguments::try_parse_from(&words) {
        Ok(arguments) => arguments,
        Err(error) => refuse(&words, &error),
    };
    let result: Result<ExitCode> = match arguments.command {
        Command::Run(arguments) => commands::run::run(&arguments),
        Command::Profile(arguments) => commands::profile::profile(&arguments),
        Command::Allocators(arguments) => commands::allocators::allocators(&arguments),
        Command::Debug(arguments) => commands::debug::debug(&arguments),
        Command::Fuzz(arguments) => commands::fuzz::fuzz(&arguments),
        Command::Coverage(arguments) => commands::coverage::coverage(&arguments),
        Command::Build(arguments) => commands::build::build(&arguments),
        Command::Inspect(arguments) => commands::inspect::inspect(&arguments),
        Command::New(arguments) => commands::new::new(&arguments),
        Command::Bench(arguments) => commands::bench::bench(&arguments),
        Command::Ledger(arguments) => commands::ledger::ledger(&arguments),
        Command::Explain(arguments) => commands::explain::explain(&arguments),
        Command::Setup => commands::setup::setup(),
        Command::Doctor => commands::doctor::doctor(),
    };
    result.unwrap_or_else(|error| {
        report::error(&error);
        ExitCode::from(report::EXIT_NOT_RUN)
    })
}

/// The commands whose JSON without a result is the error alone.
const ONLY_ERROR: [&str; 3] = ["ledger", "profile", "allocators"];

/// Prints clap's error or help text, and the error also as JSON if the command line requests it. A
/// bench and a coverage have no outcome to print as JSON.
fn refuse(words: &[OsString], error: &clap::Error) -> ! {
    let is_command = |name: &str| words.get(1).is_some_and(|word| word == name);
    let wants_json = words.iter().any(|word| word == "--json");
    let has_outcome = !is_command("bench") && !is_command("coverage");
    if error.use_stderr() && wants_json && has_outcome {
        let text = error.to_string();
        let description = text.trim_start_matches("error: ").trim_end();
        let json = if is_command("inspect") {
            report::json::not_inspected("Usage", description)
        } else if ONLY_ERROR.iter().any(|name| is_command(name)) {
            report::json::only_error("Usage", description)
        } else {
            report::json::error("Usage", description, loader::Engine::default())
        };
        if let Ok(json) = json {
            // If printing fails, the exit code still reports the error.
            let _ = report::print(&json);
        }
    }
    error.exit()
}
