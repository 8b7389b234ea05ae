//! Programs that this process has built and loaded.
//!
//! A test builds the same program for many fixtures. Even if nothing has changed, each build asks
//! cargo, which takes longer than a test.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use anyhow::Result;
use loader::{Engine, Loader, Program, Runtime, Target};
use program_build::machine::Machine;
use program_build::package::ProgramPackage;

use crate::coverage;

/// A value for each key. Threads make those of different keys at the same time.
struct Values<K, V>(Mutex<HashMap<K, Arc<Mutex<Option<V>>>>>);

impl<K: Eq + Hash, V: Clone> Values<K, V> {
    fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    /// The value of a key. The first call makes it, and so does each call after one that failed.
    fn get(&self, key: K, make: impl FnOnce() -> Result<V>) -> Result<V> {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let value = Arc::clone(values.entry(key).or_default());
        drop(values);
        let mut value = value.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = &*value {
            return Ok(value.clone());
        }
        Ok(value.insert(make()?).clone())
    }
}

/// The program of a package on an engine.
pub fn program(package: &ProgramPackage, engine: Engine, runtime: Runtime) -> Result<Program> {
    type Programs = Values<(PathBuf, Engine, Runtime), Program>;
    static PROGRAMS: LazyLock<Programs> = LazyLock::new(Programs::new);

    PROGRAMS.get((package.folder.clone(), engine, runtime), || {
        let file = file(package, engine)?;
        Ok(loader(engine, runtime, &package.target_folder)?.load(&file)?)
    })
}

/// The file of a package for the target of an engine.
pub fn file(package: &ProgramPackage, engine: Engine) -> Result<Arc<Vec<u8>>> {
    type Files = Values<(PathBuf, Target), Arc<Vec<u8>>>;
    static FILES: LazyLock<Files> = LazyLock::new(Files::new);

    FILES.get((package.folder.clone(), engine.target()), || {
        let file = Machine::new(engine).build(package)?;
        coverage::name(&file, &package.name);
        Ok(Arc::new(file))
    })
}

/// The loader of an engine. The runner of native programs is built below the target folder.
pub fn loader(engine: Engine, runtime: Runtime, target_folder: &Path) -> Result<Loader> {
    static LOADERS: LazyLock<Values<Engine, Loader>> = LazyLock::new(Values::new);
    let loader = LOADERS.get(engine, || {
        let loader = Machine::new(engine).loader(target_folder)?;
        Ok(coverage::count(loader))
    })?;
    Ok(loader.as_on(runtime))
}
