//! Expected contents of an arena.

use core::alloc::Layout;
use core::ops::Range;
use core::ptr::NonNull;

use allocator::{Arena, ArenaHandle, Stale};

use super::ArenaOperation;

/// A live plain block, and the tag of its pattern.
pub struct Block {
    pub pointer: NonNull<u8>,
    pub layout: Layout,
    pub top: bool,
    pub tag: u8,
}

impl Block {
    pub fn address(&self) -> usize {
        self.pointer.addr().get()
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the block is live, and `new_block` has initialized it. The arena writes to no
        // live block, and the driver does only in `fill`.
        unsafe { core::slice::from_raw_parts(self.pointer.as_ptr(), self.layout.size()) }
    }

    pub fn fill(&mut self) {
        for index in 0..self.layout.size() {
            // SAFETY: the index is within the block.
            let byte = unsafe { self.pointer.add(index) };
            // SAFETY: the block is live, and no code borrows it.
            unsafe { byte.write(pattern(self.tag, index)) };
        }
    }

    /// Asserts that the first `length` bytes have the pattern.
    pub fn check_first(&self, length: usize, operation: &ArenaOperation) {
        for (index, byte) in self.bytes()[..length].iter().enumerate() {
            assert_eq!(
                *byte,
                pattern(self.tag, index),
                "byte {index} of {length} after {operation:?}"
            );
        }
    }
}

/// The byte of a pattern, which is never zero.
pub fn pattern(tag: u8, index: usize) -> u8 {
    tag.wrapping_add((index % 251) as u8).wrapping_mul(7) | 1
}

/// A value with a large alignment.
#[repr(align(128))]
pub struct Aligned(pub u8);

/// A handle, and the value that it should lead to.
pub enum Handle {
    Number(ArenaHandle<u64>, u64),
    Aligned(ArenaHandle<Aligned>, u8),
    Nothing(ArenaHandle<()>),
    Text(ArenaHandle<str>, String),
    Slice(ArenaHandle<[u16]>, Vec<u16>),
}

impl Handle {
    /// Checks the value, and returns its addresses.
    pub fn check(&self, arena: &Arena) -> Result<Range<usize>, Stale> {
        Ok(match self {
            Self::Number(handle, number) => {
                let value = handle.get(arena)?;
                assert_eq!(value, number);
                addresses(value)
            }
            Self::Aligned(handle, number) => {
                let value = handle.get(arena)?;
                assert_eq!(value.0, *number);
                addresses(value)
            }
            Self::Nothing(handle) => addresses(handle.get(arena)?),
            Self::Text(handle, text) => {
                let value = handle.get(arena)?;
                assert_eq!(value, text);
                addresses(value)
            }
            Self::Slice(handle, slice) => {
                let value = handle.get(arena)?;
                assert_eq!(value, slice);
                addresses(value)
            }
        })
    }
}

pub fn addresses<T: ?Sized>(value: &T) -> Range<usize> {
    let start = (&raw const *value).addr();
    assert!(
        start.is_multiple_of(align_of_val(value)),
        "a misaligned value"
    );
    start..start + size_of_val(value)
}
