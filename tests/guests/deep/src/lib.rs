//! Calls itself as often as its instruction data says: 8 bytes, little endian. Each frame has more
//! than 512 bytes. It asks for a heap, and for a stack in its manifest.
#![no_std]

use core::hint::black_box;

use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, entrypoint};

entrypoint!(process_instruction, heap_size = 64 * 1024);

/// Calls `descend`.
pub fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let depth = instruction_data
        .try_into()
        .map_err(|_| ProgramError::InvalidInstructionData)?;
    let depth = u64::from_le_bytes(depth);
    if descend(depth) == depth {
        Ok(())
    } else {
        Err(ProgramError::InvalidArgument)
    }
}

/// Returns the depth, which it counts on the way back.
#[inline(never)]
fn descend(depth: u64) -> u64 {
    let mut frame = [1_u8; 512];
    // The compiler must assume that the frame is used, also after the call.
    black_box(&mut frame);
    if depth == 0 {
        return 0;
    }
    descend(depth - 1) + u64::from(black_box(&frame)[depth as usize % 512])
}
