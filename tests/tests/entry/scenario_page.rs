//! Each scenario of the page about scenarios does what it expects.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ledger::Ledger;
use ledger::scenario::{ProgramFile, Scenario, run};
use program_build::custom_errors::CustomErrors;

#[test]
fn every_scenario_of_the_page_runs() {
    let docs = tests::project().join("docs");
    let page = std::fs::read_to_string(docs.join("scenarios.md")).expect("the page");
    let blocks = page.split("```toml\n").skip(1);
    let blocks: Vec<&str> = blocks
        .map(|rest| rest.split("```").next().expect("a block"))
        .collect();
    assert_eq!(blocks.len(), 4);
    let mut files: HashMap<PathBuf, ProgramFile> = HashMap::new();
    for block in blocks {
        let scenario = Scenario::parse(block).unwrap_or_else(|error| panic!("{error}"));
        assert!(scenario.has_expectations(), "{block}");
        let load = |path: &Path| {
            let file = files.entry(path.to_owned()).or_insert_with(|| {
                let bytes = program_test::build(docs.join(path));
                ProgramFile {
                    errors: CustomErrors::of(&bytes).all().to_vec(),
                    bytes,
                }
            });
            Ok(file.clone())
        };
        let outcome = run(&scenario, Ledger::new(), load).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(outcome.differences(), [""; 0], "{outcome}");
        if outcome.title.starts_with("Alice") {
            let report = without_gas(&outcome.to_string());
            assert!(
                without_gas(&page).contains(&report),
                "the page shows not:\n{outcome}"
            );
        }
    }
}

/// A report without the lines of gas, which depend on the compiler.
fn without_gas(report: &str) -> String {
    let lines = report.lines().filter(|line| !line.starts_with("   gas "));
    lines.collect::<Vec<_>>().join("\n")
}
