//! Lending bytes to the host.

use core::fmt;
use core::num::NonZeroU32;

use super::PackedSlice;

/// Packs `bytes` for the host to read. Never [nothing](PackedSlice::NOTHING), not even if there are none:
/// then it is [`PackedSlice::EMPTY`].
///
/// The host reads after the program has returned, so the bytes must still be there: in a static, on the
/// heap, or in the arena, not in a local variable. Nothing checks that; a host would read other bytes of the
/// program's.
///
/// # Errors
///
/// [`LendError`] if the bytes do not lie below address 2^32. In a guest they do; on a 64-bit machine where
/// a program is tested they seldom do.
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
    // The host reads through the number.
    let address = bytes.as_ptr().expose_provenance();
    pack(address, bytes.len()).ok_or(LendError {
        address,
        length: bytes.len(),
    })
}

/// The slice, if its last byte has an address of 32 bits.
fn pack(address: usize, length: usize) -> Option<PackedSlice> {
    let start = NonZeroU32::new(u32::try_from(address).ok()?)?;
    let length = u32::try_from(length).ok()?;
    let end = u64::from(start.get()) + u64::from(length);
    (end <= 1 << 32).then(|| PackedSlice::new(start, length))
}

/// Bytes that cannot be lent, because they do not lie below address 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LendError {
    /// The address of the first.
    pub address: usize,
    /// How many they are.
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
