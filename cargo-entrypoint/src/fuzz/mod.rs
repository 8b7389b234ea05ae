//! Fuzzing: runs a program on generated accounts and data, guided by the edges of its own blob.
//!
//! | module | contents |
//! |---|---|
//! | [`campaign`] | the loop: pick an input, change it, run it, keep it if it reaches new code |
//! | [`mutate`] | the changes |
//! | [`crash`] | which failures are crashes, and which two are the same |
//! | [`minimize`] | makes the input of a crash smaller |
//! | [`fixture`] | writes an input as a fixture |

mod campaign;
mod crash;
pub mod fixture;
mod minimize;
mod mutate;

pub use campaign::{Campaign, Figures, Found};
