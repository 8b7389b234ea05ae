//! The compiler's arguments for every target.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufReader, IsTerminal, Read, stderr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use cargo_metadata::diagnostic::DiagnosticLevel;
use cargo_metadata::{Artifact, Message};

use super::Target;
use crate::dependencies::Dependencies;
use crate::package::ProgramPackage;
use crate::settings;
use crate::toolchain::Toolchain;

/// The package to compile, and the tools.
pub(super) struct Compilation<'a> {
    pub package: &'a ProgramPackage,
    /// All cargo features, besides the default ones.
    pub features: &'a [&'a str],
    pub toolchain: &'a Toolchain,
    /// What cargo has fetched for the package.
    pub dependencies: &'a Dependencies<'a>,
    /// Cargo's target folder.
    pub folder: &'a Path,
}

/// Settings of the profile that are the same for every target. Each target also sets `debug` and
/// `trim-paths`.
const FIXED_PROFILE: [&str; 8] = [
    "panic=\"abort\"",
    "lto=true",
    "codegen-units=1",
    "strip=false",
    "incremental=false",
    "rpath=false",
    "split-debuginfo=\"off\"",
    // Macros and build scripts would inherit each target's `debug`, and be compiled for each value.
    "build-override.debug=false",
];

impl Compilation<'_> {
    /// A command that compiles the crate as a library of this type, whatever crate types its
    /// manifest lists. `target` is the compiler's name of the target. The caller may add further
    /// arguments, those for the compiler last.
    ///
    /// # Errors
    ///
    /// If the author's settings for cargo cannot be read or overruled.
    pub fn command(&self, crate_type: &str, target: impl AsRef<OsStr>) -> Result<Command> {
        let overruled = settings::overrule_profile(self.package, self.toolchain)?;
        let mut command = self.toolchain.cargo();
        command
            .current_dir(&self.package.folder)
            .args(["rustc", "--lib", "--crate-type", crate_type, "--release"])
            .args(FIXED_PROFILE.map(|setting| format!("--config=profile.release.{setting}")))
            .args(overruled.iter().flat_map(|setting| ["--config", setting]))
            // As cargo does by itself, whatever `unstable.build-std-features` says.
            .arg("-Zbuild-std-features=panic-unwind,backtrace,default")
            // Under cargo's first resolver, which old workspaces have, the features that
            // dev-dependencies switch on would reach the program.
            .arg("-Zavoid-dev-deps")
            .args(["--message-format", self.message_format()])
            .arg("--target")
            .arg(target)
            .arg("--target-dir")
            .arg(self.folder)
            .args(
                self.features
                    .iter()
                    .flat_map(|feature| ["--features", feature]),
            );
        if self.package.options.no_default_features {
            command.arg("--no-default-features");
        }
        self.package.options.add_build(&mut command);
        Ok(command)
    }

    /// Who prints the compiler's messages: cargo, or [`read`], which prints errors alone.
    fn message_format(&self) -> &'static str {
        match (self.package.options.errors_only, stderr().is_terminal()) {
            (false, _) => "json-render-diagnostics",
            (true, false) => "json",
            (true, true) => "json-diagnostic-rendered-ansi",
        }
    }

    /// Prints that compiling `core` takes a while, if it has not been compiled for this target.
    /// `compilers_name` is the compiler's name of the target.
    pub fn announce_core(&self, target: Target, compilers_name: &str) {
        if !self.folder.join(compilers_name).join("release").exists() {
            self.package.options.progress(&format!(
                "compiling `core` for {target}; this happens once and takes about half a minute"
            ));
        }
    }

    /// Returns a hint if cargo resolves features as before edition 2021: then those that a build
    /// script's dependencies switch on, such as `std`, reach the program.
    fn resolver_hint(&self) -> String {
        let manifest = self.package.workspace_folder.join("Cargo.toml");
        let text = fs::read_to_string(&manifest).unwrap_or_default();
        let has = |words: &[&str]| {
            let mut lines = text.lines().map(|line| line.replace([' ', '\t'], ""));
            lines.any(|line| words.iter().any(|word| line.starts_with(word)))
        };
        // The edition of a root package implies a resolver; a workspace without one has none.
        let is_new = has(&["[package]"]) && has(&["edition=\"2021\"", "edition=\"2024\""]);
        let is_old = has(&["resolver=\"1\""]) || (!has(&["resolver="]) && !is_new);
        if !is_old {
            return String::new();
        }
        format!(
            "; if a dependency needs `std`, add `resolver = \"2\"` to {}: without it, features that a \
             build script needs reach the program too",
            manifest.display()
        )
    }

    /// Compiles, and returns the package's library, which ends in this extension.
    pub fn run(&self, mut command: Command, target: Target, extension: &str) -> Result<PathBuf> {
        let (name, folder) = (&self.package.name, &self.package.folder);
        let pick = |artifact: &Artifact| {
            let mut files = artifact.filenames.iter();
            let library = files.find(|file| file.extension() == Some(extension))?;
            Some(library.as_std_path().to_owned())
        };
        let mut built = run(&mut command, folder, pick)?;
        // The author may have removed what cargo had fetched.
        if built.is_unresolved() && self.dependencies.fetch_missing()? {
            built = run(&mut command, folder, pick)?;
        }
        if !built.is_success {
            let hint = if self.package.invokes_entry_macro() {
                ""
            } else {
                "; it may not be a program, because no source file of it invokes `entrypoint!`"
            };
            let resolver = self.resolver_hint();
            bail!(
                "`{name}` does not compile for {target}; see the compiler's errors \
                 above{hint}{resolver}"
            );
        }
        let missing = || format!("cargo built no library of `{name}` for {target}");
        built.file.with_context(missing)
    }
}

/// The result of a build by cargo.
#[derive(Debug, Default)]
pub(super) struct Built {
    /// Whether cargo reported success.
    pub is_success: bool,
    /// The file that was picked.
    pub file: Option<PathBuf>,
    /// Whether the compiler ran, or would have.
    has_compiled: bool,
}

impl Built {
    /// Whether cargo failed before it compiled anything, as it does if a dependency is missing.
    fn is_unresolved(&self) -> bool {
        !self.is_success && !self.has_compiled
    }
}

/// Runs cargo to its end, and picks a file from the artifacts of the package in a folder.
pub(super) fn run(
    command: &mut Command,
    folder: &Path,
    pick: impl Fn(&Artifact) -> Option<PathBuf>,
) -> Result<Built> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    let stdout = child.stdout.take().context("cargo's output is piped")?;
    let mut built = read(stdout, folder, pick)?;
    built.is_success = child.wait()?.success();
    Ok(built)
}

/// Reads cargo's messages to the end.
fn read(
    messages: impl Read,
    folder: &Path,
    pick: impl Fn(&Artifact) -> Option<PathBuf>,
) -> Result<Built> {
    let mut built = Built::default();
    for message in Message::parse_stream(BufReader::new(messages)) {
        let message = message.context("cannot read cargo's messages")?;
        built.has_compiled |= matches!(
            message,
            Message::CompilerArtifact(_) | Message::CompilerMessage(_)
        );
        let artifact = match message {
            Message::CompilerArtifact(artifact) => artifact,
            // Cargo has printed them, unless it was to leave that.
            Message::CompilerMessage(message)
                if message.message.level == DiagnosticLevel::Error =>
            {
                eprint!("{}", message.message.rendered.unwrap_or_default());
                continue;
            }
            _ => continue,
        };
        let is_ours = artifact
            .manifest_path
            .parent()
            .is_some_and(|parent| parent.as_std_path() == folder);
        if is_ours {
            built.file = pick(&artifact).or(built.file);
        }
    }
    Ok(built)
}
