//! Compares the gas of this project's allocators inside the VM with its targets, and with the
//! README of the crate. `cargo xtask bench allocators` measures other projects' allocators.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use loader::{Engine, Failure, Invocation, Loader};
use program_build::guest::{DebugInfo, build_with_features};
use program_build::package::ProgramPackage;
use program_build::toolchain;
use tests::{PROGRAM_ID, is_reference_compiler, project};
use xtask::bench::allocators::{Allocator, HEAP_SIZE, Row, WORKLOADS, measure};
use xtask::bench::{marked, readme};

fn guest() -> ProgramPackage {
    ProgramPackage::in_folder(&project().join("benches/allocators"))
        .unwrap_or_else(|error| panic!("{error:?}"))
}

fn measure_ours() -> Vec<Row> {
    measure(&guest(), &Allocator::HEAPS).unwrap_or_else(|error| panic!("{error:?}"))
}

fn ours() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(measure_ours)
}

fn row(allocator: Allocator, workload: &str) -> &'static Row {
    let is_meant = |row: &&Row| row.allocator == allocator.name() && row.workload == workload;
    let row = ours().iter().find(is_meant);
    row.unwrap_or_else(|| panic!("no row of `{workload}` with `{}`", allocator.name()))
}

#[test]
fn command_and_guest_agree_on_workloads() {
    assert_eq!(
        WORKLOADS.map(|workload| workload.name),
        allocator_bench::WORKLOADS
    );
    assert_eq!(HEAP_SIZE as usize, allocator_bench::HEAP_LENGTH);
    let replay = [allocator_bench::REPLAY, 0].map(u32::to_le_bytes);
    assert_eq!(xtask::replay::PREFIX.as_slice(), replay.as_flattened());
}

#[test]
fn every_allocator_and_workload_has_a_row() {
    let found: Vec<_> = ours()
        .iter()
        .map(|row| (row.allocator.as_str(), row.workload.as_str()))
        .collect();
    let wanted: Vec<_> = ["bump", "segregated"]
        .into_iter()
        .flat_map(|allocator| WORKLOADS.map(|workload| (allocator, workload.name)))
        .collect();
    assert_eq!(found, wanted);
}

#[test]
fn second_run_is_equal() {
    assert_eq!(measure_ours(), ours());
}

/// Calls the guest with the bump allocator.
fn call(workload: u32, rounds: u32, heap_size: u32) -> Option<Failure> {
    let blob = build_with_features(&guest(), &["bump"], DebugInfo::Strip)
        .unwrap_or_else(|error| panic!("{error:?}"));
    let loader = Loader::new(Engine::Interpreter).unwrap_or_else(|error| panic!("{error}"));
    let program = loader.load(&blob).unwrap_or_else(|error| panic!("{error}"));
    let data = [workload, rounds].map(u32::to_le_bytes);
    let invocation = Invocation::new(PROGRAM_ID)
        .data(data.as_flattened())
        .heap_size(heap_size)
        .gas(100_000_000);
    let outcome = program.invoke(&invocation);
    outcome.unwrap_or_else(|error| panic!("{error}")).failure
}

#[test]
fn workload_larger_than_the_heap_fails() {
    for (number, workload) in (1..).zip(&WORKLOADS) {
        // These workloads keep no block.
        if [
            "box_freed",
            "format",
            "box_freed_apart",
            "text_apart",
            "pair_apart",
        ]
        .contains(&workload.name)
        {
            continue;
        }
        let failure = call(number, 200_000, HEAP_SIZE);
        assert!(
            matches!(failure, Some(Failure::OutOfMemory { .. })),
            "{}: {failure:?}",
            workload.name
        );
    }
    let past_the_last = WORKLOADS.len() as u32 + 1;
    assert!(call(past_the_last, 1, HEAP_SIZE).is_some());
    assert!(call(1, 1, HEAP_SIZE / 2).is_some());
    assert_eq!(call(1, 1, HEAP_SIZE), None);
}

#[test]
fn section_replaces_only_the_old_one() {
    let end = &marked::end(readme::START);
    let text = |section: &str| format!("before\n{}\n{section}{end}\nafter\n", readme::START);
    let replaced = marked::replace(&text("old\n"), readme::START, "new\n").expect("a place");
    assert_eq!(replaced, text("new\n"));
    assert_eq!(
        marked::find(&replaced, readme::START).expect("a section"),
        "new\n"
    );
    let refused = |text: &str, why: &str| {
        let error = marked::replace(text, readme::START, "new\n").expect_err("no place");
        assert!(error.to_string().contains(why), "{error}");
        marked::find(text, readme::START).expect_err("no section");
    };
    for line in [readme::START, end] {
        refused(&text("old\n").replace(line, ""), line);
        // A marker within a sentence does not count as a marker line.
        refused(
            &text("old\n").replace(line, &format!("see {line}")),
            "no line",
        );
        refused(&format!("{line}\n{}", text("old\n")), "two lines");
        refused(&format!("{}{line}\n", text("old\n")), "two lines");
    }
    let turned = text("old\n")
        .replace(readme::START, "X")
        .replace(end, readme::START)
        .replace('X', end);
    refused(&turned, "before");
}

/// Memory use depends on the requests of a workload, not on the compiler.
#[test]
fn peaks_match_the_workloads() {
    for allocator in Allocator::HEAPS {
        for (workload, live, least) in [
            ("box_freed", 8, 8),
            ("box_kept", 500 * 8, 500 * 8),
            ("vec_growth", 1024 * 8, 1024 * 8),
            ("zeroed", 16 * 1024, 16 * 1024),
        ] {
            let row = row(allocator, workload);
            assert_eq!(row.live, live, "{row:?}");
            assert!(row.peak >= least, "{row:?}");
        }
    }
    assert_eq!(row(Allocator::Bump, "box_kept").peak, 500 * 8);
    // Blocks of 16 bytes; only 8 bytes of the last one are in use.
    assert_eq!(row(Allocator::Segregated, "box_kept").peak, 499 * 16 + 8);
    let mixed = row(Allocator::Segregated, "mixed");
    assert!(mixed.peak <= 2 * mixed.live, "{mixed:?}");
}

#[test]
fn gas_is_within_the_targets() {
    if !is_reference_compiler() {
        return;
    }
    let [kept, freed, zeroed] =
        ["box_kept", "box_freed", "zeroed"].map(|workload| row(Allocator::Bump, workload));
    // The guest selects each workload with a match, whose arms differ by a unit or two. A call pays
    // this once, and the subtracted empty loop has its own arm.
    let dispatch = 2.0 / 500.0;
    assert!(kept.gas_per_op <= 10.0 + dispatch, "{kept:?}");
    assert!(freed.gas_per_op <= 18.0, "{freed:?}");
    assert!(zeroed.gas_per_op <= 20.0, "{zeroed:?}");
    for (allocator, most) in [(Allocator::Bump, 62_000), (Allocator::Segregated, 75_000)] {
        let mixed = row(allocator, "mixed");
        assert!(mixed.gas <= most, "{mixed:?}");
    }
    // A measurement that subtracts too much would make every row look cheap.
    for row in ours() {
        assert!(row.gas_per_op >= 5.0, "{row:?}");
    }
}

#[test]
fn readme_matches_the_results() {
    if !is_reference_compiler() {
        return;
    }
    let (_, rustc, _) = toolchain::find_compiler(project()).expect("a compiler");
    let compiler = toolchain::version(&rustc).expect("a version");
    let measured = readme::section(ours(), &BTreeMap::new(), &compiler);

    let path = project().join("allocator/README.md");
    let text = std::fs::read_to_string(path).expect("a README");
    let written = marked::find(&text, readme::START).unwrap_or_else(|error| panic!("{error}"));
    let of_others = |line: &&str| {
        let others = Allocator::ALL
            .into_iter()
            .filter(|allocator| !Allocator::HEAPS.contains(allocator));
        others
            .into_iter()
            .any(|other| line.starts_with(&format!("| `{}`", other.name())))
    };
    let others = written.lines().filter(of_others).count();
    assert_eq!(others, 3 * (Allocator::ALL.len() - Allocator::HEAPS.len()));
    let written: Vec<&str> = written.lines().filter(|line| !of_others(line)).collect();
    assert_eq!(
        written.join("\n"),
        measured.trim_end_matches('\n').to_owned() + "\n",
        "type `cargo xtask bench allocators --update`"
    );
}

/// The crate's front page quotes two figures of each allocator.
#[test]
fn front_page_matches_the_results() {
    if !is_reference_compiler() {
        return;
    }
    let page = std::fs::read_to_string(project().join("allocator/src/lib.rs"))
        .expect("the crate's front page");
    let gas = |allocator, workload| row(allocator, workload).gas_per_op.round();
    let [bump, segregated] = Allocator::HEAPS.map(|allocator| {
        let (kept, freed) = (gas(allocator, "box_kept"), gas(allocator, "box_freed"));
        (kept, freed)
    });
    let bump = format!("| {} an allocation, {} with its free |", bump.0, bump.1);
    assert!(
        page.contains(&bump),
        "the front page does not contain {bump:?}"
    );
    let segregated = format!(
        "| {} a first allocation, {} one that reuses a block and its free |",
        segregated.0, segregated.1
    );
    assert!(
        page.contains(&segregated),
        "the front page does not contain {segregated:?}"
    );
}
