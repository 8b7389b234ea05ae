//! What a run did not reach would cost: the gas of blocks that did not run, by line.

use std::collections::{BTreeMap, HashSet};

use loader::display::is_foreign;
use loader::profile::{Block, Frame};
use serde::Serialize;

use super::sources::Sources;

/// Code of one line of the program that did not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unreached {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The gas of the instructions, each once, with those of functions that are inlined there. The
    /// functions and syscalls that they call are not part of it.
    pub gas: u64,
    /// How many basic blocks have these instructions.
    pub blocks: u64,
}

/// The lines of the program's own with code in blocks that did not run, in their order. `reached`
/// are the instructions that ran.
#[must_use]
pub fn unreached(blocks: &[Block], reached: &[u32], sources: &mut Sources) -> Vec<Unreached> {
    let reached: HashSet<u32> = reached.iter().copied().collect();
    let mut lines: BTreeMap<(String, u32), (u64, u64)> = BTreeMap::new();
    for block in blocks {
        if reached.contains(&block.program_counter) {
            continue;
        }
        let mut of_block: BTreeMap<(String, u32), u64> = BTreeMap::new();
        for (frames, gas) in &block.places {
            if let Some(line) = own_line(frames, sources) {
                *of_block.entry(line).or_default() += gas;
            }
        }
        for (line, gas) in of_block {
            let sum = lines.entry(line).or_default();
            sum.0 += gas;
            sum.1 += 1;
        }
    }
    lines
        .into_iter()
        .map(|((file, line), (gas, blocks))| Unreached {
            file,
            line,
            gas,
            blocks,
        })
        .collect()
}

/// The innermost line of the program's own.
fn own_line(frames: &[Frame], sources: &mut Sources) -> Option<(String, u32)> {
    let mut is_own = |file: &str| match sources.are_known() {
        true => sources.is_own(file),
        // The sources of a blob are not known.
        false => !is_foreign(file),
    };
    let mut places = frames
        .iter()
        .rev()
        .filter_map(|frame| frame.location.as_ref());
    let own = places.find(|place| is_own(&place.file))?;
    Some((own.file.trim_start_matches("./").to_owned(), own.line))
}

/// The lines with the most gas, this many, in their order in the sources, and the others.
#[must_use]
pub fn costliest(lines: &[Unreached], count: usize) -> (Vec<&Unreached>, Vec<&Unreached>) {
    let mut by_gas: Vec<usize> = (0..lines.len()).collect();
    by_gas.sort_by_key(|index| std::cmp::Reverse(lines[*index].gas));
    let shown: HashSet<usize> = by_gas.into_iter().take(count).collect();
    let (shown, others): (Vec<_>, Vec<_>) = lines
        .iter()
        .enumerate()
        .partition(|(index, _)| shown.contains(index));
    let lines = |pairs: Vec<(usize, _)>| pairs.into_iter().map(|(_, line)| line).collect();
    (lines(shown), lines(others))
}
