//! The executable of the process in which a native program runs.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::compile;
use super::native::{Sanitizer, check_machine};
use crate::memo::Memo;
use crate::options::CargoOptions;
use crate::settings;
use crate::toolchain;

/// Name of the executable that is installed beside `cargo-entrypoint`.
const INSTALLED: &str = "program-native-runner";

/// The executable that runs native programs: an installed one, or a crate to compile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NativeRunner {
    /// It is installed: this is its path.
    Installed(PathBuf),
    /// It is compiled when it is needed, from the crate in this folder.
    Compiled(PathBuf),
}

/// Finds the executable in which native programs run, or the crate that it is compiled from. It is
/// looked for in this order:
///
/// 1. `program-native-runner` beside the executable that calls this;
/// 2. the crate `native-runner` in the checkout that this was built from;
/// 3. `program-native-runner` on the path, and where cargo installs executables.
#[must_use]
pub fn find_native_runner() -> Option<NativeRunner> {
    beside_executable()
        .map(NativeRunner::Installed)
        .or_else(|| source_folder().map(NativeRunner::Compiled))
        .or_else(|| installed_elsewhere().map(NativeRunner::Installed))
}

/// What to type where there is no executable in which native programs run.
pub const MISSING_RUNNER: &str =
    "native programs run in a process of `program-native-runner`, which was not found. \
Type this, or `cargo install --path cargo-entrypoint` in a checkout of the entrypoint project:
    cargo install cargo-entrypoint";

/// Checks what [`native_runner`] needs, before long work.
///
/// # Errors
///
/// If programs do not run natively on this machine, the executable was not found or does not run,
/// or it has to be compiled, and cargo or the crate is missing.
pub fn check_native_runner(sanitizer: Option<Sanitizer>) -> Result<NativeRunner> {
    check_machine()?;
    let runner = match sanitizer {
        Some(sanitizer) => NativeRunner::Compiled(source_for(sanitizer)?),
        None => find_native_runner().context(MISSING_RUNNER)?,
    };
    match &runner {
        NativeRunner::Installed(path) => {
            // Without arguments it prints how it is called.
            let output = Command::new(path)
                .output()
                .with_context(|| format!("cannot run {}", path.display()))?;
            if !output.stderr.starts_with(b"native-runner: usage") {
                bail!(
                    "{} is not the runner of native programs: {}",
                    path.display(),
                    output.status
                );
            }
        }
        NativeRunner::Compiled(_) if !toolchain::answers(Path::new("cargo")) => {
            bail!("the runner of native programs has to be compiled, and cannot run cargo");
        }
        NativeRunner::Compiled(_) => {}
    }
    Ok(runner)
}

/// The crate of the runner, for a sanitizer.
fn source_for(sanitizer: Sanitizer) -> Result<PathBuf> {
    source_folder().with_context(|| {
        format!(
            "the sanitizer `{}` has to be in the process that runs the program, and that is compiled \
             from the checkout {}, which does not exist; run `cargo install --path cargo-entrypoint` in \
             a checkout of the entrypoint project",
            sanitizer.name(),
            checkout().display()
        )
    })
}

/// Returns the executable in which native programs run. Where [`find_native_runner`] finds a crate,
/// it compiles that below the target folder `guest/native-runner`, with the cargo that is active
/// there, and these options except the features. For a sanitizer it compiles even where an
/// executable is installed. A process compiles the crate once with the same arguments.
///
/// # Errors
///
/// If programs do not run natively on this machine, the executable was not found, or it does not
/// compile: with a sanitizer, perhaps because the compiler comes without it.
pub fn native_runner(
    target_folder: &Path,
    sanitizer: Option<Sanitizer>,
    options: &CargoOptions,
) -> Result<PathBuf> {
    type Key = (PathBuf, PathBuf, Option<Sanitizer>, CargoOptions);
    static COMPILED: Memo<Key, PathBuf> = Memo::new();

    check_machine()?;
    let folder = match sanitizer {
        Some(sanitizer) => source_for(sanitizer)?,
        None => match find_native_runner().context(MISSING_RUNNER)? {
            NativeRunner::Installed(path) => return Ok(path),
            NativeRunner::Compiled(folder) => folder,
        },
    };
    let target_folder = target_folder.to_owned();
    let key = (folder, target_folder, sanitizer, options.clone());
    COMPILED.get(key.clone(), || compile(&key.0, &key.1, sanitizer, options))
}

fn compile(
    folder: &Path,
    target_folder: &Path,
    sanitizer: Option<Sanitizer>,
    options: &CargoOptions,
) -> Result<PathBuf> {
    let mut target_folder = target_folder.join("guest/native-runner");
    let mut command = Command::new("cargo");
    settings::overrule_flags(&mut command);
    command
        // Cargo finds the path of rustup's compiler here. If it has a `=`, the wrapper `env` would
        // take it for a variable.
        .env("RUSTC_WRAPPER", "")
        .env("RUSTC_WORKSPACE_WRAPPER", "")
        .current_dir(folder)
        .args(["rustc", "--bin", "native-runner", "--release"])
        .args(["--message-format", "json-render-diagnostics"]);
    let silent = CargoOptions {
        // The author's program is in the foreground.
        quiet: options.verbose == 0,
        ..options.clone()
    };
    silent.add_build(&mut command);
    if let Some(sanitizer) = sanitizer {
        target_folder.push(sanitizer.name());
        let rustc = Path::new("rustc");
        let host = toolchain::host(rustc, folder)?;
        if !toolchain::has_runtime(rustc, folder, &host, sanitizer.runtime()) {
            bail!(
                "the Rust compiler that is active comes without the sanitizer `{}`; type `rustup default stable` for one that \
                 has it",
                sanitizer.name()
            );
        }
        command.env("CARGO_ENCODED_RUSTFLAGS", sanitizer.flag());
        // Where a target is named, build scripts and macros are compiled without the sanitizer.
        command
            .env("RUSTC_BOOTSTRAP", "1")
            .args(["--target", &host]);
    }
    if !target_folder.exists() {
        options.progress(
            "compiling `native-runner`, in which programs run natively; this happens once",
        );
    }
    command.arg("--target-dir").arg(&target_folder);
    if let Some(sanitizer) = sanitizer {
        // The program's library takes the sanitizer's functions from the executable.
        let functions = format!("__{}_*", sanitizer.runtime());
        command.arg("--").arg(format!(
            "-Clink-arg=-Wl,--export-dynamic-symbol={functions}"
        ));
    }
    let built = compile::run(&mut command, folder, |artifact| {
        Some(artifact.executable.as_ref()?.as_std_path().to_owned())
    })?;
    if !built.is_success {
        bail!("the crate `native-runner` does not compile; the compiler has said why");
    }
    built
        .file
        .context("cargo has built no executable of `native-runner`")
}

/// The installed executable that belongs to the one that runs.
fn beside_executable() -> Option<PathBuf> {
    let own = env::current_exe().ok()?.canonicalize().ok()?;
    beside(own.parent()?)
}

/// The executable in a folder, unless cargo builds in that folder: there it may be older than its
/// sources.
fn beside(folder: &Path) -> Option<PathBuf> {
    if folder.join(".fingerprint").exists() {
        return None;
    }
    let path = folder.join(INSTALLED);
    path.is_file().then_some(path)
}

fn installed_elsewhere() -> Option<PathBuf> {
    toolchain::on_path(INSTALLED).or_else(|| {
        let path = toolchain::cargo_home()?.join("bin").join(INSTALLED);
        path.is_file().then_some(path)
    })
}

/// The checkout that this was built from, if it was built from one. It may be gone.
fn checkout() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// The crate `native-runner` of the checkout.
fn source_folder() -> Option<PathBuf> {
    let folder = checkout().join("native-runner");
    let is_there = folder.join("Cargo.toml").is_file();
    is_there.then(|| folder.canonicalize().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_installed_runner_is_used_and_one_in_a_build_folder_is_not() {
        let folder = env::temp_dir().join(format!("beside-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        assert_eq!(beside(&folder), None);
        let path = folder.join(INSTALLED);
        fs::write(&path, []).expect("a file");
        assert_eq!(beside(&folder), Some(path));
        fs::create_dir(folder.join(".fingerprint")).expect("a folder");
        assert_eq!(beside(&folder), None);
        fs::remove_dir_all(&folder).expect("the folder");
    }

    #[test]
    fn a_checkout_has_the_source() {
        let folder = source_folder().expect("the tests run in a checkout");
        assert!(folder.ends_with("native-runner"));
    }
}
