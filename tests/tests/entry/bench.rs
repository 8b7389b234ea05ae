//! Compares the gas of our entries inside the VM with its targets. `cargo xtask bench entry`
//! measures other projects' entries, except the one whose input the bench writes itself.

use std::sync::OnceLock;

use program_build::package::ProgramPackage;
use program_build::toolchain;
use tests::{is_reference_compiler, project};
use xtask::bench::entry::{CASES, Entry, Guests, Row, START, measure, pinocchio_version, section};
use xtask::bench::marked;

/// The most gas that a call with an account table may use, for any number of accounts.
const MOST_WITH_TABLE: u64 = 18;

/// The most gas that an account, and a repeat, may add on average without a table. The figure of
/// repeats includes the start of the loop.
const MOST_EACH: [f64; 2] = [8.0, 9.5];

/// The most gas that ours may cost over `pinocchio` without a table: to record the heap.
const MOST_OVER_PINOCCHIO: u64 = 6;

fn measure_entries(entries: &[Entry]) -> Vec<Row> {
    let package = |folder| {
        ProgramPackage::in_folder(&project().join(folder))
            .unwrap_or_else(|error| panic!("{error:?}"))
    };
    let guests = Guests {
        ours: package("benches/entry"),
        peers: Some(package("benches/peers")),
    };
    measure(&guests, entries).unwrap_or_else(|error| panic!("{error:?}"))
}

fn ours() -> &'static [Row] {
    static ROWS: OnceLock<Vec<Row>> = OnceLock::new();
    ROWS.get_or_init(|| measure_entries(&Entry::OURS))
}

/// The rows of an entry, in the order of the cases.
fn rows(entry: Entry, table: bool) -> Vec<&'static Row> {
    let rows = ours()
        .iter()
        .filter(|row| row.entry == entry.name() && row.table == table);
    rows.collect()
}

#[test]
fn there_is_a_row_for_every_entry_table_and_case() {
    let found: Vec<_> = ours()
        .iter()
        .map(|row| (row.entry.as_str(), row.table, row.accounts, row.repeats))
        .collect();
    let mut wanted = Vec::new();
    for entry in ["entrypoint", "entrypoint_no_alloc"] {
        for table in [true, false] {
            for accounts in [(0, 0), (1, 0), (2, 0), (2, 8), (8, 0), (32, 0), (63, 0)] {
                wanted.push((entry, table, accounts.0, accounts.1));
            }
        }
    }
    assert_eq!(found, wanted);
    assert_eq!(CASES.len(), 7);
}

#[test]
fn second_run_is_equal() {
    assert_eq!(measure_entries(&Entry::OURS), ours());
}

#[test]
fn table_entry_is_free_of_the_account_count() {
    for entry in Entry::OURS {
        let rows = rows(entry, true);
        // A call without accounts may use a different amount.
        for row in &rows[1..] {
            assert_eq!(row.gas, rows[1].gas, "{row:?}");
        }
        for row in rows {
            // Recording the heap and looking for the table needs at least this much.
            assert!(row.gas >= 10, "{row:?}");
        }
    }
}

#[test]
fn table_entry_is_within_the_target() {
    if !is_reference_compiler() {
        return;
    }
    for entry in Entry::OURS {
        for row in rows(entry, true) {
            assert!(row.gas <= MOST_WITH_TABLE, "{row:?}");
        }
        // To find out that there are no accounts must not cost more.
        let none = rows(entry, false)[0];
        assert!(none.gas <= MOST_WITH_TABLE, "{none:?}");
    }
}

/// The average gas that one more account, and one more repeat, adds to a call.
fn each(rows: &[&Row]) -> [f64; 2] {
    let gas = |accounts, repeats| {
        let is_meant = |row: &&&Row| (row.accounts, row.repeats) == (accounts, repeats);
        let row = rows.iter().find(is_meant);
        row.unwrap_or_else(|| panic!("no row with {accounts} accounts"))
            .gas as f64
    };
    [
        (gas(63, 0) - gas(0, 0)) / 63.0,
        (gas(2, 8) - gas(2, 0)) / 8.0,
    ]
}

#[test]
fn walk_costs_a_few_instructions_per_account() {
    if !is_reference_compiler() {
        return;
    }
    for entry in Entry::OURS {
        for (each, most) in each(&rows(entry, false)).into_iter().zip(MOST_EACH) {
            assert!(each <= most, "{each} with {}", entry.name());
        }
    }
}

/// If the compiler removed the walk, every row would look cheap.
#[test]
fn without_a_table_an_account_costs_something() {
    for entry in Entry::OURS {
        for each in each(&rows(entry, false)) {
            assert!(each >= 5.0, "{each} with {}", entry.name());
        }
    }
}

/// The bench itself checks that the entry passes the accounts on.
#[test]
fn pinocchio_reads_the_benchs_input() {
    let rows = measure_entries(&[Entry::Pinocchio]);
    let found: Vec<_> = rows
        .iter()
        .map(|row| (row.entry.as_str(), row.table, row.accounts, row.repeats))
        .collect();
    let wanted: Vec<_> = CASES
        .iter()
        .map(|case| ("pinocchio", false, case.accounts, case.repeats))
        .collect();
    assert_eq!(found, wanted);
    let rows: Vec<&Row> = rows.iter().collect();
    if is_reference_compiler() {
        for entry in Entry::OURS {
            for (ours, pinocchio) in self::rows(entry, false).iter().zip(&rows) {
                let most = pinocchio.gas + MOST_OVER_PINOCCHIO;
                assert!(ours.gas <= most, "{ours:?}, {pinocchio:?}");
            }
        }
    }
    // Finding an account takes at least this many instructions.
    for each in each(&rows) {
        assert!(each >= 5.0, "{each}");
    }
}

#[test]
fn the_page_shows_the_measured_gas() {
    if !is_reference_compiler() {
        return;
    }
    let (_, rustc, _) = toolchain::find_compiler(project()).expect("a compiler");
    let compiler = toolchain::version(&rustc).expect("a version");
    let rows = measure_entries(&Entry::ALL);
    let peers = ProgramPackage::in_folder(&project().join("benches/peers"));
    let peers = peers.unwrap_or_else(|error| panic!("{error:?}"));
    let version = pinocchio_version(&peers).unwrap_or_else(|error| panic!("{error:?}"));

    let path = project().join("docs/benchmarking.md");
    let text = std::fs::read_to_string(path).expect("the page");
    let written = marked::find(&text, START).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        written,
        section(&rows, &version, &compiler),
        "type `cargo xtask bench entry --update`"
    );
}
