//! The commands of this workspace and its tests select the same features of their dependencies.

use std::collections::BTreeSet;
use std::process::Command;

/// The packages that cargo compiles, each with its version and features.
fn compiled(arguments: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--prefix=none", "--format={p} {f}"])
        .args(arguments)
        .current_dir(tests::project())
        .output()
        .expect("cargo runs");
    let listed = String::from_utf8(output.stdout).expect("text");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // A package that was listed before ends in a mark.
    let lines = listed.lines().map(|line| line.trim_end_matches(" (*)"));
    lines.map(str::to_owned).collect()
}

/// Cargo compiles a dependency once for each set of its features. `xtask/features` selects what
/// the tests select.
#[test]
fn commands_and_tests_share_what_is_compiled() {
    let tests = compiled(&["--workspace", "--edges=normal,build,dev"]);
    for package in ["workspace-features", "xtask"] {
        let own = compiled(&["--package", package, "--edges=normal,build"]);
        let differ: Vec<_> = own.difference(&tests).collect();
        assert!(
            !own.is_empty() && differ.is_empty(),
            "add features in xtask/features/Cargo.toml, so that `{package}` has the features of \
             the tests: {differ:#?}"
        );
    }
}
