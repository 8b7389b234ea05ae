//! Which of the author's settings for cargo count for a guest.
//!
//! The same sources make the same program on every computer. So what changes code counts only in
//! the manifests, which are a part of the sources. Cargo's configuration files and environment
//! variables are two ways to the same settings, and both are overruled in the same way: by the
//! variables and `--config` arguments of the guest build, which rank higher. docs/running.md has
//! the rule for authors.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use toml::Table;

use crate::package::ProgramPackage;
use crate::toolchain::{self, Toolchain};

/// A wrapper of the compiler that only runs it, whatever `build.rustc-wrapper` says.
///
/// An empty variable would do the same, but cargo then remembers nothing that the compiler told it,
/// and asks it six times in each build. The wrapper of a workspace is a part of the symbols of its
/// crates, so it is always the same.
const PLAIN_WRAPPER: &str = "env";

/// Overrules what the author's variables and configuration files say about compilers and their
/// flags.
pub(crate) fn overrule_flags(command: &mut Command) {
    command
        // Rank above `RUSTFLAGS`, `build.rustflags` and all of `target.*.rustflags`.
        .env("CARGO_ENCODED_RUSTFLAGS", "")
        .env("RUSTC_WRAPPER", PLAIN_WRAPPER)
        .env("RUSTC_WORKSPACE_WRAPPER", PLAIN_WRAPPER)
        .env("CARGO_INCREMENTAL", "0");
    for (variable, _) in env::vars_os() {
        if sets_profile(&variable) {
            command.env_remove(variable);
        }
    }
}

/// Whether a variable changes profiles or unstable features. There are too many to overrule each.
fn sets_profile(variable: &OsStr) -> bool {
    let prefixes = ["CARGO_PROFILE_", "CARGO_UNSTABLE_"];
    variable
        .to_str()
        .is_some_and(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)))
}

/// The settings of the profile `release` that the author may choose, in the manifest.
const FREE: [&str; 3] = ["opt-level", "debug-assertions", "overflow-checks"];

/// The settings that every build of a guest makes itself.
const FIXED: [&str; 9] = [
    "codegen-units",
    "debug",
    "incremental",
    "lto",
    "panic",
    "rpath",
    "split-debuginfo",
    "strip",
    "trim-paths",
];

/// Unstable features of cargo's that change code. A guest build allows unstable features, because
/// it needs some, so an author's configuration could switch on these too.
const UNSTABLE: [&str; 4] = [
    "codegen-backend",
    "feature-unification",
    "panic-immediate-abort",
    "profile-rustflags",
];

/// The arguments for `--config` that overrule the author's configuration files.
///
/// # Errors
///
/// If a manifest or a configuration file cannot be read, or a file has a setting that changes code
/// and that cannot be overruled.
pub(crate) fn overrule_profile(
    package: &ProgramPackage,
    toolchain: &Toolchain,
) -> Result<Vec<String>> {
    let manifest = package.workspace_folder.join("Cargo.toml");
    let chosen = chosen(&manifest)?;
    let mut arguments = profile_arguments(&chosen);
    arguments.extend(unstable_arguments(&configuration(
        &package.folder,
        toolchain,
    )?)?);
    Ok(arguments)
}

/// The profile `release` of a workspace's manifest.
fn chosen(manifest: &Path) -> Result<Table> {
    let text = fs::read_to_string(manifest)
        .with_context(|| format!("cannot read {}", manifest.display()))?;
    let manifest: Table =
        toml::from_str(&text).with_context(|| format!("cannot read {}", manifest.display()))?;
    let release = manifest
        .get("profile")
        .and_then(|profiles| profiles.get("release"))
        .and_then(toml::Value::as_table);
    Ok(release.cloned().unwrap_or_default())
}

/// What the manifest says, or else a default, so that no configuration file decides.
///
/// The defaults are those of cargo, with one exception: the packages of the workspace check their
/// arithmetic. A balance that wraps is worse than a program that fails, and an author who forgets
/// the setting would not notice. Cargo reads a profile only at the root of a workspace, so a member
/// could not choose it.
fn profile_arguments(chosen: &Table) -> Vec<String> {
    let default = |setting: &str| match setting {
        "opt-level" => toml::Value::Integer(3),
        "overflow-checks" => toml::Value::Boolean(true),
        _ => toml::Value::Boolean(false),
    };
    let argument = |setting: &str| {
        let value = chosen
            .get(setting)
            .cloned()
            .unwrap_or_else(|| default(setting));
        format!("profile.release.{setting}={value}")
    };
    let mut arguments: Vec<String> = FREE.into_iter().map(argument).collect();
    let others = chosen.get("package").and_then(|packages| packages.get("*"));
    let others = others.and_then(toml::Value::as_table);
    if !others.is_some_and(|others| others.contains_key("overflow-checks")) {
        // The packages outside of the workspace: `core` and the crates of other authors. Checks of
        // their arithmetic would cost gas, so only the author's manifest switches them on. Cargo
        // forgets `strip` for a package that has a setting for itself. So this sets one for all
        // packages in any case, and workspaces with one target folder share what is compiled.
        let checks = chosen.get("overflow-checks").cloned();
        let checks = checks.unwrap_or(toml::Value::Boolean(false));
        arguments.push(format!(
            "profile.release.package.\"*\".overflow-checks={checks}"
        ));
    }
    arguments
}

/// The files in which cargo looks for the configuration for a folder; `None` if they are not known.
pub(crate) fn configuration_files(folder: &Path) -> Option<Vec<PathBuf>> {
    // Cargo runs in that folder.
    let home = folder.join(toolchain::cargo_home()?);
    let folders = folder.ancestors().map(|folder| folder.join(".cargo"));
    let files = folders.chain([home]).flat_map(|folder| {
        let names = ["config.toml", "config"];
        names.map(|name| folder.join(name))
    });
    Some(files.collect())
}

/// Words that a file contains if it sets a profile or an unstable feature, or includes another
/// file. A backslash may stand for a letter of such a word.
const DECIDING: [&str; 4] = ["profile", "unstable", "include", "\\"];

/// Cargo's configuration for a folder, from all files. Empty without asking cargo, if no file can
/// change code.
fn configuration(folder: &Path, toolchain: &Toolchain) -> Result<Value> {
    let decides = |path: &PathBuf| match fs::read(path) {
        Ok(text) => {
            let text = String::from_utf8_lossy(&text);
            DECIDING.iter().any(|word| text.contains(word))
        }
        // Cargo reports a file that it cannot read.
        Err(error) => error.kind() != ErrorKind::NotFound,
    };
    let files = configuration_files(folder);
    if files.is_some_and(|files| !files.iter().any(decides)) {
        return Ok(Value::Null);
    }
    let output = toolchain
        .cargo()
        .args(["-Zunstable-options", "config", "get", "--format", "json"])
        .current_dir(folder)
        .output()
        .with_context(|| format!("cannot run {}", toolchain.cargo.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("cannot read cargo's configuration: {}", said.trim());
    }
    serde_json::from_slice(&output.stdout).context("cannot read cargo's configuration")
}

/// Switches off unstable features that change code, and rejects what no argument overrules.
fn unstable_arguments(configuration: &Value) -> Result<Vec<String>> {
    let release = configuration["profile"]["release"].as_object();
    let is_overruled = |setting: &str| {
        // The last is for what runs during the build.
        FREE.contains(&setting) || FIXED.contains(&setting) || setting == "build-override"
    };
    let mut settings = release.into_iter().flat_map(|release| release.keys());
    if let Some(setting) = settings.find(|setting| !is_overruled(setting)) {
        bail!(
            "a configuration file of cargo's sets `profile.release.{setting}`, which would change the \
             program; move it to the program's Cargo.toml, where it counts. The file is \
             `.cargo/config.toml` in the program's folder or one above it, or `config.toml` in cargo's \
             home"
        );
    }
    let is_on = |feature: &&str| configuration["unstable"][feature] == Value::Bool(true);
    let features = UNSTABLE.into_iter().filter(is_on);
    Ok(features
        .map(|feature| format!("unstable.{feature}=false"))
        .collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn arguments(profile: &str) -> Vec<String> {
        profile_arguments(&toml::from_str(profile).expect("a profile"))
    }

    #[test]
    fn manifest_decides_or_the_default_does() {
        assert_eq!(
            arguments("lto = false"),
            [
                "profile.release.opt-level=3",
                "profile.release.debug-assertions=false",
                "profile.release.overflow-checks=true",
                "profile.release.package.\"*\".overflow-checks=false",
            ]
        );
        assert_eq!(
            arguments("opt-level = 's'\ndebug-assertions = true"),
            [
                "profile.release.opt-level=\"s\"",
                "profile.release.debug-assertions=true",
                "profile.release.overflow-checks=true",
                "profile.release.package.\"*\".overflow-checks=false",
            ]
        );
        for (profile, own, others) in [
            (
                "debug-assertions = true\noverflow-checks = false",
                false,
                Some(false),
            ),
            ("overflow-checks = true", true, Some(true)),
            ("package.'*'.overflow-checks = true", true, None),
        ] {
            let others = others
                .map(|checks| format!("profile.release.package.\"*\".overflow-checks={checks}"));
            let own = format!("profile.release.overflow-checks={own}");
            let expected: Vec<String> = [own].into_iter().chain(others).collect();
            assert_eq!(arguments(profile)[2..], expected, "{profile}");
        }
    }

    #[test]
    fn only_variables_that_change_code_are_removed() {
        for name in [
            "CARGO_PROFILE_RELEASE_OPT_LEVEL",
            "CARGO_UNSTABLE_BUILD_STD",
        ] {
            assert!(sets_profile(name.as_ref()), "{name}");
        }
        for name in ["CARGO_BUILD_JOBS", "CARGO_NET_OFFLINE", "CARGO_HOME"] {
            assert!(!sets_profile(name.as_ref()), "{name}");
        }
    }

    #[test]
    fn configuration_that_cannot_be_overruled_is_rejected() {
        let release =
            |release: Value| unstable_arguments(&json!({"profile": {"release": release}}));
        for harmless in [
            json!({"opt-level": "s", "lto": false}),
            json!({}),
            json!(null),
        ] {
            assert_eq!(release(harmless).expect("it is overruled"), [""; 0]);
        }
        for (setting, value) in [
            ("package", json!({"hex": {}})),
            ("rustflags", json!(["-g"])),
        ] {
            let error = release(json!({setting: value})).expect_err("it is not overruled");
            assert!(
                error
                    .to_string()
                    .contains(&format!("`profile.release.{setting}`"))
            );
        }
        let unstable = json!({"unstable": {"profile-rustflags": true, "gc": true}});
        let arguments = unstable_arguments(&unstable).expect("no profile");
        assert_eq!(arguments, ["unstable.profile-rustflags=false"]);
    }
}
