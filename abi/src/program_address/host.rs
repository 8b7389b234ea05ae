//! Derived addresses on the host, with the crates that its field trusts.

use curve25519_dalek::edwards::CompressedEdwardsY;
use sha2::{Digest, Sha256};

use super::{ProgramAddressError, check_seeds};
use crate::Pubkey;
use crate::call::PROGRAM_ADDRESS_MARKER;

/// Returns the address that the seeds give, without a search for a bump.
///
/// ```
/// use abi::Pubkey;
/// use abi::program_address::{create_program_address, find_program_address};
///
/// let program = Pubkey::new([7; 32]);
/// let (address, bump) = find_program_address(&[b"vault"], &program).unwrap();
/// assert_eq!(create_program_address(&[b"vault", &[bump]], &program), Ok(address));
/// ```
///
/// # Errors
///
/// [`ProgramAddressError`] if there are too many seeds, if one is too long, or if the address is a
/// point of the curve.
pub fn create_program_address(
    seeds: &[&[u8]],
    program_id: &Pubkey,
) -> Result<Pubkey, ProgramAddressError> {
    check_seeds(seeds, 0)?;
    finish(hash_seeds(seeds), program_id)
}

/// Returns the address that the seeds give with the largest bump, and the bump: 255 to 1.
///
/// Returns `None` if there are more than 15 seeds, if one is too long, or if no bump gives a valid
/// address, which never happens in practice.
///
/// ```
/// use abi::Pubkey;
/// use abi::program_address::find_program_address;
///
/// let program = Pubkey::new([7; 32]);
/// assert!(find_program_address(&[b"vault"], &program).is_some());
/// ```
#[must_use]
pub fn find_program_address(seeds: &[&[u8]], program_id: &Pubkey) -> Option<(Pubkey, u8)> {
    check_seeds(seeds, 1).ok()?;
    let hash = hash_seeds(seeds);
    (1..=u8::MAX).rev().find_map(|bump| {
        let address = finish(hash.clone().chain_update([bump]), program_id).ok()?;
        Some((address, bump))
    })
}

/// Returns whether the bytes are a point of the curve ed25519.
///
/// ```
/// use abi::Pubkey;
/// use abi::program_address::is_on_curve;
///
/// assert!(is_on_curve(&Pubkey::new([0; 32])));
/// ```
#[must_use]
pub fn is_on_curve(key: &Pubkey) -> bool {
    CompressedEdwardsY(key.to_bytes()).decompress().is_some()
}

fn hash_seeds(seeds: &[&[u8]]) -> Sha256 {
    seeds.iter().fold(Sha256::new(), Digest::chain_update)
}

fn finish(seeds: Sha256, program_id: &Pubkey) -> Result<Pubkey, ProgramAddressError> {
    let hash = seeds
        .chain_update(program_id)
        .chain_update(PROGRAM_ADDRESS_MARKER);
    let address = Pubkey::new(hash.finalize().into());
    if is_on_curve(&address) {
        return Err(ProgramAddressError::OnCurve);
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use std::vec::Vec;

    /// Pseudorandom bytes: SHA-256 of a counter.
    fn random(counter: u64) -> [u8; 32] {
        use sha2::{Digest, Sha256};
        Sha256::digest(counter.to_le_bytes()).into()
    }

    #[test]
    fn both_forms_agree_on_random_seeds() {
        for round in 0..10_000 {
            let bytes: Vec<[u8; 32]> = (0..16).map(|seed| random(round * 16 + seed)).collect();
            let count = usize::from(bytes[0][31]) % 17;
            let seeds: Vec<&[u8]> = bytes[..count]
                .iter()
                .map(|seed| &seed[..usize::from(seed[30]) % 33])
                .collect();
            let program = Pubkey::new(random(u64::MAX - round));
            assert_eq!(
                const_create_program_address(&seeds, &program),
                create_program_address(&seeds, &program),
            );
            assert_eq!(
                const_find_program_address(&seeds, &program),
                find_program_address(&seeds, &program),
            );
        }
    }

    /// Small numbers, numbers around p, the largest numbers, all with both signs.
    #[test]
    fn both_forms_agree_at_the_edges() {
        let mut points = 0;
        for low in 0..=u8::MAX {
            for fill in [0, 0xff] {
                for high in [0, 0x7f, 0x80, 0xff] {
                    let mut bytes = [fill; 32];
                    (bytes[0], bytes[31]) = (low, high);
                    let key = Pubkey::new(bytes);
                    assert_eq!(const_is_on_curve(&key), is_on_curve(&key), "{bytes:x?}");
                    points += u32::from(is_on_curve(&key));
                }
            }
        }
        assert!(
            points > 900 && points < 1_200,
            "{points} of 2,048 are points"
        );
    }

    #[test]
    fn the_known_edges_are_points_or_not() {
        let number = |low: u8| {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (low, 0x7f);
            Pubkey::new(bytes)
        };
        let one = |high: u8| {
            let mut bytes = [0; 32];
            (bytes[0], bytes[31]) = (1, high);
            Pubkey::new(bytes)
        };
        // y = 0; y = 1, whose x is 0, with both signs; p - 1; p, which is 0; p + 1, which is 1.
        let points = [
            Pubkey::new([0; 32]),
            one(0),
            one(0x80),
            number(0xec),
            number(0xed),
        ];
        for point in points.into_iter().chain([number(0xee)]) {
            assert!(
                const_is_on_curve(&point) && is_on_curve(&point),
                "{point:?}"
            );
        }
        // y = 2 is not a point.
        let mut two = [0; 32];
        two[0] = 2;
        assert!(!const_is_on_curve(&Pubkey::new(two)));
    }
}
