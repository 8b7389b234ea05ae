//! The sysvars: what a program can ask about the chain that it runs on.

pub use abi::host::Sysvars;
pub use abi::sysvar::{Clock, EpochRewards, EpochSchedule, Fees, LastRestartSlot, Rent};
