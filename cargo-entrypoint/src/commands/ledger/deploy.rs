//! `cargo entrypoint ledger deploy`

use std::path::Path;

use anyhow::{Context, Result};
use ledger::Ledger;
use program_build::files::read_program;
use program_build::guest::{self, DebugInfo};
use program_build::package::Program;
use serde_json::json;

use super::known::{key_json, key_text};
use super::{Done, ENGINE, open_or_create};
use crate::arguments::ledger::{DeployArguments, LedgerArguments};
use crate::text::grouped;

pub fn deploy(arguments: &LedgerArguments, options: &DeployArguments) -> Result<Done> {
    let program = options.cargo.locate(options.program.as_deref())?;
    let (name, file) = match &program {
        Program::Package(package) => {
            let debug_info = match options.release {
                true => DebugInfo::Strip,
                false => DebugInfo::Keep,
            };
            let file = guest::build_for(package, ENGINE.target(), &[], debug_info)?;
            (package.name.clone(), file)
        }
        Program::Blob(path) => (name_of_file(path), read_program(path)?),
    };
    let program_id = options.id.unwrap_or_else(|| ledger::key(&name));
    if !arguments.ledger.exists() {
        // A file that is not a program makes no ledger.
        Ledger::new()
            .deploy(program_id, &file)
            .with_context(|| format!("cannot deploy {name}"))?;
    }
    let mut ledger = open_or_create(arguments)?;
    let deployment = ledger
        .deploy(program_id, &file)
        .with_context(|| format!("cannot deploy {name}"))?;
    let id = key_text(&deployment.program_id);
    let length = grouped(deployment.length as u64);
    let rent = grouped(deployment.rent);
    let remark = match (&program, options.release) {
        (Program::Package(_), false) => " with debug information, which --release leaves out",
        _ => "",
    };
    let text = format!(
        "deployed {name} at {id}\n\
         {length} bytes{remark}\n\
         the rent of its account needs {rent} kelvins\n"
    );
    let json = json!({
        "error": null,
        "program": name,
        "program_id": key_json(&program_id),
        "length": deployment.length,
        "rent": deployment.rent,
    });
    Ok(Done::new(text, json))
}

/// The name of a program's file, without its extension.
fn name_of_file(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or(path.as_os_str());
    stem.to_string_lossy().into_owned()
}
