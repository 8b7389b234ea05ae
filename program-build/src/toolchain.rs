//! The compiler and the linker for guests.
//!
//! The guest target has no prebuilt `core`, so the compiler must come with the sources of its own
//! standard library. The search has this order:
//!
//! 1. the active toolchain's component `rust-src`;
//! 2. Debian's matched packages [`DEBIAN_PACKAGES`], in the system's own prefix;
//! 3. as root on a Debian system, those packages, which are then installed, with a line that
//!    reports it.
//!
//! Nothing is ever fetched through rustup, because that is the user's decision to make.

use std::collections::HashMap;
use std::env;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};

use crate::settings;

/// Debian's packages of one compiler, its cargo and the sources of its standard library.
pub const DEBIAN_PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// Debian's package of the linker, for computers without a toolchain that has one.
pub const DEBIAN_LINKER: &str = "lld-22";

/// The compiler, cargo and linker for guests.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// Its origin, for people.
    pub origin: Origin,
    /// The compiler.
    pub rustc: PathBuf,
    /// The cargo that belongs to it.
    pub cargo: PathBuf,
    /// The linker.
    pub linker: Linker,
}

/// The origin of a toolchain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The active toolchain: that of `rustc` on the path.
    Active,
    /// Debian's packages.
    Debian,
}

/// An LLVM linker.
#[derive(Clone, Debug)]
pub struct Linker {
    /// The executable.
    pub path: PathBuf,
    /// Whether it needs the argument to act as GNU's linker: `rust-lld` does.
    pub wants_flavor: bool,
}

impl Toolchain {
    /// A command that runs this toolchain's cargo, without the author's settings that would change
    /// code.
    #[must_use]
    pub fn cargo(&self) -> Command {
        let mut command = Command::new(&self.cargo);
        command
            .env("RUSTC", &self.rustc)
            .env("RUSTC_BOOTSTRAP", "1");
        settings::overrule_flags(&mut command);
        if self.origin == Origin::Debian {
            command.env_remove("RUSTUP_TOOLCHAIN");
        }
        command
    }
}

/// A compiler's version text, such as `rustc 1.96.0 (…)`; `None` if the compiler does not run.
#[must_use]
pub fn version(rustc: &Path) -> Option<String> {
    answer(rustc, "--version", Path::new("."))
}

/// What a program prints for some words in a folder; `None` if it does not run, or prints nothing.
///
/// A process asks each question once, because a build has many, and each starts the compiler. A
/// program that does not answer is asked again: it may have been installed since.
fn answer(program: &Path, words: &str, folder: &Path) -> Option<String> {
    type Question = (PathBuf, String, PathBuf);
    static ANSWERS: Mutex<Option<HashMap<Question, String>>> = Mutex::new(None);
    let mut answers = ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
    let answers = answers.get_or_insert_default();
    let question = (program.to_owned(), words.to_owned(), folder.to_owned());
    if let Some(known) = answers.get(&question) {
        return Some(known.clone());
    }
    let output = Command::new(program)
        .args(words.split(' '))
        .current_dir(folder)
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    if !output.status.success() || text.is_empty() {
        return None;
    }
    answers.insert(question, text.clone());
    Some(text)
}

/// The compiler with sources, if there is one. `folder` is the program's, which may pin a
/// toolchain.
#[must_use]
pub fn find_compiler(folder: &Path) -> Option<(Origin, PathBuf, PathBuf)> {
    let active = (
        Origin::Active,
        PathBuf::from("rustc"),
        PathBuf::from("cargo"),
    );
    let debian = (
        Origin::Debian,
        PathBuf::from("/usr/bin/rustc"),
        PathBuf::from("/usr/bin/cargo"),
    );
    [active, debian].into_iter().find(|(_, rustc, cargo)| {
        sysroot(rustc, folder).is_some_and(|sysroot| has_sources(&sysroot)) && answers(cargo)
    })
}

/// A linker for guests, if there is one: that of the toolchain that is active in the folder, or one
/// on the path.
#[must_use]
pub fn find_linker(folder: &Path) -> Option<Linker> {
    let in_sysroot = sysroot(Path::new("rustc"), folder)
        .into_iter()
        .flat_map(|sysroot| {
            std::fs::read_dir(sysroot.join("lib/rustlib"))
                .into_iter()
                .flatten()
        })
        .flatten()
        .map(|target| Linker {
            path: target.path().join("bin/rust-lld"),
            wants_flavor: true,
        })
        .find(|linker| linker.path.is_file());
    in_sysroot.or_else(|| {
        let names = ["ld.lld-22", "ld.lld-21", "ld.lld-20", "ld.lld-19", "ld.lld"];
        names.into_iter().find_map(|name| {
            on_path(name).map(|path| Linker {
                path,
                wants_flavor: false,
            })
        })
    })
}

/// The linker for WebAssembly. `rust-lld` links everything; the others have a name for each format.
///
/// ```
/// use program_build::toolchain::{Linker, wasm_linker};
///
/// let linker = Linker { path: "/usr/bin/ld.lld-22".into(), wants_flavor: false };
/// assert_eq!(wasm_linker(&linker).to_str(), Some("/usr/bin/wasm-ld-22"));
/// ```
#[must_use]
pub fn wasm_linker(linker: &Linker) -> PathBuf {
    let name = linker.path.file_name().and_then(|name| name.to_str());
    match name {
        Some(name) if !linker.wants_flavor => linker
            .path
            .with_file_name(name.replace("ld.lld", "wasm-ld")),
        _ => linker.path.clone(),
    }
}

/// As [`wasm_linker`], if it exists.
///
/// # Errors
///
/// If it does not; the message has what to type.
pub fn find_wasm_linker(linker: &Linker) -> Result<PathBuf> {
    let linker = wasm_linker(linker);
    if !linker.is_file() {
        bail!(
            "there is no linker {} for WebAssembly; {MISSING_LINKER}",
            linker.display()
        );
    }
    Ok(linker)
}

/// The advice if there is no linker for native programs.
pub const MISSING_NATIVE_LINKER: &str =
    "`cc`, which links native programs, was not found; it comes with any C compiler";

/// The linker for native programs, if there is one: that of the system's C compiler.
#[must_use]
pub fn find_native_linker() -> Option<PathBuf> {
    on_path("cc")
}

/// A compiler's name of its host.
///
/// # Errors
///
/// If it does not run, or does not print it.
pub fn host(rustc: &Path, folder: &Path) -> Result<String> {
    let text =
        answer(rustc, "-vV", folder).with_context(|| format!("cannot run {}", rustc.display()))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .with_context(|| format!("`{} -vV` does not print the host", rustc.display()))
}

/// Whether a compiler has the runtime of a sanitizer, such as `asan`, for a target.
pub(crate) fn has_runtime(rustc: &Path, folder: &Path, target: &str, runtime: &str) -> bool {
    let files = sysroot(rustc, folder)
        .and_then(|sysroot| {
            std::fs::read_dir(sysroot.join("lib/rustlib").join(target).join("lib")).ok()
        })
        .into_iter()
        .flatten()
        .flatten();
    let end = format!("_rt.{runtime}.a");
    files.into_iter().any(|file| {
        file.file_name()
            .to_str()
            .is_some_and(|name| name.ends_with(&end))
    })
}

/// The environment variable that decides whether missing packages are installed: `always` or
/// `never`.
pub const SETUP_VARIABLE: &str = "ENTRYPOINT_SETUP";

/// Whether missing packages are installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// Without a question.
    Always,
    /// Not at all.
    Never,
    /// If the author agrees. Without a terminal to ask at, as in a CI, without a question.
    Ask,
}

impl Setup {
    /// The value of [`SETUP_VARIABLE`].
    ///
    /// # Errors
    ///
    /// If the value is neither `always` nor `never`.
    pub fn from_environment() -> Result<Self> {
        let value = env::var_os(SETUP_VARIABLE).unwrap_or_default();
        Self::parse(&value.to_string_lossy())
    }

    fn parse(value: &str) -> Result<Self> {
        match value {
            "" => Ok(Self::Ask),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            other => bail!("{SETUP_VARIABLE} is `{other}`; set it to `always` or `never`"),
        }
    }
}

/// The toolchain for the guest in a folder. Installs what is missing as [`SETUP_VARIABLE`] says.
///
/// # Errors
///
/// If something is missing and is not installed: the message names the commands that install it.
pub fn find_or_provide(folder: &Path) -> Result<Toolchain> {
    find_or_install(folder, None)
}

/// As [`find_or_provide`], and installs what is missing whatever [`SETUP_VARIABLE`] says.
///
/// # Errors
///
/// As for [`find_or_provide`].
pub fn set_up(folder: &Path) -> Result<Toolchain> {
    find_or_install(folder, Some(Setup::Always))
}

fn find_or_install(folder: &Path, setup: Option<Setup>) -> Result<Toolchain> {
    // Tests ask from many threads. A package is installed once, and the author is asked once.
    static DECLINED: Mutex<bool> = Mutex::new(false);
    let mut declined = DECLINED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut provide = |packages: &[&str], otherwise: &'static str| {
        let setup = match setup {
            Some(setup) => setup,
            None if *declined => Setup::Never,
            None => Setup::from_environment()?,
        };
        provide(packages, otherwise, setup, &mut declined)
    };
    if find_compiler(folder).is_none() {
        provide(&DEBIAN_PACKAGES, MISSING_COMPILER)?;
    }
    if find_linker(folder).is_none() {
        provide(&[DEBIAN_LINKER], MISSING_LINKER)?;
    }
    let (origin, rustc, cargo) = find_compiler(folder).context(MISSING_COMPILER)?;
    let linker = find_linker(folder).context(MISSING_LINKER)?;
    Ok(Toolchain {
        origin,
        rustc,
        cargo,
        linker,
    })
}

/// The advice if there is no compiler with sources.
pub const MISSING_COMPILER: &str = "no Rust compiler with the sources of its standard library was found. \
Run one of these commands:
    rustup component add rust-src
    apt-get install -y --no-install-recommends rustc-web cargo-web rust-web-src    (Debian, as root)";

/// The advice if there is no linker.
pub const MISSING_LINKER: &str =
    "no LLVM linker was found. A toolchain of rustup's brings one (rust-lld); \
LLVM's own is called ld.lld. Run one of these commands:
    rustup default stable
    apt-get install -y --no-install-recommends lld-22    (Debian, as root)";

/// Whether missing packages can be installed: as root, on a Debian system.
#[must_use]
pub fn can_install() -> bool {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    is_root && Path::new("/etc/debian_version").exists() && on_path("apt-get").is_some()
}

fn provide(
    packages: &[&str],
    otherwise: &'static str,
    setup: Setup,
    declined: &mut bool,
) -> Result<()> {
    if !can_install() {
        bail!(otherwise);
    }
    if setup == Setup::Never {
        let reason = if *declined {
            "you declined".to_owned()
        } else {
            format!("{SETUP_VARIABLE} is `never`")
        };
        bail!("{otherwise}\nNothing was installed, because {reason}.");
    }
    // Not `eprintln!`, because the test harness holds its output back until the test has ended.
    let mut terminal = io::stderr();
    let by_hand = format!(
        "apt-get install -y --no-install-recommends {}",
        packages.join(" ")
    );
    if setup == Setup::Ask && io::stdin().is_terminal() && terminal.is_terminal() {
        write!(
            terminal,
            "the guest toolchain is missing; run `{by_hand}` now? [Y/n] "
        )?;
        terminal.flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        if !is_yes(&answer) {
            *declined = true;
            return provide(packages, otherwise, Setup::Never, declined);
        }
    } else {
        writeln!(
            terminal,
            "installing the guest toolchain: `{by_hand}` (to do it by hand, set \
             {SETUP_VARIABLE}=never)"
        )?;
    }
    apt_get(&["update", "-qq"])?;
    let mut install = vec!["install", "-qq", "-y", "--no-install-recommends"];
    install.extend(packages);
    apt_get(&install).context(otherwise)
}

/// Whether an answer agrees. The end of the input, which has no line, does not.
fn is_yes(answer: &str) -> bool {
    let word = answer.trim().to_ascii_lowercase();
    answer.ends_with('\n') && ["", "y", "yes"].contains(&word.as_str())
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let status = Command::new("apt-get")
        .args(["-o", "DPkg::Lock::Timeout=300"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        // Only results go to the standard output, and this is progress.
        .stdout(std::io::stderr())
        .status()
        .context("cannot run apt-get")?;
    if !status.success() {
        bail!(
            "`apt-get {}` failed; see its errors above",
            arguments.join(" ")
        );
    }
    Ok(())
}

/// The folder of the compiler's own files; `None` if the compiler does not run.
fn sysroot(rustc: &Path, folder: &Path) -> Option<PathBuf> {
    answer(rustc, "--print sysroot", folder).map(PathBuf::from)
}

/// The path of the compiler's own sources, below its own files.
const LIBRARY: &str = "lib/rustlib/src/rust/library";

/// The folder of the standard library's sources, which guests in a folder are compiled with.
#[must_use]
pub fn library_sources(folder: &Path) -> Option<PathBuf> {
    let (_, rustc, _) = find_compiler(folder)?;
    Some(sysroot(&rustc, folder)?.join(LIBRARY))
}

/// The folder of the sources of packages from registries, with a folder for each registry.
#[must_use]
pub fn registry_sources() -> Option<PathBuf> {
    Some(cargo_home()?.join("registry/src"))
}

/// Cargo's own folder, if it is known. A relative path starts at the current folder of cargo.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    let chosen = env::var_os("CARGO_HOME").filter(|path| !path.is_empty());
    let usual = || env::home_dir().map(|home| home.join(".cargo"));
    chosen.map(PathBuf::from).or_else(usual)
}

fn has_sources(sysroot: &Path) -> bool {
    sysroot.join(LIBRARY).join("core/src/lib.rs").is_file()
}

pub(crate) fn answers(program: &Path) -> bool {
    version(program).is_some()
}

pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_is_always_or_never() {
        assert_eq!(Setup::parse("").ok(), Some(Setup::Ask));
        assert_eq!(Setup::parse("always").ok(), Some(Setup::Always));
        assert_eq!(Setup::parse("never").ok(), Some(Setup::Never));
        let error = Setup::parse("no").expect_err("not a value of it");
        assert_eq!(
            error.to_string(),
            "ENTRYPOINT_SETUP is `no`; set it to `always` or `never`"
        );
    }

    #[test]
    fn an_empty_line_agrees_and_no_line_does_not() {
        for answer in ["\n", "y\n", "YES\r\n"] {
            assert!(is_yes(answer), "{answer:?}");
        }
        for answer in ["", "n\n", "no\n", "maybe\n", "y"] {
            assert!(!is_yes(answer), "{answer:?}");
        }
    }
}
