//! The command `cargo entrypoint`, and the parts of it that tests and other commands use: benches,
//! coverage, the pictures of a profile, traces of allocators, output and text.
//!
//! `program-build` builds programs, and `program-test` is for the tests of programs.
#![forbid(unsafe_code)]

mod arguments;
pub mod bench;
mod command_line;
mod commands;
pub mod coverage;
mod debug;
mod fuzz;
pub mod output;
pub mod profile;
mod report;
pub mod text;
pub mod trace;

pub use command_line::run;
