//! Address and length as one u64, for a host that calls exports other than the entry.
//!
//! `docs/abi.md` defines who reads the bytes, and when.

use core::fmt;
use core::num::NonZeroU32;

/// The place of bytes in guest memory as one u64: address in the high half, length in the low half.
///
/// Every u64 is a valid `PackedSlice`; [`unpack`](Self::unpack) interprets it.
///
/// ```
/// use core::num::NonZeroU32;
/// use abi::packed::{PackedSlice, Unpacked};
///
/// let address = NonZeroU32::new(0x3_0008).unwrap();
/// let packed = PackedSlice::new(address, 5);
/// assert_eq!(packed.to_u64(), 0x0003_0008_0000_0005);
/// assert_eq!(packed.unpack(), Ok(Unpacked::Slice { address, length: 5 }));
/// assert_eq!(PackedSlice::from_u64(0).unpack(), Ok(Unpacked::Nothing));
/// assert!(PackedSlice::from_u64(5).unpack().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct PackedSlice(u64);

/// The meaning of a [`PackedSlice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unpacked {
    /// No value.
    Nothing,
    /// A value for which there was not enough scratch memory.
    NoRoom,
    /// Bytes in guest memory.
    Slice {
        /// Guest address of the first byte.
        address: NonZeroU32,
        /// Number of bytes. If it is 0, the address has no meaning.
        length: u32,
    },
}

/// The error for a malformed value: a length without an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Malformed {
    /// The length in bytes.
    pub length: u32,
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes without an address", self.length)
    }
}

impl core::error::Error for Malformed {}

/// The length that, with address 0, means that there was not enough scratch memory.
const NO_ROOM_LENGTH: u32 = u32::MAX;

impl PackedSlice {
    /// No value.
    pub const NOTHING: Self = Self(0);

    /// A value for which there was not enough scratch memory.
    pub const NO_ROOM: Self = Self(NO_ROOM_LENGTH as u64);

    /// An empty value. Its address is 8, and has no meaning.
    pub const EMPTY: Self = Self(8 << 32);

    /// Packs `length` bytes at `address`. A `length` of 0 is an empty value, whatever the address.
    #[inline]
    #[must_use]
    pub const fn new(address: NonZeroU32, length: u32) -> Self {
        Self((address.get() as u64) << 32 | length as u64)
    }

    /// Wraps a received value.
    #[inline]
    #[must_use]
    pub const fn from_u64(value: u64) -> Self {
        Self(value)
    }

    /// Returns the value to send.
    #[inline]
    #[must_use]
    pub const fn to_u64(self) -> u64 {
        self.0
    }

    /// Interprets the value.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the address is 0 and the length is neither 0 nor `u32::MAX`.
    #[inline]
    pub const fn unpack(self) -> Result<Unpacked, Malformed> {
        let length = self.0 as u32;
        match NonZeroU32::new((self.0 >> 32) as u32) {
            Some(address) => Ok(Unpacked::Slice { address, length }),
            None => match length {
                0 => Ok(Unpacked::Nothing),
                NO_ROOM_LENGTH => Ok(Unpacked::NoRoom),
                _ => Err(Malformed { length }),
            },
        }
    }
}

impl From<Unpacked> for PackedSlice {
    fn from(unpacked: Unpacked) -> Self {
        match unpacked {
            Unpacked::Nothing => Self::NOTHING,
            Unpacked::NoRoom => Self::NO_ROOM,
            Unpacked::Slice { address, length } => Self::new(address, length),
        }
    }
}

impl fmt::Debug for PackedSlice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PackedSlice({:#018x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use core::num::NonZeroU32;
    use std::format;

    use proptest::prelude::*;

    use super::{Malformed, PackedSlice, Unpacked};

    const EDGES: [u32; 9] = [
        0,
        1,
        7,
        8,
        0x7FFF_FFFF,
        0x8000_0000,
        0x8000_0001,
        u32::MAX - 1,
        u32::MAX,
    ];

    #[test]
    fn the_three_answers_are_three() {
        assert_eq!(PackedSlice::NOTHING.to_u64(), 0);
        assert_eq!(PackedSlice::NO_ROOM.to_u64(), 0xFFFF_FFFF);
        assert_eq!(PackedSlice::NOTHING.unpack(), Ok(Unpacked::Nothing));
        assert_eq!(PackedSlice::NO_ROOM.unpack(), Ok(Unpacked::NoRoom));
        assert_eq!(PackedSlice::from(Unpacked::Nothing), PackedSlice::NOTHING);
        assert_eq!(PackedSlice::from(Unpacked::NoRoom), PackedSlice::NO_ROOM);
        let Ok(Unpacked::Slice { length: 0, .. }) = PackedSlice::EMPTY.unpack() else {
            panic!("empty is a slice of no bytes")
        };
    }

    #[test]
    fn the_address_is_in_the_high_half() {
        for address in EDGES {
            for length in EDGES {
                let value = u64::from(address) * (1 << 32) + u64::from(length);
                let packed = PackedSlice::from_u64(value);
                let expected = match (address, length) {
                    (0, 0) => Ok(Unpacked::Nothing),
                    (0, u32::MAX) => Ok(Unpacked::NoRoom),
                    (0, _) => Err(Malformed { length }),
                    (_, _) => Ok(Unpacked::Slice {
                        address: NonZeroU32::new(address).unwrap(),
                        length,
                    }),
                };
                assert_eq!(packed.unpack(), expected, "{packed:?}");
                if let Some(address) = NonZeroU32::new(address) {
                    assert_eq!(PackedSlice::new(address, length), packed);
                }
            }
        }
    }

    #[test]
    fn it_is_shown_in_halves_that_can_be_told_apart() {
        let shown = format!("{:?}", PackedSlice::from_u64(0x3_0008_0000_0005));
        assert_eq!(shown, "PackedSlice(0x0003000800000005)");
    }

    proptest! {
        #[test]
        fn every_u64_comes_back(value: u64) {
            prop_assert_eq!(PackedSlice::from_u64(value).to_u64(), value);
        }

        #[test]
        fn what_is_packed_is_seen(address in 1..=u32::MAX, length: u32) {
            let address = NonZeroU32::new(address).unwrap();
            let packed = PackedSlice::new(address, length);
            let value = packed.to_u64();
            let halves = (value >> 32, value % (1 << 32));
            prop_assert_eq!(halves, (address.get().into(), length.into()));
            prop_assert_eq!(packed.unpack(), Ok(Unpacked::Slice { address, length }));
        }

        #[test]
        fn what_is_seen_packs_to_the_same(
            address in prop_oneof![Just(0), any::<u32>()],
            length: u32,
        ) {
            let packed = PackedSlice::from_u64(u64::from(address) << 32 | u64::from(length));
            if let Ok(unpacked) = packed.unpack() {
                prop_assert_eq!(PackedSlice::from(unpacked), packed);
            }
        }

        #[test]
        fn a_length_without_an_address_is_malformed(length in 1..u32::MAX) {
            let packed = PackedSlice::from_u64(length.into());
            prop_assert_eq!(packed.unpack(), Err(Malformed { length }));
        }
    }
}
