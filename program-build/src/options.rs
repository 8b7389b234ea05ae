//! Cargo's own options of a build.

use std::process::Command;

/// Options that every build of a program passes on to cargo.
///
/// ```no_run
/// use program_build::guest::{self, DebugInfo};
/// use program_build::options::CargoOptions;
/// use program_build::package::ProgramPackage;
///
/// let mut package = ProgramPackage::in_folder("examples/hello".as_ref())?;
/// package.options = CargoOptions {
///     jobs: Some("1".to_owned()),
///     offline: true,
///     ..CargoOptions::default()
/// };
/// let blob = guest::build(&package, DebugInfo::Keep)?;
/// # anyhow::Ok(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CargoOptions {
    /// `--features`: features of the program, besides those that a build needs by itself.
    pub features: Vec<String>,
    /// `--no-default-features`.
    pub no_default_features: bool,
    /// `--jobs`: how many compilers run at once, in the words of cargo.
    pub jobs: Option<String>,
    /// `--locked`: `Cargo.lock` stays as it is.
    pub locked: bool,
    /// `--offline`: cargo does not use the network.
    pub offline: bool,
    /// `--frozen`: both.
    pub frozen: bool,
    /// `--quiet`: no progress, neither cargo's nor that of this crate.
    pub quiet: bool,
    /// How often `--verbose`.
    pub verbose: u8,
    /// Of the compiler's messages, only errors are printed.
    pub errors_only: bool,
}

impl CargoOptions {
    /// Adds the options that all cargo commands have, `fetch` for example.
    pub(crate) fn add_common(&self, command: &mut Command) {
        for (option, is_given) in [
            ("--locked", self.locked),
            ("--offline", self.offline),
            ("--frozen", self.frozen),
            ("--quiet", self.quiet),
        ] {
            if is_given {
                command.arg(option);
            }
        }
        command.args((0..self.verbose).map(|_| "--verbose"));
    }

    /// Adds the options of a command that compiles, except those that select features.
    pub fn add_build(&self, command: &mut Command) {
        self.add_common(command);
        if let Some(jobs) = &self.jobs {
            command.args(["--jobs", jobs]);
        }
    }

    /// Prints progress to the standard error, unless that is to be quiet.
    pub fn progress(&self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }
}
