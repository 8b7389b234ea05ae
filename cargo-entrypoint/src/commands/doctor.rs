//! `cargo entrypoint doctor`

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, bail};
use loader::{Engine, Loader};
use program_build::guest::{MISSING_RUNNER, NativeRunner, RUNS_NATIVELY, find_native_runner};
use program_build::toolchain::{
    self, MISSING_COMPILER, MISSING_LINKER, Origin, SETUP_VARIABLE, Setup, wasm_linker,
};

use crate::report;

pub fn doctor() -> Result<ExitCode> {
    let mut text = String::new();
    let mut is_ready = true;
    match toolchain::find_compiler(Path::new(".")) {
        Some((origin, rustc, _)) => {
            let origin = match origin {
                Origin::Active => "the active toolchain, with rust-src",
                Origin::Debian => "Debian's packages",
            };
            let version = toolchain::version(&rustc);
            let version = version.unwrap_or_else(|| rustc.display().to_string());
            writeln!(text, "rustc          ok: {version} ({origin})")?;
        }
        None => {
            is_ready = false;
            writeln!(text, "rustc          missing: {MISSING_COMPILER}")?;
        }
    }
    match toolchain::find_linker(Path::new(".")) {
        Some(linker) => writeln!(text, "linker         ok: {}", linker.path.display())?,
        None => {
            is_ready = false;
            writeln!(text, "linker         missing: {MISSING_LINKER}")?;
        }
    }
    other_targets(&mut text)?;
    let mut missing_engines = Vec::new();
    for engine in Engine::POLKAVM {
        let name = format!("VM {engine}");
        match Loader::new(engine) {
            Ok(_) => writeln!(text, "{name:<14} ok")?,
            Err(error) => {
                writeln!(text, "{name:<14} unavailable: {error}")?;
                missing_engines.push(engine);
            }
        }
    }
    let setup = Setup::from_environment()?;
    let can_build = is_ready || toolchain::can_install();
    if is_ready {
        text.push_str("\nready: `cargo entrypoint run` builds and runs a program\n");
    } else if can_build && setup == Setup::Never {
        writeln!(
            text,
            "\n{SETUP_VARIABLE} is `never`: `cargo entrypoint setup` installs what is missing"
        )?;
    } else if can_build {
        text.push_str(
            "\nready: `cargo entrypoint setup` or `run` installs what is missing, as you are root\n",
        );
    }
    // The other engine gives the same outcomes, so a program can be developed without this one.
    for engine in missing_engines {
        writeln!(
            text,
            "the {engine} engine is left out: tests print `skipped: ` and go on without it"
        )?;
    }
    report::print(&text)?;
    if !can_build {
        bail!("programs cannot be built: install the missing tools that the report lists");
    }
    Ok(ExitCode::SUCCESS)
}

/// Reports the tools that only some targets need. They are optional.
fn other_targets(text: &mut String) -> Result<()> {
    let wasm = toolchain::find_linker(Path::new(".")).map(|linker| wasm_linker(&linker));
    match wasm {
        Some(linker) if linker.is_file() => {
            writeln!(text, "wasm32 linker  ok: {}", linker.display())?;
        }
        Some(linker) => {
            let linker = linker.display();
            writeln!(
                text,
                "wasm32 linker  missing, for `--target wasm32`: {linker}"
            )?;
        }
        None => {}
    }
    match toolchain::find_native_linker() {
        Some(linker) => writeln!(text, "native linker  ok: {}", linker.display())?,
        None => writeln!(
            text,
            "native linker  missing, for `--target native`: cc, which comes with any C compiler"
        )?,
    }
    if RUNS_NATIVELY {
        match find_native_runner() {
            Some(NativeRunner::Installed(path)) => {
                writeln!(text, "native runner  ok: {}", path.display())?;
            }
            Some(NativeRunner::Compiled(folder)) => writeln!(
                text,
                "native runner  ok: compiled from {} when it is first used",
                folder.display()
            )?,
            None => writeln!(
                text,
                "native runner  not here, for `--target native`: {MISSING_RUNNER}"
            )?,
        }
    }
    Ok(())
}
