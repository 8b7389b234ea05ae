//! The instruction of a call.

use core::fmt;

use abi::Pubkey;
use abi::call::{AccountMeta, CallInstruction, Slice};

/// Which program to call, with which accounts and which instruction data.
///
/// It borrows its parts, so making one costs nothing. See [`mod@crate::call`] for an example.
#[derive(Clone, Copy)]
pub struct Instruction<'a> {
    /// The id of the program to call.
    pub program_id: &'a Pubkey,
    /// The accounts that it gets, in order, and what it may do with each.
    pub accounts: &'a [AccountMeta],
    /// The instruction data.
    pub data: &'a [u8],
}

impl Instruction<'_> {
    /// Returns the instruction in the layout of the syscall.
    #[inline(always)]
    pub(super) fn to_call(self) -> CallInstruction {
        CallInstruction {
            program_id: *self.program_id,
            accounts: slice_of(self.accounts),
            data: slice_of(self.data),
        }
    }
}

impl fmt::Debug for Instruction<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Instruction")
            .field("program_id", self.program_id)
            .field("accounts", &self.accounts)
            .field("data", &self.data)
            .finish()
    }
}

/// Returns the address and the length of a slice, as a syscall reads them: with 8 bytes each, on a
/// target with shorter pointers too.
///
/// The host reads through the number, so this exposes the provenance.
#[inline(always)]
pub(crate) fn slice_of<T>(values: &[T]) -> Slice {
    Slice {
        address: values.as_ptr().expose_provenance() as u64,
        length: values.len() as u64,
    }
}
