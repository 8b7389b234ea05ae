//! [`ProgramError`] and its mapping to and from the u64 that a program returns.
//!
//! | status | meaning |
//! |---|---|
//! | 0 | success |
//! | `1 << 32` | `Custom(0)` |
//! | `n << 32`, n from 2 to 26 | the built-in errors, in the order of [`ProgramError`] |
//! | 1 to `u32::MAX` | `Custom(status)` |
//! | anything else | `Custom` of the low 32 bits, as in the Solana family |
//!
//! The numbers are those of the Solana family and of the Rialo runtime
//! (`rialo-s-instruction` 0.12, `error.rs`).

use core::fmt;

/// The status of a program that succeeded.
pub const SUCCESS: u64 = 0;

/// Number of bits by which a status shifts the number of a built-in error.
const BUILTIN_SHIFT: u32 = 32;

/// The number that stands for `Custom(0)` in a status.
const CUSTOM_ZERO: u32 = 1;

/// The return type of a program's function.
pub type ProgramResult = Result<(), ProgramError>;

macro_rules! program_errors {
    ($($(#[doc = $doc:literal])* $name:ident = $number:literal, $message:literal;)*) => {
        /// The error that a program returns.
        ///
        /// ```
        /// use abi::ProgramError;
        ///
        /// assert_eq!(u64::from(ProgramError::InsufficientFunds), 6 << 32);
        /// assert_eq!(u64::from(ProgramError::Custom(0)), 1 << 32);
        /// assert_eq!(ProgramError::from_status(7), Some(ProgramError::Custom(7)));
        /// assert_eq!(ProgramError::from_status(0), None);
        /// ```
        // The tag of a built-in error is its number, so that `status` is a shift and no table.
        #[repr(u32)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ProgramError {
            /// An error of the program's own.
            Custom(u32) = CUSTOM_ZERO,
            $($(#[doc = $doc])* $name = $number,)*
        }

        impl ProgramError {
            /// All built-in errors, in the order of their numbers.
            pub const BUILTIN: &'static [Self] = &[$(Self::$name,)*];

            /// The name of the variant: `Custom` for every custom error.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    Self::Custom(_) => "Custom",
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The error with this status, or `None` for success.
            #[must_use]
            pub const fn from_status(status: u64) -> Option<Self> {
                if status == SUCCESS {
                    return None;
                }
                let number = status >> BUILTIN_SHIFT;
                let low = status as u32;
                if low != 0 {
                    return Some(Self::Custom(low));
                }
                Some(match number {
                    $($number => Self::$name,)*
                    _ => Self::Custom(0),
                })
            }
        }

        impl fmt::Display for ProgramError {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Custom(code) => write!(formatter, "custom error {code}"),
                    $(Self::$name => formatter.write_str($message),)*
                }
            }
        }
    };
}

program_errors! {
    /// An argument of the instruction is not allowed.
    InvalidArgument = 2, "an argument of the instruction is not allowed";
    /// The instruction data cannot be understood.
    InvalidInstructionData = 3, "the instruction data cannot be understood";
    /// An account's data cannot be understood.
    InvalidAccountData = 4, "an account's data cannot be understood";
    /// An account's data is too short.
    AccountDataTooSmall = 5, "an account's data is too short";
    /// An account does not hold enough kelvins.
    InsufficientFunds = 6, "an account does not hold enough kelvins";
    /// The instruction was meant for another program.
    IncorrectProgramId = 7, "the instruction was meant for another program";
    /// An account that must sign did not.
    MissingRequiredSignature = 8, "an account that must sign did not";
    /// The account has been initialized before.
    AccountAlreadyInitialized = 9, "the account has been initialized before";
    /// The account has not been initialized.
    UninitializedAccount = 10, "the account has not been initialized";
    /// The instruction needs more accounts than it was given.
    NotEnoughAccountKeys = 11, "the instruction needs more accounts than it was given";
    /// The account's data is borrowed already.
    AccountBorrowFailed = 12, "the account's data is borrowed already";
    /// A seed of an address is too long.
    MaxSeedLengthExceeded = 13, "a seed of an address is too long";
    /// The seeds give no valid address.
    InvalidSeeds = 14, "the seeds give no valid address";
    /// Borsh could not read or write.
    BorshIoError = 15, "borsh could not read or write";
    /// The account would not be exempt from rent.
    AccountNotRentExempt = 16, "the account would not be exempt from rent";
    /// There is no such sysvar.
    UnsupportedSysvar = 17, "there is no such sysvar";
    /// The owner is not allowed here.
    IllegalOwner = 18, "the owner is not allowed here";
    /// The transaction allocates more account data than it may.
    MaxAccountsDataAllocationsExceeded = 19, "the transaction allocates more account data than it may";
    /// The account cannot be given that length.
    InvalidRealloc = 20, "the account cannot be given that length";
    /// The transaction has too many instructions.
    MaxInstructionTraceLengthExceeded = 21, "the transaction has too many instructions";
    /// A built-in program did not pay for its work.
    BuiltinProgramsMustConsumeComputeUnits = 22, "a built-in program did not pay for its work";
    /// The account's owner is not the one expected.
    InvalidAccountOwner = 23, "the account's owner is not the one expected";
    /// A sum, difference or product does not fit.
    ArithmeticOverflow = 24, "a sum, difference or product does not fit";
    /// The account must not be changed.
    Immutable = 25, "the account must not be changed";
    /// The authority is not the one expected.
    IncorrectAuthority = 26, "the authority is not the one expected";
}

impl ProgramError {
    /// Returns the status by which a program returns this error. It is never 0.
    #[must_use]
    pub const fn status(&self) -> u64 {
        match self {
            Self::Custom(code @ 1..) => *code as u64,
            other => (other.number() as u64) << BUILTIN_SHIFT,
        }
    }

    /// Returns the number of a built-in error, or [`CUSTOM_ZERO`] for every custom error.
    ///
    /// A `match` would do the same through a table of 26 entries, or through five branches.
    #[allow(unsafe_code)]
    const fn number(&self) -> u32 {
        let tag: *const u32 = core::ptr::from_ref(self).cast();
        // SAFETY: the pointer comes from a reference, so it is aligned and valid for reads of the
        // whole enum. The enum is `repr(u32)`, which lays it out as a union of structs that each
        // begin with the tag, a `u32` that is always initialized.
        unsafe { *tag }
    }
}

// A program returns it in two registers, and success costs no tag of its own.
const _: () = assert!(size_of::<ProgramResult>() == 8);

impl core::error::Error for ProgramError {}

impl From<ProgramError> for u64 {
    fn from(error: ProgramError) -> Self {
        error.status()
    }
}
