//! Signatures and curves, which the host calculates.
//!
//! | module or function | for |
//! |---|---|
//! | [`secp256k1_recover`] | the public key that signed a hash, as in Ethereum |
//! | [`curve25519`] | points of ed25519 and ristretto255 |
//! | [`alt_bn128`] | points and pairings of Ethereum's precompiles, for proofs without knowledge |
//! | [`poseidon`] | a hash that is cheap inside such proofs |
//! | [`big_mod_exp`] | powers of large numbers modulo another, as in RSA |
//!
//! Unit tests on the host do not have these: each function panics there with the name of its
//! syscall. Test a program that calls them with a fixture, on a loader. The hashes of
//! [`mod@crate::hash`] are calculated in unit tests too.
//!
//! ```no_run
//! use entrypoint::crypto::secp256k1_recover;
//! use entrypoint::hash::keccak256;
//! use entrypoint::{ProgramError, ProgramResult};
//!
//! /// Checks that the owner of an Ethereum address has signed the message.
//! fn check(
//!     message: &[u8],
//!     recovery_id: u8,
//!     signature: &[u8; 64],
//!     address: &[u8; 20],
//! ) -> ProgramResult {
//!     let key = secp256k1_recover(&keccak256(&[message]), recovery_id, signature)?;
//!     if keccak256(&[&key])[12..] != *address {
//!         return Err(ProgramError::IncorrectAuthority);
//!     }
//!     Ok(())
//! }
//! ```

use abi::ProgramError;
use abi::call::Slice;

use crate::call::slice_of;
use crate::hash::slices_of;
use crate::target::syscalls as raw;

/// Returns the result, or the error of an input that the host does not accept.
fn accepted<T>(status: u64, result: T) -> Result<T, ProgramError> {
    if status == 0 {
        Ok(result)
    } else {
        Err(ProgramError::InvalidArgument)
    }
}

/// Returns the public key that signed a hash, as Ethereum's `ecrecover`: x and y, without the byte
/// before them.
///
/// The signature is r and s. The host rejects one whose s is in the upper half, because anyone can
/// change it into another valid signature.
///
/// # Errors
///
/// [`ProgramError::InvalidArgument`] if the recovery id is not 0 to 3, or if the signature is
/// invalid.
pub fn secp256k1_recover(
    hash: &[u8; 32],
    recovery_id: u8,
    signature: &[u8; 64],
) -> Result<[u8; 64], ProgramError> {
    let mut key = [0; 64];
    // SAFETY: 32 bytes are readable at the hash, 64 at the signature, and 64 are writable at the
    // key.
    let status = unsafe {
        raw::rlo_secp256k1_recover(
            hash.as_ptr(),
            recovery_id.into(),
            signature.as_ptr(),
            key.as_mut_ptr(),
        )
    };
    accepted(status, key)
}

/// Points of curve25519. A point has 32 bytes, compressed. A scalar has 32 bytes, little endian,
/// and is less than the order of the group.
pub mod curve25519 {
    use abi::ProgramError;

    use super::accepted;
    use crate::target::syscalls as raw;

    /// How a point is written.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[repr(u64)]
    pub enum Form {
        /// As a point of the curve in Edwards form, as in ed25519.
        Edwards = 0,
        /// As an element of ristretto255.
        Ristretto = 1,
    }

    /// Returns whether the bytes are a point.
    #[must_use]
    pub fn is_point(form: Form, bytes: &[u8; 32]) -> bool {
        // SAFETY: 32 bytes are readable at the point. The host does not write to the result.
        let status = unsafe {
            raw::rlo_curve_validate_point(form as u64, bytes.as_ptr(), core::ptr::null_mut())
        };
        status == 0
    }

    /// Returns the sum of two points.
    ///
    /// # Errors
    ///
    /// [`ProgramError::InvalidArgument`] if one is not a point.
    pub fn add(form: Form, left: &[u8; 32], right: &[u8; 32]) -> Result<[u8; 32], ProgramError> {
        operation(form, 0, left, right)
    }

    /// Returns the difference of two points.
    ///
    /// # Errors
    ///
    /// [`ProgramError::InvalidArgument`] if one is not a point.
    pub fn subtract(
        form: Form,
        left: &[u8; 32],
        right: &[u8; 32],
    ) -> Result<[u8; 32], ProgramError> {
        operation(form, 1, left, right)
    }

    /// Returns the product of a scalar and a point.
    ///
    /// # Errors
    ///
    /// [`ProgramError::InvalidArgument`] if the bytes are not a scalar or not a point.
    pub fn multiply(
        form: Form,
        scalar: &[u8; 32],
        point: &[u8; 32],
    ) -> Result<[u8; 32], ProgramError> {
        operation(form, 2, scalar, point)
    }

    fn operation(
        form: Form,
        operation: u64,
        left: &[u8; 32],
        right: &[u8; 32],
    ) -> Result<[u8; 32], ProgramError> {
        let mut result = [0; 32];
        // SAFETY: 32 bytes are readable at both inputs, and writable at the result.
        let status = unsafe {
            raw::rlo_curve_group_op(
                form as u64,
                operation,
                left.as_ptr(),
                right.as_ptr(),
                result.as_mut_ptr(),
            )
        };
        accepted(status, result)
    }

    /// Multiplies each scalar with its point, and returns the sum of the products.
    ///
    /// # Errors
    ///
    /// [`ProgramError::InvalidArgument`] if there are not as many scalars as points, if there are
    /// more than 512, or if any bytes are not a scalar or not a point.
    pub fn multiscalar_multiply(
        form: Form,
        scalars: &[[u8; 32]],
        points: &[[u8; 32]],
    ) -> Result<[u8; 32], ProgramError> {
        if scalars.len() != points.len() {
            return Err(ProgramError::InvalidArgument);
        }
        let mut result = [0; 32];
        // SAFETY: 32 bytes are readable for each of the scalars and of the points, of which there
        // are equally many, and 32 are writable at the result.
        let status = unsafe {
            raw::rlo_curve_multiscalar_mul(
                form as u64,
                scalars.as_ptr().cast(),
                points.as_ptr().cast(),
                points.len() as u64,
                result.as_mut_ptr(),
            )
        };
        accepted(status, result)
    }
}

/// Points of the curve alt_bn128, as Ethereum's precompiles have them (EIP-196 and EIP-197).
///
/// All numbers are big endian. A point of G1 has 64 bytes, x and y. A point of G2 has 128, in the
/// order of EIP-197. All zeros are the point at infinity.
pub mod alt_bn128 {
    use abi::ProgramError;

    use super::accepted;
    use crate::target::syscalls as raw;

    /// Returns the sum of two points of G1.
    ///
    /// # Errors
    ///
    /// [`ProgramError::InvalidArgument`] if one is not a point of G1.
    pub fn add(left: &[u8; 64], right: &[u8; 64]) -> Result<[u8; 64], ProgramError> {
        let mut input = [0; 128];
        input[..64].copy_from_slice(left);
        input[64..].copy_from_slice(right);
        group(0, &input)
    }

    /// Returns the product of a point of G1 and a number.
    ///
    /// # Errors
    ///
    /// [`ProgramError::InvalidArgument`] if the bytes are not a point of G1.
    pub fn multiply(point: &[u8; 64], number: &[u8; 32]) -> Result<[u8; 64], ProgramError> {
        let mut input = [0; 96];
        input[..64].copy_from_slice(point);
        input[64..].copy_from_slice(number);
        group(2, &input)
    }

    /// Returns whether the product of the pairings is 1. Each pair is a point of G1 and one of G2.
    ///
    /// # Errors
    ///
    /// [`ProgramError::InvalidArgument`] if any bytes are not a point.
    pub fn check_pairings(pairs: &[[u8; 192]]) -> Result<bool, ProgramError> {
        let result: [u8; 32] = group(3, pairs.as_flattened())?;
        Ok(result[31] == 1)
    }

    /// Compresses a point of G1.
    ///
    /// # Errors
    ///
    /// [`ProgramError::InvalidArgument`] if the bytes are not a point of G1.
    pub fn compress_g1(point: &[u8; 64]) -> Result<[u8; 32], ProgramError> {
        compression(0, point)
    }

    /// Decompresses a point of G1.
    ///
    /// # Errors
    ///
    /// [`ProgramError::InvalidArgument`] if the bytes are not a compressed point of G1.
    pub fn decompress_g1(point: &[u8; 32]) -> Result<[u8; 64], ProgramError> {
        compression(1, point)
    }

    /// Compresses a point of G2.
    ///
    /// # Errors
    ///
    /// [`ProgramError::InvalidArgument`] if the bytes are not a point of G2.
    pub fn compress_g2(point: &[u8; 128]) -> Result<[u8; 64], ProgramError> {
        compression(2, point)
    }

    /// Decompresses a point of G2.
    ///
    /// # Errors
    ///
    /// [`ProgramError::InvalidArgument`] if the bytes are not a compressed point of G2.
    pub fn decompress_g2(point: &[u8; 64]) -> Result<[u8; 128], ProgramError> {
        compression(3, point)
    }

    /// Calls the syscall of groups. `N` is the length of the operation's result.
    fn group<const N: usize>(operation: u64, input: &[u8]) -> Result<[u8; N], ProgramError> {
        let mut result = [0; N];
        // SAFETY: the pointer and the length are those of one slice. The callers above choose `N`
        // as the length of the result, so that many bytes are writable.
        let status = unsafe {
            raw::rlo_alt_bn128_group_op(
                operation,
                input.as_ptr(),
                input.len() as u64,
                result.as_mut_ptr(),
            )
        };
        accepted(status, result)
    }

    /// Calls the syscall of compression. `N` is the length of the operation's result.
    fn compression<const N: usize>(operation: u64, input: &[u8]) -> Result<[u8; N], ProgramError> {
        let mut result = [0; N];
        // SAFETY: the pointer and the length are those of one slice. The callers above choose `N`
        // as the length of the result, so that many bytes are writable.
        let status = unsafe {
            raw::rlo_alt_bn128_compression(
                operation,
                input.as_ptr(),
                input.len() as u64,
                result.as_mut_ptr(),
            )
        };
        accepted(status, result)
    }
}

/// The order of the bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum ByteOrder {
    /// The most significant byte comes first.
    Big = 0,
    /// The least significant byte comes first.
    Little = 1,
}

/// Returns the Poseidon hash of 1 to 12 numbers, with circom's parameters.
///
/// Each number is one of the field of alt_bn128, in 32 bytes.
///
/// # Errors
///
/// [`ProgramError::InvalidArgument`] if there are other numbers of inputs, or if an input is not a
/// number of the field.
pub fn poseidon<const N: usize>(
    byte_order: ByteOrder,
    inputs: &[&[u8]; N],
) -> Result<[u8; 32], ProgramError> {
    let inputs = slices_of(inputs);
    let mut hash = [0; 32];
    // SAFETY: `inputs` has the addresses and the lengths of live slices, and 32 bytes are writable
    // at the hash.
    let status = unsafe {
        raw::rlo_poseidon(
            0,
            byte_order as u64,
            inputs.as_ptr().cast(),
            N as u64,
            hash.as_mut_ptr(),
        )
    };
    accepted(status, hash)
}

/// Writes the power of the base to the result, modulo another number. All are big endian.
///
/// The host ends a program whose numbers are longer than its limit, which is 512 bytes.
///
/// # Errors
///
/// [`ProgramError::InvalidArgument`] if the result is not as long as the modulus.
pub fn big_mod_exp(
    base: &[u8],
    exponent: &[u8],
    modulus: &[u8],
    result: &mut [u8],
) -> Result<(), ProgramError> {
    if result.len() != modulus.len() {
        return Err(ProgramError::InvalidArgument);
    }
    let numbers: [Slice; 3] = [slice_of(base), slice_of(exponent), slice_of(modulus)];
    // SAFETY: the numbers have the addresses and the lengths of live slices. By the check above, as
    // many bytes are writable at the result as the modulus has.
    let status = unsafe { raw::rlo_big_mod_exp(numbers.as_ptr().cast(), result.as_mut_ptr()) };
    accepted(status, ())
}
