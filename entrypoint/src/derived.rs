//! Addresses that derive from seeds and a program's id.

use core::mem::MaybeUninit;

use abi::call::{MAX_SEED_LENGTH, MAX_SEEDS};
use abi::{ProgramError, Pubkey};

use crate::call::Seed;
use crate::target::syscalls as raw;

/// Derives the address of these seeds, the bump seed included.
///
/// The program with the id can sign for the address with [`invoke_signed`](crate::invoke_signed).
/// If the bump seed is not known yet, use [`find_program_address`].
///
/// ```
/// use entrypoint::{Pubkey, Seed, create_program_address, find_program_address};
///
/// let program_id = Pubkey::new([7; 32]);
/// let (vault, bump) = find_program_address(&[Seed::from(b"vault")], &program_id)?;
/// let seeds = [Seed::from(b"vault"), Seed::from(&bump)];
/// assert_eq!(create_program_address(&seeds, &program_id)?, vault);
/// # Ok::<(), entrypoint::ProgramError>(())
/// ```
///
/// # Errors
///
/// - [`ProgramError::MaxSeedLengthExceeded`] for more than 16 seeds, or a seed of more than 32
///   bytes.
/// - [`ProgramError::InvalidSeeds`] if the seeds give an address for which a private key may exist.
///   Another bump seed then gives a valid address.
#[inline]
pub fn create_program_address(
    seeds: &[Seed<'_>],
    program_id: &Pubkey,
) -> Result<Pubkey, ProgramError> {
    check(seeds, MAX_SEEDS)?;
    let mut address = MaybeUninit::<Pubkey>::uninit();
    // SAFETY: `seeds` is a slice of the structures that the syscall reads, each of them with the
    // address and the length of a live slice. 32 bytes are readable at the id and writable at the
    // address.
    let status = unsafe {
        raw::rlo_create_program_address(
            seeds.as_ptr().cast(),
            seeds.len() as u64,
            program_id.as_bytes().as_ptr(),
            address.as_mut_ptr().cast(),
        )
    };
    if status != 0 {
        return Err(ProgramError::InvalidSeeds);
    }
    // SAFETY: the syscall has returned 0, so it has written all 32 bytes.
    Ok(unsafe { address.assume_init() })
}

/// Finds the largest bump seed with which these seeds give a valid address: 255, or a little less.
///
/// Returns the address and the bump seed. The host hashes once for each bump seed that it tries,
/// so a program that knows the bump seed, from its instruction data or from an account, saves gas
/// with [`create_program_address`].
///
/// ```
/// use entrypoint::{Pubkey, Seed, find_program_address};
///
/// let program_id = Pubkey::new([7; 32]);
/// let owner = Pubkey::new([9; 32]);
/// let seeds = [Seed::from(b"vault"), Seed::from(&owner)];
/// let (vault, bump) = find_program_address(&seeds, &program_id)?;
/// assert_ne!(vault, owner);
/// assert!(bump > 200);
/// # Ok::<(), entrypoint::ProgramError>(())
/// ```
///
/// # Errors
///
/// - [`ProgramError::MaxSeedLengthExceeded`] for more than 15 seeds, because the bump seed is one
///   more, or for a seed of more than 32 bytes.
/// - [`ProgramError::InvalidSeeds`] if no bump seed gives a valid address. It is practically
///   impossible.
#[inline]
pub fn find_program_address(
    seeds: &[Seed<'_>],
    program_id: &Pubkey,
) -> Result<(Pubkey, u8), ProgramError> {
    check(seeds, MAX_SEEDS - 1)?;
    let mut address = MaybeUninit::<Pubkey>::uninit();
    let mut bump = 0_u8;
    // SAFETY: `seeds` is a slice of the structures that the syscall reads, each of them with the
    // address and the length of a live slice. 32 bytes are readable at the id and writable at the
    // address, and one byte is writable at the bump seed.
    let status = unsafe {
        raw::rlo_try_find_program_address(
            seeds.as_ptr().cast(),
            seeds.len() as u64,
            program_id.as_bytes().as_ptr(),
            address.as_mut_ptr().cast(),
            &raw mut bump,
        )
    };
    if status != 0 {
        return Err(ProgramError::InvalidSeeds);
    }
    // SAFETY: the syscall has returned 0, so it has written all 32 bytes.
    Ok((unsafe { address.assume_init() }, bump))
}

/// Checks the number and the lengths of seeds. The host ends a program that passes too many.
#[inline]
fn check(seeds: &[Seed<'_>], most: usize) -> Result<(), ProgramError> {
    let too_long = |seed: &Seed<'_>| seed.length() > MAX_SEED_LENGTH as u64;
    if seeds.len() > most || seeds.iter().any(too_long) {
        return Err(ProgramError::MaxSeedLengthExceeded);
    }
    Ok(())
}
