//! The command, as users call it.
//!
//! It is one executable, so that its tests run side by side: most of them wait for a compiler. They
//! start in the order of their names. Those of `all_targets` are first: the compiler builds for
//! several targets at once, and for one target it builds one program after the other.

mod all_targets;
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
mod native;
mod new;
mod profile;
mod profile_diff;
mod profile_pictures;
mod run;
mod run_report;
mod support;
