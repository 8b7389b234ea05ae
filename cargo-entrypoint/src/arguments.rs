//! The command line.

pub mod ledger;
mod values;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use program_build::guest::OptLevel;
use program_build::options::CargoOptions;
use program_build::package::{self, Program};

use crate::bench::command;

pub(crate) use values::{
    Data, EngineName, RunnerCommand, RuntimeName, SanitizerName, TargetName, parse_command,
    parse_data, parse_gas, parse_heap,
};

/// Builds programs, runs them, and shows what they did
#[derive(Debug, Parser)]
#[command(name = "cargo entrypoint", bin_name = "cargo entrypoint", version)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  the outcome is what the [expect] of the fixture says, which may be a failure; without one, the
     program succeeded; or each step of a scenario did what is expected of it
  1  the outcome is not what the fixture or the scenario expects; without [expect], the program
     failed, or the loader rejected its changes
  2  no program was run";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build a program and run it, or run a scenario
    Run(RunArguments),
    /// Show where a program's gas goes and how its heap fills, as text and as pictures
    Profile(ProfileArguments),
    /// Find the heap with which a program costs the least gas
    Allocators(AllocatorsArguments),
    /// Debug a program as it is deployed, with gdb: forwards and backwards
    Debug(DebugArguments),
    /// Run a program on generated accounts and data, and look for crashes
    Fuzz(FuzzArguments),
    /// Show which lines and branches of a program ran in its fixtures, scenarios and tests
    Coverage(CoverageArguments),
    /// Build a program's blob, WebAssembly module or library
    Build(BuildArguments),
    /// Show what a program's blob contains, and what the program needs
    Inspect(InspectArguments),
    /// Create a program crate, with two fixtures, a scenario and five tests
    New(NewArguments),
    /// Measure what programs cost, and compare with an earlier run
    Bench(BenchArguments),
    /// Keep accounts and programs in a file, and run transactions on them
    Ledger(ledger::LedgerArguments),
    /// Explain an error of the macros by its code, or list all codes
    Explain(ExplainArguments),
    /// Install the tools that are missing to build programs (as root on Debian), or print how to
    Setup,
    /// Check that the tools to build programs are installed
    Doctor,
}

/// The arguments of `cargo entrypoint explain`.
#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// The code, as in EP0012; without it, the list of all codes
    pub code: Option<String>,
}

const CARGO_OPTIONS: &str = "Options of cargo's for the build";

/// What every command that builds passes on to cargo.
#[derive(Debug, Args)]
#[command(next_help_heading = CARGO_OPTIONS)]
pub struct CargoArguments {
    /// How many compilers run at once
    #[arg(short, long, value_name = "N", allow_negative_numbers = true)]
    pub jobs: Option<String>,

    /// Fail if Cargo.lock would change
    #[arg(long)]
    pub locked: bool,

    /// Do not use the network
    #[arg(long)]
    pub offline: bool,

    /// The same as --locked and --offline
    #[arg(long)]
    pub frozen: bool,

    /// Print no progress
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Print the commands of the build; with -vv also what build scripts print
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// What a command that builds one program passes on to cargo.
#[derive(Debug, Args)]
#[command(next_help_heading = CARGO_OPTIONS)]
pub struct ProgramCargoArguments {
    /// Features of the program's crate, separated by commas
    #[arg(short = 'F', long, value_name = "FEATURES", value_delimiter = ',')]
    pub features: Vec<String>,

    /// Leave out the default features of the program's crate
    #[arg(long)]
    pub no_default_features: bool,

    #[command(flatten)]
    pub common: CargoArguments,
}

impl CargoArguments {
    pub fn options(&self) -> CargoOptions {
        CargoOptions {
            jobs: self.jobs.clone(),
            locked: self.locked,
            offline: self.offline,
            frozen: self.frozen,
            quiet: self.quiet,
            verbose: self.verbose,
            ..CargoOptions::default()
        }
    }
}

impl ProgramCargoArguments {
    pub fn options(&self) -> CargoOptions {
        CargoOptions {
            features: self.features.clone(),
            no_default_features: self.no_default_features,
            ..self.common.options()
        }
    }

    /// Finds a program that is to be built with these options.
    pub fn locate(&self, program: Option<&str>) -> Result<Program> {
        let mut program = package::locate(program)?;
        match &mut program {
            Program::Package(package) => package.options = self.options(),
            Program::Blob(file) if !self.features.is_empty() || self.no_default_features => bail!(
                "{} is a file and is not built, so it has no features; pass its crate",
                file.display()
            ),
            Program::Blob(_) => {}
        }
        Ok(program)
    }
}

/// The program to call, and its invocation.
#[derive(Debug, Args)]
pub struct CallArguments {
    /// A program's file, a folder with a program crate, or a package of this workspace, in this
    /// order [default: the program in the current folder, or else the package `counter`]
    pub program: Option<String>,

    /// The fixture to call the program with: a file, or the name of one of the program's fixtures
    /// [default: the fixture `default`, or the only fixture]
    #[arg(long, value_name = "FIXTURE")]
    pub fixture: Option<String>,

    /// Whose limits, prices and log lines the program gets; replaces `as` of the fixture [default:
    /// own]
    #[arg(long = "as", value_enum, value_name = "RUNTIME")]
    pub runtime: Option<RuntimeName>,

    /// Instruction data in hexadecimal, or a file with the data; replaces the fixture's data
    #[arg(long, value_name = "HEX|@FILE", value_parser = parse_data)]
    pub data: Option<Data>,

    /// Heap size, such as 65536, 64KiB or 1MiB; replaces the fixture's heap [default: 32KiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_heap, allow_negative_numbers = true)]
    pub heap: Option<u32>,

    /// The most gas that the program may use; replaces the fixture's gas [default: 1000000;
    /// as on rialo: 200000]
    #[arg(long, value_name = "GAS", value_parser = parse_gas, allow_negative_numbers = true)]
    pub gas: Option<u64>,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct RunArguments {
    #[command(flatten)]
    pub call: CallArguments,

    /// A scenario to run: a file, or the name of one of the program's scenarios. A file may also
    /// be PROGRAM itself, and so may the name, in the folder of the program
    #[arg(long, value_name = "SCENARIO")]
    pub scenario: Option<String>,

    /// The target to build the program for [default: riscv64, or the target of the given file]
    #[arg(long, value_enum, value_name = "TARGET")]
    pub target: Option<TargetName>,

    /// The PolkaVM engine that runs a program for riscv64 [default: interpreter]
    #[arg(long, value_enum)]
    pub engine: Option<EngineName>,

    /// A command that starts the process of a native program, such as "gdb --args", "valgrind" or
    /// "perf record"
    #[arg(long, value_name = "COMMAND", value_parser = parse_command)]
    pub runner: Option<RunnerCommand>,

    /// Build a native program with a sanitizer, which finds faults while the program runs
    #[arg(long, value_enum)]
    pub sanitizer: Option<SanitizerName>,

    /// Print only the outcome, as JSON, on the standard output. Numbers have all their digits, up
    /// to 64 bits: in JavaScript, read them as BigInt
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub cargo: ProgramCargoArguments,
}

const BUILD_HELP: &str = "\
Writes target/guest/NAME.polkavm, NAME.wasm or NAME.so, by the target, and prints the path and the
length of the file. Debug information changes neither code nor gas; failures and debuggers use it
to name functions and source lines.";

const PROFILE_EXIT_CODES: &str = "\
Exit codes:
  0  the outcome is what the [expect] of the fixture says, which may be a failure; without one, the
     program succeeded. With --diff this is the outcome of the new program
  1  the outcome is not what the fixture expects; without [expect], the program failed, or the
     loader rejected its changes
  2  no program was run";

#[derive(Debug, Args)]
#[command(after_help = PROFILE_EXIT_CODES)]
pub struct ProfileArguments {
    #[command(flatten)]
    pub call: CallArguments,

    /// The folder for the pictures [default: `profile` in the program's target folder; for a blob,
    /// in the current folder]
    #[arg(long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,

    /// Compare with another program, which gets the same invocation: its file, or a commit of the
    /// git repository of the program, such as HEAD, main or v1.0
    #[arg(long, value_name = "FILE|COMMIT")]
    pub diff: Option<String>,

    /// Print the profile, or the comparison, as JSON on the standard output
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub cargo: ProgramCargoArguments,
}

const ALLOCATORS_HELP: &str = "\
The command records the calls that the program makes of its allocator, replays them in the VM with
each heap of this project. Last, it runs the program with each heap, which shows how exact the
replay was. `gas, replayed` is the gas of the
program as the replay tells, `gas, run` that of the real run. `peak` is the extent of all blocks, in
bytes; `leaked` are free bytes that the heap can never hand out again.
In a checkout of the project, `cargo xtask replay FILE` replays a trace with other allocators too.

Exit codes:
  0  the heaps were compared
  2  they were not, for example because the program names its heap";

#[derive(Debug, Args)]
#[command(after_help = ALLOCATORS_HELP)]
pub struct AllocatorsArguments {
    #[command(flatten)]
    pub call: CallArguments,

    /// Write the recorded calls to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,

    /// Replay the calls of this file, instead of recording those of the program. The program is
    /// not run then
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["trace", "fixture", "runtime", "data", "heap", "gas"]
    )]
    pub replay: Option<PathBuf>,

    /// Print only the comparison, as JSON, on the standard output
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub cargo: ProgramCargoArguments,
}

const DEBUG_HELP: &str = "\
Without --port and --socket the command starts gdb in this terminal, with the program's symbols and
sources: type `break process_instruction`, `continue`, `reverse-step`. Set GDB to use another gdb
than gdb-multiarch. `monitor help` in gdb lists what the loader knows about the run.

The debugger reads the program and cannot change it: each stop is a replay of the same run.";

#[derive(Debug, Args)]
#[command(after_help = DEBUG_HELP)]
pub struct DebugArguments {
    #[command(flatten)]
    pub call: CallArguments,

    /// Wait for a debugger on this TCP port of this computer; 0 selects a free one
    #[arg(long, value_name = "PORT", conflicts_with = "socket")]
    pub port: Option<u16>,

    /// Wait for a debugger on a Unix socket with this path
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,

    /// How much the compiler optimizes: `deployed` is the level of the deployed code, `1` keeps
    /// more variables, with other code and other gas
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = OptLevelName::Deployed)]
    pub opt_level: OptLevelName,

    #[command(flatten)]
    pub cargo: ProgramCargoArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OptLevelName {
    /// As deployed: full debug info can move a few instructions
    Deployed,
    /// Level 1: more variables have values
    #[value(name = "1")]
    One,
}

impl From<OptLevelName> for OptLevel {
    fn from(name: OptLevelName) -> Self {
        match name {
            OptLevelName::Deployed => Self::AsDeployed,
            OptLevelName::One => Self::Little,
        }
    }
}

const FUZZ_HELP: &str = "\
A crash is a panic, a trap, an abort, a lack of memory, an overflow of the stack, or an invalid
pointer in a syscall. An error that the program returns is not one, nor is a change that the loader
rejects, nor a lack of gas. Each crash is made smaller and written as a fixture.

With the same --seed and --runs the same inputs are run.

Exit codes:
  0  no crash was found
  1  a crash was found
  2  no input was run";

#[derive(Debug, Args)]
#[command(after_help = FUZZ_HELP)]
pub struct FuzzArguments {
    /// A folder with a program crate, or a package of this workspace [default: the program in the
    /// current folder, or else the package `counter`]
    pub program: Option<String>,

    /// The fixture to start from: a file, or the name of one of the program's fixtures [default:
    /// all of the program's fixtures]
    #[arg(long, value_name = "FIXTURE")]
    pub fixture: Option<String>,

    /// How long to look, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub time: u64,

    /// How many inputs to run, instead of a time
    #[arg(long, value_name = "NUMBER", conflicts_with = "time")]
    pub runs: Option<u64>,

    /// The number that all choices depend on
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub seed: u64,

    /// Stop at the first crash
    #[arg(long)]
    pub first: bool,

    /// The folder for the fixtures of crashes [default: `fuzz/PROGRAM` in the target folder]
    #[arg(long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,

    #[command(flatten)]
    pub cargo: ProgramCargoArguments,
}

const COVERAGE_HELP: &str = "\
Runs all fixtures and scenarios of the program, and `cargo test` in its folder if the package depends
on `program-test`. What is behind `--` goes to `cargo test`: `cargo entrypoint coverage -- --test ledger`.

The figures are of the blob as it is deployed, and the code that is inlined counts for its own lines.
Lines and branches without code in the blob are not counted.

Exit codes:
  0  everything that ran did what is expected of it, and enough of the program ran
  1  something did not do what is expected, a test failed, or less than --fail-under ran
  2  nothing was measured, or the results could not be printed or written";

#[derive(Debug, Args)]
#[command(after_help = COVERAGE_HELP)]
pub struct CoverageArguments {
    /// A folder with a program crate, or a package of this workspace [default: the program in the
    /// current folder, or else the package `counter`]
    pub program: Option<String>,

    /// Run fixtures and scenarios only, without `cargo test`
    #[arg(long, conflicts_with = "test_arguments")]
    pub no_tests: bool,

    /// Exit with 1 if less than PERCENT % of the lines ran
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent, allow_negative_numbers = true)]
    pub fail_under: Option<f64>,

    /// Exit with 1 if less than PERCENT % of the branches were taken
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent, allow_negative_numbers = true)]
    pub fail_under_branches: Option<f64>,

    /// The folder for `lcov.info` and the picture [default: `coverage/PROGRAM` in the target
    /// folder]
    #[arg(long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,

    /// Print only the coverage, as JSON, on the standard output
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub cargo: ProgramCargoArguments,

    /// Arguments of `cargo test`
    #[arg(last = true, value_name = "CARGO TEST", help_heading = "Arguments")]
    pub test_arguments: Vec<std::ffi::OsString>,
}

/// A part of 100.
fn parse_percent(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.trim_end_matches('%').parse().ok();
    number
        .filter(|number| (0.0..=100.0).contains(number))
        .ok_or_else(|| "a percentage is a number from 0 to 100".to_owned())
}

#[derive(Debug, Args)]
#[command(after_help = BUILD_HELP)]
pub struct BuildArguments {
    /// A package of this workspace, or a folder with a program crate [default: the program in the
    /// current folder, or else the package `counter`]
    pub program: Option<String>,

    /// The target to build the program for
    #[arg(long, value_enum, value_name = "TARGET", default_value_t = TargetName::Riscv64)]
    pub target: TargetName,

    /// Leave out the debug information, for deployment: failures then name no function and no
    /// source line
    #[arg(long)]
    pub release: bool,

    #[command(flatten)]
    pub cargo: ProgramCargoArguments,
}

const INSPECT_EXIT_CODES: &str = "\
Exit codes:
  0  the loader accepts the blob
  1  the loader rejects the blob (the report has the reason)
  2  there is no blob to show";

#[derive(Debug, Args)]
#[command(after_help = INSPECT_EXIT_CODES)]
pub struct InspectArguments {
    /// A blob, a folder with a program crate, or a package of this workspace, in this order
    /// [default: the program in the current folder, or else the package `counter`]
    pub program: Option<String>,

    /// Print only the inspection, as JSON, on the standard output
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub cargo: ProgramCargoArguments,
}

const BENCH_HELP: &str = "\
The baseline has the results of an earlier run. Without --baseline, it is `bench.json` next to the
Cargo.toml of the measured program, or else at the root of the workspace. The command prints all
differences. A larger figure is worse, and so is a program that behaves differently or is gone. A
worse result is exit code 1, if the compiler is that of the baseline. If you intend it, run the same
command with --bless, and commit the file together with the change.

JSON: an array of rows if WHAT is given, otherwise the content that --bless writes to the baseline:
an object {compiler, programs}, in which `programs` is the array. A row has the fields
  {program, fixture, status, failure, gas, heap_peak, blob}

Exit codes:
  0  everything was measured, and nothing is worse than in the baseline
  1  a result is worse, or a program differed from what its fixture expects
  2  nothing was measured, or the results could not be printed or written";

#[derive(Debug, Args)]
#[command(after_help = BENCH_HELP)]
pub struct BenchArguments {
    /// A program with fixtures: a package of this workspace, or a folder with a program crate
    /// [default: the program in the current folder, or else all programs among the workspace's
    /// default members]
    pub what: Option<String>,

    #[command(flatten)]
    pub common: command::CommonArguments,

    #[command(flatten)]
    pub cargo: CargoArguments,
}

#[derive(Debug, Args)]
pub struct NewArguments {
    /// The folder to create; its last part is the crate's name
    pub name: PathBuf,

    /// A checkout of the entrypoint project, whose crates the program depends on [default: the
    /// checkout that this command was installed from, if it was not installed from a registry]
    #[arg(long, value_name = "FOLDER")]
    pub path: Option<PathBuf>,

    /// Depend on the published crates of this command's version [default: if this command was
    /// installed from a registry]
    #[arg(long, conflicts_with = "path")]
    pub registry: bool,
}
