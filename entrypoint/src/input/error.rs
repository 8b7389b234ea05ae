//! The errors of the checked reader.

use core::fmt;

/// A part of the input, as [`abi::input`] names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Field {
    /// The length of the instruction data.
    InstructionDataLength,
    /// The instruction data.
    InstructionData,
    /// The program id.
    ProgramId,
    /// The number of accounts.
    AccountCount,
    /// The first eight bytes of an entry.
    Marker,
    /// Flags, key, owner and kelvins of an account.
    AccountHeader,
    /// The length of an account's data.
    DataLength,
    /// An account's data.
    Data,
    /// The spare bytes, into which an account's data may grow.
    SpareBytes,
    /// The padding to a multiple of 8 bytes.
    Padding,
    /// An account's rent epoch.
    RentEpoch,
}

impl fmt::Display for Field {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::InstructionDataLength => "instruction data length",
            Self::InstructionData => "instruction data",
            Self::ProgramId => "program id",
            Self::AccountCount => "number of accounts",
            Self::Marker => "entry",
            Self::AccountHeader => "account header",
            Self::DataLength => "account data length",
            Self::Data => "account data",
            Self::SpareBytes => "spare bytes",
            Self::Padding => "padding",
            Self::RentEpoch => "rent epoch",
        })
    }
}

/// Why bytes are not an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputError {
    /// The bytes end inside a field.
    Truncated {
        /// The field.
        field: Field,
        /// The position of the entry it belongs to, if it belongs to one.
        account: Option<usize>,
        /// Where the field starts, in bytes from the start of the input.
        offset: usize,
        /// How long the field is, in bytes.
        length: u64,
        /// How many bytes there are from `offset` on.
        available: usize,
    },
    /// There cannot be as many accounts in the bytes that follow.
    TooManyAccounts {
        /// The number that the input gives.
        count: u64,
        /// How many entries of the least size would fit.
        room: usize,
    },
    /// An account has more data than an account may have.
    DataTooLong {
        /// The account's position.
        account: usize,
        /// The length that its header gives, in bytes.
        length: u64,
    },
    /// An entry repeats an account that does not come before it.
    InvalidRepeat {
        /// The entry's position.
        account: usize,
        /// The position it refers to.
        refers_to: u8,
    },
}

impl fmt::Display for InputError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated {
                field,
                account,
                offset,
                length,
                available,
            } => {
                write!(formatter, "the input ends inside the {field}")?;
                if let Some(account) = account {
                    write!(formatter, " of account {account}")?;
                }
                write!(
                    formatter,
                    ": it takes {length} bytes from offset {offset} on, and there are {available}"
                )
            }
            Self::TooManyAccounts { count, room } => {
                write!(
                    formatter,
                    "the input announces {count} accounts, but has room for {room} at most"
                )
            }
            Self::DataTooLong { account, length } => write!(
                formatter,
                "account {account} claims {length} bytes of data, the most allowed is {}",
                abi::input::MAX_PERMITTED_DATA_LENGTH
            ),
            Self::InvalidRepeat { account, refers_to } => write!(
                formatter,
                "account {account} repeats account {refers_to}, which does not come before it"
            ),
        }
    }
}

impl core::error::Error for InputError {}
