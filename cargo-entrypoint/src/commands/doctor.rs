//! `cargo entrypoint doctor`

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use loader::{Engine, Loader};
use program_build::guest::{self, NativeRunner, RUNS_NATIVELY, Target};
use program_build::toolchain::{
    self, MISSING_COMPILER, MISSING_LINKER, MISSING_NATIVE_LINKER, Origin, SETUP_VARIABLE, Setup,
    Toolchain, wasm_linker,
};

use crate::report;

pub fn doctor() -> Result<ExitCode> {
    let mut text = String::new();
    let mut is_ready = true;
    let compiler = toolchain::find_compiler(Path::new("."));
    let linker = toolchain::find_linker(Path::new("."));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let cargo = toolchain::version(Path::new(&cargo));
    match &cargo {
        Some(version) => writeln!(text, "cargo          ok: {version}")?,
        None => text.push_str(
            "cargo          missing: install Rust with rustup, or add the folder of `cargo` to PATH\n",
        ),
    }
    match &compiler {
        Some((origin, rustc, _)) => {
            let origin = match origin {
                Origin::Active => "the active toolchain, with rust-src",
                Origin::Debian => "Debian's packages",
            };
            let version = toolchain::version(rustc);
            let version = version.unwrap_or_else(|| rustc.display().to_string());
            writeln!(text, "rustc          ok: {version} ({origin})")?;
        }
        None => {
            is_ready = false;
            writeln!(text, "rustc          missing: {MISSING_COMPILER}")?;
        }
    }
    let toolchain = compiler.zip(linker.as_ref());
    let toolchain = toolchain.map(|((origin, rustc, cargo), linker)| Toolchain {
        origin,
        rustc,
        cargo,
        linker: linker.clone(),
    });
    let tried = |target| match &toolchain {
        Some(toolchain) => guest::try_tools(toolchain, target),
        // Only what there is can fail.
        None => Ok(()),
    };
    match (&linker, tried(Target::Riscv64)) {
        (Some(linker), Ok(())) => {
            writeln!(text, "linker         ok: {}", linker.path.display())?;
        }
        (Some(_), Err(error)) => {
            is_ready = false;
            writeln!(text, "riscv64 tools  fail: {error:#}")?;
        }
        (None, _) => {
            is_ready = false;
            writeln!(text, "linker         missing: {MISSING_LINKER}")?;
        }
    }
    if let Some(linker) = &linker {
        let linker = wasm_linker(linker);
        let found = linker.display().to_string();
        other_target(&mut text, Target::Wasm32, &found, tried(Target::Wasm32))?;
    }
    let linker = toolchain::find_native_linker().map_or_else(
        || Err(anyhow!(MISSING_NATIVE_LINKER)),
        |linker| tried(Target::Native).map(|()| linker),
    );
    let found = linker
        .as_ref()
        .map_or_else(|_| String::new(), |linker| linker.display().to_string());
    other_target(&mut text, Target::Native, &found, linker.map(drop))?;
    native_runner(&mut text)?;
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
    let can_build = cargo.is_some() && (is_ready || toolchain::can_install());
    if can_build && is_ready {
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

/// Reports the linker of a target that only some programs need.
fn other_target(text: &mut String, target: Target, found: &str, tried: Result<()>) -> Result<()> {
    let name = format!("{target} linker");
    match tried {
        Ok(()) => writeln!(text, "{name:<14} ok: {found}")?,
        Err(error) => writeln!(
            text,
            "{name:<14} unusable, for `--target {target}`: {error:#}"
        )?,
    }
    Ok(())
}

/// Reports the process in which native programs run.
fn native_runner(text: &mut String) -> Result<()> {
    if !RUNS_NATIVELY {
        return Ok(());
    }
    match guest::check_native_runner(None) {
        Ok(NativeRunner::Installed(path)) => {
            writeln!(text, "native runner  ok: {}", path.display())?;
        }
        Ok(NativeRunner::Compiled(folder)) => writeln!(
            text,
            "native runner  ok: compiled from {} when it is first used",
            folder.display()
        )?,
        Err(error) => writeln!(
            text,
            "native runner  unusable, for `--target native`: {error:#}"
        )?,
    }
    Ok(())
}
