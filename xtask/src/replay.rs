//! `cargo xtask replay`: a trace of a program's allocator, replayed with ours and four others.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use cargo_entrypoint::bench::command;
use cargo_entrypoint::output;
use cargo_entrypoint::trace::HeapTrace;
use cargo_entrypoint::trace::compare::Comparison;
use cargo_entrypoint::trace::replay::replay;
use clap::Args;
use loader::{Engine, Loader};
use program_build::guest::{self, DebugInfo};
use program_build::package::ProgramPackage;

use crate::bench::allocators::{Allocator, HEAP_SIZE};
use crate::project;

const HELP: &str = "\
`cargo entrypoint allocators PROGRAM --trace FILE` records a trace. Every allocator has a heap of
512 KiB here. `gas, replayed` is the gas of the program, less the calls of its own heap, and with
those of the other allocator. The two invocation arenas free nothing, so they are left out.";

/// The arguments of `cargo xtask replay`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct ReplayArguments {
    /// The trace
    file: PathBuf,

    /// Print only the comparison, as JSON, on the standard output
    #[arg(long)]
    json: bool,
}

/// The guest's feature that replays traces.
const REPLAY: &str = "replay";

/// The number of the guest's workload that replays, and four bytes of zero.
pub const PREFIX: [u8; 8] = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/// Replays a trace with each allocator, and prints the comparison.
///
/// # Errors
///
/// If the trace cannot be read, or the guest cannot be built or run.
pub fn run(arguments: &ReplayArguments) -> Result<ExitCode> {
    let trace = HeapTrace::read(&arguments.file)?;
    let guest = ProgramPackage::in_folder(&project().join("benches/allocators"))?;
    let mut replayed = Vec::new();
    for allocator in Allocator::ALL {
        if !allocator.frees() {
            continue;
        }
        let name = allocator.name();
        let blob = guest::build_with_features(&guest, &[name, REPLAY], DebugInfo::Strip)?;
        let program = Loader::new(Engine::Interpreter)?
            .load(&blob)
            .with_context(|| format!("cannot load the replay with `{name}`"))?;
        let figures = replay(&program, &trace, HEAP_SIZE, &PREFIX)
            .with_context(|| format!("cannot replay the trace with `{name}`"))?;
        replayed.push((name.to_owned(), figures, None));
    }
    let comparison = Comparison::new(&trace, &replayed);
    if arguments.json {
        command::print_json(&comparison)?;
    } else {
        let mut text = String::new();
        comparison.describe(&mut text, &trace)?;
        output::print(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}
