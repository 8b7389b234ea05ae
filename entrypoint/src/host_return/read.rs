//! Reading what the host has written.

use allocator::InvocationArena;

use super::{HostReturn, HostReturnError, PackedSlice};

/// The bytes that the host has passed, without a copy; `None` if it has passed nothing.
///
/// Takes any value: only bytes that `arena` has handed out since it was last reset are read. Something
/// empty is not looked up, because it has no bytes.
///
/// # Errors
///
/// - [`HostReturnError::NoRoom`] if the host had something, and no room for it.
/// - [`HostReturnError::Malformed`] if the value is none of those in the [module's table](super).
/// - [`HostReturnError::OutsideArena`] if the bytes, or some of them, were not handed out.
pub fn bytes<const N: usize>(
    arena: &InvocationArena<N>,
    packed: PackedSlice,
) -> Result<Option<&[u8]>, HostReturnError> {
    read_in(packed, |address, length| arena.bytes(address, length))
}

/// The same, from whatever lends bytes that it has handed out.
pub(crate) fn read_in<'room>(
    packed: PackedSlice,
    lend: impl FnOnce(usize, usize) -> Option<&'room [u8]>,
) -> Result<Option<&'room [u8]>, HostReturnError> {
    match packed.view()? {
        HostReturn::Nothing => Ok(None),
        HostReturn::NoRoom => Err(HostReturnError::NoRoom),
        HostReturn::Slice { length: 0, .. } => Ok(Some(&[])),
        HostReturn::Slice { address, length } => {
            let address = address.get();
            match lend(address as usize, length as usize) {
                Some(bytes) => Ok(Some(bytes)),
                None => Err(HostReturnError::OutsideArena { address, length }),
            }
        }
    }
}

/// The text that the host has passed, without a copy; `None` if it has passed nothing.
///
/// # Errors
///
/// As for [`bytes`], and [`HostReturnError::NotUtf8`] if the bytes are no text.
pub fn text<const N: usize>(
    arena: &InvocationArena<N>,
    packed: PackedSlice,
) -> Result<Option<&str>, HostReturnError> {
    text_of(bytes(arena, packed))
}

/// What was read, as text.
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

// Bytes in an arena are read in `tests/host_return.rs`, on the VM: here addresses have more than 32 bits.
#[cfg(test)]
mod tests {
    use allocator::InvocationArena;
    use proptest::prelude::*;

    use super::{bytes, text};
    use crate::host_return::{HostReturnError, PackedSlice};

    fn arena() -> InvocationArena<64> {
        // SAFETY: the test uses it from one thread, and nobody writes to it.
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
