//! A reference model of a bump heap, and a driver that holds an allocator to it.
//!
//! Both take plain values, so that a property test and a fuzz target can feed them alike.

use super::{Block, Buffer, HEADER, Heap, check_all};
use core::alloc::Layout;

use allocator::HeapSource;
use bytemuck::Zeroable;

/// One call to the allocator. Blocks are named by their index among the live ones, modulo their number.
#[derive(Clone, Debug)]
pub enum Operation {
    /// `alloc` of `size` bytes at a multiple of two to the power of `align_bits`.
    Alloc { size: usize, align_bits: u8 },
    /// The same with `alloc_zeroed`.
    AllocZeroed { size: usize, align_bits: u8 },
    /// `dealloc` of a live block.
    Dealloc { block: usize },
    /// `realloc` of a live block.
    Realloc { block: usize, new_size: usize },
}

/// What a bump heap does, in addresses and in numbers too wide to wrap.
///
/// It says where blocks go and what the figures are, and knows nothing about bytes.
pub struct Model {
    first: u128,
    top: u128,
    end: u128,
    peak: u128,
}

impl Model {
    /// A heap of `length` bytes at `base`, whose `global` stands before the blocks.
    ///
    /// `None` if it is too short for that, so that it refuses everything.
    pub fn new(base: usize, length: usize, global: Layout) -> Option<Self> {
        let end = base as u128 + length as u128;
        let state = (base as u128 + HEADER as u128).next_multiple_of(global.align() as u128);
        let first = state + global.size() as u128;
        (first <= end).then_some(Self {
            first,
            top: first,
            end,
            peak: 0,
        })
    }

    pub fn used(&self) -> usize {
        narrow(self.top - self.first)
    }

    pub fn peak(&self) -> usize {
        narrow(self.peak)
    }

    pub fn alloc(&mut self, layout: Layout) -> Option<usize> {
        let start = self.top.next_multiple_of(layout.align() as u128);
        self.move_top(start + layout.size() as u128)?;
        Some(narrow(start))
    }

    pub fn dealloc(&mut self, address: usize, layout: Layout) {
        if self.is_newest(address, layout) {
            self.top = address as u128;
        }
    }

    pub fn realloc(&mut self, address: usize, layout: Layout, new: Layout) -> Option<usize> {
        if self.is_newest(address, layout) {
            self.move_top(address as u128 + new.size() as u128)?;
            return Some(address);
        }
        if new.size() <= layout.size() {
            Some(address)
        } else {
            self.alloc(new)
        }
    }

    fn is_newest(&self, address: usize, layout: Layout) -> bool {
        address as u128 + layout.size() as u128 == self.top
    }

    fn move_top(&mut self, top: u128) -> Option<()> {
        if top > self.end {
            return None;
        }
        self.top = top;
        self.peak = self.peak.max(top - self.first);
        Some(())
    }
}

fn narrow(number: u128) -> usize {
    usize::try_from(number).expect("inside the address space")
}

/// Carries the operations out on a heap of `length` bytes at an address that is `remainder` modulo
/// [`MODULUS`](super::MODULUS), with a `G` at its base, and compares every step with the model.
pub fn run<G: Zeroable>(remainder: usize, length: usize, operations: &[Operation]) {
    let mut buffer = Buffer::new(remainder, length);
    let base = buffer.region().start;
    let heap = buffer.heap::<G>();
    run_on(&heap, base, operations);
    buffer.check_sentinels();
}

/// As [`run`], on a fresh heap at `base` of the caller's.
pub fn run_on<G: Zeroable, S: HeapSource>(
    heap: &Heap<'_, G, S>,
    base: usize,
    operations: &[Operation],
) {
    let mut model = Model::new(base, heap.limit(), Layout::new::<G>());
    let mut live: Vec<Block<'_>> = Vec::new();
    for operation in operations {
        step(heap, model.as_mut(), &mut live, operation);
        let expected = model
            .as_ref()
            .map_or((0, 0), |model| (model.used(), model.peak()));
        assert_eq!(
            heap.figures(),
            expected,
            "used and peak after {operation:?}"
        );
        check_all(&live);
    }
}

/// One operation. The model says which address to expect, or that there is no room.
fn step<'memory, G: Zeroable, S: HeapSource>(
    heap: &Heap<'memory, G, S>,
    model: Option<&mut Model>,
    live: &mut Vec<Block<'memory>>,
    operation: &Operation,
) {
    match *operation {
        Operation::Alloc { size, align_bits } => {
            let Some(layout) = layout(size, align_bits) else {
                return;
            };
            let block = heap.alloc(layout.size(), layout.align());
            let expected = model.and_then(|model| model.alloc(layout));
            assert_eq!(
                block.as_ref().map(Block::address),
                expected,
                "{operation:?}"
            );
            live.extend(block);
        }
        Operation::AllocZeroed { size, align_bits } => {
            let Some(layout) = layout(size, align_bits) else {
                return;
            };
            let block = heap.alloc_zeroed(layout.size(), layout.align());
            let expected = model.and_then(|model| model.alloc(layout));
            assert_eq!(
                block.as_ref().map(Block::address),
                expected,
                "{operation:?}"
            );
            if let Some(mut block) = block {
                assert!(block.is_filled_with(0), "not zeroed: {operation:?}");
                block.fill();
                live.push(block);
            }
        }
        Operation::Dealloc { block } => {
            if live.is_empty() {
                return;
            }
            let block = live.swap_remove(block % live.len());
            if let Some(model) = model {
                model.dealloc(block.address(), block.layout);
            }
            heap.dealloc(block);
        }
        Operation::Realloc { block, new_size } => {
            if live.is_empty() {
                return;
            }
            let index = block % live.len();
            let block = &mut live[index];
            let Ok(new) = Layout::from_size_align(new_size, block.align()) else {
                return;
            };
            let (address, old) = (block.address(), block.layout);
            let expected = model.and_then(|model| model.realloc(address, old, new));
            let done = heap.realloc(block, new_size);
            assert_eq!(done.then(|| block.address()), expected, "{operation:?}");
            block.check_first(old.size().min(block.size()));
            if done {
                block.fill();
            }
        }
    }
}

/// `None` for what no program can ask for.
fn layout(size: usize, align_bits: u8) -> Option<Layout> {
    let align = 1_usize.checked_shl(align_bits.into())?;
    Layout::from_size_align(size, align).ok()
}
