//! An account's data before and after, as a report shows them.

use std::fmt::{Result, Write};
use std::ops::Range;

use crate::text::grouped;

/// Data up to this length is shown whole; of longer data, so much of each part.
const SHOWN_BYTES: usize = 32;

/// Most changed ranges that are shown.
const SHOWN_RANGES: usize = 16;

/// Changes with fewer equal bytes than this between them are shown as one: a change of a field of
/// eight bytes often keeps some of them.
const GAP: usize = 8;

/// Writes the data of an account, and its changes.
pub fn write(out: &mut String, before: &[u8], after: &[u8]) -> Result {
    let is_short = before.len().max(after.len()) <= SHOWN_BYTES;
    let (shown_before, shown_after) = (shortened(before), shortened(after));
    if before == after {
        return line(out, "data", format_args!("{shown_before}"));
    }
    if is_short {
        return line(out, "data", format_args!("{shown_before} -> {shown_after}"));
    }
    if before.len() == after.len() {
        line(out, "data", format_args!("{}", bytes(before.len())))?;
    } else {
        let (before, after) = (bytes(before.len()), bytes(after.len()));
        line(out, "data", format_args!("{before} -> {after}"))?;
    }
    let ranges = changed(before, after);
    for range in ranges.iter().take(SHOWN_RANGES) {
        let part = |data: &[u8]| {
            let end = range.end.min(data.len());
            shortened(data.get(range.start..end).unwrap_or(&[]))
        };
        let (before, after) = (part(before), part(after));
        let place = format!("{}..{}", range.start, range.end);
        line(out, "", format_args!("{place:<10} {before} -> {after}"))?;
    }
    match ranges.len().saturating_sub(SHOWN_RANGES) {
        0 => Ok(()),
        1 => line(out, "", format_args!("and one more change")),
        more => line(
            out,
            "",
            format_args!("and {} more changes", grouped(more as u64)),
        ),
    }
}

fn line(out: &mut String, name: &str, text: std::fmt::Arguments<'_>) -> Result {
    writeln!(out, "          {name:<8} {text}")
}

/// Returns the ranges of bytes that differ, in order. Bytes that only one side has differ.
fn changed(before: &[u8], after: &[u8]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for index in 0..before.len().max(after.len()) {
        if before.get(index) == after.get(index) {
            continue;
        }
        match ranges.last_mut() {
            Some(last) if index < last.end + GAP => last.end = index + 1,
            _ => ranges.push(index..index + 1),
        }
    }
    ranges
}

fn bytes(count: usize) -> String {
    let unit = if count == 1 { "byte" } else { "bytes" };
    format!("{} {unit}", grouped(count as u64))
}

/// Returns data in hexadecimal; long data is cut, and followed by its length.
fn shortened(data: &[u8]) -> String {
    match data.len() {
        0 => "none".to_owned(),
        length if length <= SHOWN_BYTES => hex::encode(data),
        length => format!("{}… ({})", hex::encode(&data[..SHOWN_BYTES]), bytes(length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &[u8], after: &[u8], expected: &str) {
        let mut text = String::new();
        write(&mut text, before, after).expect("a string takes every text");
        assert_eq!(text, expected);
    }

    #[test]
    fn short_data_is_shown_whole() {
        check(&[], &[], "          data     none\n");
        check(&[1, 2], &[1, 2], "          data     0102\n");
        check(&[1, 2], &[1, 3], "          data     0102 -> 0103\n");
        check(&[], &[7], "          data     none -> 07\n");
        check(&[7], &[], "          data     07 -> none\n");
    }

    #[test]
    fn a_change_is_shown_wherever_it_is() {
        let mut after = [0; 165];
        after[64..72].copy_from_slice(&1_000_u64.to_le_bytes());
        after[164] = 9;
        check(
            &[0; 165],
            &after,
            "          data     165 bytes
                   64..66     0000 -> e803
                   164..165   00 -> 09\n",
        );
    }

    #[test]
    fn resized_data_shows_both_lengths() {
        let (short, long) = ([1; 33], [1; 36]);
        check(
            &short,
            &long,
            "          data     33 bytes -> 36 bytes
                   33..36     none -> 010101\n",
        );
        check(
            &long,
            &short,
            "          data     36 bytes -> 33 bytes
                   33..36     010101 -> none\n",
        );
    }

    #[test]
    fn many_changes_are_counted() {
        let before = vec![0; 4_000];
        let mut after = before.clone();
        for index in (0..4_000).step_by(100) {
            after[index] = 1;
        }
        let mut text = String::new();
        write(&mut text, &before, &after).expect("a string takes every text");
        assert_eq!(text.lines().count(), 1 + SHOWN_RANGES + 1);
        assert!(text.ends_with("and 24 more changes\n"), "{text}");
        after.fill(2);
        text.clear();
        write(&mut text, &before, &after).expect("a string takes every text");
        assert!(text.contains("0..4000    00000000"), "{text}");
        assert!(text.contains("… (4,000 bytes) -> 0202"), "{text}");
    }
}
