//! A program's heap, and how much of it is used.

use abi::heap::HeapHeader;

use super::guest::{GuestMemory, read_pod};
use crate::outcome::HeapUse;

/// A program's heap, as the loader knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heap {
    /// The address of the first byte; 0 if the program places its heap itself.
    pub base: u64,
    /// Length in bytes, as the loader announces it to the program.
    pub size: u32,
    /// Whether the heap header of [`abi::heap`] is at the base.
    pub has_header: bool,
}

impl Heap {
    /// How much of the heap is used now.
    pub(crate) fn read_use(&self, guest: &mut impl GuestMemory) -> HeapUse {
        let limit = self.size;
        let header = self
            .has_header
            .then(|| read_pod::<HeapHeader>(guest, self.base).ok())
            .flatten()
            .filter(|header| header.peak_use() <= limit);
        HeapUse {
            limit,
            used: header.map(|header| header.used),
            peak: header.map(|header| header.peak_use()),
        }
    }
}
