//! What is wrong before a program runs.

use crate::failure::{SourceLocation, at, inside};
use crate::grouped::grouped;
use crate::program::{Engine, Target};

/// Why there is no loader, or no program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The engine cannot run on this machine.
    #[error("the {engine} engine cannot run on this machine: {reason}")]
    EngineUnavailable {
        /// The engine.
        engine: Engine,
        /// What the VM says.
        reason: String,
    },
    /// The bytes are more than the loader looks at.
    #[error(
        "the program is {} bytes long, the limit is {}",
        grouped(length),
        grouped(limit)
    )]
    BlobTooLong {
        /// Its length in bytes.
        length: usize,
        /// The loader's limit in bytes.
        limit: usize,
    },
    /// The bytes are a program for another machine.
    #[error("this is a program for {found}, and the {engine} engine runs those for {}", engine.target())]
    WrongTarget {
        /// What the bytes are.
        found: Target,
        /// The loader's engine.
        engine: Engine,
    },
    /// The bytes are no WebAssembly module that the loader takes.
    #[error("not a WebAssembly module that can be run: {reason}")]
    InvalidModule {
        /// What the engine, or the loader, says.
        reason: String,
    },
    /// The bytes are no library that can be run.
    #[error("not a library that can be run: {reason}")]
    InvalidLibrary {
        /// What is wrong.
        reason: String,
    },
    /// The bytes are no blob.
    #[error("not a PolkaVM blob: {reason}")]
    InvalidBlob {
        /// What the VM says.
        reason: String,
    },
    /// The blob is a program for a machine with 32 bits.
    #[error("the blob is a 32-bit program; programs are built for RV64")]
    Not64Bit,
    /// The blob does not export `entrypoint`.
    #[error("the program does not export `entrypoint`; it exports {exports}")]
    MissingEntrypoint {
        /// What it exports, for people.
        exports: String,
    },
    /// The blob is longer, or declares more memory, than the loader gives.
    #[error(
        "the program has {} bytes of {what}, the limit is {}",
        grouped(size),
        grouped(limit)
    )]
    MemoryTooLarge {
        /// `code`, `data` or `stack`.
        what: &'static str,
        /// Bytes declared.
        size: u64,
        /// The loader's limit in bytes.
        limit: u32,
    },
    /// The blob contains an instruction that programs may not have.
    #[error(
        "the blob contains the instruction `{name}` at {program_counter:#x}; memory is the loader's to give"
    )]
    ForbiddenInstruction {
        /// The instruction's name.
        name: &'static str,
        /// The VM's program counter.
        program_counter: u32,
    },
    /// The blob jumps to a constant address at which no code starts. A linker has miscompiled it.
    #[error(
        "the blob was miscompiled: the jump at {program_counter:#x}{}{} goes to {target:#x}, where no code \
         starts; build the program again with `cargo entrypoint build`",
        inside(function),
        at(location)
    )]
    InvalidJump {
        /// The VM's program counter of the jump or call.
        program_counter: u32,
        /// Where it goes: an address, or a program counter if the instruction names its target.
        target: u32,
        /// The function that the jump is in, if the blob has debug information.
        function: Option<String>,
        /// The source line of the jump, if the blob has debug information.
        location: Option<SourceLocation>,
    },
    /// The blob imports what the loader does not offer.
    #[error("the program imports `{symbol}`, which the loader does not offer")]
    UnknownImport {
        /// The import's name.
        symbol: String,
    },
}

impl LoadError {
    /// The stable name of the kind of error: that of the variant.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::EngineUnavailable { .. } => "EngineUnavailable",
            Self::BlobTooLong { .. } => "BlobTooLong",
            Self::WrongTarget { .. } => "WrongTarget",
            Self::InvalidModule { .. } => "InvalidModule",
            Self::InvalidLibrary { .. } => "InvalidLibrary",
            Self::InvalidBlob { .. } => "InvalidBlob",
            Self::Not64Bit => "Not64Bit",
            Self::MissingEntrypoint { .. } => "MissingEntrypoint",
            Self::MemoryTooLarge { .. } => "MemoryTooLarge",
            Self::ForbiddenInstruction { .. } => "ForbiddenInstruction",
            Self::InvalidJump { .. } => "InvalidJump",
            Self::UnknownImport { .. } => "UnknownImport",
        }
    }
}

/// Why a program was not called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvocationError {
    /// The heap is smaller than every program may expect.
    #[error(
        "a heap of {} bytes is too small: the least is {} bytes (32 KiB)",
        grouped(size),
        grouped(min)
    )]
    HeapTooSmall {
        /// Length asked for, in bytes.
        size: u32,
        /// The least length, in bytes.
        min: u32,
    },
    /// The heap is larger than the loader's limit.
    #[error(
        "a heap of {} bytes is too large: the limit is {} bytes",
        grouped(size),
        grouped(limit)
    )]
    HeapTooLarge {
        /// Length asked for, in bytes.
        size: u32,
        /// The loader's limit, in bytes.
        limit: u32,
    },
    /// The gas is more than the loader's limit, or than the VM can count.
    #[error(
        "a gas limit of {} is too large: the most is {}",
        grouped(gas),
        grouped(limit)
    )]
    GasTooLarge {
        /// Gas asked for.
        gas: u64,
        /// The loader's limit, or what the VM can count if that is less.
        limit: u64,
    },
    /// There are more different accounts than an input can name.
    #[error(
        "{count} different accounts are too many: the most is {}",
        abi::input::MAX_DISTINCT_ACCOUNTS
    )]
    TooManyAccounts {
        /// Number of different accounts.
        count: usize,
    },
    /// The list of accounts is longer than the loader's limit.
    #[error(
        "a list of {} accounts is too long: the limit is {}",
        grouped(count),
        grouped(limit)
    )]
    TooManyEntries {
        /// Number of entries, repeats included.
        count: usize,
        /// The loader's limit.
        limit: usize,
    },
    /// A repeat does not name a first occurrence before it.
    #[error(
        "account {index} repeats account {refers_to}, which is not the first occurrence of an account before it"
    )]
    InvalidRepeat {
        /// Position of the repeat.
        index: usize,
        /// The position it names.
        refers_to: usize,
    },
    /// Two first occurrences have the same address.
    #[error(
        "account {index} has the address of account {first}, {key}; give it as a repeat of {first}"
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
        "account {index} has {} bytes of data, the most is {}",
        grouped(length),
        grouped(abi::input::MAX_PERMITTED_DATA_LENGTH)
    )]
    DataTooLong {
        /// Position of the account.
        index: usize,
        /// Length of its data in bytes.
        length: usize,
    },
    /// The serialized input is longer than the loader's limit.
    #[error(
        "the serialized input takes {} bytes, the limit is {}",
        grouped(length),
        grouped(limit)
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
        grouped(heap),
        grouped(input)
    )]
    DoesNotFit {
        /// Length of the heap in bytes.
        heap: u32,
        /// Length of the serialized input in bytes.
        input: usize,
    },
    /// What the loader calls in a WebAssembly program before the entry has not returned.
    #[error("the program's `{export}` failed: {reason}")]
    NotPrepared {
        /// The export.
        export: &'static str,
        /// What the engine says.
        reason: String,
    },
    /// A WebAssembly program has answered a place for bytes of the loader's that is none.
    #[error(
        "the program's `alloc` was asked for {} bytes and answered {address:#x}, where they cannot be written",
        grouped(length)
    )]
    InvalidRoom {
        /// What it answered.
        address: u32,
        /// Number of bytes.
        length: u32,
    },
    /// Only another engine can do this.
    #[error("the {engine} engine has no {what}")]
    NotOnThisEngine {
        /// What was asked for, in the plural.
        what: &'static str,
        /// The program's engine.
        engine: Engine,
    },
    /// The engine failed: the VM, or the process of a native program.
    #[error("the engine failed: {reason}")]
    Vm {
        /// What it says.
        reason: String,
    },
}

impl InvocationError {
    /// The stable name of the kind of error: that of the variant.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::HeapTooSmall { .. } => "HeapTooSmall",
            Self::HeapTooLarge { .. } => "HeapTooLarge",
            Self::GasTooLarge { .. } => "GasTooLarge",
            Self::TooManyAccounts { .. } => "TooManyAccounts",
            Self::TooManyEntries { .. } => "TooManyEntries",
            Self::InvalidRepeat { .. } => "InvalidRepeat",
            Self::DuplicateKey { .. } => "DuplicateKey",
            Self::DataTooLong { .. } => "DataTooLong",
            Self::InputTooLong { .. } => "InputTooLong",
            Self::DoesNotFit { .. } => "DoesNotFit",
            Self::NotPrepared { .. } => "NotPrepared",
            Self::InvalidRoom { .. } => "InvalidRoom",
            Self::NotOnThisEngine { .. } => "NotOnThisEngine",
            Self::Vm { .. } => "Vm",
        }
    }

    /// The position of the account that is wrong, if it is one.
    #[cfg(feature = "fixture")]
    pub(crate) fn account(&self) -> Option<usize> {
        match self {
            Self::InvalidRepeat { index, .. }
            | Self::DuplicateKey { index, .. }
            | Self::DataTooLong { index, .. } => Some(*index),
            _ => None,
        }
    }

    pub(crate) fn vm(error: impl ToString) -> Self {
        Self::Vm {
            reason: error.to_string(),
        }
    }
}
