//! A build of a program whose heap counts its live bytes.

use std::fs;

use anyhow::{Context, Result};
use loader::profile::Profiled;
use loader::{Engine, Failure, Loader, Outcome};
use program_build::guest::{self, DebugInfo};
use program_build::machine::Machine;
use program_build::package::ProgramPackage;

use crate::commands::call::Call;
use crate::profile::inlining::Inlining;
use crate::profile::live::{Holder, holders};
use crate::profile::sources::Sources;

/// The feature of `program-entrypoint` under which the default heaps count what is live.
const HEAP_TRACE: &str = "heap-trace";

/// How much more gas a build that counts its heap may use.
const COUNTING_FACTOR: u64 = 100;

/// An invocation of the build that counts.
pub struct Counted {
    pub profiled: Profiled,
    /// The live blocks at the end, by the line that allocated them.
    pub holders: Vec<Holder>,
    /// The bytes that the heap has lost by then, by the same.
    pub leaks: Vec<Holder>,
}

/// The invocation of a call, which had this outcome, in a build that counts live bytes; `None` if
/// its heap counts none.
///
/// # Errors
///
/// If the program cannot be built so, or cannot be run.
pub fn counted(
    call: &Call,
    package: &ProgramPackage,
    outcome: &Outcome,
) -> Result<Option<Counted>> {
    let feature = package.entrypoint_feature(HEAP_TRACE)?;
    let blob = guest::build_with_features(package, &[&feature], DebugInfo::Keep)?;
    let mut invocation = call.invocation.clone();
    // Counting costs gas. A program that has run out of it would only go on.
    if !matches!(outcome.failure, Some(Failure::OutOfGas { .. })) {
        let most = i64::MAX.unsigned_abs();
        invocation.gas = invocation.gas.saturating_mul(COUNTING_FACTOR).min(most);
    }
    let loader = Loader::new(Engine::Interpreter)?;
    let program = loader
        .load(&blob)
        .with_context(|| format!("cannot load {}", package.name))?;
    let built = call.host(&Machine::new(Engine::Interpreter), &loader, &program)?;
    let profiled = program.profile_with(&built.host, &invocation)?;
    let is_counted = profiled
        .heap
        .samples
        .last()
        .is_some_and(|sample| sample.counts.is_some());
    if !is_counted {
        return Ok(None);
    }
    let elf = fs::read(guest::elf_path(package, &[&feature])).ok();
    let inlining = elf.and_then(|elf| Inlining::read(&elf).ok());
    let inlining = inlining.unwrap_or_default();
    let mut sources = Sources::of(package);
    Ok(Some(Counted {
        holders: holders(&profiled.live, &inlining, &mut sources),
        leaks: holders(&profiled.leaked, &inlining, &mut sources),
        profiled,
    }))
}
