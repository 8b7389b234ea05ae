//! Failures in the words of the Rialo runtime: those of `InstructionError` in its crate
//! `rialo-s-instruction` 0.23.0-alpha.0.

use abi::ProgramError;

use super::write_back::AccountChange;
use crate::error::{Failure, InvalidCall};

/// The words for a program that did not return.
const NOT_COMPLETED: &str = "Program failed to complete";

/// The words for a program that was not entered.
pub(super) const NOT_ENTERED: &str = "Failed to create program execution environment";

/// The words for a sum of kelvins that has changed.
pub(crate) const UNBALANCED: &str =
    "sum of account balances before and after instruction do not match";

/// The words for kelvins that were taken from an account of another program.
pub(crate) const FOREIGN_DEBIT: &str =
    "instruction spent from the balance of an account it does not own";

/// The words for kelvins of an account that is not writable.
pub(crate) const READ_ONLY_KELVINS: &str = "instruction changed the balance of a read-only account";

/// The words for data of an account that is not writable.
pub(crate) const READ_ONLY_DATA: &str = "instruction modified data of a read-only account";

/// The words for a new owner that the program may not give.
pub(crate) const REASSIGNED: &str = "instruction illegally modified the program id of an account";

/// The reason of a failure. `broken_rule` are the words for the rule of the write-back that was
/// broken, if it was one.
pub(super) fn reason(failure: &Failure, broken_rule: Option<&'static str>) -> String {
    let words = match failure.cause() {
        Failure::ProgramError { error } => return returned(error),
        Failure::InvalidStatus { .. } => "program returned invalid error code",
        Failure::OutOfGas { .. } => "Computational budget exceeded",
        Failure::GrewTooMuch { .. } => {
            "Accounts data allocations exceeded the maximum allowed per transaction"
        }
        Failure::WriteBack(_) => broken_rule.unwrap_or(NOT_COMPLETED),
        Failure::InvalidCall(error) => invalid_call(error),
        _ => NOT_COMPLETED,
    };
    words.to_owned()
}

fn returned(error: &ProgramError) -> String {
    let words = match error {
        ProgramError::Custom(code) => return format!("custom program error: {code:#x}"),
        ProgramError::InvalidArgument => "invalid program argument",
        ProgramError::InvalidInstructionData => "invalid instruction data",
        ProgramError::InvalidAccountData => "invalid account data for instruction",
        ProgramError::AccountDataTooSmall => "account data too small for instruction",
        ProgramError::InsufficientFunds => "insufficient funds for instruction",
        ProgramError::IncorrectProgramId => "incorrect program id for instruction",
        ProgramError::MissingRequiredSignature => "missing required signature for instruction",
        ProgramError::AccountAlreadyInitialized => "instruction requires an uninitialized account",
        ProgramError::UninitializedAccount => "instruction requires an initialized account",
        ProgramError::NotEnoughAccountKeys => "insufficient account keys for instruction",
        ProgramError::AccountBorrowFailed => {
            "instruction tries to borrow reference for an account which is already borrowed"
        }
        ProgramError::MaxSeedLengthExceeded => SEED_TOO_LONG,
        ProgramError::InvalidSeeds => INVALID_SEEDS,
        ProgramError::BorshIoError => "Failed to serialize or deserialize account data: Unknown",
        ProgramError::AccountNotRentExempt => {
            "An account does not have enough kelvins to be rent-exempt"
        }
        ProgramError::UnsupportedSysvar => "Unsupported sysvar",
        ProgramError::IllegalOwner => "Provided owner is not allowed",
        ProgramError::MaxAccountsDataAllocationsExceeded => {
            "Accounts data allocations exceeded the maximum allowed per transaction"
        }
        ProgramError::InvalidRealloc => INVALID_REALLOC,
        ProgramError::MaxInstructionTraceLengthExceeded => TRACE_TOO_LONG,
        ProgramError::BuiltinProgramsMustConsumeComputeUnits => {
            "Builtin programs must consume compute units"
        }
        ProgramError::InvalidAccountOwner => "Invalid account owner",
        ProgramError::ArithmeticOverflow => "Program arithmetic overflowed",
        ProgramError::Immutable => "Account is immutable",
        ProgramError::IncorrectAuthority => "Incorrect authority provided",
    };
    words.to_owned()
}

const SEED_TOO_LONG: &str = "Length of the seed is too long for address generation";
const INVALID_SEEDS: &str = "Provided seeds do not result in a valid address";
const INVALID_REALLOC: &str = "Failed to reallocate account data";
const TRACE_TOO_LONG: &str = "Max instruction trace length exceeded";

fn invalid_call(error: &InvalidCall) -> &'static str {
    match error {
        InvalidCall::TooManySeeds { .. } | InvalidCall::SeedTooLong { .. } => SEED_TOO_LONG,
        InvalidCall::InvalidSignerSeeds { .. } => INVALID_SEEDS,
        InvalidCall::UnknownAccount { .. }
        | InvalidCall::MissingAccount { .. }
        | InvalidCall::UnknownProgram { .. } => "An account required by the instruction is missing",
        InvalidCall::WritableEscalated { .. } | InvalidCall::SignerEscalated { .. } => {
            "Cross-program invocation with unauthorized signer or writable account"
        }
        InvalidCall::CallTooDeep { .. } => "Cross-program invocation call depth too deep",
        InvalidCall::Reentered { .. } => {
            "Cross-program invocation reentrancy not allowed for this instruction"
        }
        InvalidCall::TooManyCalls { .. } => TRACE_TOO_LONG,
        InvalidCall::NoRoomInEntry { .. } => INVALID_REALLOC,
        InvalidCall::NotCalled { .. } => NOT_ENTERED,
        _ => NOT_COMPLETED,
    }
}

/// The line that the runtime logs before a call fails with this error.
pub(super) fn note(error: &InvalidCall) -> Option<String> {
    match error {
        InvalidCall::UnknownAccount { key, .. } | InvalidCall::MissingAccount { key, .. } => {
            Some(format!("Instruction references an unknown account {key}"))
        }
        InvalidCall::WritableEscalated { key, .. } => {
            Some(format!("{key}'s writable privilege escalated"))
        }
        InvalidCall::SignerEscalated { key, .. } => {
            Some(format!("{key}'s signer privilege escalated"))
        }
        InvalidCall::UnknownProgram { program_id } => Some(format!("Unknown program {program_id}")),
        _ => None,
    }
}

/// The words for the first rule of the runtime that a change of an account breaks, in the order of
/// the runtime: kelvins, length, data, owner. A change that only the loader rejects has those of a
/// program that did not complete.
pub(super) fn broken_rule(change: &AccountChange<'_>) -> &'static str {
    let is_writable = change.before.is_writable;
    let [before, after] = [change.before.account.kelvins, change.after.kelvins];
    if after != before && !change.is_owned && after < before {
        FOREIGN_DEBIT
    } else if after != before && !is_writable {
        READ_ONLY_KELVINS
    } else if change.is_too_long() {
        INVALID_REALLOC
    } else if change.has_new_length() && !change.is_owned {
        "program other than the account's owner changed the size of the account data"
    } else if change.has_new_data && !is_writable {
        READ_ONLY_DATA
    } else if change.has_new_data && !change.is_owned {
        "instruction modified data of an account it does not own"
    } else if change.has_new_owner {
        REASSIGNED
    } else {
        NOT_COMPLETED
    }
}
