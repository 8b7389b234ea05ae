//! The other instructions of the transaction, in a unit test.

use std::vec::Vec;

use abi::host::ProcessedInstruction;

use super::host::Current;

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
