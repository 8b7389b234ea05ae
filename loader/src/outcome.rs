//! What became of an invocation.

use crate::Engine;
use crate::account::Account;
use crate::failure::Failure;

/// What became of an invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an outcome says whether the program succeeded"]
#[non_exhaustive]
pub struct Outcome {
    /// What the program returned; `None` if it ended without returning.
    pub status: Option<u64>,
    /// Why nothing was kept; `None` if the program succeeded and every change was allowed.
    pub failure: Option<Failure>,
    /// Gas used. All of it, if the program ran out of gas.
    pub gas_used: u64,
    /// How the heap was used.
    pub heap: HeapUse,
    /// The lines that were logged, whether or not the program succeeded.
    pub logs: Vec<String>,
    /// The return data; empty if the program did not succeed.
    pub return_data: Vec<u8>,
    /// The accounts afterwards, one for each first occurrence, in order. As they were before, if the
    /// program did not succeed.
    pub accounts: Vec<Account>,
    /// The engine that ran the program.
    pub engine: Engine,
}

impl Outcome {
    /// Whether the program succeeded and every change it made was kept.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.failure.is_none()
    }
}

/// How a program used its heap. All figures are in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct HeapUse {
    /// Length of the heap that the program was given.
    pub limit: u32,
    /// Bytes in use when the program ended, alignment gaps included, header and global state not. `None`
    /// if the program does not say: its heap is not the default one, or its header makes no sense.
    pub used: Option<u32>,
    /// The most bytes that were in use at once. `None` as above.
    pub peak: Option<u32>,
}
