//! Files with the counts of what programs executed, from the processes of their tests.
//!
//! `cargo entrypoint coverage` names a folder in the environment variable [`FOLDER`] and runs
//! `cargo test`. `program-test` then writes one file for each test process there.

use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, bail};
use loader::coverage::{BlobHash, Count, Counts};

use crate::files;

/// The environment variable with the folder for the files. Without it, tests count nothing.
pub const FOLDER: &str = "ENTRYPOINT_COVERAGE";

/// The first line of a file, which names the version of the format.
const HEADING: &str = "entrypoint-coverage 1";

/// The extension of a file.
const EXTENSION: &str = "counts";

/// What one program has executed in one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// The blob.
    pub blob: BlobHash,
    /// The name of its package; empty if it is unknown.
    pub name: String,
    /// The counts.
    pub counts: Counts,
}

/// Writes the file of a process. It replaces an earlier file of the same name.
///
/// ```
/// use loader::coverage::{BlobHash, Count, Counts};
/// use program_build::coverage::{self, Executed};
///
/// let executed = Executed {
///     blob: BlobHash::of(b"a blob"),
///     name: "counter".to_owned(),
///     counts: Counts {
///         executed: [(5, Count { times: 3, taken: 1 })].into(),
///     },
/// };
/// let folder = tempfile::tempdir()?;
/// coverage::write(folder.path(), "1", std::slice::from_ref(&executed))?;
/// assert_eq!(coverage::read(folder.path())?, [executed]);
/// # anyhow::Ok(())
/// ```
///
/// # Errors
///
/// If the file cannot be written.
pub fn write(folder: &Path, name: &str, programs: &[Executed]) -> Result<()> {
    let mut text = format!("{HEADING}\n");
    for program in programs {
        writeln!(text, "program {} {}", program.blob, program.name)?;
        for (offset, Count { times, taken, .. }) in &program.counts.executed {
            writeln!(text, "{offset} {times} {taken}")?;
        }
    }
    files::write_whole(&folder.join(name).with_extension(EXTENSION), text)
}

/// Reads all files of a folder, in the order of their names. A folder that does not exist has none.
///
/// # Errors
///
/// If a file cannot be read, or is not one of [`write()`]; the message names file and line.
pub fn read(folder: &Path) -> Result<Vec<Executed>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("cannot read {}", folder.display()))?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry
            .with_context(|| format!("cannot read {}", folder.display()))?
            .path();
        if path.extension().is_some_and(|found| found == EXTENSION) {
            paths.push(path);
        }
    }
    paths.sort();
    let mut programs = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        let read = parse(&text);
        programs.extend(read.with_context(|| format!("in {}", path.display()))?);
    }
    Ok(programs)
}

fn parse(text: &str) -> Result<Vec<Executed>> {
    let mut programs: Vec<Executed> = Vec::new();
    let mut lines = text.lines();
    let heading = lines.next().unwrap_or_default();
    if heading != HEADING {
        bail!(
            "line 1 is `{heading}` and not `{HEADING}`: another version of `program-test` wrote \
             the file; use the version of this command"
        );
    }
    for (index, line) in lines.enumerate() {
        let parsed = match line.strip_prefix("program ") {
            Some(program) => parse_program(program).map(|program| programs.push(program)),
            None => parse_count(line).and_then(|(offset, count)| {
                let program = programs.last_mut()?;
                let known = program.counts.executed.insert(offset, count);
                known.is_none().then_some(())
            }),
        };
        parsed.with_context(|| format!("line {} is invalid: `{line}`", index + 2))?;
    }
    Ok(programs)
}

fn parse_program(text: &str) -> Option<Executed> {
    let (hash, name) = text.split_once(' ')?;
    let mut blob = [0; 32];
    if hash.len() != 64 || !hash.is_ascii() {
        return None;
    }
    for (byte, digits) in blob.iter_mut().zip(hash.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(Executed {
        blob: BlobHash(blob),
        name: name.to_owned(),
        counts: Counts::default(),
    })
}

fn parse_count(text: &str) -> Option<(u32, Count)> {
    let mut numbers = text.split(' ');
    let offset = numbers.next()?.parse().ok()?;
    let times = numbers.next()?.parse().ok()?;
    let taken = numbers.next()?.parse().ok()?;
    let count = Count { times, taken };
    (numbers.next().is_none() && taken <= times).then_some((offset, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_file_of_counts_is_named() {
        let hash = "0".repeat(64);
        for (text, words) in [
            ("", "line 1 is ``"),
            ("entrypoint-coverage 2\n", "another version"),
            ("entrypoint-coverage 1\n1 2 0\n", "line 2 is invalid"),
            ("entrypoint-coverage 1\nprogram 00 x\n", "line 2 is invalid"),
        ] {
            let error = parse(text).map_err(|error| error.to_string());
            assert!(error.is_err_and(|error| error.contains(words)), "{text}");
        }
        for count in ["", "1", "1 2", "1 2 3", "1 2 x", "1 2 1 1", "1 1 1\n1 1 1"] {
            let text = format!("{HEADING}\nprogram {hash} x\n{count}\n");
            assert!(parse(&text).is_err(), "{count}");
        }
    }
}
