//! Runs the commands of its instruction data, with the same effect on every target.
//!
//! The instruction data is a script: steps of [`STEP_LENGTH`] bytes, each a [`Command`] and three
//! numbers of eight bytes in little endian. Commands up to [`Command::LAST_SAME`] have the same
//! effect on every target, for any numbers: they reduce numbers that could reveal the size of
//! `usize`. The effect of the commands after it depends on the target.
#![no_std]

extern crate alloc;

use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey};

mod accounts;
mod entry;
mod memory;
mod numbers;
mod own;
mod panics;
mod syscalls;
mod text;

/// The most accounts, repeats included, that the program accepts if it lists them itself.
pub const MAX_LISTED: usize = 64;

/// The most accounts that the program accepts with the feature `lean`.
pub const MAX_LEAN: usize = 4;

/// Bytes of a step.
pub const STEP_LENGTH: usize = 1 + 3 * 8;

/// Declares the commands.
macro_rules! commands {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// The meaning of the first byte of a step; the numbers a, b and c follow.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Command {
            $($(#[doc = $doc])* $name,)*
        }

        impl Command {
            /// All of them, each at the place of its number.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
        }
    };
}

commands! {
    /// Ends the script with status a.
    Return,
    /// Logs a text of up to 4,095 bytes: a is its number of letters, b selects them.
    LogText,
    /// Logs the numbers by format strings.
    LogFormatted,
    /// Logs five numbers.
    LogNumbers,
    /// Logs a key of byte a, and the program's id.
    LogKeys,
    /// Sets up to 1,099 bytes of return data: a is their number, b the first one.
    SetReturnData,
    /// Logs up to 39 bytes of the return data: a is their number.
    GetReturnData,
    /// Logs all fields of the accounts.
    Describe,
    /// Sets a byte: account a, offset b, byte c.
    SetData,
    /// Rearranges the bytes of account a: b is a position, c selects the operation.
    TurnData,
    /// Sets the kelvins of account a to b.
    SetKelvins,
    /// Moves c kelvins from account a to account b.
    Transfer,
    /// Gives account a the length b.
    Resize,
    /// Assigns account a to the owner whose bytes are all b.
    Assign,
    /// Borrows the data of accounts a and b at once; c selects the kinds of borrows.
    BorrowTwo,
    /// Borrows the data of account a up to 299 times at once: b is the number of borrows.
    BorrowOften,
    /// Leaves the data of account a borrowed, mutably if b is odd.
    LeakBorrow,
    /// Panics with a message that has a letters and a number.
    Panic,
    /// Panics in the language or the standard library: a selects the panic, b is an operand.
    PanicAsRust,
    /// Allocates up to 16,383 bytes and keeps them: a is their number.
    Allocate,
    /// Tries to allocate memory: a little if a is odd, otherwise more than any heap has.
    TryReserve,
    /// Grows and shrinks two vectors in turns: a is the number of turns, b the growth.
    Regrow,
    /// Boxes up to 255 numbers, and frees them in an order that b selects: a is their number.
    Boxes,
    /// Allocates up to 16,383 zeroed bytes, checks them, and writes to them: a is their number.
    Zeroed,
    /// Uses the standard collections on up to 255 words: a is their number, b selects them.
    Collections,
    /// Parses texts: a is the length, b selects the contents.
    Texts,
    /// Calculates with whole numbers.
    Integers,
    /// Calculates with fractions.
    Fractions,
    /// Recurses up to 200 calls deep: a is the depth.
    Recurse,
    /// Counts in a static.
    Count,
    /// Counts in the heap's own state, if it has one.
    CountInHeap,
    /// Allocates more than any heap has.
    OutOfMemory,
    /// Logs how much gas remains.
    LogGas,
    /// Allocates for ever, a bytes each time.
    AllocateForEver,
    /// Loops for ever.
    Loop,
    /// Calls itself for ever.
    RecurseForEver,
    /// Logs for ever.
    LogForEver,
    /// Reads the byte at the address a.
    ReadAt,
    /// Writes the byte b at the address a.
    WriteAt,
    /// Passes the b bytes at the address a to a syscall; c selects it.
    PassOn,
    /// Logs the address of a block of the heap.
    LogBlock,
    /// Ends the process with exit code a.
    Exit,
    /// Makes the C library abort the process.
    AbortProcess,
    /// Executes an illegal instruction.
    IllegalInstruction,
    /// Closes all files but the standard ones, and continues.
    CloseFiles,
    /// Writes the b bytes of byte a to every file but the standard ones, and continues.
    WriteToFiles,
    /// Prints a line on standard output.
    Print,
    /// Blocks for ever, and uses no CPU time.
    Pause,
    /// Starts a process that waits for ever, and ends this one with exit code a.
    LeaveProcess,
}

impl Command {
    /// The last command with the same effect on every target.
    pub const LAST_SAME: Self = Self::OutOfMemory;

    /// A step of a script.
    #[must_use]
    pub fn step(self, numbers: [u64; 3]) -> [u8; STEP_LENGTH] {
        let mut step = [self as u8; STEP_LENGTH];
        for (place, number) in step[1..].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        step
    }
}

/// The context of a command.
struct Call<'a> {
    program_id: &'a Pubkey,
    accounts: &'a [AccountInfo<'a>],
    numbers: [u64; 3],
}

impl<'a> Call<'a> {
    fn account(&self, position: u64) -> Result<&'a AccountInfo<'a>, ProgramError> {
        let position = usize::try_from(position).ok();
        position
            .and_then(|position| self.accounts.get(position))
            .ok_or(ProgramError::NotEnoughAccountKeys)
    }
}

/// Runs the script, step by step.
pub fn process_instruction(
    program_id: &Pubkey,
    accounts: &[AccountInfo],
    script: &[u8],
) -> ProgramResult {
    let steps = script.chunks_exact(STEP_LENGTH);
    let rest = steps.remainder();
    for step in steps {
        let (number, numbers) = step
            .split_first()
            .ok_or(ProgramError::InvalidInstructionData)?;
        let command = Command::ALL
            .get(usize::from(*number))
            .ok_or(ProgramError::InvalidInstructionData)?;
        let mut call = Call {
            program_id,
            accounts,
            numbers: [0; 3],
        };
        for (number, bytes) in call.numbers.iter_mut().zip(numbers.chunks_exact(8)) {
            *number = bytes
                .iter()
                .rfold(0, |sum, byte| sum << 8 | u64::from(*byte));
        }
        if *command == Command::Return {
            return ProgramError::from_status(call.numbers[0]).map_or(Ok(()), Err);
        }
        run(*command, &call)?;
    }
    if rest.is_empty() {
        Ok(())
    } else {
        Err(ProgramError::InvalidInstructionData)
    }
}

fn run(command: Command, call: &Call) -> ProgramResult {
    let [a, b, c] = call.numbers;
    match command {
        Command::Return => {}
        Command::LogText => text::log(a, b),
        Command::LogFormatted => text::log_formatted(a, b, c),
        Command::LogNumbers => entrypoint::log_64(a, b, c, a ^ b, u64::MAX),
        Command::LogKeys => syscalls::keys(call),
        Command::SetReturnData => syscalls::set_return_data(a, b),
        Command::GetReturnData => syscalls::get_return_data(a),
        Command::Describe => accounts::describe(call),
        Command::SetData => accounts::set_data(call.account(a)?, b, c)?,
        Command::TurnData => accounts::turn_data(call.account(a)?, b, c)?,
        Command::SetKelvins => call.account(a)?.set_kelvins(b),
        Command::Transfer => accounts::transfer(call.account(a)?, call.account(b)?, c)?,
        Command::Resize => accounts::resize(call.account(a)?, b)?,
        Command::Assign => call.account(a)?.assign(&Pubkey::new([b as u8; 32])),
        Command::BorrowTwo => accounts::borrow_two(call.account(a)?, call.account(b)?, c),
        Command::BorrowOften => accounts::borrow_often(call.account(a)?, b),
        Command::LeakBorrow => accounts::leak_borrow(call.account(a)?, b)?,
        Command::Panic => panic!("{} and {b}", text::letters(a % 600, b).as_str()),
        Command::PanicAsRust => panics::panic(a, b),
        Command::Allocate => memory::allocate(a),
        Command::TryReserve => memory::try_reserve(a, b),
        Command::Regrow => memory::regrow(a, b),
        Command::Boxes => memory::boxes(a, b),
        Command::Zeroed => memory::zeroed(a),
        Command::Collections => memory::collections(a, b),
        Command::Texts => text::take_apart(a, b),
        Command::Integers => numbers::integers(a, b, c),
        Command::Fractions => numbers::fractions(a, b, c),
        Command::Recurse => numbers::log_recursion(a),
        Command::Count => syscalls::count(),
        Command::CountInHeap => entry::count_in_heap(),
        Command::OutOfMemory => memory::out_of_memory(),
        _ => own::run(command, call.numbers),
    }
    Ok(())
}
