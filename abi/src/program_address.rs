//! Derived addresses: addresses that a program signs for by their seeds.
//!
//! A derived address is the SHA-256 of the seeds, the program's id and
//! [`PROGRAM_ADDRESS_MARKER`]. No private key may exist for it, so the hash must not be a point of
//! the curve ed25519. About every second hash is a point: [`const_find_program_address`] appends
//! one more seed, the bump, and returns the largest bump with which the address is valid.
//!
//! | when it runs | functions |
//! |---|---|
//! | when your crate is compiled | [`const_create_program_address`], [`const_find_program_address`] |
//! | on the host, with the feature `derive` | `create_program_address`, `find_program_address` |
//!
//! All return the same addresses, those of the Rialo runtime (crate `rialo-s-pubkey`). The
//! functions of the host use the crates `sha2` and `curve25519-dalek`. The others need no crate,
//! and run anywhere.
//!
//! ```
//! use abi::Pubkey;
//! use abi::program_address::const_find_program_address;
//!
//! const PROGRAM: Pubkey = Pubkey::new([7; 32]);
//! // The compiler derives the address; the program contains only the 33 bytes.
//! const VAULT: (Pubkey, u8) = const_find_program_address(&[b"vault"], &PROGRAM).unwrap();
//! # assert_ne!(VAULT.0, PROGRAM);
//! ```

use core::fmt;

use crate::Pubkey;
use crate::call::{MAX_SEED_LENGTH, MAX_SEEDS, PROGRAM_ADDRESS_MARKER};

mod curve;
#[cfg(feature = "derive")]
mod host;
mod sha256;

#[cfg(feature = "derive")]
pub use host::{create_program_address, find_program_address, is_on_curve};

use sha256::Sha256;

/// Why seeds give no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProgramAddressError {
    /// There are more than 16 seeds.
    TooManySeeds {
        /// The number of seeds.
        count: usize,
    },
    /// A seed is longer than 32 bytes.
    SeedTooLong {
        /// The position of the seed.
        index: usize,
        /// Its length in bytes.
        length: usize,
    },
    /// The address is a point of the curve, so a private key may exist for it. Use another bump.
    OnCurve,
    /// The owner ends with the marker of derived addresses, so the address could be one.
    IllegalOwner,
}

impl fmt::Display for ProgramAddressError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManySeeds { count } => write!(
                formatter,
                "{count} seeds, and an address has at most {MAX_SEEDS}, the bump included"
            ),
            Self::SeedTooLong { index, length } => write!(
                formatter,
                "seed {index} has {length} bytes, and a seed has at most {MAX_SEED_LENGTH}: split \
                 it, or pass its hash"
            ),
            Self::OnCurve => {
                formatter.write_str("the seeds give a point of the curve ed25519: use another bump")
            }
            Self::IllegalOwner => write!(
                formatter,
                "the owner ends with \"ProgramDerivedAddress\", the marker of derived addresses: \
                 use another owner"
            ),
        }
    }
}

impl core::error::Error for ProgramAddressError {}

/// Returns the address that the seeds give, without a search for a bump. It runs at compile time.
///
/// ```
/// use abi::Pubkey;
/// use abi::program_address::{const_create_program_address, const_find_program_address};
///
/// let program = Pubkey::new([7; 32]);
/// let (address, bump) = const_find_program_address(&[b"vault"], &program).unwrap();
/// let same = const_create_program_address(&[b"vault", &[bump]], &program);
/// assert_eq!(same, Ok(address));
/// ```
///
/// # Errors
///
/// [`ProgramAddressError`] if there are too many seeds, if one is too long, or if the address is a
/// point of the curve.
pub const fn const_create_program_address(
    seeds: &[&[u8]],
    program_id: &Pubkey,
) -> Result<Pubkey, ProgramAddressError> {
    if let Err(error) = check_seeds(seeds, 0) {
        return Err(error);
    }
    finish(hash_seeds(seeds), program_id)
}

/// Returns the address that the seeds give with the largest bump, and the bump: 255 to 1. It runs
/// at compile time.
///
/// Returns `None` if there are more than 15 seeds, if one is too long, or if no bump gives a valid
/// address, which never happens in practice.
///
/// ```
/// use abi::Pubkey;
/// use abi::program_address::const_find_program_address;
///
/// const PROGRAM: Pubkey = Pubkey::new([7; 32]);
/// const VAULT: Option<(Pubkey, u8)> = const_find_program_address(&[b"vault"], &PROGRAM);
/// assert!(VAULT.is_some());
/// ```
#[must_use]
pub const fn const_find_program_address(
    seeds: &[&[u8]],
    program_id: &Pubkey,
) -> Option<(Pubkey, u8)> {
    if check_seeds(seeds, 1).is_err() {
        return None;
    }
    let hash = hash_seeds(seeds);
    let mut bump = u8::MAX;
    while bump > 0 {
        if let Ok(address) = finish(hash.with(&[bump]), program_id) {
            return Some((address, bump));
        }
        bump -= 1;
    }
    None
}

/// Returns the address that a base, a text and an owner give: their SHA-256.
///
/// The base signs for it, and not a program. The system program's instructions `…WithSeed` use such
/// addresses.
///
/// ```
/// use abi::Pubkey;
/// use abi::program_address::create_with_seed;
///
/// let (base, owner) = (Pubkey::new([1; 32]), Pubkey::new([2; 32]));
/// assert_ne!(create_with_seed(&base, "a", &owner)?, create_with_seed(&base, "b", &owner)?);
/// # Ok::<(), abi::program_address::ProgramAddressError>(())
/// ```
///
/// # Errors
///
/// [`ProgramAddressError::SeedTooLong`] if the text is longer than 32 bytes, and
/// [`ProgramAddressError::IllegalOwner`] if the owner ends with [`PROGRAM_ADDRESS_MARKER`].
pub const fn create_with_seed(
    base: &Pubkey,
    seed: &str,
    owner: &Pubkey,
) -> Result<Pubkey, ProgramAddressError> {
    if let Err(error) = check_seeds(&[seed.as_bytes()], 0) {
        return Err(error);
    }
    if owner_ends_with_marker(owner) {
        return Err(ProgramAddressError::IllegalOwner);
    }
    let hash = Sha256::new().with(base.as_bytes());
    let hash = hash.with(seed.as_bytes()).with(owner.as_bytes());
    Ok(Pubkey::new(hash.finish()))
}

/// Returns whether the bytes are a point of the curve ed25519. It runs at compile time.
///
/// ```
/// use abi::Pubkey;
/// use abi::program_address::const_is_on_curve;
///
/// assert!(const_is_on_curve(&Pubkey::new([0; 32])));
/// ```
#[must_use]
pub const fn const_is_on_curve(key: &Pubkey) -> bool {
    curve::is_point(key.as_bytes())
}

/// Returns the SHA-256 of the parts, one after the other. It runs at compile time.
///
/// A program that hashes while it runs asks the host, which costs less gas:
/// [`Sha256`](crate::imports::Import::Sha256).
///
/// ```
/// use abi::program_address::const_sha256;
///
/// const HASH: [u8; 32] = const_sha256(&[b"ab", b"c"]);
/// assert_eq!(HASH[..4], [0xBA, 0x78, 0x16, 0xBF]);
/// ```
#[must_use]
pub const fn const_sha256(parts: &[&[u8]]) -> [u8; 32] {
    hash_seeds(parts).finish()
}

/// Checks the number and the lengths of the seeds, to which `more` will be added.
const fn check_seeds(seeds: &[&[u8]], more: usize) -> Result<(), ProgramAddressError> {
    let count = seeds.len() + more;
    if count > MAX_SEEDS {
        return Err(ProgramAddressError::TooManySeeds { count });
    }
    let mut index = 0;
    while index < seeds.len() {
        let length = seeds[index].len();
        if length > MAX_SEED_LENGTH {
            return Err(ProgramAddressError::SeedTooLong { index, length });
        }
        index += 1;
    }
    Ok(())
}

const fn hash_seeds(seeds: &[&[u8]]) -> Sha256 {
    let mut hash = Sha256::new();
    let mut index = 0;
    while index < seeds.len() {
        hash = hash.with(seeds[index]);
        index += 1;
    }
    hash
}

/// Hashes what follows the seeds, and checks the address.
const fn finish(seeds: Sha256, program_id: &Pubkey) -> Result<Pubkey, ProgramAddressError> {
    let hash = seeds.with(program_id.as_bytes());
    let hash = hash.with(PROGRAM_ADDRESS_MARKER).finish();
    if curve::is_point(&hash) {
        return Err(ProgramAddressError::OnCurve);
    }
    Ok(Pubkey::new(hash))
}

const fn owner_ends_with_marker(owner: &Pubkey) -> bool {
    let start = 32 - PROGRAM_ADDRESS_MARKER.len();
    let mut index = 0;
    while index < PROGRAM_ADDRESS_MARKER.len() {
        if owner.as_bytes()[start + index] != PROGRAM_ADDRESS_MARKER[index] {
            return false;
        }
        index += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_have_limits() {
        let program = Pubkey::new([1; 32]);
        let seeds = [&[0_u8][..]; 17];
        let too_many = Err(ProgramAddressError::TooManySeeds { count: 17 });
        assert_eq!(const_create_program_address(&seeds, &program), too_many);
        assert_eq!(const_find_program_address(&seeds[..16], &program), None);
        assert!(const_find_program_address(&seeds[..15], &program).is_some());
        let long = Err(ProgramAddressError::SeedTooLong {
            index: 1,
            length: 33,
        });
        let seeds = [&[0; 32][..], &[0; 33][..]];
        assert_eq!(const_create_program_address(&seeds, &program), long);
        assert_eq!(const_find_program_address(&seeds, &program), None);
    }

    #[test]
    fn owners_with_the_marker_are_illegal() {
        let mut owner = [9; 32];
        owner[11..].copy_from_slice(PROGRAM_ADDRESS_MARKER);
        let base = Pubkey::new([1; 32]);
        let result = create_with_seed(&base, "seed", &Pubkey::new(owner));
        assert_eq!(result, Err(ProgramAddressError::IllegalOwner));
        owner[31] = b'S';
        assert!(create_with_seed(&base, "seed", &Pubkey::new(owner)).is_ok());
    }
}
