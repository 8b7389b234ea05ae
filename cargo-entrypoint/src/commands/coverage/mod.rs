//! `cargo entrypoint coverage`

mod runs;

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use loader::coverage::{BlobHash, Counts, Coverage};
use loader::display::escape_control;
use program_build::coverage::Executed;
use program_build::files;
use program_build::guest;
use program_build::package::{Program, ProgramPackage};
use serde_json::json;

use crate::arguments::CoverageArguments;
use crate::commands::call::from_here;
use crate::coverage::measure::{FileCoverage, Share, measure};
use crate::coverage::report::{branches, lines};
use crate::coverage::{code, lcov, picture, report as tables};
use crate::profile::sources::Sources;
use crate::report::{self, EXIT_FAILED};
use runs::Runs;

pub fn coverage(arguments: &CoverageArguments) -> Result<ExitCode> {
    let program = arguments.cargo.locate(arguments.program.as_deref())?;
    let Program::Package(package) = &program else {
        bail!("a file has no sources and no fixtures; pass the program's crate");
    };
    let plan = Plan::new(package, arguments)?;
    let output = output_folder(package, arguments)?;
    let build = guest::build_mapped(package)?;
    let coverage = Coverage::new();
    let runs = Runs {
        package,
        blob: &build.blob,
        coverage: &coverage,
        options: arguments.cargo.common.options(),
        others: RefCell::default(),
    };
    let mut faults = Vec::new();
    for name in &plan.fixtures {
        faults.extend(runs.fixture(name)?);
    }
    for name in &plan.scenarios {
        faults.extend(runs.scenario(name)?);
    }
    let mut counts = coverage.of(&build.blob).unwrap_or_default();
    if plan.tests {
        let (ran, all) = runs.tests(&arguments.test_arguments, &output.join("tests"))?;
        faults.extend((!ran).then(|| "`cargo test` failed; see its output above".to_owned()));
        faults.extend(merge(
            &mut counts,
            &package.name,
            BlobHash::of(&build.blob),
            all,
        ));
    }
    if counts.executed.is_empty() {
        bail!(
            "no instruction of `{}` ran: {}",
            package.name,
            match faults.first() {
                Some(fault) => fault.as_str(),
                None => "its fixtures, scenarios and tests call other programs only",
            }
        );
    }
    let placed = code::placed(&build, &counts)?;
    let files = measure(&placed, &mut Sources::of(package));
    if files.is_empty() {
        bail!(
            "no instruction of `{}` has a line in {}; the debug information may name other files",
            package.name,
            package.folder.display()
        );
    }
    let written = write(&output, package, &plan, &files)?;
    print(arguments, package, &plan, &files, &written)?;
    for fault in &faults {
        report::error(&anyhow!("{fault}"));
    }
    let is_enough = [
        ("lines", "reached", lines(&files), arguments.fail_under),
        (
            "branches",
            "taken",
            branches(&files),
            arguments.fail_under_branches,
        ),
    ]
    .map(|(what, did, share, least)| is_enough(what, did, share, least));
    Ok(match faults.is_empty() && is_enough == [true, true] {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(EXIT_FAILED),
    })
}

/// What is to be run.
struct Plan {
    fixtures: Vec<String>,
    scenarios: Vec<String>,
    tests: bool,
}

impl Plan {
    fn new(package: &ProgramPackage, arguments: &CoverageArguments) -> Result<Self> {
        let given = !arguments.test_arguments.is_empty();
        let plan = Self {
            fixtures: package.fixtures()?,
            scenarios: package.scenarios()?,
            tests: given || (package.depends_on_program_test && !arguments.no_tests),
        };
        if plan.fixtures.is_empty() && plan.scenarios.is_empty() && !plan.tests {
            let name = &package.name;
            bail!(
                "`{name}` has nothing to run: it has no fixture and no scenario{}; write {} with \
                 the accounts and the data of a call, as docs/running.md describes",
                match package.depends_on_program_test {
                    true => ", and --no-tests leaves its tests out",
                    false => ", and does not depend on `program-test`",
                },
                from_here(&package.fixture_path("default")).display()
            );
        }
        Ok(plan)
    }
}

/// For the heading: `4 fixtures, 1 scenario, cargo test`.
impl std::fmt::Display for Plan {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = |number: usize, what: &str| match number {
            1 => format!("1 {what}"),
            number => format!("{number} {what}s"),
        };
        write!(
            formatter,
            "{}, {}{}",
            count(self.fixtures.len(), "fixture"),
            count(self.scenarios.len(), "scenario"),
            if self.tests { ", cargo test" } else { "" }
        )
    }
}

/// Creates the folder for the results. Building takes longer than finding out that this fails.
fn output_folder(package: &ProgramPackage, arguments: &CoverageArguments) -> Result<PathBuf> {
    let folder = match &arguments.output {
        Some(folder) => folder.clone(),
        None => package.target_folder.join("coverage").join(&package.name),
    };
    fs::create_dir_all(&folder)
        .and_then(|()| folder.canonicalize())
        .with_context(|| format!("cannot create the folder {}", folder.display()))
}

/// Adds what the tests have executed of the program. Returns an error for each other build of it.
fn merge(counts: &mut Counts, name: &str, own: BlobHash, all: Vec<Executed>) -> Vec<String> {
    let mut others = Vec::new();
    let mut is_run = false;
    for executed in all {
        if executed.blob == own {
            is_run = true;
            counts.add(&executed.counts);
        } else if executed.name == name && !others.contains(&executed.blob) {
            others.push(executed.blob);
        }
    }
    let mut faults: Vec<String> = others
        .iter()
        .map(|other| {
            format!(
                "the tests ran another build of `{name}`, {other:.8}, and this is {own:.8}: its counts \
                 are left out. `program-test` builds with the default features; run this command \
                 without --features and --no-default-features, and change no source meanwhile"
            )
        })
        .collect();
    if !is_run && others.is_empty() {
        faults.push(format!(
            "the tests did not run `{name}` on the interpreter: only what `program-test` runs is \
             counted, such as `TestLedger` and `check_fixture`; pass --no-tests to leave them out"
        ));
    }
    faults
}

/// Writes `lcov.info` and the picture. Returns their paths.
fn write(
    output: &Path,
    package: &ProgramPackage,
    plan: &Plan,
    files: &[FileCoverage],
) -> Result<Vec<PathBuf>> {
    let mut text = String::new();
    lcov::write(&mut text, files)?;
    let lcov = output.join("lcov.info");
    files::write_whole(&lcov, text)?;
    let picture = output.join(format!("{}.svg", package.name));
    let drawn = picture::draw(&package.name, &plan.to_string(), files, |path| {
        name(package, path)
    })?;
    files::write_whole(&picture, drawn)?;
    Ok(vec![lcov, picture])
}

/// The name of a source file in its package.
fn name(package: &ProgramPackage, path: &Path) -> String {
    let path = path.strip_prefix(&package.folder).unwrap_or(path);
    path.display().to_string()
}

fn print(
    arguments: &CoverageArguments,
    package: &ProgramPackage,
    plan: &Plan,
    files: &[FileCoverage],
    written: &[PathBuf],
) -> Result<()> {
    if arguments.json {
        let share = |share: Share| json!({"all": share.all, "reached": share.reached});
        return report::print(&report::json::value(&json!({
            "program": package.name,
            "fixtures": plan.fixtures,
            "scenarios": plan.scenarios,
            "tests": plan.tests,
            "lines": share(lines(files)),
            "branches": share(branches(files)),
            "files": tables::json(files),
        }))?);
    }
    let mut text = format!("{} · {plan}\n", escape_control(&package.name));
    tables::text(&mut text, files, |path| name(package, path))?;
    text.push('\n');
    for path in written {
        text += &format!("written  {}\n", from_here(path).display());
    }
    report::print(&text)
}

/// Whether enough ran. If not, prints it.
fn is_enough(what: &str, did: &str, share: Share, least: Option<f64>) -> bool {
    let Some(least) = least else { return true };
    // 66.66 % of 3 are 2: a figure that was read off the table is enough.
    let is_enough = share.percent() + 0.05 >= least;
    if !is_enough {
        report::error(&anyhow!(
            "{} of {} {what} were {did}, {:.1} %; at least {least} % are wanted",
            share.reached,
            share.all,
            share.percent()
        ));
    }
    is_enough
}

#[cfg(test)]
mod tests {
    use loader::coverage::Count;

    use super::*;

    fn executed(blob: &[u8], name: &str, times: u64) -> Executed {
        Executed {
            blob: BlobHash::of(blob),
            name: name.to_owned(),
            counts: Counts {
                executed: [(7, Count { times, taken: 1 })].into(),
            },
        }
    }

    #[test]
    fn counts_of_another_build_are_left_out_and_named() {
        let own = BlobHash::of(b"this");
        let mut counts = Counts::default();
        let other = executed(b"other", "token", 100);
        let all = vec![
            executed(b"this", "token", 2),
            other.clone(),
            other.clone(),
            executed(b"vault", "vault", 100),
            // The name of a program in a process that has not built it is unknown.
            executed(b"this", "", 3),
        ];
        let faults = merge(&mut counts, "token", own, all);
        assert_eq!(counts.executed[&7], Count { times: 5, taken: 2 });
        let [fault] = faults.as_slice() else {
            panic!("one fault: {faults:?}");
        };
        let named = format!("another build of `token`, {:.8}", other.blob);
        assert!(fault.contains(&named), "{fault}");
    }

    #[test]
    fn tests_that_run_nothing_of_the_program_are_a_fault() {
        let own = BlobHash::of(b"this");
        let all = vec![executed(b"vault", "vault", 1)];
        let faults = merge(&mut Counts::default(), "token", own, all);
        assert!(faults[0].contains("did not run `token`"), "{faults:?}");
    }
}
