//! Why an invocation failed, as data.

use std::fmt;

use abi::imports::Import;
use abi::{ProgramError, Pubkey};

use strum::VariantNames;

use super::call::InvalidCall;
use super::phrases::{
    at_counter, describe, doing, ended_at, enough_heap, heap_use, returned, says, used_up,
};
use super::place::{SourceLocation, at, inside};
use super::write_back::WriteBackError;
use crate::display::{escape_control, thousands};

/// Why a program that ran changed nothing.
///
/// Each kind has a stable name, [`Failure::kind`], which JSON carries as `"kind"`. The text escapes
/// what the program wrote, as [`escape_control`] does; the fields keep it.
#[derive(
    Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr, strum::VariantNames,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind"))]
#[non_exhaustive]
pub enum Failure {
    /// The program returned an error.
    #[error("the program returned {}", returned(error))]
    ProgramError {
        /// The error.
        #[cfg_attr(feature = "serde", serde(serialize_with = "serialize_program_error"))]
        error: ProgramError,
    },
    /// The program returned a status that is neither a success nor an error.
    #[error(
        "the program returned the status {status:#x}, which is not an error: the upper half is 0 \
         for an error of the program's own, and the lower half is 0 for a built-in error"
    )]
    InvalidStatus {
        /// The status.
        status: u64,
    },
    /// The gas was used up.
    #[error(
        "out of gas: the limit is {}{}",
        thousands(*limit),
        ended_at(*program_counter, function, location)
    )]
    OutOfGas {
        /// The invocation's gas.
        limit: u64,
        /// The VM's program counter of the block of instructions, or of the syscall, that the
        /// remaining gas could not pay. `None` if the engine does not report it.
        program_counter: Option<u32>,
        /// The function, if the blob has debug information for it.
        function: Option<String>,
        /// The source line, if the blob has debug information for it.
        #[cfg_attr(feature = "serde", serde(flatten))]
        location: Option<SourceLocation>,
    },
    /// An allocation did not fit into the heap, and the program did not handle that.
    #[error(
        "out of memory: cannot allocate {} bytes aligned to {align}; {}",
        thousands(size),
        heap_use(*used, *limit)
    )]
    OutOfMemory {
        /// Size in bytes of the allocation that failed.
        size: u64,
        /// Its alignment in bytes.
        align: u64,
        /// Bytes of the heap in use; `None` if the heap keeps no header.
        used: Option<u32>,
        /// Length of the heap in bytes.
        limit: u32,
    },
    /// The program allocated before it announced the heap to its allocator.
    #[error(
        "the heap was not announced: the program allocated {} bytes before it called \
         `set_heap_base` and `set_heap_limit`",
        thousands(size)
    )]
    HeapNotAnnounced {
        /// Size in bytes of the allocation that failed.
        size: u64,
        /// Its alignment in bytes.
        align: u64,
    },
    /// The program panicked.
    #[error("the program panicked{}{}", at(location), says(message))]
    Panicked {
        /// The panic's message, at most 512 bytes; `None` if the program's panic level omits it.
        message: Option<String>,
        /// The panic's place; `None` if the program's panic level omits it.
        #[cfg_attr(feature = "serde", serde(flatten))]
        location: Option<SourceLocation>,
    },
    /// The invocation has more accounts than the program accepts.
    #[error("the program accepts at most {max} accounts, and the invocation has {given}")]
    TooManyAccounts {
        /// Number of accounts.
        given: u64,
        /// The program's `max_accounts`.
        max: u64,
    },
    /// An account occurs twice, and the program rejects duplicates.
    #[error("account {index} repeats account {first}, and the program rejects duplicates")]
    DuplicateAccount {
        /// Position of the repeat.
        index: u64,
        /// Position of the first occurrence.
        first: u64,
    },
    /// The program called `rlo_abort` without a report.
    #[error("the program aborted")]
    Aborted,
    /// The engine stopped the program, for example because it accessed memory that is not mapped.
    #[error(
        "the program trapped{}{}{}{}",
        at_counter(*program_counter),
        inside(function),
        at(location),
        doing(*program_counter, cause, *address)
    )]
    Trapped {
        /// The VM's program counter; `None` if the engine does not report it.
        program_counter: Option<u32>,
        /// The cause: the instruction, in PolkaVM's notation; the name of the trap in WebAssembly;
        /// how the process ended. `None` if there is no instruction.
        cause: Option<String>,
        /// The guest address that the instruction reads or writes; `None` if it does neither, or if
        /// the engine does not report it.
        address: Option<u32>,
        /// The function, if the blob has debug information for it.
        function: Option<String>,
        /// The source line, if the blob has debug information for it.
        #[cfg_attr(feature = "serde", serde(flatten))]
        location: Option<SourceLocation>,
    },
    /// The program's calls went deeper than its stack: it accessed a frame beyond the stack's end.
    #[error(
        "the stack overflowed{}{}{}{}",
        used_up(*size),
        at_counter(*program_counter),
        inside(function),
        at(location)
    )]
    StackOverflow {
        /// Length of the program's stack in bytes; `None` if the engine's own stack overflowed.
        size: Option<u32>,
        /// The VM's program counter; `None` if the engine does not report it.
        program_counter: Option<u32>,
        /// The function, if the blob has debug information for it.
        function: Option<String>,
        /// The source line, if the blob has debug information for it.
        #[cfg_attr(feature = "serde", serde(flatten))]
        location: Option<SourceLocation>,
    },
    /// A native program used more CPU time, or blocked for longer, than its limit. The native
    /// engine does not count gas.
    #[error("timed out after {limit} s of CPU time or of blocking")]
    TimedOut {
        /// The loader's limit in seconds.
        limit: u32,
    },
    /// The program passed an address to a syscall that it may not read, or not write.
    #[error(
        "`{}` was called with {} bytes at {address:#x}, which the program may not {access}",
        import.symbol(),
        thousands(length)
    )]
    InvalidPointer {
        /// The syscall.
        #[cfg_attr(feature = "serde", serde(serialize_with = "serialize_import"))]
        import: Import,
        /// The guest address.
        address: u64,
        /// Number of bytes.
        length: u64,
        /// The syscall's access.
        access: Access,
    },
    /// The program logged more than the limit.
    #[error("the program logged more than {} bytes", thousands(limit))]
    LogsTooLong {
        /// The loader's limit in bytes.
        limit: usize,
    },
    /// The data of all accounts together grew by more than the limit.
    #[error(
        "the data of all accounts together grew by {} bytes; the limit is {}",
        thousands(growth),
        thousands(limit)
    )]
    GrewTooMuch {
        /// Number of bytes.
        growth: u64,
        /// The loader's limit in bytes.
        limit: u64,
    },
    /// The program set more return data than the limit.
    #[error(
        "the program set {} bytes of return data; the limit is {}",
        thousands(length),
        thousands(limit)
    )]
    ReturnDataTooLong {
        /// Number of bytes.
        length: u64,
        /// The loader's limit in bytes.
        limit: usize,
    },
    /// A syscall cannot do what the program asks for, or the embedder's function of a syscall
    /// returned this failure.
    #[error("`{}` failed: {}", escape_control(symbol), escape_control(reason))]
    SyscallFailed {
        /// The syscall.
        symbol: String,
        /// The reason.
        reason: String,
    },
    /// The program broke a rule of the write-back.
    #[error(transparent)]
    #[cfg_attr(feature = "serde", serde(untagged))]
    WriteBack(#[from] WriteBackError),
    /// The program asked for a call of another program that the loader does not make.
    #[error(transparent)]
    #[cfg_attr(feature = "serde", serde(untagged))]
    InvalidCall(#[from] InvalidCall),
    /// A program that another called failed. That ends its callers too.
    ///
    /// [`kind`](Self::kind) and [`help`](Self::help) are those of the called program's failure.
    #[error("program {program_id}, called at depth {depth}, failed: {failure}")]
    #[cfg_attr(
        feature = "serde",
        serde(untagged, serialize_with = "serialize_called")
    )]
    Called {
        /// The program that failed; in JSON `failed_program`.
        program_id: Pubkey,
        /// The depth of its call: 2 for a program that the outermost program called.
        depth: u64,
        /// Its failure, which is never another `Called`.
        failure: Box<Failure>,
    },
}

/// The failure of a program that returns this error.
impl From<ProgramError> for Failure {
    fn from(error: ProgramError) -> Self {
        Self::ProgramError { error }
    }
}

impl Failure {
    /// The status of the program that another called, if this failure is that it returned one.
    pub(crate) fn status_of_called(&self) -> Option<u64> {
        match self {
            Self::Called { failure, .. } => match **failure {
                Self::ProgramError { error } => Some(error.status()),
                Self::InvalidStatus { status } => Some(status),
                _ => None,
            },
            _ => None,
        }
    }

    /// The names of all kinds: what [`kind`](Self::kind) can return.
    ///
    /// ```
    /// use loader::Failure;
    ///
    /// assert!(Failure::kinds().any(|kind| kind == Failure::Aborted.kind()));
    /// assert!(Failure::kinds().any(|kind| kind == "AccountNotWritable"));
    /// ```
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        let own = Self::VARIANTS.iter();
        let rules = WriteBackError::VARIANTS.iter();
        let calls = InvalidCall::VARIANTS.iter();
        own.chain(rules).chain(calls).copied()
    }

    /// The stable name of the kind of failure: that of the variant, or of the rule that was broken.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::WriteBack(error) => error.kind(),
            Self::InvalidCall(error) => error.kind(),
            Self::Called { failure, .. } => failure.kind(),
            other => other.into(),
        }
    }
}

impl Failure {
    /// The failure itself, or that of the called program which it is about.
    ///
    /// ```
    /// use loader::{Failure, Pubkey};
    ///
    /// let program_id = Pubkey::new([1; 32]);
    /// let failure = Failure::Called { program_id, depth: 2, failure: Box::new(Failure::Aborted) };
    /// assert_eq!(failure.cause(), &Failure::Aborted);
    /// assert_eq!(Failure::Aborted.cause(), &Failure::Aborted);
    /// ```
    #[must_use]
    pub fn cause(&self) -> &Self {
        match self {
            Self::Called { failure, .. } => failure.cause(),
            other => other,
        }
    }

    /// The failure for the callers of a program that failed with this one.
    pub(crate) fn of_called(self, program_id: Pubkey, depth: u64) -> Self {
        match self {
            Self::Called { .. } => self,
            other => Self::Called {
                program_id,
                depth,
                failure: Box::new(other),
            },
        }
    }

    /// The failure of a program that returned this status, which is not success.
    pub(crate) fn of_status(status: u64) -> Self {
        match ProgramError::from_status(status) {
            Some(error) if error.status() == status => Self::ProgramError { error },
            _ => Self::InvalidStatus { status },
        }
    }

    /// The end of an invocation's gas, on an engine that does not report where.
    #[must_use]
    pub fn out_of_gas(limit: u64) -> Self {
        Self::OutOfGas {
            limit,
            program_counter: None,
            function: None,
            location: None,
        }
    }

    /// Replaces the function and the source line, for a host that knows them better than the blob's
    /// debug information does. A failure without them, or with those that the program reported,
    /// stays as it is.
    pub fn set_place(
        &mut self,
        new_function: Option<String>,
        new_location: Option<SourceLocation>,
    ) {
        if let Self::OutOfGas {
            function, location, ..
        }
        | Self::Trapped {
            function, location, ..
        }
        | Self::StackOverflow {
            function, location, ..
        } = self
        {
            (*function, *location) = (new_function, new_location);
        }
    }

    /// What to do about the failure, for its author; `None` if the text tells.
    ///
    /// ```
    /// use loader::Failure;
    ///
    /// let failure = Failure::OutOfMemory { size: 40_960, align: 1, used: Some(0), limit: 32_768 };
    /// assert_eq!(
    ///     failure.help().as_deref(),
    ///     Some("raise the heap size, for example to 64 KiB: `heap_size` in the program's entry \
    ///         for all runs, or for one `heap` in a fixture, `--heap` on the command line, or \
    ///         `Invocation::heap_size`")
    /// );
    /// assert_eq!(Failure::Aborted.help(), None);
    /// ```
    #[must_use]
    pub fn help(&self) -> Option<String> {
        let help = match self.cause() {
            Self::OutOfGas { .. } => {
                "if the program needs more, raise the gas limit: `gas` in a fixture, `--gas` on the \
                 command line, or `Invocation::gas`"
            }
            Self::OutOfMemory {
                size, used, limit, ..
            } => {
                let Some(enough) = enough_heap(*size, *used, *limit) else {
                    return Some(
                        "allocate less: no heap within the default limits has room".to_owned(),
                    );
                };
                return Some(format!(
                    "raise the heap size, for example to {enough}: `heap_size` in the program's entry for \
                     all runs, or for one `heap` in a fixture, `--heap` on the command line, or \
                     `Invocation::heap_size`"
                ));
            }
            Self::StackOverflow { .. } => {
                "keep large values in a `Box` or in account data, bound the depth of calls, or raise \
                 `stack` in the program's `package.metadata.entrypoint`"
            }
            Self::TooManyAccounts { .. } => {
                "raise the option `max_accounts` of the program's entry, or pass fewer accounts"
            }
            Self::DuplicateAccount { .. } => {
                "pass different accounts, or remove `duplicates = reject` from the program's entry"
            }
            Self::WriteBack(WriteBackError::AccountNotWritable { .. }) => {
                "mark the account as writable, if the program may change it: `writable = true` in a \
                 fixture, or `AccountInput::writable`"
            }
            Self::InvalidCall(error) => return error.help().map(str::to_owned),
            _ => return None,
        };
        Some(help.to_owned())
    }

    /// A trap of which the engine reports the cause and nothing else.
    #[must_use]
    pub fn trapped_because(cause: impl Into<String>) -> Self {
        Self::Trapped {
            program_counter: None,
            cause: Some(cause.into()),
            address: None,
            function: None,
            location: None,
        }
    }
}

/// A syscall's access to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Access {
    /// It is read.
    Read,
    /// It is written.
    Write,
}

impl fmt::Display for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

#[cfg(feature = "serde")]
fn serialize_program_error<S: serde::Serializer>(
    error: &ProgramError,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&describe(error))
}

/// An object with the kind of the called program's failure, and that failure inside of it.
#[cfg(feature = "serde")]
fn serialize_called<S: serde::Serializer>(
    program_id: &Pubkey,
    depth: &u64,
    failure: &Failure,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeStruct;

    let mut fields = serializer.serialize_struct("Called", 4)?;
    fields.serialize_field("kind", failure.kind())?;
    fields.serialize_field("failed_program", &program_id.to_string())?;
    fields.serialize_field("depth", depth)?;
    fields.serialize_field("failure", failure)?;
    fields.end()
}

#[cfg(feature = "serde")]
fn serialize_import<S: serde::Serializer>(
    import: &Import,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(import.symbol())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_escapes_what_the_program_wrote() {
        let evil = || "a\u{202e}b\nc".to_owned();
        let location = || {
            Some(SourceLocation {
                file: evil(),
                line: 1,
                column: None,
            })
        };
        let panicked = Failure::Panicked {
            message: Some(evil()),
            location: location(),
        };
        assert_eq!(
            panicked.to_string(),
            r"the program panicked at a\u{202e}b\nc:1: a\u{202e}b\nc"
        );
        let overflow = Failure::StackOverflow {
            size: None,
            program_counter: None,
            function: Some(evil()),
            location: location(),
        };
        assert_eq!(
            overflow.to_string(),
            r"the stack overflowed in a\u{202e}b\nc at a\u{202e}b\nc:1"
        );
        assert_eq!(
            Failure::trapped_because(evil()).to_string(),
            r"the program trapped: a\u{202e}b\nc"
        );
    }
}
