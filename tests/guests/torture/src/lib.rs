//! Arithmetic that virtual machines and linkers get wrong: floats and integers of every width,
//! 128-bit numbers, a Fenwick tree, sorting, numbers as text. The program writes its results into
//! its account; the test compares them with those of the same functions on the host.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod floats;
mod structures;
mod text;
mod wide;

use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, msg};

#[cfg(not(feature = "no-entrypoint"))]
entrypoint::entrypoint!(process_instruction);

/// The parts of the program, by the first byte of its instruction data.
pub const PARTS: [(&str, Part); 8] = [
    ("floats to integers", floats::to_integers),
    ("integers to floats", floats::from_integers),
    ("arithmetic of floats", floats::arithmetic),
    ("128-bit numbers", wide::results),
    ("narrow numbers", wide::narrow),
    ("a Fenwick tree", structures::fenwick),
    ("sorting", structures::sorting),
    ("floats as text", text::results),
];

/// A part: it calculates numbers from a seed, and passes each on.
pub type Part = fn(u64, &mut dyn FnMut(u64));

/// Runs the part whose number is the first byte of the data, with the seed that follows. Writes
/// each result into the account's data, and logs how many there are.
pub fn process_instruction(
    _program_id: &Pubkey,
    accounts: &[AccountInfo],
    data: &[u8],
) -> ProgramResult {
    let (part, seed) = data
        .split_first()
        .ok_or(ProgramError::InvalidInstructionData)?;
    let seed = seed
        .first_chunk()
        .ok_or(ProgramError::InvalidInstructionData)?;
    let (name, part) = PARTS
        .get(usize::from(*part))
        .ok_or(ProgramError::InvalidInstructionData)?;
    let account = accounts.first().ok_or(ProgramError::NotEnoughAccountKeys)?;
    let mut room = account.try_borrow_mut_data()?;
    let (words, _) = room.as_chunks_mut::<8>();
    let mut count = 0;
    part(u64::from_le_bytes(*seed), &mut |result| {
        if let Some(word) = words.get_mut(count) {
            *word = result.to_le_bytes();
        }
        count += 1;
    });
    msg!("{name}: {count} results");
    // A float as text, besides those that are only hashed.
    msg!(
        "{} {:e} {:?}",
        count as f64 / 7.0,
        1e21 / count as f32,
        f64::MIN_POSITIVE
    );
    Ok(())
}

/// Pseudo-random numbers (xorshift64*).
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number of any magnitude: short ones are as likely as long ones.
    fn any_length(&mut self) -> u64 {
        let shift = self.next() % 64;
        self.next() >> shift
    }
}
