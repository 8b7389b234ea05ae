//! The ids of programs and accounts that are part of every chain.
//!
//! They are those of the Rialo runtime (crate `rialo-s-sdk-ids` 0.23.0-alpha.0). That crate has no
//! id for the epoch rewards and the last restart slot, whose syscalls the runtime has: these two
//! ids are those of the Solana family (crate `solana-sdk-ids`).

use crate::Pubkey;

/// The system program, which creates accounts. Its id is 32 zero bytes.
pub const SYSTEM_PROGRAM: Pubkey = Pubkey::const_from_text("11111111111111111111111111111111");

/// The owner of the sysvars' accounts.
pub const SYSVAR_OWNER: Pubkey =
    Pubkey::const_from_text("Sysvar1111111111111111111111111111111111111");

/// The clock: [`Clock`](crate::sysvar::Clock).
pub const CLOCK: Pubkey = Pubkey::const_from_text("SysvarC1ock11111111111111111111111111111111");

/// The epoch rewards: [`EpochRewards`](crate::sysvar::EpochRewards).
pub const EPOCH_REWARDS: Pubkey =
    Pubkey::const_from_text("SysvarEpochRewards1111111111111111111111111");

/// The epoch schedule: [`EpochSchedule`](crate::sysvar::EpochSchedule).
pub const EPOCH_SCHEDULE: Pubkey =
    Pubkey::const_from_text("SysvarEpochSchedu1e111111111111111111111111");

/// The fees: [`Fees`](crate::sysvar::Fees).
pub const FEES: Pubkey = Pubkey::const_from_text("SysvarFees111111111111111111111111111111111");

/// The instructions of the transaction: [`Instructions`](crate::instructions::Instructions).
pub const INSTRUCTIONS: Pubkey =
    Pubkey::const_from_text("Sysvar1nstructions1111111111111111111111111");

/// The last restart slot: [`LastRestartSlot`](crate::sysvar::LastRestartSlot).
pub const LAST_RESTART_SLOT: Pubkey =
    Pubkey::const_from_text("SysvarLastRestartS1ot1111111111111111111111");

/// The rent: [`Rent`](crate::sysvar::Rent).
pub const RENT: Pubkey = Pubkey::const_from_text("SysvarRent111111111111111111111111111111111");

/// The owner of the accounts that have programs: the runtime's loader of RISC-V programs (crate
/// `rialo-risc-v-loader-interface` 0.23.0-alpha.0).
pub const PROGRAM_LOADER: Pubkey =
    Pubkey::const_from_text("RiscVLoader11111111111111111111111111111111");
