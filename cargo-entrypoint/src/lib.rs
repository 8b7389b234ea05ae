//! The parts of `cargo entrypoint` that tests and other commands use: benches, coverage, the
//! pictures of a profile, traces of allocators, output and text.
//!
//! `program-build` builds programs, and `program-test` is for the tests of programs.
#![forbid(unsafe_code)]

pub mod bench;
pub mod coverage;
pub mod output;
pub mod profile;
pub mod text;
pub mod trace;
