//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use loader::fixture::parse_size;
use loader::{Engine, Target};
use program_build::guest::Sanitizer;

/// Builds programs, runs them on the VM, and shows what they did.
#[derive(Debug, Parser)]
#[command(name = "cargo entrypoint", bin_name = "cargo entrypoint", version)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  the program succeeded, and did what its fixture expects
  1  the program failed, or did not do what its fixture expects (said on the standard error)
  2  no program was run";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build a program and run it on the VM
    Run(RunArguments),
    /// Show where a program's gas goes and how its heap fills, as text and as pictures
    Profile(ProfileArguments),
    /// Build a program's blob, WebAssembly module or library
    Build(BuildArguments),
    /// Show what is in a program's blob, and what the program needs
    Inspect(InspectArguments),
    /// Make a new program crate, with a fixture and a test
    New(NewArguments),
    /// Measure what programs cost, and compare with an earlier run
    Bench(BenchArguments),
    /// Install what is missing to build guests, and nothing else
    Setup,
    /// Report what is installed to build guests, and what is missing
    Doctor,
}

/// Which program is called, and with what.
#[derive(Debug, Args)]
pub struct CallArguments {
    /// A blob, a folder with a program crate, or a package of this workspace, whichever there is first; without it, the program in
    /// the current folder, or the counter example
    pub program: Option<String>,

    /// What to call the program with: a file, or the name of one of the program's fixtures [default: the
    /// program's `default`, or its only one]
    #[arg(long, value_name = "FIXTURE")]
    pub fixture: Option<String>,

    /// Instruction data in hexadecimal, or the file that holds it; replaces the fixture's
    #[arg(long, value_name = "HEX|@FILE", value_parser = parse_data)]
    pub data: Option<Data>,

    /// Length of the heap, such as 65536, 64KiB or 1MiB; replaces the fixture's [default: 32KiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size, allow_negative_numbers = true)]
    pub heap: Option<u32>,

    /// The most gas that the program may use; replaces the fixture's [default: 1000000]
    #[arg(long, value_name = "GAS", allow_negative_numbers = true)]
    pub gas: Option<u64>,
}

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct RunArguments {
    #[command(flatten)]
    pub call: CallArguments,

    /// The machine that the program is built for and run on [default: riscv64, or what a given file is for]
    #[arg(long, value_enum, value_name = "TARGET")]
    pub target: Option<TargetName>,

    /// How PolkaVM executes a program for riscv64; for other machines see --target [default: interpreter]
    #[arg(long, value_enum)]
    pub engine: Option<EngineName>,

    /// A command to start a native program's process with, such as "gdb --args", "valgrind" or "perf record"
    #[arg(long, value_name = "COMMAND", value_parser = parse_command)]
    pub runner: Option<RunnerCommand>,

    /// Build a native program with a sanitizer, which looks for faults while it runs
    #[arg(long, value_enum)]
    pub sanitizer: Option<SanitizerName>,

    /// Print the outcome as JSON, and nothing else, on the standard output
    #[arg(long)]
    pub json: bool,
}

const BUILD_HELP: &str = "\
What is built is target/guest/NAME.polkavm, NAME.wasm or NAME.so, as the target says; the standard output says where, and how
long it is. Code, costs and outcomes are the same with debug information and without; only failures say less of where they
happened, and a debugger knows less.";

#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct ProfileArguments {
    #[command(flatten)]
    pub call: CallArguments,

    /// The folder for the pictures [default: `profile` in the program's target folder, or in the current folder for a
    /// blob]
    #[arg(long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = BUILD_HELP)]
pub struct BuildArguments {
    /// A package of this workspace or a folder with a program crate; without it, the program in the
    /// current folder, or the counter example
    pub program: Option<String>,

    /// The machine that the program is built for
    #[arg(long, value_enum, value_name = "TARGET", default_value_t = TargetName::Riscv64)]
    pub target: TargetName,

    /// Leave out the debug information, for the blob that is deployed: a failure of the program then names no function and no
    /// source line
    #[arg(long)]
    pub release: bool,
}

const INSPECT_EXIT_CODES: &str = "\
Exit codes:
  0  the loader takes the blob
  1  the loader refuses the blob (the report says why)
  2  there is no blob to be shown";

#[derive(Debug, Args)]
#[command(after_help = INSPECT_EXIT_CODES)]
pub struct InspectArguments {
    /// A blob, a folder with a program crate, or a package of this workspace, whichever there is first; without it, the program in
    /// the current folder, or the counter example
    pub program: Option<String>,

    /// Print all of it as JSON, and nothing else, on the standard output
    #[arg(long)]
    pub json: bool,
}

const BENCH_HELP: &str = "\
The baseline is the results of an earlier run. Without --baseline it is `bench.json` beside the measured program's
Cargo.toml, or else at the root of the workspace, if there is one. What differs is printed. A larger figure of yours is
worse, and so is a program that does something else than before or is no more; with the compiler that the baseline was
measured with that is exit code 1. If it is meant to be, type the same with --bless and commit the file together with the change.

JSON: an array of rows if WHAT is given, and else what --bless writes into the baseline: an object with the compiler and
an array for each suite.
  entry       {entry, table, accounts, repeats, gas}
  allocators  {allocator, workload, gas, gas_per_op, peak, live, blob}
  size        {program, panic, blob}
  programs    {program, fixture, status, failure, gas, heap_peak, blob}

Exit codes:
  0  everything was measured, and nothing is worse than in the baseline
  1  a figure is worse, a program did not do what its fixture expects, or a suite's own check failed
  2  nothing was measured, or it could not be shown or written";

#[derive(Debug, Args)]
#[command(after_help = BENCH_HELP)]
pub struct BenchArguments {
    /// A program with fixtures, as `run` takes it: a package of this workspace, or a folder with a program crate. Or one of
    /// the entrypoint project's own suites, in its workspace: `entry`, `allocators`, `size` (a program of such a name is
    /// given as a path, `./size`). Without it, the program in the current folder, or all programs among the workspace's
    /// default members, and the suites where there are any
    pub what: Option<String>,

    /// Print the results as JSON, and nothing else, on the standard output
    #[arg(long)]
    pub json: bool,

    /// The results to compare with
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,

    /// Write what was measured into the baseline; rows that were not measured stay
    #[arg(long)]
    pub bless: bool,

    /// Rewrite the tables of `entry`, `allocators` and `size` in the documentation
    #[arg(long)]
    pub update: bool,
}

#[derive(Debug, Args)]
pub struct NewArguments {
    /// The folder to make; its last part is the crate's name
    pub name: PathBuf,

    /// A checkout of the entrypoint project, whose crates the program depends on [default: the checkout that
    /// this command was installed from, if it was not installed from a registry]
    #[arg(long, value_name = "FOLDER")]
    pub path: Option<PathBuf>,

    /// Depend on the published crates of this command's version [default: if this command was installed from
    /// a registry]
    #[arg(long, conflicts_with = "path")]
    pub registry: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// Interprets instructions; runs everywhere
    Interpreter,
    /// Compiles to machine code first; x86-64 Linux
    Compiler,
}

impl From<EngineName> for Engine {
    fn from(name: EngineName) -> Self {
        match name {
            EngineName::Interpreter => Self::Interpreter,
            EngineName::Compiler => Self::Compiler,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TargetName {
    /// A blob for PolkaVM, as it is deployed
    Riscv64,
    /// A WebAssembly module
    Wasm32,
    /// A library of this machine, for debuggers, sanitizers and speed; 64-bit Linux
    Native,
}

impl From<TargetName> for Target {
    fn from(name: TargetName) -> Self {
        match name {
            TargetName::Riscv64 => Self::Riscv64,
            TargetName::Wasm32 => Self::Wasm32,
            TargetName::Native => Self::Native,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SanitizerName {
    /// Accesses beyond what is on the stack or in a static
    Address,
}

impl From<SanitizerName> for Sanitizer {
    fn from(name: SanitizerName) -> Self {
        match name {
            SanitizerName::Address => Self::Address,
        }
    }
}

/// Instruction data that was given on the command line.
#[derive(Clone, Debug)]
pub enum Data {
    Bytes(Vec<u8>),
    File(PathBuf),
}

fn parse_data(text: &str) -> Result<Data, String> {
    if let Some(file) = text.strip_prefix('@') {
        return Ok(Data::File(PathBuf::from(file)));
    }
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode(digits).map(Data::Bytes).map_err(|error| {
        format!("not hexadecimal: {error}; write two digits for each byte, or @FILE")
    })
}

/// A command and its first arguments.
#[derive(Clone, Debug)]
pub struct RunnerCommand(pub Vec<String>);

fn parse_command(text: &str) -> Result<RunnerCommand, String> {
    match shlex::split(text) {
        Some(words) if !words.is_empty() => Ok(RunnerCommand(words)),
        Some(_) => Err("there is no command in it".to_owned()),
        None => Err("a quotation mark is open".to_owned()),
    }
}
