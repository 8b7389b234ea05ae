//! Reading the bytes that the host wrote.

use allocator::InvocationArena;

use super::{HostReturnError, PackedSlice, Unpacked};

/// Returns the bytes from the host, without a copy, or `None` if it passed nothing.
///
/// Any value is allowed: the function reads only bytes that `arena` has allocated since its last
/// reset. It does not look up an empty value, which has no bytes.
///
/// # Errors
///
/// - [`HostReturnError::NoRoom`] if the host had a value that did not fit.
/// - [`HostReturnError::Malformed`] if the value is not in the [module's table](super).
/// - [`HostReturnError::OutsideArena`] if the arena did not allocate all the bytes.
pub fn bytes<const N: usize>(
    arena: &InvocationArena<N>,
    packed: PackedSlice,
) -> Result<Option<&[u8]>, HostReturnError> {
    read_in(packed, |address, length| arena.bytes(address, length))
}

/// Reads like [`bytes`], from any source of allocated bytes.
pub(crate) fn read_in<'room>(
    packed: PackedSlice,
    lend: impl FnOnce(usize, usize) -> Option<&'room [u8]>,
) -> Result<Option<&'room [u8]>, HostReturnError> {
    match packed.unpack()? {
        Unpacked::Nothing => Ok(None),
        Unpacked::NoRoom => Err(HostReturnError::NoRoom),
        Unpacked::Slice { length: 0, .. } => Ok(Some(&[])),
        Unpacked::Slice { address, length } => {
            let address = address.get();
            match lend(address as usize, length as usize) {
                Some(bytes) => Ok(Some(bytes)),
                None => Err(HostReturnError::OutsideArena { address, length }),
            }
        }
    }
}

/// Returns the text from the host, without a copy, or `None` if it passed nothing.
///
/// # Errors
///
/// As for [`bytes`], and [`HostReturnError::NotUtf8`] if the bytes are not UTF-8.
pub fn text<const N: usize>(
    arena: &InvocationArena<N>,
    packed: PackedSlice,
) -> Result<Option<&str>, HostReturnError> {
    text_of(bytes(arena, packed))
}

/// Converts the result of [`bytes`] to text.
pub(crate) fn text_of(
    bytes: Result<Option<&[u8]>, HostReturnError>,
) -> Result<Option<&str>, HostReturnError> {
    let Some(bytes) = bytes? else {
        return Ok(None);
    };
    match core::str::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) => Err(HostReturnError::NotUtf8 {
            valid_up_to: error.valid_up_to(),
        }),
    }
}

// `tests/tests/handlers/host_return.rs` reads bytes in an arena, on the VM. Here addresses have
// more than 32 bits.
#[cfg(test)]
mod tests {
    use allocator::InvocationArena;
    use proptest::prelude::*;

    use super::{bytes, text};
    use crate::host_return::{HostReturnError, PackedSlice};

    fn arena() -> InvocationArena<64> {
        // SAFETY: the test uses it from one thread, and no code writes to it.
        let arena = unsafe { InvocationArena::new() };
        arena.alloc(64).expect("room");
        arena
    }

    #[test]
    fn nothing_empty_and_no_room_are_told_apart() {
        let arena = arena();
        assert_eq!(bytes(&arena, PackedSlice::NOTHING), Ok(None));
        assert_eq!(text(&arena, PackedSlice::NOTHING), Ok(None));
        for value in [PackedSlice::EMPTY.to_u64(), 1 << 32, u64::MAX << 32] {
            let empty = PackedSlice::from_u64(value);
            assert_eq!(bytes(&arena, empty), Ok(Some([].as_slice())));
            assert_eq!(text(&arena, empty), Ok(Some("")));
        }
        let no_room = HostReturnError::NoRoom;
        assert_eq!(bytes(&arena, PackedSlice::NO_ROOM), Err(no_room));
        assert_eq!(text(&arena, PackedSlice::NO_ROOM), Err(no_room));
    }

    proptest! {
        #[test]
        fn a_length_without_an_address_is_malformed(length in 1..u32::MAX) {
            let arena = arena();
            let error = HostReturnError::Malformed { length };
            let packed = PackedSlice::from_u64(length.into());
            prop_assert_eq!(bytes(&arena, packed), Err(error));
            prop_assert_eq!(text(&arena, packed), Err(error));
        }

        #[cfg(target_pointer_width = "64")]
        #[test]
        fn bytes_elsewhere_are_not_read(address in 1..=u32::MAX, length in 1..=u32::MAX) {
            let arena = arena();
            prop_assume!((&raw const arena).addr() > u32::MAX as usize);
            let error = HostReturnError::OutsideArena { address, length };
            let packed = PackedSlice::from_u64(u64::from(address) << 32 | u64::from(length));
            prop_assert_eq!(bytes(&arena, packed), Err(error));
            prop_assert_eq!(text(&arena, packed), Err(error));
        }
    }
}
