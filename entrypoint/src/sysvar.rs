//! The sysvars: what a program can ask about the chain that it runs on.
//!
//! Each has a type with [`get`](Sysvar::get). No account of the instruction is needed.
//!
//! ```
//! use entrypoint::ProgramError;
//! use entrypoint::sysvar::{Clock, Rent, Sysvar};
//!
//! /// Returns the time in seconds, and the kelvins that an account with 100 bytes must hold.
//! fn ask() -> Result<(i64, u64), ProgramError> {
//!     let clock = Clock::get()?;
//!     let rent = Rent::get()?;
//!     Ok((clock.unix_timestamp_ms / 1_000, rent.minimum_balance(100)))
//! }
//!
//! // In a unit test the clock stands at 0, and the rent is the usual one.
//! assert_eq!(ask(), Ok((0, 1_586_880)));
//! ```

use core::mem::MaybeUninit;

pub use abi::sysvar::{Clock, EpochRewards, EpochSchedule, Fees, LastRestartSlot, Rent};
use abi::{ProgramError, Pubkey};

use crate::target::syscalls as raw;

mod sealed {
    use bytemuck::Pod;

    pub trait Sysvar: Pod {
        /// Makes the syscall of this sysvar.
        ///
        /// # Safety
        ///
        /// A `Self` is writable at `value`.
        unsafe fn ask(value: *mut u8) -> u64;
    }
}

/// A sysvar with a syscall of its own.
pub trait Sysvar: sealed::Sysvar {
    /// Returns the sysvar, as the host knows it.
    ///
    /// # Errors
    ///
    /// [`ProgramError::UnsupportedSysvar`] if the host does not have it.
    #[inline]
    fn get() -> Result<Self, ProgramError> {
        let mut value = MaybeUninit::<Self>::zeroed();
        // SAFETY: a `Self` is writable at the value.
        let status = unsafe { Self::ask(value.as_mut_ptr().cast()) };
        if status != 0 {
            return Err(ProgramError::UnsupportedSysvar);
        }
        // SAFETY: all bytes are initialized, and any bytes are a valid value, which is `Pod`.
        Ok(unsafe { value.assume_init() })
    }
}

macro_rules! sysvars {
    ($($type:ident = $syscall:ident;)*) => {
        $(
            impl sealed::Sysvar for $type {
                #[inline(always)]
                unsafe fn ask(value: *mut u8) -> u64 {
                    // SAFETY: by the contract, a value of the sysvar is writable.
                    unsafe { raw::$syscall(value) }
                }
            }

            impl Sysvar for $type {}
        )*
    };
}

sysvars! {
    Clock = rlo_get_clock_sysvar;
    Rent = rlo_get_rent_sysvar;
    EpochSchedule = rlo_get_epoch_schedule_sysvar;
    Fees = rlo_get_fees_sysvar;
    EpochRewards = rlo_get_epoch_rewards_sysvar;
    LastRestartSlot = rlo_get_last_restart_slot;
}

/// Copies bytes of the account of a sysvar into the buffer, from `offset` on.
///
/// The account's data has the fields of the sysvar without padding: `to_data` of each sysvar's type
/// shows it. Use this for a part of a long sysvar, or for one that has no type here.
///
/// ```
/// use entrypoint::sysvar::{Rent, get_sysvar};
///
/// let mut kelvins_per_byte_year = [0; 8];
/// get_sysvar(&Rent::ID, 0, &mut kelvins_per_byte_year)?;
/// assert_eq!(u64::from_le_bytes(kelvins_per_byte_year), 3_480);
/// # Ok::<(), entrypoint::ProgramError>(())
/// ```
///
/// # Errors
///
/// - [`ProgramError::UnsupportedSysvar`] if the host has no sysvar with this id.
/// - [`ProgramError::InvalidArgument`] if the sysvar ends before `offset` and the length of the
///   buffer.
#[inline]
pub fn get_sysvar(id: &Pubkey, offset: u64, buffer: &mut [u8]) -> Result<(), ProgramError> {
    // SAFETY: 32 bytes are readable at the id, and the pointer and the length are those of one
    // slice.
    let status = unsafe {
        raw::rlo_get_sysvar(
            id.as_bytes().as_ptr(),
            buffer.as_mut_ptr(),
            offset,
            buffer.len() as u64,
        )
    };
    match status {
        0 => Ok(()),
        1 => Err(ProgramError::InvalidArgument),
        _ => Err(ProgramError::UnsupportedSysvar),
    }
}

/// Returns the random seed of the block.
///
/// All programs of a block get the same number, and the maker of the block can know it first: do
/// not decide with it who gets value.
///
/// # Errors
///
/// [`ProgramError::UnsupportedSysvar`] if the host has none.
#[inline]
pub fn random_seed() -> Result<u64, ProgramError> {
    let mut seed = 0_u64;
    // SAFETY: 8 bytes are writable at the seed.
    let status = unsafe { raw::rlo_get_random_seed((&raw mut seed).cast()) };
    if status != 0 {
        return Err(ProgramError::UnsupportedSysvar);
    }
    Ok(seed)
}

/// Returns the depth of the current call: 1 for a program that the host called, 2 for one that this
/// one called, up to [`MAX_CALL_DEPTH`](crate::call::MAX_CALL_DEPTH).
///
/// ```
/// assert_eq!(entrypoint::stack_height(), 1);
/// ```
#[inline]
#[must_use]
pub fn stack_height() -> u64 {
    // SAFETY: the syscall has no arguments.
    unsafe { raw::rlo_get_stack_height() }
}
