//! The parts of `cargo entrypoint` that have tests of their own: benches, the pictures of a
//! profile, and text.
//!
//! `program-build` builds programs, and `program-test` is for the tests of programs.
#![forbid(unsafe_code)]

pub mod bench;
pub mod profile;
pub mod text;
