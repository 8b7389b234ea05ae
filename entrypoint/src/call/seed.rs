//! Seeds of derived addresses, and the signatures that they give.

use core::fmt;
use core::marker::PhantomData;

use abi::Pubkey;
use abi::call::Slice;

use super::instruction::slice_of;

/// A seed of a derived address: at most 32 bytes.
///
/// It borrows the bytes, and has the layout in which the host reads a slice, so passing seeds to
/// the host copies nothing.
///
/// ```
/// use entrypoint::{Pubkey, Seed};
///
/// let owner = Pubkey::new([7; 32]);
/// let bump = 254;
/// let seeds = [Seed::from(b"vault"), Seed::from(&owner), Seed::from(&bump)];
/// assert_eq!(seeds[0].as_bytes(), b"vault");
/// assert_eq!(seeds[2].as_bytes(), [254]);
/// ```
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Seed<'a> {
    slice: Slice,
    _bytes: PhantomData<&'a [u8]>,
}

impl<'a> Seed<'a> {
    /// Returns the seed with these bytes.
    ///
    /// A function that takes seeds rejects one of more than 32 bytes.
    #[inline(always)]
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            slice: slice_of(bytes),
            _bytes: PhantomData,
        }
    }

    /// Returns the seed's bytes.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        let first = core::ptr::with_exposed_provenance(self.slice.address as usize);
        // SAFETY: `new`, the only constructor, has taken address and length from a slice that lives
        // for `'a`, and has exposed its provenance.
        unsafe { core::slice::from_raw_parts(first, self.slice.length as usize) }
    }

    /// Returns the number of bytes.
    #[inline(always)]
    pub(crate) fn length(&self) -> u64 {
        self.slice.length
    }
}

impl<'a> From<&'a [u8]> for Seed<'a> {
    #[inline(always)]
    fn from(bytes: &'a [u8]) -> Self {
        Self::new(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Seed<'a> {
    #[inline(always)]
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::new(bytes)
    }
}

/// One byte: a bump seed.
impl<'a> From<&'a u8> for Seed<'a> {
    #[inline(always)]
    fn from(byte: &'a u8) -> Self {
        Self::new(core::slice::from_ref(byte))
    }
}

impl<'a> From<&'a Pubkey> for Seed<'a> {
    #[inline(always)]
    fn from(key: &'a Pubkey) -> Self {
        Self::new(key.as_bytes())
    }
}

impl<'a> From<&'a str> for Seed<'a> {
    #[inline(always)]
    fn from(text: &'a str) -> Self {
        Self::new(text.as_bytes())
    }
}

impl fmt::Debug for Seed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Seed")
            .field(&self.as_bytes())
            .finish()
    }
}

/// A derived address that signs a call, given as its seeds: the bump seed too.
///
/// Only the program from whose id the address derives can let it sign.
///
/// ```
/// use entrypoint::{Seed, Signer};
///
/// let bump = 254;
/// let seeds = [Seed::from(b"vault"), Seed::from(&bump)];
/// let signer = Signer::new(&seeds);
/// assert_eq!(signer.seeds().len(), 2);
/// ```
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    slice: Slice,
    _seeds: PhantomData<&'a [Seed<'a>]>,
}

impl<'a> Signer<'a> {
    /// Returns the signer with these seeds.
    ///
    /// A call rejects a signer of more than 16 seeds.
    #[inline(always)]
    #[must_use]
    pub fn new(seeds: &'a [Seed<'a>]) -> Self {
        Self {
            slice: slice_of(seeds),
            _seeds: PhantomData,
        }
    }

    /// Returns the seeds.
    #[inline]
    #[must_use]
    pub fn seeds(&self) -> &'a [Seed<'a>] {
        let first = core::ptr::with_exposed_provenance(self.slice.address as usize);
        // SAFETY: `new`, the only constructor, has taken address and length from a slice that lives
        // for `'a`, and has exposed its provenance.
        unsafe { core::slice::from_raw_parts(first, self.slice.length as usize) }
    }
}

impl<'a> From<&'a [Seed<'a>]> for Signer<'a> {
    #[inline(always)]
    fn from(seeds: &'a [Seed<'a>]) -> Self {
        Self::new(seeds)
    }
}

impl<'a, const N: usize> From<&'a [Seed<'a>; N]> for Signer<'a> {
    #[inline(always)]
    fn from(seeds: &'a [Seed<'a>; N]) -> Self {
        Self::new(seeds)
    }
}

impl fmt::Debug for Signer<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Signer")
            .field(&self.seeds())
            .finish()
    }
}

const _: () = assert!(size_of::<Seed<'_>>() == size_of::<Slice>());
const _: () = assert!(size_of::<Signer<'_>>() == size_of::<Slice>());
