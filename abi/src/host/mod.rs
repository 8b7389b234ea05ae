//! What the hosts of a program have in common: a loader, and the host of unit tests. It needs the
//! feature `host`.

mod account;
mod data;
mod processed;
mod sysvars;
#[cfg(feature = "serde")]
pub mod text;

pub use account::{Account, AccountInput};
pub use data::Data;
pub use processed::ProcessedInstruction;
pub use sysvars::Sysvars;
