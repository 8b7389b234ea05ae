//! What the crates of the published runtime have decided about random cases, and what the loader
//! decides. `tests/oracle` writes the vectors, and `docs/runtime.md` lists the differences.

use std::fs;

#[allow(dead_code, reason = "each side uses a part")]
#[path = "../../oracle/src/cases/mod.rs"]
mod cases;

#[path = "vectors/blobs.rs"]
mod blobs;
#[path = "vectors/inputs.rs"]
mod inputs;
#[path = "vectors/logs.rs"]
mod logs;
#[path = "vectors/rules.rs"]
mod rules;
#[path = "vectors/system.rs"]
mod system;
#[path = "vectors/values.rs"]
mod values;

/// The lines of a file of vectors.
fn lines(name: &str) -> Vec<String> {
    let path = tests::project()
        .join("tests/tests/runtime/vectors")
        .join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    text.lines().map(str::to_owned).collect()
}

/// Compares the verdict of each case with its line.
#[track_caller]
fn compare(name: &str, count: usize, mut verdict: impl FnMut(usize) -> String) {
    let expected = lines(name);
    assert_eq!(
        expected.len(),
        count,
        "{name} has not one line for each case"
    );
    let mut wrong = Vec::new();
    for (number, expected) in expected.iter().enumerate() {
        let found = verdict(number);
        if found != *expected {
            wrong.push(format!(
                "case {number}\n  runtime: {expected}\n  loader:  {found}"
            ));
        }
    }
    let count = wrong.len();
    wrong.truncate(8);
    assert!(
        wrong.is_empty(),
        "{name}: {count} differences\n{}",
        wrong.join("\n")
    );
}

/// The words after `failed: ` in the last line of a log.
fn reason(logs: &[String]) -> String {
    let last = logs.last().expect("a line");
    let (_, reason) = last
        .split_once(" failed: ")
        .unwrap_or_else(|| panic!("{logs:?}"));
    reason.to_owned()
}
