//! Lending bytes to the host.

use core::fmt;
use core::num::NonZeroU32;

use super::PackedSlice;

/// Packs `bytes` for the host to read.
///
/// The result is never [nothing](PackedSlice::NOTHING): for no bytes it is [`PackedSlice::EMPTY`].
///
/// The host reads after the program has returned, so the bytes must still exist: in a static, on
/// the heap, or in the arena, not in a local variable. Nothing checks that. A host would read other
/// bytes of the program.
///
/// # Errors
///
/// [`LendError`] if the bytes are not below address 2^32. In a guest they are; in a unit test on a
/// 64-bit target they seldom are.
///
/// ```
/// use entrypoint::host_return::{PackedSlice, lend};
///
/// assert_eq!(lend(b""), Ok(PackedSlice::EMPTY));
/// assert_ne!(lend(b""), Ok(PackedSlice::NOTHING));
/// ```
pub fn lend(bytes: &[u8]) -> Result<PackedSlice, LendError> {
    if bytes.is_empty() {
        return Ok(PackedSlice::EMPTY);
    }
    // The host reads through this number, so the provenance must be exposed.
    let address = bytes.as_ptr().expose_provenance();
    pack(address, bytes.len()).ok_or(LendError {
        address,
        length: bytes.len(),
    })
}

/// Packs a slice if the address of its last byte has 32 bits.
fn pack(address: usize, length: usize) -> Option<PackedSlice> {
    let start = NonZeroU32::new(u32::try_from(address).ok()?)?;
    let length = u32::try_from(length).ok()?;
    let end = u64::from(start.get()) + u64::from(length);
    (end <= 1 << 32).then(|| PackedSlice::new(start, length))
}

/// The error for bytes that are not below address 2^32 and cannot be lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LendError {
    /// The address of the first byte.
    pub address: usize,
    /// The number of bytes.
    pub length: usize,
}

impl fmt::Display for LendError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} bytes at {:#x} do not lie below address 2^32",
            self.length, self.address
        )
    }
}

impl core::error::Error for LendError {}

#[cfg(all(test, target_pointer_width = "64"))]
mod tests {
    use std::boxed::Box;
    use std::string::ToString;

    use super::{LendError, lend, pack};
    use crate::host_return::PackedSlice;

    #[test]
    fn an_empty_slice_is_empty_wherever_it_is() {
        let byte = Box::new([1_u8]);
        for empty in [[].as_slice(), &byte[1..]] {
            assert_eq!(lend(empty), Ok(PackedSlice::EMPTY));
        }
    }

    #[test]
    fn an_address_is_never_cut() {
        let byte = Box::new([7_u8; 3]);
        let address = byte.as_ptr().addr();
        let error = LendError { address, length: 3 };
        assert_eq!(lend(&*byte), Err(error));
        assert_eq!(
            error.to_string(),
            std::format!("3 bytes at {address:#x} do not lie below address 2^32")
        );
    }

    #[test]
    fn what_lies_below_the_limit_is_packed() {
        const LIMIT: usize = 1 << 32;
        for (address, length) in [
            (1, 1),
            (0x3_0008, 5),
            (LIMIT - 1, 1),
            (LIMIT - 5, 5),
            (1, LIMIT - 1),
        ] {
            let value = (address as u64) << 32 | length as u64;
            assert_eq!(pack(address, length), Some(PackedSlice::from_u64(value)));
        }
        for (address, length) in [
            (LIMIT, 1),
            (LIMIT + 8, 1),
            (LIMIT - 1, 2),
            (LIMIT - 5, 6),
            (1, LIMIT),
            (8, LIMIT + 1),
            (usize::MAX, usize::MAX),
            (0, 1),
            (0, LIMIT - 1),
        ] {
            assert_eq!(pack(address, length), None, "{address:#x}, {length:#x}");
        }
    }
}
