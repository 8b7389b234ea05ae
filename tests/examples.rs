//! Every fixture of every example gives what it expects, on both engines.

use cargo_entrypoint::package::ProgramPackage;
use cargo_entrypoint::testing::check_fixture;
use loader::Outcome;
use tests::example;

/// Runs all fixtures of an example; `known` are the ones that must be there.
fn check_all(name: &str, known: &[&str]) -> Vec<Outcome> {
    let folder = example(name);
    let package = ProgramPackage::in_folder(&folder).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(package.fixtures(), known, "the fixtures of `{name}`");
    known
        .iter()
        .map(|fixture| check_fixture(&folder, fixture))
        .collect()
}

#[test]
fn hello() {
    let _ = check_all("hello", &["default"]);
}

#[test]
fn counter() {
    let _ = check_all("counter", &["default"]);
}

#[test]
fn vault() {
    let _ = check_all("vault", &["default", "open", "too_much", "wrong_authority"]);
}

#[test]
fn no_alloc_leaves_its_heap_alone() {
    for outcome in check_all("no_alloc", &["default", "duplicate", "too_many"]) {
        assert_eq!(outcome.heap.peak, Some(0));
    }
}

#[test]
fn custom_heap_says_nothing_of_its_heap() {
    for outcome in check_all("custom_heap", &["default"]) {
        assert_eq!((outcome.heap.used, outcome.heap.peak), (None, None));
    }
}

#[test]
fn heap_state_uses_its_heap_and_gives_it_back() {
    for outcome in check_all("heap_state", &["default"]) {
        assert_eq!(outcome.heap.used, Some(0));
        assert!(outcome.heap.peak > Some(0));
    }
}
