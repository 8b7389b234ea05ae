//! Programs that this process has built and loaded.
//!
//! A test builds the same program for many fixtures. Even if nothing has changed, each build asks
//! cargo, which takes longer than a test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use loader::{Engine, Loader, Program, Runtime, Target};
use program_build::machine::Machine;
use program_build::memo::Memo;
use program_build::package::ProgramPackage;

use crate::coverage;

/// The program of a package on an engine.
pub fn program(package: &ProgramPackage, engine: Engine, runtime: Runtime) -> Result<Program> {
    static PROGRAMS: Memo<(PathBuf, Engine, Runtime), Program> = Memo::new();

    PROGRAMS.get((package.folder.clone(), engine, runtime), || {
        let file = file(package, engine)?;
        Ok(loader(engine, runtime, &package.target_folder)?.load(&file)?)
    })
}

/// The file of a package for the target of an engine.
pub fn file(package: &ProgramPackage, engine: Engine) -> Result<Arc<Vec<u8>>> {
    static FILES: Memo<(PathBuf, Target), Arc<Vec<u8>>> = Memo::new();

    FILES.get((package.folder.clone(), engine.target()), || {
        let file = Machine::new(engine).build(package)?;
        coverage::name(&file, &package.name);
        Ok(Arc::new(file))
    })
}

/// The loader of an engine. The runner of native programs is built below the target folder.
pub fn loader(engine: Engine, runtime: Runtime, target_folder: &Path) -> Result<Loader> {
    static LOADERS: Memo<Engine, Loader> = Memo::new();

    let loader = LOADERS.get(engine, || {
        let loader = Machine::new(engine).loader(target_folder)?;
        Ok(coverage::count(loader))
    })?;
    Ok(loader.as_on(runtime))
}
