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
