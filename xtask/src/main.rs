//! `cargo xtask`: the chores of this project itself.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use anyhow::Result;
use cargo_entrypoint::output::{self, EXIT_NOT_RUN};
use clap::{Parser, Subcommand};
use xtask::{bench, replay, scale, svm};

/// The chores of this project itself
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure entries, allocators and blob sizes, and compare with an earlier run
    Bench(bench::BenchArguments),
    Scale(scale::ScaleArguments),
    Svm(svm::SvmArguments),
    /// Replay a trace of a program's allocator with ours and four others
    Replay(replay::ReplayArguments),
}

fn main() -> ExitCode {
    let result: Result<ExitCode> = match Arguments::parse().command {
        Command::Bench(arguments) => bench::bench(&arguments),
        Command::Scale(arguments) => scale::scale(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Svm(arguments) => svm::svm(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Replay(arguments) => replay::run(&arguments),
    };
    result.unwrap_or_else(|error| {
        output::error(&error);
        ExitCode::from(EXIT_NOT_RUN)
    })
}
