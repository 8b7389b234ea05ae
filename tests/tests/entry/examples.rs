//! Every fixture of every example has its expected outcome, on both engines, with the known gas.

use loader::Outcome;
use program_build::package::ProgramPackage;
use program_test::{check_fixture, check_scenario};
use tests::{example, is_reference_compiler};

/// Runs all fixtures of an example. `known` lists the fixtures that it must have, with their gas.
fn check_all(name: &str, known: &[(&str, u64)]) -> Vec<Outcome> {
    let folder = example(name);
    let package = ProgramPackage::in_folder(&folder).unwrap_or_else(|error| panic!("{error:?}"));
    let names: Vec<&str> = known.iter().map(|(fixture, _)| *fixture).collect();
    let fixtures = package.fixtures().expect("a folder");
    assert_eq!(fixtures, names, "the fixtures of `{name}`");
    let outcomes: Vec<Outcome> = names
        .iter()
        .map(|fixture| check_fixture(&folder, fixture))
        .collect();
    if is_reference_compiler() {
        let found: Vec<(&str, u64)> = names
            .iter()
            .copied()
            .zip(outcomes.iter().map(|outcome| outcome.gas_used))
            .collect();
        assert_eq!(found, known, "the gas of `{name}`");
    }
    outcomes
}

/// Runs all scenarios of an example, which must be these.
fn check_scenarios(name: &str, known: &[&str]) {
    let folder = example(name);
    let package = ProgramPackage::in_folder(&folder).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(
        package.scenarios().expect("a folder"),
        known,
        "the scenarios of `{name}`"
    );
    for scenario in known {
        let outcome = check_scenario(&folder, scenario);
        assert!(!outcome.steps.is_empty(), "{outcome}");
    }
}

#[test]
fn hello() {
    let _ = check_all("hello", &[("default", 30)]);
}

#[test]
fn counter() {
    let _ = check_all("counter", &[("default", 291)]);
}

#[test]
fn vault() {
    let known = [
        ("default", 378),
        ("open", 138),
        ("too_much", 104),
        ("wrong_authority", 102),
    ];
    check_scenarios("vault", &["open_and_withdraw"]);
    let _ = check_all("vault", &known);
}

#[test]
fn token() {
    let known = [
        ("approve", 72),
        ("as_delegate", 105),
        ("burn", 97),
        ("close", 129),
        ("close_full", 69),
        ("default", 90),
        ("make_holding", 194),
        ("make_mint", 65),
        ("mint", 95),
        ("to_itself", 90),
        ("too_few", 71),
        ("too_many", 76),
        ("unsigned", 423),
        ("wrong_authority", 62),
    ];
    check_scenarios("token", &["life_of_a_token"]);
    let _ = check_all("token", &known);
}

#[test]
fn escrow_calls_the_token() {
    let known = [
        ("cancel", 5_088),
        ("cannot_pay", 1_119),
        ("default", 5_989),
        ("make", 4_195),
        ("offer_changed", 334),
        ("other_token", 465),
        ("sent_before", 6_891),
        ("wrong_payment", 362),
    ];
    check_scenarios("escrow", &["cancel", "trade"]);
    let _ = check_all("escrow", &known);
}

#[test]
fn exchange_calls_the_token() {
    let known = [
        ("close", 9_861),
        ("default", 3_677),
        ("open", 2_583),
        ("other_token", 472),
        ("others_vaults", 135),
        ("sent_before", 5_270),
        ("too_dear", 477),
    ];
    check_scenarios("exchange", &["a_pool"]);
    let _ = check_all("exchange", &known);
}

#[test]
fn vesting_asks_for_the_time() {
    let known = [
        ("default", 192),
        ("grant", 2_375),
        ("rest", 226),
        ("sent_before", 5_064),
        ("too_early", 188),
        ("wrong_beneficiary", 83),
        ("wrong_payer", 97),
    ];
    check_scenarios("vesting", &["a_year"]);
    let _ = check_all("vesting", &known);
}

#[test]
fn oracle_reader_loads_an_account() {
    let known = [
        ("default", 306),
        ("not_yet", 126),
        ("start", 180),
        ("too_old", 135),
        ("wrong_publisher", 97),
    ];
    check_scenarios("oracle_reader", &["a_minute"]);
    let _ = check_all("oracle_reader", &known);
}

#[test]
fn no_alloc_leaves_its_heap_alone() {
    let known = [("default", 70), ("duplicate", 101), ("too_many", 33)];
    for outcome in check_all("no_alloc", &known) {
        assert_eq!(outcome.heap.peak, Some(0));
    }
}

#[test]
fn custom_heap_reports_no_heap_use() {
    for outcome in check_all("custom_heap", &[("default", 1_976)]) {
        assert_eq!((outcome.heap.used, outcome.heap.peak), (None, None));
    }
}

#[test]
fn heap_state_frees_its_heap() {
    for outcome in check_all("heap_state", &[("default", 947)]) {
        assert_eq!(outcome.heap.used, Some(0));
        assert!(outcome.heap.peak > Some(0));
    }
}

#[test]
fn segregated_heap_reuses_every_block() {
    for outcome in check_all("segregated_heap", &[("default", 84_530)]) {
        assert_eq!(outcome.heap.peak, Some(352));
    }
}

#[test]
fn arena_empties_its_scratch_after_each_line() {
    let _ = check_all("arena", &[("default", 5_093), ("long_line", 2_694)]);
}

#[test]
fn scratch_frees_its_arena() {
    let known = [
        ("default", 4_097),
        ("full", 3_786),
        ("listed_twice", 106),
        ("no_room", 580),
        ("not_signed", 733),
    ];
    let outcomes = check_all("scratch", &known);
    let heaps = outcomes
        .iter()
        .map(|outcome| (outcome.heap.used, outcome.heap.peak));
    // A call reaches its arena, or is rejected before.
    let peaks = [120, 120, 0, 120, 120];
    assert!(heaps.eq(peaks.map(|peak| (Some(0), Some(peak)))));
}

/// A local path in a program would change its blob and its gas from one machine to another.
#[test]
fn program_names_no_local_path() {
    let blob = program_test::build(example("arena"));
    let project = tests::project().to_str().expect("a UTF-8 path");
    let cargo_home = std::env::var("CARGO_HOME")
        .or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo")))
        .expect("the folder of cargo");
    for path in [project, &cargo_home] {
        let is_there = blob
            .windows(path.len())
            .any(|bytes| bytes == path.as_bytes());
        assert!(!is_there, "the program contains {path}");
    }
    let relative = b"allocator-api2-0.4.0/src";
    assert!(blob.windows(relative.len()).any(|bytes| bytes == relative));
}
