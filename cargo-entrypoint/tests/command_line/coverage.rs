//! `cargo entrypoint coverage`

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{entrypoint, json, refused, says, stderr, stdout};

/// Measures the vault, which has no tests, into a folder.
fn vault(folder: &Path, words: &[&str]) -> Output {
    let folder = folder.display().to_string();
    entrypoint(&[&["coverage", "vault", "--output", &folder], words].concat())
}

#[test]
fn table_lcov_and_picture_agree() {
    let folder = tempfile::tempdir().expect("a folder");
    let least = ["--fail-under", "90", "--fail-under-branches", "99.5"];
    let output = vault(folder.path(), &least);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    says(
        &said,
        &["branches were taken, ", "at least 99.5 % are wanted"],
    );
    assert!(!said.contains("lines were reached"), "{said}");
    let said = stdout(&output);
    says(
        &said,
        &[
            "vault · 4 fixtures, 1 scenario\n",
            "branches that no run took, of lines that ran",
            "never returned here",
            "if !vault.is_owned_by(program_id) {",
        ],
    );
    let output = vault(folder.path(), &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let coverage = json(&output);
    let [lines, branches] = ["lines", "branches"].map(|what| {
        let share = &coverage[what];
        [&share["all"], &share["reached"]].map(|number| number.as_u64().expect("a number"))
    });
    assert_eq!(coverage["tests"], false);

    let lcov = fs::read_to_string(folder.path().join("lcov.info")).expect("the file");
    let figures = [
        ("LF", lines[0]),
        ("LH", lines[1]),
        ("BRF", branches[0]),
        ("BRH", branches[1]),
    ];
    for (name, figure) in figures {
        says(&lcov, &[&format!("\n{name}:{figure}\n")]);
    }
    let count = |start: &str| lcov.lines().filter(|line| line.starts_with(start)).count() as u64;
    assert_eq!([count("DA:"), count("BRDA:")], [lines[0], branches[0]]);

    check_with_genhtml(folder.path(), lines);

    let picture = fs::read_to_string(folder.path().join("vault.svg")).expect("the picture");
    let picture = roxmltree::Document::parse(&picture).expect("XML");
    let texts: Vec<&str> = picture
        .descendants()
        .filter_map(|node| node.text())
        .collect();
    let title = format!("{} of {} branches", branches[1], branches[0]);
    assert!(texts.contains(&title.as_str()), "{texts:?}");
    assert!(texts.contains(&"if !vault.is_owned_by(program_id) {"));
}

/// Checks that `genhtml` reads the file and finds as many lines.
fn check_with_genhtml(folder: &Path, lines: [u64; 2]) {
    if Command::new("genhtml").arg("--version").output().is_err() {
        println!("skipped: genhtml is not installed (Debian: apt-get install lcov)");
        return;
    }
    let genhtml = Command::new("genhtml")
        .arg("--branch-coverage")
        .arg("--output-directory")
        .arg(folder.join("html"))
        .arg(folder.join("lcov.info"))
        .output()
        .expect("it runs");
    assert!(genhtml.status.success(), "{}", stderr(&genhtml));
    let said = format!("({} of {} lines)", lines[1], lines[0]);
    says(&stdout(&genhtml), &[&said]);
}

#[test]
fn what_cannot_be_measured_is_refused() {
    refused(
        &["coverage", "no-such-program"],
        &["no program `no-such-program`"],
    );
    refused(
        &["coverage", "Cargo.toml"],
        &["a file has no sources and no fixtures"],
    );
    refused(
        &["coverage", "tests/guests/poke"],
        &[
            "`poke` has nothing to run",
            "write tests/guests/poke/fixtures/default.toml",
        ],
    );
    for percent in ["101", "-1", "x", "NaN"] {
        let words = ["coverage", "vault", "--fail-under", percent];
        refused(&words, &["a percentage is a number from 0 to 100"]);
    }
    refused(
        &["coverage", "vault", "--fail-unter", "9"],
        &["--fail-under"],
    );
    refused(
        &["coverage", "vault", "--no-tests", "--", "x"],
        &["cannot be used with"],
    );
}
