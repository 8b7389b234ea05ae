//! `cargo entrypoint profile`

mod difference;
mod json;
mod old;

use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use loader::profile::{Block, HeapProfile, Profiled};
use loader::{Engine, Invocation, Loader};
use program_build::custom_errors::CustomErrors;
use program_build::files;
use program_build::machine::Machine;
use program_build::package::Program;

use old::Old;

use crate::arguments::ProfileArguments;
use crate::commands::call::{Call, from_here};
use crate::commands::counting::{Counted, counted};
use crate::profile::costs::Costs;
use crate::profile::end::End;
use crate::profile::live::Holder;
use crate::profile::unreached::unreached;
use crate::profile::{flame, heap, report as tables};
use crate::report;
use crate::report::people::Known;
use crate::text::grouped;

/// The heap's history, and a note about it.
struct Heap {
    /// The heap of the program itself.
    plain: HeapProfile,
    /// The heap of a build that counts live bytes, if there is one.
    counted: Option<HeapProfile>,
    /// The live blocks at the end, by the line that allocated them.
    holders: Vec<Holder>,
    /// The bytes that the heap has lost by then, by the same.
    leaks: Vec<Holder>,
    note: String,
}

pub fn profile(arguments: &ProfileArguments) -> Result<ExitCode> {
    let result = profile_or_compare(arguments);
    if let (Err(error), true) = (&result, arguments.json) {
        report::print(&json::error(error)?)?;
    }
    result
}

fn profile_or_compare(arguments: &ProfileArguments) -> Result<ExitCode> {
    let call = Call::read(&arguments.call, &arguments.cargo)?;
    let folder = output_folder(arguments, &call)?;
    if let Some(old) = &arguments.diff {
        return difference::compare(&call, &folder, old, arguments.json);
    }
    let blob = call.blob()?;
    let ran = run(&call, &call.name(), &blob, &call.invocation)?;
    let (profiled, errors) = (&ran.profiled, &ran.errors);
    let (inlining, mut sources) = call.debug_info();
    let inlining = call.with_called(inlining);
    let costs = Costs::new(&profiled.gas, &inlining);
    let unreached = unreached(&ran.blocks, &profiled.reached, &mut sources);
    let heap = heap(&call, profiled);
    let pictures = draw(&folder, &call, &costs, &heap)?;
    let verdict = call.judge(&profiled.outcome, errors.all());
    report::print(&if arguments.json {
        json::profile(&profiled.outcome, &costs, &unreached, &heap, &pictures)?
    } else {
        let end = End::of(profiled, &inlining, &mut sources);
        let mut text = String::new();
        let known = Known {
            end: end.as_ref(),
            errors,
            // The table of the heap has them.
            holders: &[],
        };
        let title = call.title();
        let outcome = &profiled.outcome;
        report::people::profiled(&mut text, &title, &call.invocation, outcome, &known)?;
        // If the program did not run, no debug information was read.
        if costs.gas > 0 && !profiled.gas.has_debug_info() {
            text.push_str(
                "\nthe blob has no debug information: the profile has no source lines, and names functions by \
                 export or address\n",
            );
        }
        tables::gas(&mut text, &costs, &mut sources)?;
        tables::unreached(&mut text, &unreached, &mut sources)?;
        tables::heap(&mut text, &heap.plain, heap.counted.as_ref(), &heap.note)?;
        tables::held(&mut text, "live", &heap.holders)?;
        tables::held(&mut text, "leaked", &heap.leaks)?;
        list_pictures(&mut text, &pictures)?;
        text.push_str(verdict.praise().unwrap_or_default());
        text
    })?;
    Ok(verdict.report())
}

fn list_pictures(text: &mut String, pictures: &[Option<PathBuf>; 2]) -> std::fmt::Result {
    text.push('\n');
    for (name, picture) in ["gas", "heap"].into_iter().zip(pictures) {
        match picture {
            Some(path) => writeln!(text, "{name:<9} {}", from_here(path).display())?,
            None => writeln!(text, "{name:<9} no picture: nothing to draw")?,
        }
    }
    Ok(())
}

/// A run of a program.
struct Ran {
    profiled: Profiled,
    /// The own errors of the program whose status it is.
    errors: CustomErrors,
    /// The code of the program.
    blocks: Vec<Block>,
}

fn run(call: &Call, name: &str, blob: &[u8], invocation: &Invocation) -> Result<Ran> {
    // The invocation is checked already. A build that counts its heap has more gas.
    let limits = call.runtime.limits().gas(u64::MAX);
    let loader = Loader::new(Engine::Interpreter)?.as_on(call.runtime);
    let loader = loader.limits(limits);
    let program = loader
        .load(blob)
        .with_context(|| format!("cannot load {name}"))?;
    let built = call.host(&Machine::new(Engine::Interpreter), &loader, &program)?;
    let profiled = program.profile_with(&built.host, invocation)?;
    let errors = built.errors_of(&profiled.outcome, CustomErrors::of(blob));
    Ok(Ran {
        profiled,
        errors,
        blocks: program.basic_blocks()?,
    })
}

/// Creates the folder for the pictures. Building takes longer than finding out that this fails.
fn output_folder(arguments: &ProfileArguments, call: &Call) -> Result<PathBuf> {
    let folder = match (&arguments.output, &call.program) {
        (Some(folder), _) => folder.clone(),
        (None, Program::Package(package)) => package.target_folder.join("profile"),
        (None, Program::Blob(_)) => PathBuf::from("profile"),
    };
    fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create the folder {}", folder.display()))?;
    Ok(folder)
}

/// The heap of a build that counts live bytes, if there is one; otherwise that of the program
/// itself.
fn heap(call: &Call, profiled: &Profiled) -> Heap {
    let as_it_is = |note: &str| Heap {
        plain: profiled.heap.clone(),
        counted: None,
        holders: Vec::new(),
        leaks: Vec::new(),
        note: note.to_owned(),
    };
    if profiled.heap.samples.is_empty() {
        return as_it_is("the program has its own heap, which does not report its use");
    }
    let Program::Package(package) = &call.program else {
        return as_it_is(
            "live bytes are unknown: a blob cannot be rebuilt with a heap that counts them",
        );
    };
    match counted(call, package, &profiled.outcome) {
        Ok(Some(Counted {
            profiled: counted,
            holders,
            leaks,
        })) => {
            let mut note = format!(
                "live and leaked bytes are from a build that counts them: {} gas, {} without counting",
                grouped(counted.outcome.gas_used),
                grouped(profiled.outcome.gas_used),
            );
            if counted.outcome.status != profiled.outcome.status {
                note.push_str("; the counting build ended differently");
            }
            if counted.outcome.heap.peak != profiled.outcome.heap.peak {
                note.push_str("; its heap starts at another address, so alignment gaps differ");
            }
            Heap {
                plain: profiled.heap.clone(),
                counted: Some(counted.heap),
                holders,
                leaks,
                note,
            }
        }
        Ok(None) => as_it_is(
            "live bytes are not counted: the program names its heap, so the build cannot replace it",
        ),
        Err(error) => {
            report::error(
                &error.context("cannot build the program with a heap that counts live bytes"),
            );
            as_it_is("live bytes are unknown: the build that counts them failed")
        }
    }
}

/// Draws the flame graph and the heap, if there is anything to draw.
fn draw(folder: &Path, call: &Call, costs: &Costs, heap: &Heap) -> Result<[Option<PathBuf>; 2]> {
    let (program, fixture) = short_names(call);
    let base = format!("{program}-{fixture}");
    let gas = if costs.gas == 0 {
        None
    } else {
        let title = format!("{program}, {fixture}: {} gas", grouped(costs.gas));
        Some(flame::graph(&title, costs)?)
    };
    let title = format!("{program}, {fixture}: heap");
    let heap = heap::picture(
        &title,
        &heap.note,
        heap.counted.as_ref().unwrap_or(&heap.plain),
    )
    .map(String::into_bytes);
    let write = |kind: &str, picture: Option<Vec<u8>>| {
        write_picture(&folder.join(format!("{base}.{kind}.svg")), picture)
    };
    Ok([write("gas", gas)?, write("heap", heap)?])
}

/// Writes a picture, if there is one; otherwise removes that of an earlier run, which could be
/// mistaken for one of this run.
fn write_picture(path: &Path, picture: Option<Vec<u8>>) -> Result<Option<PathBuf>> {
    let Some(picture) = picture else {
        return match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove the old {}", path.display()))
            }
            _ => Ok(None),
        };
    };
    files::write_whole(path, picture)?;
    Ok(Some(path.to_owned()))
}

/// The names of program and fixture without their folders.
fn short_names(call: &Call) -> (String, String) {
    let stem = |path: &Path| {
        path.file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
    };
    let program = match &call.program {
        Program::Package(package) => Some(package.name.clone()),
        Program::Blob(path) => stem(path),
    };
    let fixture = call.fixture.as_deref().and_then(stem);
    (
        program.unwrap_or_else(|| "program".to_owned()),
        fixture.unwrap_or_else(|| "no-accounts".to_owned()),
    )
}
