//! Counts what programs execute in the tests of a process, if `cargo entrypoint coverage` runs it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, process, thread};

use loader::Loader;
use loader::coverage::{BlobHash, Counts, Coverage};
use program_build::coverage::{self, Executed};

/// The counts of this process, and the file for them.
struct Recorder {
    folder: PathBuf,
    file: String,
    coverage: Coverage,
    /// The packages of the blobs that were built.
    names: Mutex<HashMap<BlobHash, String>>,
    /// How many instructions were executed when the file was written.
    written: Mutex<u64>,
}

/// The recorder; `None` if the process does not run for a coverage.
static RECORDER: LazyLock<Option<Recorder>> = LazyLock::new(|| {
    let folder = PathBuf::from(env::var_os(coverage::FOLDER)?);
    // The number of a process may be that of an earlier one.
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    let time = time.map_or(0, |time| time.as_nanos());
    Some(Recorder {
        folder,
        file: format!("{}-{time}", process::id()),
        coverage: Coverage::new(),
        names: Mutex::default(),
        written: Mutex::new(0),
    })
});

/// The same loader, which counts if the process runs for a coverage.
pub fn count(loader: Loader) -> Loader {
    match &*RECORDER {
        Some(recorder) => loader.count_into(&recorder.coverage),
        None => loader,
    }
}

/// Names the package of a blob.
pub fn name(blob: &[u8], package: &str) {
    if let Some(recorder) = &*RECORDER {
        let names = recorder.names.lock();
        let mut names = names.unwrap_or_else(PoisonError::into_inner);
        names.insert(BlobHash::of(blob), package.to_owned());
    }
}

/// Writes the counts when it is dropped: a process has no moment at its end for that.
#[derive(Clone, Debug)]
pub struct WriteOnDrop;

impl Drop for WriteOnDrop {
    fn drop(&mut self) {
        let Some(Err(error)) = RECORDER.as_ref().map(Recorder::write) else {
            return;
        };
        let message = format!("cannot write what the programs executed: {error:?}");
        // A second panic would end the process.
        if thread::panicking() {
            eprintln!("{message}");
        } else {
            panic!("{message}");
        }
    }
}

impl Recorder {
    fn write(&self) -> anyhow::Result<()> {
        // Threads write one after the other, so that the last one writes all.
        let written = self.written.lock();
        let mut written = written.unwrap_or_else(PoisonError::into_inner);
        let all = self.coverage.all();
        let number = all.values().map(executed).sum();
        if *written == number {
            return Ok(());
        }
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let programs: Vec<Executed> = all
            .into_iter()
            .map(|(blob, counts)| Executed {
                blob,
                name: names.get(&blob).cloned().unwrap_or_default(),
                counts,
            })
            .collect();
        drop(names);
        coverage::write(&self.folder, &self.file, &programs)?;
        *written = number;
        Ok(())
    }
}

/// How many instructions were executed.
fn executed(counts: &Counts) -> u64 {
    counts.executed.values().map(|count| count.times).sum()
}
