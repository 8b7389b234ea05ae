//! `cargo entrypoint build`

use std::process::ExitCode;

use anyhow::{Result, bail};
use loader::deploy;
use program_build::files;
use program_build::guest::{self, DebugInfo, Target};
use program_build::package::Program;

use crate::arguments::BuildArguments;
use crate::report;
use crate::text::grouped;

pub fn build(arguments: &BuildArguments) -> Result<ExitCode> {
    let package = match arguments.cargo.locate(arguments.program.as_deref())? {
        Program::Package(package) => package,
        Program::Blob(file) => bail!("{} is a file, not a program crate", file.display()),
    };
    let target = arguments.target.into();
    let (debug_info, remark) = match (arguments.release, target) {
        (true, _) => (DebugInfo::Strip, ""),
        (false, Target::Wasm32) => (DebugInfo::Keep, " with the names of functions"),
        (false, _) => (DebugInfo::Keep, " with debug information"),
    };
    let built = guest::build_for(&package, target, &[], debug_info)?;
    let path = guest::file_path(&package, target);
    files::write_whole(&path, &built)?;
    let length = built.len() as u64;
    let mut text = format!("{} ({length} bytes{remark})\n", path.display());
    if arguments.release && target == Target::Riscv64 {
        let rent = grouped(deploy::rent(length));
        let deployed = match deploy::check(&built) {
            Ok(()) => format!("rent on the Rialo runtime: {rent} kelvins\n"),
            Err(error) => format!("the Rialo runtime does not deploy it: {error}\n"),
        };
        text.push_str(&deployed);
    }
    report::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
