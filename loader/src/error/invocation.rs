//! Why a program was not called.

use crate::display::{escape_control, thousands};
use crate::engine::Engine;

/// Why a program was not called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[non_exhaustive]
pub enum InvocationError {
    /// The heap is smaller than the least that every program may rely on.
    #[error(
        "a heap of {} bytes is too small: the minimum is {} bytes (32 KiB)",
        thousands(size),
        thousands(min)
    )]
    HeapTooSmall {
        /// The invocation's heap, in bytes.
        size: u32,
        /// The least length, in bytes.
        min: u32,
    },
    /// The heap is larger than the loader's limit.
    #[error(
        "a heap of {} bytes is too large: the limit is {} bytes",
        thousands(size),
        thousands(limit)
    )]
    HeapTooLarge {
        /// The invocation's heap, in bytes.
        size: u32,
        /// The loader's limit, in bytes.
        limit: u32,
    },
    /// The heap is smaller than the program declares that it needs.
    #[error(
        "the program needs a heap of {} bytes, and the invocation has {}; request a heap of {} bytes",
        thousands(needed),
        thousands(size),
        thousands(needed)
    )]
    LessHeapThanNeeded {
        /// The invocation's heap, in bytes.
        size: u32,
        /// What the program needs, in bytes.
        needed: u32,
    },
    /// The gas is more than the loader's limit, or than the VM can count.
    #[error(
        "a gas limit of {} is too large: the maximum is {}",
        thousands(gas),
        thousands(limit)
    )]
    GasTooLarge {
        /// The invocation's gas.
        gas: u64,
        /// The loader's limit, or what the VM can count if that is less.
        limit: u64,
    },
    /// There are more different accounts than an input can name.
    #[error(
        "{count} different accounts are too many: the maximum is {}",
        abi::input::MAX_DISTINCT_ACCOUNTS
    )]
    TooManyAccounts {
        /// Number of different accounts.
        count: usize,
    },
    /// The list of accounts is longer than the loader's limit.
    #[error(
        "a list of {} accounts is too long: the limit is {}",
        thousands(count),
        thousands(limit)
    )]
    TooManyEntries {
        /// Number of entries, repeats included.
        count: usize,
        /// The loader's limit.
        limit: usize,
    },
    /// A repeat does not name a first occurrence before it.
    #[error("account {index} repeats index {refers_to}, which is not an earlier first occurrence")]
    InvalidRepeat {
        /// Position of the repeat.
        index: usize,
        /// The position it names.
        refers_to: usize,
    },
    /// Two first occurrences have the same address.
    #[error(
        "account {index} has the key of account {first}, {key}; pass it as a repeat of account {first}"
    )]
    DuplicateKey {
        /// Position of the second.
        index: usize,
        /// Position of the first.
        first: usize,
        /// The address.
        key: abi::Pubkey,
    },
    /// An account has more data than an account may have.
    #[error(
        "account {index} has {} bytes of data; the maximum is {}",
        thousands(length),
        thousands(abi::input::MAX_PERMITTED_DATA_LENGTH)
    )]
    DataTooLong {
        /// Position of the account.
        index: usize,
        /// Length of its data in bytes.
        length: usize,
    },
    /// The serialized input is longer than the loader's limit.
    #[error(
        "the serialized input takes {} bytes; the limit is {}",
        thousands(length),
        thousands(limit)
    )]
    InputTooLong {
        /// Length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// Program, heap and input together do not fit in the guest's 32-bit memory.
    #[error(
        "a heap of {} bytes and an input of {} bytes do not fit in the guest's memory",
        thousands(heap),
        thousands(input)
    )]
    DoesNotFit {
        /// Length of the heap in bytes.
        heap: u32,
        /// Length of the serialized input in bytes.
        input: usize,
    },
    /// An export that the loader calls before the program's entry failed. WebAssembly only.
    #[error("the program's `{export}` failed: {}", escape_control(reason))]
    SetupFailed {
        /// The export.
        export: &'static str,
        /// The engine's error.
        reason: String,
    },
    /// A WebAssembly program's `alloc` returned an address where the loader cannot write.
    #[error(
        "the program's `alloc` returned {address:#x}, where {} bytes cannot be written",
        thousands(length)
    )]
    InvalidAllocation {
        /// The address that it returned.
        address: u32,
        /// Number of bytes.
        length: u32,
    },
    /// The program's engine does not support an operation.
    #[error("the {engine} engine does not support {what}")]
    NotOnThisEngine {
        /// The operation, in the plural.
        what: &'static str,
        /// The program's engine.
        engine: Engine,
    },
    /// The engine failed: the VM, or the process of a native program.
    #[error("the engine failed: {reason}")]
    Engine {
        /// The engine's error.
        reason: String,
    },
}

impl InvocationError {
    /// The stable name of the kind of error: that of the variant.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.into()
    }

    /// The position of the account that the error is about, if there is one.
    #[cfg(feature = "fixture")]
    pub(crate) fn account(&self) -> Option<usize> {
        match self {
            Self::InvalidRepeat { index, .. }
            | Self::DuplicateKey { index, .. }
            | Self::DataTooLong { index, .. } => Some(*index),
            _ => None,
        }
    }

    /// The error of an engine that failed: its message is the reason.
    #[must_use]
    pub fn engine(error: impl ToString) -> Self {
        Self::Engine {
            reason: error.to_string(),
        }
    }
}
