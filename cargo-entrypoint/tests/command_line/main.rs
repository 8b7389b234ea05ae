//! The command, as users call it.
//!
//! It is one executable, so that its tests run side by side: most of them wait for a compiler.

mod allocators;
mod bench;
mod build;
mod cargo_settings;
mod coverage;
mod debug;
mod elsewhere;
mod fuzz;
mod inspect;
mod ledger;
mod machines;
mod native;
mod new;
mod profile;
mod profile_diff;
mod profile_pictures;
mod run;
mod run_report;
mod support;
