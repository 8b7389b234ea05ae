//! `cargo entrypoint run`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, bail};
use loader::display::escape_control;
use loader::{Engine, Failure, Invocation, LoadError, Loader, Outcome, Target, handler};
use program_build::custom_errors::CustomErrors;
use program_build::guest::{self, Sanitizer};
use program_build::machine::Machine;
use program_build::package::Program;
use signal_hook::consts::{SIGINT, SIGQUIT};
use signal_hook::flag;

use crate::arguments::RunArguments;
use crate::commands::call::{Call, Verdict};
use crate::commands::counting::counted;
use crate::commands::scenario;
use crate::profile::end::End;
use crate::profile::live::Holder;
use crate::report;
use crate::report::people::Known;

/// A program that has been run.
struct Run {
    /// Program and fixture, for the heading of a report.
    title: String,
    invocation: Invocation,
    outcome: Outcome,
    /// The place where the program ended, if it is known better than the failure tells.
    end: Option<End>,
    /// The errors that the file of the program names whose status it is.
    errors: CustomErrors,
    /// Whether the outcome is what the fixture expects.
    verdict: Verdict,
    /// The lines that allocated what was live when the heap refused.
    holders: Vec<Holder>,
}

pub fn run(arguments: &RunArguments) -> Result<ExitCode> {
    // The engine that the command line selects, before the program's file is known.
    let target = arguments.target.map(Target::from).unwrap_or_default();
    let mut engine = engine_of(arguments, target);
    match scenario::find(arguments) {
        Ok(None) => {}
        Ok(Some(path)) => {
            let result = check_engine(arguments, target, "this scenario's programs are");
            let result = result.and_then(|()| scenario::run(arguments, &path, engine));
            return result.or_else(|error| not_run(arguments, engine, error));
        }
        Err(error) => return not_run(arguments, engine, error),
    }
    let run = match build_and_run(arguments, &mut engine) {
        Ok(run) => run,
        Err(error) => return not_run(arguments, engine, error),
    };
    if arguments.json {
        report::print(&report::json::outcome(&run.outcome, &run.holders)?)?;
    } else {
        let mut text = String::new();
        let known = Known {
            end: run.end.as_ref(),
            errors: &run.errors,
            holders: &run.holders,
        };
        report::people::outcome(&mut text, &run.title, &run.invocation, &run.outcome, &known)?;
        text.push_str(run.verdict.praise().unwrap_or_default());
        report::print(&text)?;
    }
    Ok(run.verdict.report())
}

/// Reports that nothing was run.
fn not_run(arguments: &RunArguments, engine: Engine, error: anyhow::Error) -> Result<ExitCode> {
    if arguments.json {
        let kind = report::json::kind(&error);
        let description = format!("{error:#}");
        report::print(&report::json::error(kind, &description, engine)?)?;
    }
    Err(error)
}

fn build_and_run(arguments: &RunArguments, used: &mut Engine) -> Result<Run> {
    let call = Call::read(&arguments.call, &arguments.cargo)?;
    let target = target(arguments, &call)?;
    let engine = engine(arguments, &call, target)?;
    *used = engine;
    let command = arguments.runner.as_ref();
    let machine = Machine::new(engine)
        .as_on(call.runtime)
        .command(command.map_or_else(Vec::new, |command| command.0.clone()))
        .sanitizer(arguments.sanitizer.map(Into::into))
        .library(library(arguments, &call))
        .options(arguments.cargo.options());
    let program = call.file(|package| machine.build(package))?;
    check_sanitizer(arguments, &call, &program)?;
    let loader = machine.loader(&call.target_folder(target))?;
    let loaded = loader
        .load(&program)
        .map_err(|error| not_loaded(error, &call, &program))?;
    if arguments.runner.is_some() {
        leave_keys_to_the_command()?;
    }
    let built = call.host(&machine, &loader, &loaded)?;
    let mut outcome = loaded.invoke_with(&built.host, &call.invocation)?;
    let end = end(&call, &program, &outcome);
    if let (Some(failure), Some(own)) = (&mut outcome.failure, end.as_ref().and_then(End::own)) {
        failure.set_place(Some(own.0), Some(own.1));
    }
    let errors = built.errors_of(&outcome, CustomErrors::of(&program));
    Ok(Run {
        title: call.title(),
        holders: holders(&call, &outcome),
        end,
        verdict: call.judge(&outcome, errors.all()),
        errors,
        invocation: call.invocation,
        outcome,
    })
}

/// The most gas of a failed invocation that is run once more, to find out where it ended.
const MAX_TRACED_GAS: u64 = 10_000_000;

/// The place where a program failed, from a profile of the same invocation; `None` if that does not
/// tell more than the failure.
fn end(call: &Call, program: &[u8], outcome: &Outcome) -> Option<End> {
    let failure = outcome.failure.as_ref()?;
    if outcome.engine.target() != Target::Riscv64 || outcome.gas_used > MAX_TRACED_GAS {
        return None;
    }
    let loader = Loader::new(Engine::Interpreter).ok()?.as_on(call.runtime);
    let loaded = loader.load(program).ok()?;
    let built = call.host(&Machine::new(Engine::Interpreter), &loader, &loaded);
    let host = built.ok()?.host;
    let profiled = loaded.profile_with(&host, &call.invocation).ok()?;
    let is_same = profiled.outcome.failure.as_ref().map(Failure::kind) == Some(failure.kind());
    let (inlining, mut sources) = call.debug_info();
    let end = End::of(&profiled, &inlining, &mut sources);
    end.filter(|_| is_same)
}

/// The lines that allocated what was live when the heap refused, from a build that counts. None if
/// the heap has not refused, or if there is no such build.
fn holders(call: &Call, outcome: &Outcome) -> Vec<Holder> {
    let (Program::Package(package), Some(Failure::OutOfMemory { .. })) =
        (&call.program, &outcome.failure)
    else {
        return Vec::new();
    };
    if outcome.engine.target() != Target::Riscv64 || outcome.gas_used > MAX_TRACED_GAS {
        return Vec::new();
    }
    match counted(call, package, outcome) {
        // With the bytes for counting, another build may even come further.
        Ok(Some(counted)) if counted.profiled.outcome.failure.is_some() => counted.holders,
        Ok(_) => Vec::new(),
        Err(error) => {
            report::error(&error.context("cannot find out which lines have the heap"));
            Vec::new()
        }
    }
}

/// Lets this process survive the signals of a terminal's keys, such as Ctrl-C. The terminal sends
/// them to a debugger too, which interrupts the program, and goes on.
pub fn leave_keys_to_the_command() -> Result<()> {
    for signal in [SIGINT, SIGQUIT] {
        // It sets a flag, and nothing looks at it.
        flag::register(signal, Arc::new(AtomicBool::new(false)))
            .context("cannot handle the signals of the terminal")?;
    }
    Ok(())
}

/// The file of the program, if it is native.
fn library(arguments: &RunArguments, call: &Call) -> PathBuf {
    match &call.program {
        Program::Package(package) => {
            guest::library_path(package, &[], arguments.sanitizer.map(Into::into))
        }
        Program::Blob(path) => path.clone(),
    }
}

/// The error of a program that does not load. Adds a hint if the module exports handlers but no
/// entry.
fn not_loaded(error: LoadError, call: &Call, program: &[u8]) -> anyhow::Error {
    let handlers = match error {
        LoadError::MissingEntrypoint { .. } => handler::exports(program).unwrap_or_default(),
        _ => Vec::new(),
    };
    let name = call.name();
    if handlers.is_empty() {
        return anyhow::Error::new(error).context(format!("cannot load {name}"));
    }
    let handlers = handlers
        .iter()
        .map(|name| format!("`{}`", escape_control(name)));
    let handlers = handlers.collect::<Vec<_>>().join(", ");
    anyhow::Error::new(error).context(format!(
        "{name} is not a program but a module with the handlers {handlers}; run it in a host, as in docs/handlers.md"
    ))
}

/// Rejects a sanitizer for a file that was built without it, because it would find nothing.
fn check_sanitizer(arguments: &RunArguments, call: &Call, program: &[u8]) -> Result<()> {
    let Some(sanitizer) = arguments.sanitizer else {
        return Ok(());
    };
    if !Sanitizer::from(sanitizer).is_in(program) {
        bail!(
            "{} was built without the sanitizer; pass the program's package, so that it is built again",
            call.name()
        );
    }
    Ok(())
}

/// The target from the command line, or that of the file.
fn target(arguments: &RunArguments, call: &Call) -> Result<Target> {
    let asked = arguments.target.map(Target::from);
    let Some(found) = call.target_of_file()? else {
        return Ok(asked.unwrap_or_default());
    };
    if let Some(asked) = asked
        && asked != found
    {
        bail!(
            "{} is a program for {found}, not for {asked}; remove `--target {asked}`",
            call.name()
        );
    }
    // Nothing isolates a native program, so a misleading name must not start one.
    let name = call.name();
    let extension = Path::new(&name).extension();
    let is_other = |target: &Target| {
        *target != Target::Native && extension.is_some_and(|found| found == target.extension())
    };
    if found == Target::Native && asked.is_none() && Target::ALL.iter().any(is_other) {
        bail!(
            "{name} is a native library, despite its name; native programs are not isolated: add \
             `--target native` if you trust it"
        );
    }
    Ok(found)
}

/// The engine of a target. It rejects options that the target does not support.
fn engine(arguments: &RunArguments, call: &Call, target: Target) -> Result<Engine> {
    check_engine(arguments, target, "this program is")?;
    if target != Target::Native {
        let given = [
            ("--runner", arguments.runner.is_some()),
            ("--sanitizer", arguments.sanitizer.is_some()),
        ];
        if let Some((option, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
            let advice = match call.program {
                Program::Package(_) => "add `--target native`",
                Program::Blob(_) => "pass the program's crate and `--target native`, or a library",
            };
            bail!("`{option}` is for native programs; {advice}");
        }
    }
    Ok(engine_of(arguments, target))
}

/// Rejects an engine of PolkaVM's for another target.
fn check_engine(arguments: &RunArguments, target: Target, what: &str) -> Result<()> {
    if target != Target::Riscv64 && arguments.engine.is_some() {
        bail!("`--engine` selects a PolkaVM engine for riscv64, and {what} for {target}");
    }
    Ok(())
}

fn engine_of(arguments: &RunArguments, target: Target) -> Engine {
    match target {
        Target::Riscv64 => arguments.engine.map(Into::into).unwrap_or_default(),
        Target::Wasm32 => Engine::Wasm,
        Target::Native => Engine::Native,
    }
}
