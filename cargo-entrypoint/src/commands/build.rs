//! `cargo entrypoint build`

use anyhow::{Context, Result, bail};
use cargo_entrypoint::guest::{self, DebugInfo};
use cargo_entrypoint::package::{self, Program};

use crate::arguments::BuildArguments;

pub fn build(arguments: &BuildArguments) -> Result<()> {
    let package = match package::locate(arguments.program.as_deref())? {
        Program::Package(package) => package,
        Program::Blob(file) => bail!("{} is a file, not a program crate", file.display()),
    };
    let blob = guest::build(&package, DebugInfo::Strip)?;
    let path = guest::blob_path(&package);
    std::fs::write(&path, &blob).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{} ({} bytes)", path.display(), blob.len());
    Ok(())
}
