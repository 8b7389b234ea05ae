//! The presentation of a profile: tables for a terminal, a flame graph, a picture of the heap.
//!
//! Everything comes from a [`loader::profile::Profiled`], and is the same for the same run. It
//! escapes the blob's texts, so that they cannot act on a terminal or in a browser.

pub mod costs;
pub mod difference;
pub mod end;
pub mod flame;
pub mod heap;
pub mod inlining;
pub mod live;
pub mod report;
pub mod sources;
pub mod unreached;

use loader::display::escape_control;

/// A text of a blob, safe for a picture: without control characters, and without the two other
/// characters that XML excludes.
pub(crate) fn drawable(text: &str) -> String {
    escape_control(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
