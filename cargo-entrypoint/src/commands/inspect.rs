//! `cargo entrypoint inspect`

use std::process::ExitCode;

use anyhow::{Context, Result};
use loader::inspect::Inspection;
use loader::{Engine, Loader};
use program_build::guest;

use crate::arguments::InspectArguments;
use crate::report::{self, EXIT_FAILED};

pub fn inspect(arguments: &InspectArguments) -> Result<ExitCode> {
    let (name, inspection) = match locate_and_inspect(arguments) {
        Ok(inspected) => inspected,
        Err(error) => {
            if arguments.json {
                let kind = match report::json::kind(&error) {
                    "NotRun" => "NotInspected",
                    kind => kind,
                };
                report::print(&report::json::not_inspected(kind, &format!("{error:#}"))?)?;
            }
            return Err(error);
        }
    };
    let text = if arguments.json {
        report::json::inspection(&name, &inspection)?
    } else {
        let mut text = String::new();
        report::inspection::inspection(&mut text, &name, &inspection)?;
        text
    };
    report::print(&text)?;
    if inspection.is_accepted() {
        Ok(ExitCode::SUCCESS)
    } else {
        Ok(ExitCode::from(EXIT_FAILED))
    }
}

fn locate_and_inspect(arguments: &InspectArguments) -> Result<(String, Inspection)> {
    let loader = Loader::new(Engine::Interpreter)?;
    let (name, blob) = guest::blob_of(&arguments.cargo.locate(arguments.program.as_deref())?)?;
    let inspection = loader.inspect(&blob).with_context(|| match likely(&blob) {
        Some(what) => format!("cannot inspect {name}, which is {what}"),
        None => format!("cannot inspect {name}"),
    })?;
    Ok((name, inspection))
}

/// The kind of a file that a user may have mistaken for a blob.
fn likely(bytes: &[u8]) -> Option<&'static str> {
    if bytes.is_empty() {
        Some("empty")
    } else if bytes.starts_with(b"\x7fELF") {
        Some("an ELF file (`cargo entrypoint build` makes a blob of a program crate)")
    } else if bytes.starts_with(b"\0asm") {
        Some("a WebAssembly module (`inspect` reads blobs)")
    } else {
        None
    }
}
