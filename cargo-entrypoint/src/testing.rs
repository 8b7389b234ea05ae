//! For the tests of programs.

use std::path::Path;

use loader::fixture::Fixture;
use loader::{Engine, Loader, Outcome, Program};

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
    let [interpreted, compiled] = Engine::ALL.map(|engine| {
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
