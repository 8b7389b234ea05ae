//! For the tests of programs.

use std::path::Path;

use loader::fixture::Fixture;
use loader::sweep::{Report, Sweep, SweepFailed};
use loader::{Engine, Invocation, Loader, Outcome, Program};

use crate::guest::{self, DebugInfo};
use crate::package::ProgramPackage;

/// Builds the program crate in a folder and returns its blob, with debug information.
///
/// # Panics
///
/// If the crate does not build, with a message that says why.
#[must_use]
pub fn build(manifest_folder: impl AsRef<Path>) -> Vec<u8> {
    let package = package(manifest_folder.as_ref());
    build_package(&package)
}

/// Builds the program crate in a folder, runs one of its fixtures on both engines, and compares the
/// outcomes with each other and with what the fixture expects.
///
/// # Panics
///
/// If the crate does not build, the fixture cannot be read, the engines differ, or anything is not as the
/// fixture expects; the message lists every difference.
pub fn check_fixture(manifest_folder: impl AsRef<Path>, name: &str) -> Outcome {
    let package = package(manifest_folder.as_ref());
    let path = package
        .fixture(name)
        .unwrap_or_else(|error| panic!("{error:?}"));
    let fixture = Fixture::read(&path).unwrap_or_else(|error| panic!("{error}"));
    let blob = build_package(&package);
    let [interpreted, compiled] = Engine::POLKAVM.map(|engine| {
        load_blob(&blob, engine)
            .invoke(&fixture.invocation)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    });
    let differences = fixture.expect.differences(&interpreted);
    assert!(
        differences.is_empty(),
        "{} is not as expected:\n  {}\nthe outcome was {interpreted:#?}",
        path.display(),
        differences.join("\n  "),
    );
    let mut same_engine = compiled;
    same_engine.engine = interpreted.engine;
    assert_eq!(
        interpreted,
        same_engine,
        "the engines differ on {}",
        path.display()
    );
    interpreted
}

/// Builds the program crate in a folder and calls it as one of its fixtures says, under every limit of gas and of heap that
/// [`Sweep::new`] tries, and under a few of them on the other engine. Each outcome is the complete result or a clean error with
/// nothing changed.
///
/// What is returned says how much was enough.
///
/// # Panics
///
/// If the crate does not build, the fixture cannot be read, or an outcome is neither; the message names the first limit
/// of which that is so.
pub fn sweep_fixture(manifest_folder: impl AsRef<Path>, name: &str) -> Swept {
    sweep_fixture_with(manifest_folder, name, &Sweep::new(), &Sweep::new())
}

/// As [`sweep_fixture`], with options for the sweep of gas and for that of the heap.
///
/// # Panics
///
/// As for [`sweep_fixture`].
pub fn sweep_fixture_with(
    manifest_folder: impl AsRef<Path>,
    name: &str,
    gas: &Sweep,
    heap: &Sweep,
) -> Swept {
    let package = package(manifest_folder.as_ref());
    let path = package
        .fixture(name)
        .unwrap_or_else(|error| panic!("{error:?}"));
    let fixture = Fixture::read(&path).unwrap_or_else(|error| panic!("{error}"));
    let blob = build_package(&package);
    let sweep = |engine, gas: &Sweep, heap: &Sweep| {
        let program = load_blob(&blob, engine);
        let sweep = |run: fn(&Sweep, &Program, &Invocation) -> Result<Report, SweepFailed>,
                     sweep| {
            run(sweep, &program, &fixture.invocation)
                .unwrap_or_else(|error| panic!("{} on the {engine}: {error}", path.display()))
        };
        Swept {
            gas: sweep(Sweep::gas, gas),
            heap: sweep(Sweep::heap, heap),
        }
    };
    let swept = sweep(Engine::Interpreter, gas, heap);
    let [few_of_gas, few_of_heap] = [(gas, &swept.gas), (heap, &swept.heap)]
        .map(|(sweep, report)| sweep.dense(0).stride(report.enough / 16 + 1));
    let compiled = sweep(Engine::Compiler, &few_of_gas, &few_of_heap);
    for (interpreted, compiled) in [(&swept.gas, &compiled.gas), (&swept.heap, &compiled.heap)] {
        assert_eq!(
            interpreted.enough,
            compiled.enough,
            "the engines need another {} on {}",
            interpreted.resource,
            path.display()
        );
    }
    swept
}

/// What two sweeps of a program found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it says how much gas and heap is enough"]
pub struct Swept {
    /// Under every limit of gas.
    pub gas: Report,
    /// Under every limit of heap.
    pub heap: Report,
}

fn package(manifest_folder: &Path) -> ProgramPackage {
    ProgramPackage::in_folder(manifest_folder).unwrap_or_else(|error| panic!("{error:?}"))
}

fn build_package(package: &ProgramPackage) -> Vec<u8> {
    guest::build(package, DebugInfo::Keep)
        .unwrap_or_else(|error| panic!("cannot build `{}`: {error:?}", package.name))
}

fn load_blob(blob: &[u8], engine: Engine) -> Program {
    let loader = Loader::new(engine).unwrap_or_else(|error| panic!("{error}"));
    loader.load(blob).unwrap_or_else(|error| panic!("{error}"))
}
