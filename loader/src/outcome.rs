//! The outcome of an invocation.

use abi::{ProgramError, Pubkey};

use crate::Engine;
use crate::account::Account;
use crate::error::Failure;
use crate::transaction_use::TransactionUse;

/// The outcome of an invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an outcome says whether the program succeeded"]
#[non_exhaustive]
pub struct Outcome {
    /// The status that the program returned, or that of the program which it called and whose
    /// failure ended both; `None` if neither returned.
    pub status: Option<u64>,
    /// Why nothing was kept; `None` if the program succeeded and every change was allowed.
    pub failure: Option<Failure>,
    /// Gas used. All of it, if the program ran out of gas.
    pub gas_used: u64,
    /// How the heap was used.
    pub heap: HeapUse,
    /// The lines that were logged, whether or not the program succeeded, in the words of the
    /// loader's [`LogStyle`](crate::LogStyle).
    pub logs: Vec<String>,
    /// The return data; empty if the program did not succeed.
    pub return_data: Vec<u8>,
    /// The accounts afterwards, one for each first occurrence, in order. As they were before, if
    /// the program did not succeed.
    pub accounts: Vec<Account>,
    /// The calls from one program to another, in the order in which they began.
    pub calls: Vec<CallRecord>,
    /// What the transaction has used of its limits: this invocation, and those before it.
    pub transaction_use: TransactionUse,
    /// The engine that ran the program.
    pub engine: Engine,
}

/// A call from one program to another.
///
/// The depths make a tree of the list: the caller is the last program before it whose depth is one
/// less, or the outermost program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CallRecord {
    /// The program that was called.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::text::as_text"))]
    pub program_id: Pubkey,
    /// The depth of the call: 2 for a program that the outermost program called.
    pub depth: u64,
    /// The gas that the program used, that of the programs which it called included. The price of
    /// the call itself is the caller's.
    pub gas_used: u64,
}

/// In the shape in which `cargo entrypoint run --json` prints it: the failure as `error`, with
/// `kind` and `description`, and the return data in hexadecimal. Numbers stay numbers, of up to 64
/// bits; a reader that makes floating-point numbers of them loses digits above 2^53.
#[cfg(feature = "serde")]
impl serde::Serialize for Outcome {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;

        #[derive(serde::Serialize)]
        struct Described<'a> {
            #[serde(flatten)]
            failure: &'a Failure,
            description: String,
        }

        let error = self.failure.as_ref().map(|failure| Described {
            failure,
            description: failure.to_string(),
        });
        let mut fields = serializer.serialize_struct("Outcome", 9)?;
        fields.serialize_field("status", &self.status)?;
        fields.serialize_field("error", &error)?;
        fields.serialize_field("gas_used", &self.gas_used)?;
        fields.serialize_field("heap", &self.heap)?;
        fields.serialize_field("logs", &self.logs)?;
        fields.serialize_field("return_data", &hex::encode(&self.return_data))?;
        fields.serialize_field("accounts", &self.accounts)?;
        fields.serialize_field("calls", &self.calls)?;
        fields.serialize_field("engine", &self.engine)?;
        fields.end()
    }
}

impl Outcome {
    /// Whether the program succeeded and every change it made was kept.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.failure.is_none()
    }
}

/// A status as every report prints it: the number, and its meaning.
///
/// ```
/// use loader::{ProgramError, status_text};
///
/// assert_eq!(status_text(Some(0)), "0 (success)");
/// assert_eq!(status_text(Some(7)), "7 (Custom(7))");
/// let error = ProgramError::InsufficientFunds;
/// assert_eq!(status_text(Some(error.status())), "0x600000000 (InsufficientFunds)");
/// assert_eq!(status_text(Some(5 << 32 | 1)), "0x500000001 (invalid)");
/// assert_eq!(status_text(None), "none");
/// ```
#[must_use]
pub fn status_text(status: Option<u64>) -> String {
    let Some(status) = status else {
        return "none".to_owned();
    };
    let Some(error) = ProgramError::from_status(status) else {
        return format!("{status} (success)");
    };
    if error.status() != status {
        return format!("{status:#x} (invalid)");
    }
    // The number of a built-in error is in the upper half; an author writes the others in decimal.
    if status > u64::from(u32::MAX) {
        format!("{status:#x} ({error:?})")
    } else {
        format!("{status} ({error:?})")
    }
}

/// How a program used its heap. All figures are in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct HeapUse {
    /// Length of the heap that the program was given.
    pub limit: u32,
    /// Bytes in use when the program ended, with alignment gaps, without header and global state.
    /// `None` if the program does not report it: its heap is not the default one, or its header is
    /// invalid.
    pub used: Option<u32>,
    /// The most bytes that were in use at once. `None` as above.
    pub peak: Option<u32>,
}
