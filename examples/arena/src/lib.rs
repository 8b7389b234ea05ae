//! Works through its input line by line, with an arena that is emptied after each.
//!
//! The arena is in a static, and the report in another one, over a part of the program's heap. The
//! memory of a line is freed after the line, for any order of allocations, so the program needs as
//! much scratch memory as its longest line.
#![no_std]

use entrypoint::allocator::allocator_api2::vec::Vec;
use entrypoint::allocator::{Arena, Budget, StaticBuffer};
use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, entrypoint, msg};

entrypoint!(process_instruction);

/// The memory of a word. It depends on the target: a `&str` is an address and a length.
const WORD: usize = size_of::<&str>();

/// The memory of one line: 32 words, at the bottom.
const LINE: Budget = Budget::new(32 * WORD, 0);

static SCRATCH: StaticBuffer<{ 32 * WORD }> = StaticBuffer::new();

/// The static was taken before: a process has one invocation, as on the VM.
const CALLED_TWICE: ProgramError = ProgramError::Custom(2);

/// The arena is full: a line or a word is too long.
const NO_ROOM: ProgramError = ProgramError::Custom(1);

/// Sorts the words of each line of the instruction data, and logs the longest one of all.
pub fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let text =
        core::str::from_utf8(instruction_data).map_err(|_| ProgramError::InvalidInstructionData)?;
    let scratch = SCRATCH.take().ok_or(CALLED_TWICE)?;
    let mut line_arena = Arena::from_static_buffer(scratch);
    if !line_arena.fits_budget(&LINE) {
        return Err(NO_ROOM);
    }
    let report_arena = Arena::try_with_capacity(256).map_err(|_| NO_ROOM)?;
    let mut longest = report_arena.alloc_bottom_str("").map_err(|_| NO_ROOM)?;

    for line in text.lines() {
        let mut words = Vec::new_in(line_arena.bottom_handle());
        for word in line.split_whitespace() {
            words.try_reserve(1).map_err(|_| NO_ROOM)?;
            words.push(word);
        }
        words.sort_unstable();
        msg!("{words:?}");
        for word in words {
            // The handle is of this arena and of its only epoch.
            let so_far = longest.get(&report_arena).map_or("", |word| word);
            if word.len() > so_far.len() {
                longest = report_arena.alloc_bottom_str(word).map_err(|_| NO_ROOM)?;
            }
        }
        // Nothing borrows the arena any more, or this would not compile.
        line_arena.reset().map_err(|_| NO_ROOM)?;
    }
    msg!(
        "the longest word is {:?}; {} lines took room for {} words at most",
        longest.get(&report_arena).map_or("", |word| word),
        line_arena.epoch(),
        line_arena.bottom_peak() / WORD
    );
    Ok(())
}
