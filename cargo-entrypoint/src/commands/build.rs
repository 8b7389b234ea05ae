//! `cargo entrypoint build`

use std::process::ExitCode;

use anyhow::{Result, bail};
use cargo_entrypoint::files;
use cargo_entrypoint::guest::{self, DebugInfo};
use cargo_entrypoint::package::{self, Program};

use crate::arguments::BuildArguments;
use crate::report;

pub fn build(arguments: &BuildArguments) -> Result<ExitCode> {
    let package = match package::locate(arguments.program.as_deref())? {
        Program::Package(package) => package,
        Program::Blob(file) => bail!("{} is a file, not a program crate", file.display()),
    };
    let (debug_info, remark) = if arguments.release {
        (DebugInfo::Strip, "")
    } else {
        (DebugInfo::Keep, " with debug information")
    };
    let blob = guest::build(&package, debug_info)?;
    let path = guest::blob_path(&package);
    files::write_whole(&path, &blob)?;
    report::print(&format!(
        "{} ({} bytes{remark})\n",
        path.display(),
        blob.len()
    ))?;
    Ok(ExitCode::SUCCESS)
}
