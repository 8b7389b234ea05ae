//! Time and memory by the number of programs that a loader has loaded.

use std::time::Instant;

use anyhow::{Result, ensure};
use loader::{Engine, Invocation};

use crate::{Blobs, Effort, PROGRAM_ID, Row, loader, memory};

/// Loads the same blob as so many programs, one after the other. The loader does not know that they
/// are the same. Then calls each once.
pub fn measure(effort: Effort, blobs: &Blobs, engine: Engine) -> Result<Vec<Row>> {
    let Some(loader) = loader(engine) else {
        return Ok(Vec::new());
    };
    let (count, step) = match effort {
        Effort::Full => (1_000, 20),
        Effort::Quick => (20, 10),
    };
    // What the first program needs is not that of each.
    drop(loader.load(&blobs.token)?);
    let mut rows = Vec::new();
    let mut programs = Vec::with_capacity(count);
    let before = memory::resident();
    let mut record = |what: &str, x: usize, mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        let median = times[times.len() / 2];
        rows.push(Row::new(format!("µs {engine} {what}"), x as u64, median));
        if let (Some(before), Some(now)) = (before, memory::resident()) {
            rows.push(Row::new(
                format!("MiB {engine} {what}"),
                x as u64,
                now - before,
            ));
        }
    };
    for chunk in chunks(count, step) {
        let mut times = Vec::with_capacity(chunk.len());
        for _ in chunk.clone() {
            let start = Instant::now();
            programs.push(loader.load(&blobs.token)?);
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
        record("loaded", chunk.end, times);
    }
    // Without accounts it returns an error, which is an outcome like any other.
    let invocation = Invocation::new(PROGRAM_ID);
    for chunk in chunks(count, step) {
        let mut times = Vec::with_capacity(chunk.len());
        for program in &programs[chunk.clone()] {
            let start = Instant::now();
            let outcome = program.invoke(&invocation)?;
            times.push(start.elapsed().as_secs_f64() * 1e6);
            ensure!(outcome.status.is_some(), "{outcome:?}");
        }
        record("called once", chunk.end, times);
    }
    Ok(rows)
}

/// The first program alone, and then pieces of this length.
fn chunks(count: usize, step: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let rest = (0..count).step_by(step);
    let rest = rest.map(move |start| start.max(1)..(start + step).min(count));
    std::iter::once(0..1).chain(rest)
}
