//! `cargo entrypoint allocators`

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use loader::{Engine, Failure, Loader, Outcome};
use program_build::guest::{self, DebugInfo};
use program_build::machine::Machine;
use program_build::package::{Program, ProgramPackage};

use crate::arguments::AllocatorsArguments;
use crate::commands::call::{Call, from_here};
use crate::commands::counting::counted;
use crate::report;
use crate::trace::compare::{Comparison, OURS, Run};
use crate::trace::replay::{Replayed, replay};
use crate::trace::{HeapTrace, VERSION, operations};

/// The feature of `program-entrypoint` under which a program replays a trace.
const HEAP_REPLAY: &str = "heap-replay";

pub fn allocators(arguments: &AllocatorsArguments) -> Result<ExitCode> {
    let compared = compare(arguments);
    let (trace, comparison) = match compared {
        Ok(compared) => compared,
        Err(error) => {
            if arguments.json {
                let kind = match report::json::kind(&error) {
                    "NotRun" => "NotCompared",
                    kind => kind,
                };
                let text = format!("{error:#}");
                report::print(&report::json::only_error(kind, &text)?)?;
            }
            return Err(error);
        }
    };
    let text = if arguments.json {
        report::json::value(&serde_json::to_value(&comparison)?)?
    } else {
        let mut text = String::new();
        comparison.describe(&mut text, &trace)?;
        if let Some(path) = &arguments.trace {
            text += &format!("\ntrace     {}\n", from_here(path).display());
        }
        text
    };
    report::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn compare(arguments: &AllocatorsArguments) -> Result<(HeapTrace, Comparison)> {
    if let Some(path) = &arguments.replay {
        // A file is read before a program is built.
        let trace = HeapTrace::read(path)?;
        let program = arguments.cargo.locate(arguments.call.program.as_deref())?;
        let package = package(&program)?;
        let comparison = comparison(package, &trace, |_| None)?;
        return Ok((trace, comparison));
    }
    let call = Call::read(&arguments.call, &arguments.cargo)?;
    let package = package(&call.program)?;
    let (trace, runs) = record(&call, package)?;
    let package = &quiet(package);
    if let Some(path) = &arguments.trace {
        trace.write(path)?;
    }
    let own = runs.iter().find(|(heap, _)| *heap == trace.heap);
    let comparison = comparison(package, &trace, |heap| {
        let (_, outcome) = runs.iter().find(|(name, _)| *name == heap)?;
        let (_, own) = own?;
        let kind = |outcome: &Outcome| outcome.failure.as_ref().map(Failure::kind);
        Some(Run {
            gas: outcome.gas_used,
            failure: outcome.failure.as_ref().map(ToString::to_string),
            returns: outcome.status.is_some(),
            ends_alike: outcome.status == own.status && kind(outcome) == kind(own),
        })
    })?;
    Ok((trace, comparison))
}

/// The crate of the program: a file cannot be built with another heap.
fn package(program: &Program) -> Result<&ProgramPackage> {
    match program {
        Program::Package(package) => Ok(package),
        Program::Blob(path) => bail!(
            "{} is a file, which cannot be built with another heap; pass the program's crate",
            path.display()
        ),
    }
}

/// The same package, whose builds print errors alone: the compiler's warnings are those of the
/// first build.
fn quiet(package: &ProgramPackage) -> ProgramPackage {
    let mut package = package.clone();
    let options = &mut package.options;
    if options.verbose == 0 {
        options.quiet = true;
        options.errors_only = true;
    }
    package
}

fn feature_of(heap: &str) -> String {
    format!("heap-{heap}")
}

/// Builds the program with features of `program-entrypoint`.
fn build(package: &ProgramPackage, features: &[&str]) -> Result<Vec<u8>> {
    let features = features
        .iter()
        .map(|feature| package.entrypoint_feature(feature))
        .collect::<Result<Vec<_>>>()?;
    let features: Vec<&str> = features.iter().map(String::as_str).collect();
    guest::build_with_features(package, &features, DebugInfo::Strip)
}

/// Runs the call in a build with features of `program-entrypoint`.
fn run(call: &Call, package: &ProgramPackage, features: &[&str]) -> Result<Outcome> {
    let blob = build(package, features)?;
    let loader = Loader::new(Engine::Interpreter)?.as_on(call.runtime);
    let program = loader
        .load(&blob)
        .with_context(|| format!("cannot load {}", package.name))?;
    let built = call.host(&Machine::new(Engine::Interpreter), &loader, &program)?;
    Ok(program.invoke_with(&built.host, &call.invocation)?)
}

/// The outcomes of a call, by heap.
type Runs = Vec<(&'static str, Outcome)>;

/// The trace of the call, and the outcomes with each heap.
fn record(call: &Call, package: &ProgramPackage) -> Result<(HeapTrace, Runs)> {
    let own = run(call, package, &[])?;
    let package = &quiet(package);
    let counted = counted(call, package, &own)?.with_context(|| {
        format!(
            "{} names its heap, so the build cannot replace it by one that records; declare the \
             heap with the option `heap = bump` or `heap = segregated` of `entrypoint!`",
            package.name
        )
    })?;
    let profiled = counted.profiled;
    if profiled.lacks_operations {
        bail!(
            "{} calls its allocator more than {} times, which is more than a trace records; choose \
             a fixture that does less",
            package.name,
            profiled.operations.len()
        );
    }
    let runs = OURS.map(|heap| Ok((heap, run(call, package, &[&feature_of(heap)])?)));
    let runs = runs.into_iter().collect::<Result<Runs>>()?;
    // The same code costs the same gas.
    let same = runs.iter().find(|(_, outcome)| {
        outcome.gas_used == own.gas_used && outcome.heap.peak == own.heap.peak
    });
    let (heap, _) = same.with_context(|| {
        format!(
            "{} costs other gas with each heap that could be its own",
            package.name
        )
    })?;
    let operations = operations(&profiled.operations)?;
    let trace = HeapTrace {
        heap_trace: VERSION,
        program: package.name.clone(),
        fixture: call.short_fixture(),
        heap: (*heap).to_owned(),
        heap_size: own.heap.limit,
        gas: own.gas_used,
        calls: operations.len(),
        operations,
    };
    trace.check()?;
    Ok((trace, runs))
}

/// Replays the trace with each heap.
fn comparison(
    package: &ProgramPackage,
    trace: &HeapTrace,
    run_with: impl Fn(&str) -> Option<Run>,
) -> Result<Comparison> {
    let mut replayed: Vec<(String, Replayed, Option<Run>)> = Vec::new();
    let quiet = quiet(package);
    for (heap, package) in OURS.into_iter().zip([package, &quiet]) {
        let blob = build(package, &[HEAP_REPLAY, &feature_of(heap)])?;
        let program = Loader::new(Engine::Interpreter)?
            .load(&blob)
            .with_context(|| format!("cannot load the replay with `{heap}`"))?;
        let figures = replay(&program, trace, trace.heap_size, &[])
            .with_context(|| format!("cannot replay the trace with `{heap}`"))?;
        replayed.push((heap.to_owned(), figures, run_with(heap)));
    }
    Ok(Comparison::new(trace, &replayed))
}
