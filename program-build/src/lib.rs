//! Finds a program crate and its toolchain, and builds the program for each target.
//!
//! | module | contents |
//! |---|---|
//! | [`package`] | which program crate is meant, and its fixtures |
//! | [`workspace`] | what a workspace consists of, by cargo |
//! | [`toolchain`] | the compiler and the linkers for guests |
//! | [`dependencies`] | fetches what a program depends on, and finds its folders |
//! | [`guest`] | a program crate to a blob, a WebAssembly module or a library |
//! | [`machine`] | a loader for what was built |
//! | [`coverage`] | files with what the programs of tests executed |
//! | [`custom_errors`] | the names of a program's errors, in its file |
//! | [`options`] | cargo's own options of a build |
//! | [`files`] | lists files, and writes them whole or not at all |
//! | [`memo`] | values that a process makes once |
//!
//! A program's tests need `program-test` instead, which builds with this crate.
//!
//! ```no_run
//! use program_build::guest::{self, DebugInfo};
//! use program_build::package::ProgramPackage;
//!
//! let package = ProgramPackage::in_folder("examples/hello".as_ref())?;
//! let blob = guest::build(&package, DebugInfo::Keep)?;
//! # anyhow::Ok(())
//! ```
#![forbid(unsafe_code)]

pub mod coverage;
pub mod custom_errors;
pub mod dependencies;
pub mod files;
pub mod guest;
pub mod machine;
pub mod memo;
mod metadata;
pub mod options;
pub mod package;
mod records;
mod settings;
mod sources;
pub mod toolchain;
pub mod workspace;
