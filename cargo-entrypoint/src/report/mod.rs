//! What the commands report, for people and as JSON.

pub mod bench;
mod data;
pub mod inspection;
pub mod json;
pub mod people;

pub use crate::output::{EXIT_FAILED, EXIT_NOT_RUN, error, print};
