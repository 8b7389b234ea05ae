//! Which changes are worse, and which rows `--bless` keeps.

use super::{Change, Scope, check_compiler, compare, merge, parse};
use crate::bench::programs::{ProgramResults, Row};

fn row(program: &str, fixture: &str, gas: u64) -> Row {
    Row {
        program: program.to_owned(),
        fixture: fixture.to_owned(),
        status: Some(0),
        failure: None,
        gas,
        heap_peak: Some(8),
        blob: 100,
    }
}

fn results(rows: &[Row]) -> ProgramResults {
    ProgramResults {
        compiler: "rustc 1".to_owned(),
        programs: rows.to_vec(),
    }
}

fn only(program: &str) -> Scope {
    Scope::Only(program.to_owned())
}

/// The differences as they are printed.
fn texts(changes: &[Change]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

#[test]
fn equal_results_have_no_changes() {
    let same = results(&[row("a", "x", 1)]);
    assert_eq!(compare(&same, &same, &Scope::All), []);
}

#[test]
fn larger_is_worse_and_smaller_is_better() {
    let before = results(&[row("a", "x", 1_379), row("a", "y", 20)]);
    let mut worse = row("a", "x", 1_385);
    worse.heap_peak = Some(9);
    let changes = compare(&before, &results(&[worse, row("a", "y", 18)]), &Scope::All);
    assert_eq!(
        texts(&changes),
        [
            "a/x gas 1,379 -> 1,385 (+6, worse)",
            "a/x heap peak 8 -> 9 (+1, worse)",
            "a/y gas 20 -> 18 (-2, better)",
        ]
    );
    let judged: Vec<_> = changes
        .iter()
        .map(|change| (change.is_worse(), change.is_better()))
        .collect();
    assert_eq!(judged, [(true, false), (true, false), (false, true)]);
}

#[test]
fn the_blob_of_several_rows_is_named_once() {
    let before = results(&[row("a", "x", 1), row("a", "y", 1)]);
    let mut after = before.clone();
    for row in &mut after.programs {
        row.blob += 1;
    }
    let changes = compare(&before, &after, &Scope::All);
    assert_eq!(texts(&changes), ["a blob 100 -> 101 (+1, worse)"]);
}

#[test]
fn changed_behaviour_is_worse() {
    let before = results(&[row("a", "x", 10)]);
    let mut failed = row("a", "x", 10);
    failed.status = None;
    failed.failure = Some("Trapped".to_owned());
    let changes = compare(&before, &results(&[failed]), &Scope::All);
    assert_eq!(
        texts(&changes),
        ["a/x changed from `status 0 (success)` to `status none (Trapped)`"]
    );
    assert!(changes[0].is_worse());
}

#[test]
fn a_row_tells_an_error_from_rejected_changes() {
    let text = |status, failure: &str| {
        let mut row = row("a", "x", 10);
        (row.status, row.failure) = (status, Some(failure.to_owned()));
        row.status_text()
    };
    assert_eq!(row("a", "x", 10).status_text(), "0 (success)");
    assert_eq!(
        text(Some(6 << 32), "ProgramError"),
        "0x600000000 (InsufficientFunds)"
    );
    assert_eq!(text(None, "OutOfGas"), "none (OutOfGas)");
    assert_eq!(
        text(Some(0), "AccountNotWritable"),
        "0 (success), rejected: AccountNotWritable"
    );
}

#[test]
fn lost_heap_peak_is_worse() {
    let before = results(&[row("a", "x", 10)]);
    let mut unknown = row("a", "x", 10);
    unknown.heap_peak = None;
    let unknown = results(&[unknown]);
    for (before, after, text, is_worse) in [
        (&before, &unknown, "a/x heap peak 8 -> unknown", true),
        (&unknown, &before, "a/x heap peak unknown -> 8", false),
    ] {
        let changes = compare(before, after, &Scope::All);
        assert_eq!(texts(&changes), [text]);
        assert_eq!(changes[0].is_worse(), is_worse);
        assert!(!changes[0].is_better());
    }
}

#[test]
fn rows_come_and_go() {
    let before = results(&[row("a", "x", 1), row("b", "x", 1)]);
    let after = results(&[row("a", "y", 1)]);
    let changes = compare(&before, &after, &Scope::All);
    assert_eq!(
        texts(&changes),
        ["a/y is new", "a/x is gone", "b/x is gone"]
    );
    // A renamed row may hide a larger figure.
    let worse: Vec<bool> = changes.iter().map(Change::is_worse).collect();
    assert_eq!(worse, [false, true, true]);
    // If only one program was measured, the other is not compared.
    let changes = compare(&before, &after, &only("a"));
    assert_eq!(texts(&changes), ["a/y is new", "a/x is gone"]);
    let changes = compare(&results(&[]), &after, &Scope::All);
    assert_eq!(texts(&changes), ["a/y is new"]);
}

#[test]
fn bless_keeps_unmeasured_rows() {
    let old = results(&[row("a", "x", 1), row("b", "x", 1), row("c", "x", 1)]);
    let measured = results(&[row("b", "z", 2), row("b", "y", 2)]);
    let merged = merge(&old, &measured, &only("b")).expect("one compiler");
    assert_eq!(
        merged.programs,
        [
            row("a", "x", 1),
            row("b", "y", 2),
            row("b", "z", 2),
            row("c", "x", 1)
        ]
    );
    let merged = merge(&old, &measured, &Scope::All).expect("one compiler");
    assert_eq!(merged.programs, [row("b", "y", 2), row("b", "z", 2)]);
}

#[test]
fn two_compilers_do_not_share_a_baseline() {
    let mut old = results(&[row("a", "x", 1), row("b", "x", 1)]);
    old.compiler = "rustc 0".to_owned();
    let measured = results(&[row("b", "x", 2)]);
    let refused = merge(&old, &measured, &only("b"));
    let refused = refused.expect_err("two compilers").to_string();
    assert!(
        refused.contains("`rustc 0`") && refused.contains("`rustc 1`"),
        "{refused}"
    );
    // The command knows it before it measures.
    check_compiler(&old, "rustc 1", &only("b")).expect_err("two compilers");
    check_compiler(&old, "rustc 0", &only("b")).expect("one compiler");
    // The new baseline would keep no row of the other compiler.
    let merged = merge(&old, &measured, &Scope::All).expect("one compiler");
    assert_eq!(merged, measured);
}

#[test]
fn invalid_baseline_is_rejected_with_its_place() {
    for (text, parts) in [
        ("{\n]", ["line 2", "column 1"]),
        ("[]", ["line 1", "invalid length 0"]),
        (
            r#"{"programs": []}"#,
            ["missing field `compiler`", "line 1"],
        ),
        (
            "{\"compiler\": \"a\",\n\"entry\": []}",
            ["unknown field `entry`", "line 2"],
        ),
        (
            "{\"compiler\": \"a\", \"programs\": [\n{\"program\": \"a\", \"fixture\": \"b\", \"gas\": -1}]}",
            ["invalid value: integer `-1`", "line 2"],
        ),
        (
            r#"{"compiler": "a", "programs": [{"program": "a", "fixture": "b", "status": 0, "failure": null, "gas": 1, "heap_peak": 0, "blob": 1}, {"program": "a", "fixture": "b", "status": 0, "failure": null, "gas": 2, "heap_peak": 0, "blob": 1}]}"#,
            ["there are two rows", "a/b"],
        ),
    ] {
        let refused = format!("{:#}", parse::<ProgramResults>(text).expect_err(text));
        for part in parts {
            assert!(refused.contains(part), "{part:?} is not in {refused:?}");
        }
    }
}
