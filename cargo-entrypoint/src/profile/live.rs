//! Who has the heap: live bytes by the line of the program that allocated them.

use std::collections::BTreeMap;

use loader::display::{escape_control, is_foreign, short_path};
use loader::profile::HeldBlocks;
use serde::Serialize;

use super::costs::Frame;
use super::inlining::Inlining;
use super::sources::Sources;
use crate::text::grouped;

/// The most lines that are shown.
const ROWS: usize = 8;

/// Blocks that were allocated at one line of the program and not freed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Holder {
    /// The function with the line, or the innermost one that is known.
    pub function: String,
    /// The file, if it is known.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<u32>,
    /// The requested sizes of the blocks together, in bytes.
    pub bytes: u64,
    /// How many blocks they are.
    pub blocks: u64,
}

/// A function, and a file and a line in it.
type Place = (String, Option<(String, u32)>);

/// Adds live blocks up by the innermost line of the author's own, those with the most bytes first.
#[must_use]
pub fn holders(live: &[HeldBlocks], inlining: &Inlining, sources: &mut Sources) -> Vec<Holder> {
    let mut sums: BTreeMap<Place, (u64, u64)> = BTreeMap::new();
    for blocks in live {
        let stack: Vec<_> = blocks.stack.iter().collect();
        let stack = inlining.complete(&stack);
        let Some(frame) = own(&stack, sources) else {
            continue;
        };
        let location = frame.location.as_ref();
        let place = location.map(|place| (short_path(&place.file).to_owned(), place.line));
        let sum = sums.entry((frame.function.clone(), place)).or_default();
        sum.0 += blocks.bytes;
        sum.1 += blocks.blocks;
    }
    let holders = sums
        .into_iter()
        .map(|((function, place), (bytes, blocks))| {
            let (file, line) = place.unzip();
            Holder {
                function,
                file,
                line,
                bytes,
                blocks,
            }
        });
    let mut holders: Vec<Holder> = holders.collect();
    holders.sort_by_key(|holder| std::cmp::Reverse(holder.bytes));
    holders
}

/// The innermost frame of the author's own code; without one, the outermost.
fn own<'a>(stack: &'a [Frame], sources: &mut Sources) -> Option<&'a Frame> {
    let find = |is_own: &mut dyn FnMut(&str) -> bool| {
        stack.iter().rev().find(|frame| {
            let location = frame.location.as_ref();
            location.is_some_and(|location| is_own(&location.file))
        })
    };
    // The sources of a blob are not known.
    find(&mut |file| sources.is_own(file))
        .or_else(|| find(&mut |file| !is_foreign(file)))
        .or(stack.first())
}

/// A line for each holder: bytes, blocks, place.
#[must_use]
pub fn describe(holders: &[Holder]) -> String {
    let mut lines: Vec<String> = holders.iter().take(ROWS).map(describe_one).collect();
    if let Some(rest @ [_, ..]) = holders.get(ROWS..) {
        let bytes: u64 = rest.iter().map(|holder| holder.bytes).sum();
        lines.push(format!(
            "{} bytes on {} other lines",
            grouped(bytes),
            rest.len()
        ));
    }
    lines.join("\n")
}

fn describe_one(holder: &Holder) -> String {
    let mut text = format!(
        "{} bytes in {} ",
        grouped(holder.bytes),
        grouped(holder.blocks)
    );
    text += if holder.blocks == 1 {
        "block"
    } else {
        "blocks"
    };
    if let (Some(file), Some(line)) = (&holder.file, holder.line) {
        text += &format!(" from {}:{line}", escape_control(file));
    }
    text + &format!(" in {}", escape_control(&holder.function))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_bytes_are_shown_with_their_lines() {
        let holder = |line| Holder {
            function: "program::fill".to_owned(),
            file: Some("src/lib.rs".to_owned()),
            line: Some(line),
            bytes: 2_000,
            blocks: line.into(),
        };
        assert_eq!(describe(&[]), "");
        let text = describe(&[holder(1), holder(2)]);
        assert_eq!(
            text,
            "2,000 bytes in 1 block from src/lib.rs:1 in program::fill\n\
             2,000 bytes in 2 blocks from src/lib.rs:2 in program::fill"
        );
        let many: Vec<Holder> = (1..=10).map(holder).collect();
        assert!(describe(&many).ends_with("\n4,000 bytes on 2 other lines"));
    }
}
