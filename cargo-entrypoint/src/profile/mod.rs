//! What a profile looks like: tables for a terminal, a flame graph, a picture of the heap.
//!
//! Everything is made from a [`loader::profile::Profiled`], is the same for the same run, and lets nothing that a blob says
//! act on a terminal or in a browser.

pub mod costs;
pub mod flame;
pub mod heap;
pub mod inlining;
pub mod report;
pub mod sources;

use crate::text::harmless;

/// A text of a blob's as it can stand in a picture: without what a terminal would obey, and without the two characters besides
/// that are none in XML.
fn drawable(text: &str) -> String {
    harmless(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}
