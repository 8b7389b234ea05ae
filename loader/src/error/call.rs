//! Why the loader does not make a call from one program to another.

use abi::Pubkey;
use abi::call::{MAX_CALL_ACCOUNTS, MAX_CALL_DATA_LENGTH, MAX_CALL_DEPTH};

use super::invocation::InvocationError;
use crate::display::thousands;

/// A call of another program that the loader does not make.
///
/// It ends the program that asked for it. `index` is the position of an account in the list of the
/// instruction, or of a structure in an array of the caller's memory.
#[derive(
    Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr, strum::VariantNames,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind"))]
#[non_exhaustive]
pub enum InvalidCall {
    /// The instruction lists more accounts than a call may have.
    #[error(
        "the call lists {} accounts; the maximum is {MAX_CALL_ACCOUNTS}",
        thousands(count)
    )]
    TooManyCallAccounts {
        /// Number of accounts.
        count: u64,
    },
    /// The program passes on more accounts than it may.
    #[error(
        "the program passes on {} accounts; the maximum is {MAX_CALL_ACCOUNTS}",
        thousands(count)
    )]
    TooManyPassedAccounts {
        /// Number of accounts.
        count: u64,
    },
    /// The instruction data is longer than that of a call may be.
    #[error(
        "the call has {} bytes of instruction data; the maximum is {}",
        thousands(length),
        thousands(MAX_CALL_DATA_LENGTH)
    )]
    CallDataTooLong {
        /// Its length in bytes.
        length: u64,
    },
    /// A flag of the list of accounts is neither 0 nor 1.
    #[error("account {index} ({key}) of the call has the flag {value}; a flag is 0 or 1")]
    InvalidFlag {
        /// Position in the list.
        index: usize,
        /// The account.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
        /// The flag's byte.
        value: u8,
    },
    /// There are more signers by seeds than a call may have.
    #[error(
        "the call has {} signers by seeds; the maximum is {}",
        thousands(count),
        abi::call::MAX_SIGNERS
    )]
    TooManySigners {
        /// Number of signers.
        count: u64,
    },
    /// A signer has more seeds than an address may have.
    #[error(
        "signer {index} of the call has {} seeds; the maximum is {}",
        thousands(count),
        abi::call::MAX_SEEDS
    )]
    TooManySeeds {
        /// Position of the signer.
        index: usize,
        /// Number of seeds.
        count: u64,
    },
    /// A seed is too long.
    #[error(
        "seed {seed} of signer {index} has {} bytes; the maximum is {}",
        thousands(length),
        abi::call::MAX_SEED_LENGTH
    )]
    SeedTooLong {
        /// Position of the signer.
        index: usize,
        /// Position of the seed.
        seed: usize,
        /// Its length in bytes.
        length: u64,
    },
    /// The seeds of a signer give no valid address.
    #[error(
        "the seeds of signer {index} give no valid address: derive it with a bump seed, and pass \
         the bump as the last seed"
    )]
    InvalidSignerSeeds {
        /// Position of the signer.
        index: usize,
    },
    /// An account that the program passes on is not in its own input.
    #[error(
        "the program passes on account {key} at position {index}, which is not in its own input"
    )]
    UnknownAccount {
        /// Position among the accounts that the program passes on.
        index: usize,
        /// The account.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// A field of an account that the program passes on is not the one in the program's input.
    #[error(
        "the {field} of account {key}, which the program passes on at position {index}, is \
         {found:#x}; in the program's input it is {expected:#x}"
    )]
    MovedAccount {
        /// Position among the accounts that the program passes on.
        index: usize,
        /// The account.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
        /// The field, such as "address of the kelvins".
        field: &'static str,
        /// Its value.
        found: u64,
        /// The value that it must have.
        expected: u64,
    },
    /// The instruction lists an account that the program does not pass on.
    #[error("the call lists account {key} at position {index}, which the program does not pass on")]
    MissingAccount {
        /// Position in the list.
        index: usize,
        /// The account.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// The instruction marks an account as writable that is read-only for the calling program.
    #[error(
        "the call lists account {key} at position {index} as writable, but it is not writable for \
         the calling program"
    )]
    WritableEscalated {
        /// Position in the list.
        index: usize,
        /// The account.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// The instruction marks an account as a signer that did not sign for the calling program.
    #[error(
        "the call lists account {key} at position {index} as a signer, but it did not sign for \
         the calling program, and no seeds of the call derive it"
    )]
    SignerEscalated {
        /// Position in the list.
        index: usize,
        /// The account.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
    },
    /// The host has no program with this id.
    #[error("the host has no program {program_id}")]
    UnknownProgram {
        /// The id.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        program_id: Pubkey,
    },
    /// The call would be deeper than calls may be.
    #[error(
        "the call of program {program_id} would have depth {}; the maximum is {MAX_CALL_DEPTH}",
        MAX_CALL_DEPTH + 1
    )]
    CallTooDeep {
        /// The program that was to be called.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        program_id: Pubkey,
    },
    /// The program is waiting for a call of its own, and only it itself may call it then.
    #[error("program {program_id} waits for a call of its own, so only it itself may call it")]
    Reentered {
        /// The program that was to be called.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        program_id: Pubkey,
    },
    /// The invocation has more calls than the limit.
    #[error(
        "the invocation makes more than {} calls between programs",
        thousands(limit)
    )]
    TooManyCalls {
        /// The loader's limit.
        limit: usize,
    },
    /// The called program left more data in an account than the caller's entry has room for.
    #[error(
        "program {program_id} made the data of account {key} {} bytes long, and the calling \
         program's entry has room for {}",
        thousands(length),
        thousands(room)
    )]
    NoRoomInEntry {
        /// The program that was called.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        program_id: Pubkey,
        /// The account.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        key: Pubkey,
        /// The data's length in bytes.
        length: u64,
        /// The most bytes that fit.
        room: u64,
    },
    /// The program was not called, for example because its input exceeds a limit of its loader.
    #[error("program {program_id} was not called: {error}")]
    NotCalled {
        /// The program that was to be called.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        program_id: Pubkey,
        /// The reason; in JSON a text.
        #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
        error: InvocationError,
    },
}

impl InvalidCall {
    /// The stable name of the kind of error: that of the variant.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.into()
    }

    /// What to do about the error, for the author of the calling program; `None` if the text tells.
    pub(crate) fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::UnknownAccount { .. } | Self::MovedAccount { .. } => {
                "pass the accounts on as the program got them: views of its own input"
            }
            Self::MissingAccount { .. } => "pass a view of the account to `invoke` too",
            Self::WritableEscalated { .. } => {
                "mark the account as writable for the calling program too, or list it as read-only"
            }
            Self::SignerEscalated { .. } => {
                "let the account sign for the calling program, or pass its seeds to `invoke_signed`"
            }
            Self::UnknownProgram { .. } => {
                "let the host have the program: `[[programs]]` in a fixture, or `Environment::program`"
            }
            Self::TooManyCalls { .. } => "make fewer calls, or raise `Limits::calls`",
            Self::NoRoomInEntry { .. } => {
                "let the data grow in several invocations: each adds 10,240 bytes"
            }
            _ => return None,
        })
    }
}
