//! An error, its status, and a function that fails with it, in a crate of their own.
//!
//! The compiler learns late which errors a function of another crate can return. Only then LLVM
//! leaves a jump through a table at a constant index, which PolkaVM's linker miscompiles
//! (docs/decisions/0019).
#![no_std]
#![forbid(unsafe_code)]

use entrypoint::AccountInfo;

macro_rules! errors {
    ($($name:ident = $number:literal,)*) => {
        /// The errors of `entrypoint`, with a status that is a `match`: see
        /// [`status`](Self::status).
        pub enum Error {
            /// An error of the program's own.
            Custom(u32),
            $(#[doc = "A built-in error."] $name,)*
        }

        impl Error {
            /// Returns the status by a match of 26 arms, as `entrypoint` once did.
            pub const fn status(&self) -> u64 {
                match self {
                    Self::Custom(0) => 1 << 32,
                    Self::Custom(code) => *code as u64,
                    $(Self::$name => $number << 32,)*
                }
            }
        }
    };
}

errors! {
    InvalidArgument = 2,
    InvalidInstructionData = 3,
    InvalidAccountData = 4,
    AccountDataTooSmall = 5,
    InsufficientFunds = 6,
    IncorrectProgramId = 7,
    MissingRequiredSignature = 8,
    AccountAlreadyInitialized = 9,
    UninitializedAccount = 10,
    NotEnoughAccountKeys = 11,
    AccountBorrowFailed = 12,
    MaxSeedLengthExceeded = 13,
    InvalidSeeds = 14,
    BorshIoError = 15,
    AccountNotRentExempt = 16,
    UnsupportedSysvar = 17,
    IllegalOwner = 18,
    MaxAccountsDataAllocationsExceeded = 19,
    InvalidRealloc = 20,
    MaxInstructionTraceLengthExceeded = 21,
    BuiltinProgramsMustConsumeComputeUnits = 22,
    InvalidAccountOwner = 23,
    ArithmeticOverflow = 24,
    Immutable = 25,
    IncorrectAuthority = 26,
}

/// Works like `AccountInfo::resize`, with other errors.
///
/// # Errors
///
/// If the account is not writable, the length is too large, or the data is borrowed.
pub fn resize(account: &AccountInfo, length: usize) -> Result<(), Error> {
    if !account.is_writable() {
        return Err(Error::Immutable);
    }
    if length > account.data_len() + 10_240 {
        return Err(Error::InvalidRealloc);
    }
    if account.try_borrow_mut_data().is_err() {
        return Err(Error::AccountBorrowFailed);
    }
    entrypoint::set_return_data(&[length as u8]);
    Ok(())
}
