//! Reads past the end of a static, which no target notices by itself: a program for tests of the
//! sanitizer.
//!
//! Instruction data: the offset from the start of the static, 8 bytes, little endian.
#![no_std]

use core::hint::black_box;

use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, entrypoint};

entrypoint!(process_instruction);

static TABLE: [u8; 32] = [7; 32];

/// Reads the byte at the offset.
pub fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let Ok(offset) = instruction_data.try_into().map(u64::from_le_bytes) else {
        return Err(ProgramError::InvalidInstructionData);
    };
    let byte = black_box(&TABLE).as_ptr().wrapping_add(offset as usize);
    // SAFETY: `read_volatile` requires a byte of the static. An offset of 32 or more breaks that;
    // this is the fault that the sanitizer must find.
    let value = unsafe { byte.read_volatile() };
    if value == 7 {
        Ok(())
    } else {
        Err(ProgramError::InvalidArgument)
    }
}
