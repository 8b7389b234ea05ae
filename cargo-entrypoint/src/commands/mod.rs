//! One file for each command.

pub mod allocators;
pub mod bench;
pub mod build;
pub mod call;
pub mod counting;
pub mod coverage;
pub mod debug;
pub mod doctor;
pub mod explain;
pub mod fuzz;
pub mod inspect;
pub mod ledger;
pub mod new;
pub mod profile;
pub mod run;
pub mod scenario;
pub mod setup;
