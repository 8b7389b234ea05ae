//! Instructions that were processed before at the same depth.

use std::sync::Arc;

use abi::instructions::SiblingLengths;
use bytemuck::{bytes_of, cast_slice, pod_read_unaligned};

use super::call::Call;
use super::{Returned, Syscalls};
use crate::invoke::guest::GuestMemory;
use crate::processed::ProcessedInstruction;

/// The value for the program if there is no such instruction.
const NOT_FOUND: u64 = 0;

/// The value for the program if there is one.
const FOUND: u64 = 1;

/// Writes the lengths of an instruction; or the instruction, if the program has passed its lengths.
pub(super) fn get<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let [index, lengths_at, program_id, data, accounts] = call.arguments;
    let Some(sibling) = call.syscalls.sibling(index) else {
        return Ok(Some(NOT_FOUND));
    };
    let lengths = SiblingLengths {
        data_length: sibling.data.len() as u64,
        account_count: sibling.accounts.len() as u64,
    };
    let size = size_of::<SiblingLengths>() as u64;
    let passed: SiblingLengths = pod_read_unaligned(&call.read(lengths_at, size)?);
    if passed != lengths {
        call.pay_for(size)?;
        call.write(lengths_at, bytes_of(&lengths))?;
        return Ok(Some(FOUND));
    }
    let parts: [(u64, &[u8]); 3] = [
        (program_id, sibling.program_id.as_bytes()),
        (data, &sibling.data),
        (accounts, cast_slice(&sibling.accounts)),
    ];
    for (_, bytes) in parts {
        call.pay_for(bytes.len() as u64)?;
    }
    // All of them, or none.
    for (address, bytes) in parts {
        call.check_writable(address, bytes.len() as u64)?;
    }
    for (address, bytes) in parts {
        call.write(address, bytes)?;
    }
    Ok(Some(FOUND))
}

impl Syscalls {
    /// The instruction that was processed before the current one, at the same depth. 0 is the
    /// newest one.
    fn sibling(&self, index: u64) -> Option<Arc<ProcessedInstruction>> {
        if self.depth() == 1 {
            return self.host.processed_instruction(index);
        }
        let place = usize::try_from(index).ok()?.checked_add(1)?;
        let place = self.siblings.len().checked_sub(place)?;
        Some(Arc::clone(&self.siblings[place]))
    }
}
