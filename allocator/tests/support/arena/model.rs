//! A reference model of an arena: the addresses of its blocks, and its figures.

use core::alloc::Layout;
use std::collections::HashMap;

use super::contents::Block;

/// What every block is aligned to, and takes a multiple of.
const GRAIN: u128 = 8;

/// The bytes that are kept beside a block with a larger alignment.
const RECORD: u128 = size_of::<usize>() as u128;

/// The bytes that a block takes.
pub fn room(layout: Layout) -> u128 {
    (layout.size() as u128).next_multiple_of(GRAIN)
}

/// What an end has in use, in numbers too wide to wrap.
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
    /// What its end had in use before each block with a large alignment.
    pub before: HashMap<usize, u128>,
}

impl Model {
    pub fn free(&self) -> u128 {
        self.end - self.start - self.ends[0].used - self.ends[1].used
    }

    /// The address of the block, which is not empty; `None` if there is not enough memory.
    pub fn allocate(&mut self, top: bool, layout: Layout) -> Option<usize> {
        let (size, align) = (room(layout), (layout.align() as u128).max(GRAIN));
        let gap = if align > GRAIN { RECORD } else { 0 };
        let low = self.start + self.ends[0].used;
        let high = self.end - self.ends[1].used;
        let address = if top {
            high.checked_sub(gap + size)? / align * align
        } else {
            (low + gap).div_ceil(align) * align
        };
        if address < low || address + size > high {
            return None;
        }
        let used = self.used_with(top, address, size);
        let before = self.ends[end(top)].used;
        self.set_used(top, used);
        let address = usize::try_from(address).expect("inside the buffer");
        self.before.insert(address, before);
        Some(address)
    }

    pub fn deallocate(&mut self, block: &Block) -> bool {
        let (address, size) = (block.address() as u128, room(block.layout));
        if size == 0 || self.used_with(block.top, address, size) != self.ends[end(block.top)].used {
            return false;
        }
        let used = if block.layout.align() as u128 > GRAIN {
            self.before[&block.address()]
        } else if block.top {
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
        let in_place = room(new) <= room(block.layout)
            && new.align() as u128 <= GRAIN.max(block.layout.align() as u128);
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
