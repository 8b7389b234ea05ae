//! The instructions of the system program, and its errors.
//!
//! The instruction data start with a u32, an [`Instruction`], and its fields follow without
//! padding. A key has 32 bytes, and a text its length as a u64 and then its bytes. The layout is
//! that of the Rialo runtime (crate `rialo-s-system-interface` 0.23.0-alpha.0, in bincode).
//!
//! | instruction | fields | accounts |
//! |---|---|---|
//! | `CreateAccount` | kelvins u64, space u64, owner | payer: writable, signs; new: writable, signs |
//! | `Assign` | owner | account: writable, signs |
//! | `Transfer` | kelvins u64 | payer: writable, signs; recipient: writable |
//! | `CreateAccountWithSeed` | base, seed, kelvins u64, space u64, owner | payer: writable, signs; new: writable; base: signs |
//! | `Allocate` | space u64 | account: writable, signs |
//! | `AllocateWithSeed` | base, seed, space u64, owner | account: writable; base: signs |
//! | `AssignWithSeed` | base, seed, owner | account: writable; base: signs |
//! | `TransferWithSeed` | kelvins u64, seed, owner | payer: writable; base: signs; recipient: writable |

mod program;
mod request;

use core::fmt;

use crate::ProgramError;

pub mod data;

pub use program::{AccountState, Accounts, run};

macro_rules! numbered {
    (
        $(#[$attribute:meta])*
        $name:ident { $($(#[doc = $doc:literal])* $variant:ident = $number:literal,)* }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum $name {
            $($(#[doc = $doc])* $variant = $number,)*
        }

        impl $name {
            /// Returns the value with this number, if there is one.
            #[must_use]
            pub const fn from_u32(number: u32) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The name of the value.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)*
                }
            }
        }
    };
}

numbered! {
    /// An instruction of the system program, by its number.
    ///
    /// ```
    /// use abi::system::Instruction;
    ///
    /// assert_eq!(Instruction::from_u32(2), Some(Instruction::Transfer));
    /// ```
    #[non_exhaustive]
    Instruction {
        /// Creates an account: pays, allocates and assigns.
        CreateAccount = 0,
        /// Gives an account to a program.
        Assign = 1,
        /// Pays kelvins.
        Transfer = 2,
        /// Creates an account whose key is that of a base and a seed.
        CreateAccountWithSeed = 3,
        /// Uses a nonce account once.
        AdvanceNonceAccount = 4,
        /// Takes kelvins from a nonce account.
        WithdrawNonceAccount = 5,
        /// Makes an account a nonce account.
        InitializeNonceAccount = 6,
        /// Changes the authority of a nonce account.
        AuthorizeNonceAccount = 7,
        /// Gives an account data, all zeros.
        Allocate = 8,
        /// Allocates and assigns an account whose key is that of a base and a seed.
        AllocateWithSeed = 9,
        /// Assigns an account whose key is that of a base and a seed.
        AssignWithSeed = 10,
        /// Pays kelvins from an account whose key is that of a base and a seed.
        TransferWithSeed = 11,
        /// Converts an old nonce account.
        UpgradeNonceAccount = 12,
    }
}

numbered! {
    /// An error of the system program. It converts into [`ProgramError::Custom`] with its number.
    ///
    /// ```
    /// use abi::ProgramError;
    /// use abi::system::SystemError;
    ///
    /// let error = ProgramError::from(SystemError::ResultWithNegativeKelvins);
    /// assert_eq!(error, ProgramError::Custom(1));
    /// ```
    #[non_exhaustive]
    SystemError {
        /// The account has data, kelvins or another owner already.
        AccountAlreadyInUse = 0,
        /// The payer holds too few kelvins.
        ResultWithNegativeKelvins = 1,
        /// The account cannot be given to this program.
        InvalidProgramId = 2,
        /// The account would be longer than 10 MiB.
        InvalidAccountDataLength = 3,
        /// The seed is longer than 32 bytes.
        MaxSeedLengthExceeded = 4,
        /// The key is not that of the base and the seed.
        AddressWithSeedMismatch = 5,
        /// There is no recent block hash.
        NonceNoRecentBlockhashes = 6,
        /// The nonce was used in this block already.
        NonceBlockhashNotExpired = 7,
        /// The nonce is not the expected one.
        NonceUnexpectedBlockhashValue = 8,
    }
}

impl fmt::Display for SystemError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::AccountAlreadyInUse => "the account is in use already",
            Self::ResultWithNegativeKelvins => "the payer holds too few kelvins",
            Self::InvalidProgramId => "the account cannot be given to this program",
            Self::InvalidAccountDataLength => "an account has at most 10 MiB of data",
            Self::MaxSeedLengthExceeded => "a seed has at most 32 bytes",
            Self::AddressWithSeedMismatch => "the key is not that of the base and the seed",
            Self::NonceNoRecentBlockhashes => "there is no recent block hash",
            Self::NonceBlockhashNotExpired => "the nonce was used in this block already",
            Self::NonceUnexpectedBlockhashValue => "the nonce is not the expected one",
        })
    }
}

impl core::error::Error for SystemError {}

impl From<SystemError> for ProgramError {
    fn from(error: SystemError) -> Self {
        Self::Custom(error as u32)
    }
}
