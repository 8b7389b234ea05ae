//! A reference model of an arena: the addresses of its blocks, and its figures.

use core::alloc::Layout;

use super::contents::Block;

/// The figures of an end, as numbers that cannot overflow.
#[derive(Clone, Default)]
pub struct EndModel {
    pub used: u128,
    pub peak: u128,
    pub reset_epoch: u64,
}

/// The addresses of an arena. The model has no bytes.
pub struct Model {
    pub start: u128,
    pub end: u128,
    /// The bottom and the top.
    pub ends: [EndModel; 2],
    pub epoch: u64,
}

impl Model {
    pub fn free(&self) -> u128 {
        self.end - self.start - self.ends[0].used - self.ends[1].used
    }

    /// The address of the block, which is not empty; `None` if there is not enough memory.
    pub fn allocate(&mut self, top: bool, layout: Layout) -> Option<usize> {
        let (size, align) = (layout.size() as u128, layout.align() as u128);
        let low = self.start + self.ends[0].used;
        let high = self.end - self.ends[1].used;
        let address = if top {
            high.checked_sub(size)? / align * align
        } else {
            low.div_ceil(align) * align
        };
        if address < low || address + size > high {
            return None;
        }
        let used = self.used_with(top, address, size);
        self.set_used(top, used);
        Some(usize::try_from(address).expect("inside the buffer"))
    }

    pub fn deallocate(&mut self, block: &Block) -> bool {
        let (address, size) = (block.address() as u128, block.layout.size() as u128);
        if size == 0 || self.used_with(block.top, address, size) != self.ends[end(block.top)].used {
            return false;
        }
        let used = if block.top {
            self.end - (address + size)
        } else {
            address - self.start
        };
        self.set_used(block.top, used);
        true
    }

    /// The new address of the block, which is not empty; `None` if there is not enough memory.
    pub fn resize(&mut self, block: &Block, new: Layout) -> Option<usize> {
        let before = self.ends.clone();
        let in_place =
            new.size() <= block.layout.size() && block.address().is_multiple_of(new.align());
        let newest = self.deallocate(block);
        if !newest && in_place {
            return Some(block.address());
        }
        let address = self.allocate(block.top, new);
        if address.is_none() {
            self.ends = before;
        }
        address
    }

    pub fn used_with(&self, top: bool, address: u128, size: u128) -> u128 {
        if top {
            self.end - address
        } else {
            address + size - self.start
        }
    }

    pub fn set_used(&mut self, top: bool, used: u128) {
        let end = &mut self.ends[end(top)];
        end.used = used;
        end.peak = end.peak.max(used);
    }
}

pub fn end(top: bool) -> usize {
    usize::from(top)
}
