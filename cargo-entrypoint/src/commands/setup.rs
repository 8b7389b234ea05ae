//! `cargo entrypoint setup`

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use program_build::toolchain;

use crate::report;

pub fn setup() -> Result<ExitCode> {
    let toolchain = toolchain::set_up(Path::new("."))?;
    let rustc = toolchain::version(&toolchain.rustc);
    report::print(&format!(
        "ready: {}, {}\n",
        rustc.unwrap_or_else(|| toolchain.rustc.display().to_string()),
        toolchain.linker.path.display()
    ))?;
    Ok(ExitCode::SUCCESS)
}
