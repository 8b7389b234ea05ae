//! The gas of the program's part of a call, beside another project's.

use program_build::package::ProgramPackage;
use program_build::toolchain;
use tests::{is_reference_compiler, project};
use xtask::bench::calls::{ACCOUNTS, START, chunks, measure, section};
use xtask::bench::entry::pinocchio_version;
use xtask::bench::marked;

/// The most gas that an account of a longer list may add on average: its description of six words,
/// its entry in the instruction, the check of its borrows, and the record of its length.
const MOST_EACH: f64 = 30.0;

#[test]
fn an_account_costs_a_few_instructions_and_the_page_shows_them() {
    let guest = ProgramPackage::in_folder(&project().join("benches/calls"));
    let guest = guest.unwrap_or_else(|error| panic!("{error:?}"));
    let rows = measure(&guest).unwrap_or_else(|error| panic!("{error:?}"));
    for row in chunks(&rows) {
        let found: Vec<_> = row.iter().map(|row| row.accounts).collect();
        assert_eq!(found, ACCOUNTS);
        if row[0].framework == "ours" {
            let [one, .., most] = row else {
                panic!("several numbers of accounts");
            };
            let each = (most.gas - one.gas) as f64 / (most.accounts - one.accounts) as f64;
            assert!(each <= MOST_EACH, "{}: {each} gas an account", row[0].list);
        }
    }
    if !is_reference_compiler() {
        return;
    }
    let (_, rustc, _) = toolchain::find_compiler(project()).expect("a compiler");
    let compiler = toolchain::version(&rustc).expect("a version");
    let version = pinocchio_version(&guest).unwrap_or_else(|error| panic!("{error:?}"));
    let path = project().join("docs/benchmarking.md");
    let text = std::fs::read_to_string(path).expect("the page");
    let written = marked::find(&text, START).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        written,
        section(&rows, &version, &compiler),
        "type `cargo xtask bench calls --update`"
    );
}
