//! `cargo entrypoint bench`

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use cargo_entrypoint::bench::allocators::{Allocator, PACKAGE, WorkloadFailed, measure, versions};
use cargo_entrypoint::bench::readme;
use cargo_entrypoint::package::{self, ProgramPackage};
use cargo_entrypoint::toolchain;

use crate::arguments::BenchAllocatorsArguments;
use crate::report::{self, EXIT_FAILED};

/// What to do where the guest is not to be found.
const WRONG_PLACE: &str =
    "type it in the folder of the entrypoint project, where the package is `benches/allocators`";

pub fn allocators(arguments: &BenchAllocatorsArguments) -> Result<ExitCode> {
    let member = |name: &str| {
        package::member_folder(name)
            .and_then(|folder| folder.context("it is no package of this workspace"))
            .with_context(|| format!("there is no package `{name}` to measure; {WRONG_PLACE}"))
    };
    let guest = ProgramPackage::in_folder(&member(PACKAGE)?)?;
    // Measuring takes longer than finding out that there is no place for the table.
    let read_me = if arguments.update {
        let path = member("allocator")?.join("README.md");
        with_section(&path, "")?;
        let toolchain = toolchain::find_or_provide(&guest.folder)?;
        let compiler = toolchain::version(&toolchain.rustc).context("the compiler has no name")?;
        Some((path, compiler, versions(&guest)?))
    } else {
        None
    };
    let rows = match measure(&guest, &Allocator::ALL) {
        Ok(rows) => rows,
        Err(error) if error.is::<WorkloadFailed>() => {
            report::error(&error);
            return Ok(ExitCode::from(EXIT_FAILED));
        }
        Err(error) => return Err(error),
    };
    let text = if arguments.json {
        serde_json::to_string_pretty(&rows).context("the rows have no JSON")? + "\n"
    } else {
        let mut text = String::new();
        report::people::bench(&mut text, &rows)?;
        text
    };
    // What was measured is shown even if it cannot be written.
    let printed = report::print(&text);
    if let Some((path, compiler, versions)) = read_me {
        update(&path, &readme::section(&rows, &versions, &compiler))?;
        eprintln!("the table in {} is written", path.display());
    }
    printed?;
    Ok(ExitCode::SUCCESS)
}

/// The text of a file as it is now, with the section in its place.
fn with_section(path: &Path, section: &str) -> Result<String> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    readme::replace(&text, section).with_context(|| format!("in {}", path.display()))
}

/// Writes the section into the file, whole or not at all.
fn update(path: &Path, section: &str) -> Result<()> {
    let text = with_section(path, section)?;
    let unfinished = path.with_extension(format!("{}.unfinished", std::process::id()));
    fs::write(&unfinished, text)
        .and_then(|()| fs::rename(&unfinished, path))
        .inspect_err(|_| {
            // It may not be there.
            let _ = fs::remove_file(&unfinished);
        })
        .with_context(|| format!("cannot write {}", path.display()))
}
