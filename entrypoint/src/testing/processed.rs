//! The other instructions of the transaction, in a unit test.

use std::vec;
use std::vec::Vec;

use abi::call::AccountMeta;
use abi::instructions::{Instruction, length, write};
use abi::{Pubkey, ids};

use super::AccountInput;
use super::host::Current;

/// An instruction of the transaction: see [`Host::processed`](super::Host::processed) and
/// [`AccountInput::instructions`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessedInstruction {
    /// The program that it calls.
    pub program_id: Pubkey,
    /// The accounts that the program gets, repeats included.
    pub accounts: Vec<AccountMeta>,
    /// The instruction data.
    pub data: Vec<u8>,
}

impl AccountInput {
    /// The account of the instructions sysvar, while the instruction `current` of these is
    /// processed. [`mod@crate::instructions`] reads it.
    ///
    /// # Panics
    ///
    /// If the instructions are too long for its layout, which counts in 16 bits.
    #[must_use]
    pub fn instructions(transaction: &[ProcessedInstruction], current: u16) -> Self {
        let instructions = transaction.iter().map(|instruction| Instruction {
            program_id: &instruction.program_id,
            accounts: &instruction.accounts,
            data: &instruction.data,
        });
        let instructions: Vec<_> = instructions.collect();
        let written = length(&instructions).and_then(|length| {
            let mut data = vec![0; length];
            write(&instructions, current, &mut data)?;
            Ok(data)
        });
        let data = written.unwrap_or_else(|error| panic!("{error}"));
        Self::new(ids::INSTRUCTIONS)
            .owner(ids::SYSVAR_OWNER)
            .data(data)
    }
}

impl Current {
    /// Forgets what an earlier invocation at the same depth has called.
    pub(super) fn begin(&mut self) {
        self.processed.truncate(self.callers.len());
    }

    /// Keeps a call that the current program has made and that has ended.
    pub(super) fn end_of_call(&mut self, call: ProcessedInstruction) {
        let depth = self.callers.len();
        self.processed.resize_with(depth + 1, Vec::new);
        self.processed[depth].push(call);
    }

    /// The instruction that was processed before the current one, at the same depth. 0 is the
    /// newest one.
    pub(crate) fn sibling(&self, index: u64) -> Option<ProcessedInstruction> {
        let siblings = match self.callers.len().checked_sub(1) {
            None => &self.host.processed,
            Some(caller) => self.processed.get(caller)?,
        };
        let place = usize::try_from(index).ok()?.checked_add(1)?;
        siblings.get(siblings.len().checked_sub(place)?).cloned()
    }
}
