//! Hash functions, which the host calculates.
//!
//! Each takes the input in parts, and hashes them as if they were one.
//!
//! ```
//! use entrypoint::hash::sha256;
//!
//! assert_eq!(sha256(&[b"ab", b"c"]), sha256(&[b"abc"]));
//! ```

use abi::call::Slice;

use crate::call::slice_of;
use crate::target::syscalls as raw;

macro_rules! hash_functions {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident = $syscall:ident;
    )*) => {
        $(
            $(#[doc = $doc])*
            #[must_use]
            pub fn $name<const N: usize>(parts: &[&[u8]; N]) -> [u8; 32] {
                let mut hash = [0; 32];
                let parts = slices_of(parts);
                // SAFETY: `parts` has the addresses and the lengths of live slices, and 32 bytes
                // are writable at the hash. The syscall returns 0.
                unsafe { raw::$syscall(parts.as_ptr().cast(), N as u64, hash.as_mut_ptr()) };
                hash
            }
        )*
    };
}

hash_functions! {
    /// Returns the SHA-256 hash of the parts, one after the other.
    ///
    /// ```
    /// use entrypoint::hash::sha256;
    ///
    /// let hash = sha256(&[b"abc"]);
    /// assert_eq!(hash[..4], [0xBA, 0x78, 0x16, 0xBF]);
    /// ```
    sha256 = rlo_sha256;
    /// Returns the Keccak-256 hash of the parts, one after the other: the one of Ethereum, which
    /// differs from SHA3-256.
    ///
    /// ```
    /// use entrypoint::hash::keccak256;
    ///
    /// let hash = keccak256(&[b"abc"]);
    /// assert_eq!(hash[..4], [0x4E, 0x03, 0x65, 0x7A]);
    /// ```
    keccak256 = rlo_keccak256;
    /// Returns the BLAKE3 hash of the parts, one after the other.
    ///
    /// ```
    /// use entrypoint::hash::blake3;
    ///
    /// let hash = blake3(&[b"abc"]);
    /// assert_eq!(hash[..4], [0x64, 0x37, 0xB3, 0xAC]);
    /// ```
    blake3 = rlo_blake3;
}

/// Returns the parts in the layout in which the host reads them.
#[inline(always)]
pub(crate) fn slices_of<const N: usize>(parts: &[&[u8]; N]) -> [Slice; N] {
    core::array::from_fn(|index| slice_of(parts[index]))
}
