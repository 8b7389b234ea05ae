//! The difference between two values, for people.

use std::fmt::{Debug, Write};

use similar::{ChangeTag, TextDiff};

/// The lines of two values in their form `{:#?}`: those that only the expected one has begin with
/// `-`, and those that only the found one has with `+`.
pub fn of_values(expected: &dyn Debug, found: &dyn Debug) -> String {
    of_texts(&format!("{expected:#?}\n"), &format!("{found:#?}\n"))
}

/// The lines of two texts, marked as those of [`of_values`].
pub fn of_texts(expected: &str, found: &str) -> String {
    let mut text = String::new();
    for change in TextDiff::from_lines(expected, found).iter_all_changes() {
        let mark = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        };
        // A string takes every text.
        let _ = writeln!(text, "  {mark} {}", change.value().trim_end_matches('\n'));
    }
    text
}
