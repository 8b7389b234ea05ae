//! Sequences of calls as plain values, and a driver that compares an allocator with its model step
//! by step.
//!
//! A property test, an enumeration and a fuzz target use it.

use core::alloc::Layout;

use super::model::Model;
use super::{Algorithm, Block, Ground, Heap, Memory, Outlook, Subject, check_all};

/// A call of the allocator, or a change of its memory by another user. A block is its index modulo
/// the number of live ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `alloc` of `size` bytes with an alignment of two to the power of `align_bits`.
    Alloc { size: usize, align_bits: u8 },
    /// `alloc_zeroed`, with the same operands.
    AllocZeroed { size: usize, align_bits: u8 },
    /// `dealloc` of a live block.
    Dealloc { block: usize },
    /// `realloc` of a live block.
    Realloc { block: usize, new_size: usize },
    /// Another user takes pages, if the memory has pages.
    OthersTake { pages: usize },
    /// Another user takes a page during the heap's next request for pages.
    OthersRace,
}

/// Runs the operations on an allocator over fresh memory, and compares each step with the model.
pub fn run<A: Algorithm, M: Memory>(memory: &mut M, operations: &[Operation]) {
    run_on(&memory.start::<A>(), operations);
    memory.check_rest();
}

/// Works like [`run`], on a fresh heap of the caller.
pub fn run_on<A: Subject, T: Ground>(heap: &Heap<'_, A, T>, operations: &[Operation]) {
    let mut run = Run::new(heap);
    for operation in operations {
        run.step(operation);
        run.check(operation);
    }
}

/// A run so far: the heap, its model, and the live blocks.
pub struct Run<'heap, 'memory, A: Subject, T> {
    heap: &'heap Heap<'memory, A, T>,
    model: A::Model,
    live: Vec<Block<'memory>>,
}

impl<'heap, 'memory, A: Subject, T: Ground> Run<'heap, 'memory, A, T> {
    /// A run on a fresh heap.
    pub fn new(heap: &'heap Heap<'memory, A, T>) -> Self {
        // A region exists from the start, or grows; a memory without pages for the heap has none.
        let region = heap.ground().base().map(|base| base..base + heap.limit());
        Self {
            heap,
            model: A::Model::new(region, A::STATE),
            live: Vec::new(),
        }
    }

    /// The number of live blocks.
    pub fn live(&self) -> usize {
        self.live.len()
    }

    /// Asserts that the heap's figures are the model's, and that all blocks are unchanged and
    /// disjoint.
    pub fn check(&self, operation: &Operation) {
        let expected = (self.model.used(), self.model.peak(), self.model.listed());
        let (used, peak) = self.heap.figures();
        let found = (used, peak, self.heap.listed());
        assert_eq!(found, expected, "used, peak, listed after {operation:?}");
        if let (Some(base), Some(end)) = (self.heap.ground().base(), self.model.end()) {
            assert_eq!(base + self.heap.limit(), end, "the end after {operation:?}");
        }
        check_all(&self.live);
        self.heap.ground().check();
    }

    /// Runs an operation. The model gives the expected address or failure, and the change of the
    /// memory.
    pub fn step(&mut self, operation: &Operation) {
        let before = (self.heap.figures(), self.heap.limit());
        let mut outlook = self.heap.ground().outlook();
        let refused = match *operation {
            Operation::Alloc { size, align_bits } => match self.layout(size, align_bits) {
                Some(layout) => self.alloc(layout, &mut outlook),
                None => return,
            },
            Operation::AllocZeroed { size, align_bits } => match self.layout(size, align_bits) {
                Some(layout) => self.alloc_zeroed(layout, &mut outlook),
                None => return,
            },
            Operation::Dealloc { block } => {
                if self.live.is_empty() {
                    return;
                }
                let block = self.live.swap_remove(block % self.live.len());
                self.model.dealloc(block.address(), block.layout());
                self.heap.dealloc(block);
                false
            }
            Operation::Realloc { block, new_size } => {
                if self.live.is_empty() || !self.is_size(new_size) {
                    return;
                }
                let index = block % self.live.len();
                let Ok(new) = Layout::from_size_align(new_size, self.live[index].align()) else {
                    return;
                };
                self.realloc(index, new, &mut outlook)
            }
            Operation::OthersTake { pages } => {
                self.heap.ground().others_take(pages);
                return;
            }
            Operation::OthersRace => {
                self.heap.ground().others_race();
                return;
            }
        };
        assert_eq!(
            self.heap.ground().outlook(),
            outlook,
            "the memory after {operation:?}"
        );
        if refused {
            let after = (self.heap.figures(), self.heap.limit());
            assert_eq!(
                after, before,
                "a failed step changes nothing: {operation:?}"
            );
        }
    }

    fn alloc(&mut self, layout: Layout, outlook: &mut Outlook) -> bool {
        let expected = self.model.alloc(layout, outlook);
        let block = self.heap.alloc(layout.size(), layout.align());
        assert_eq!(block.as_ref().map(Block::address), expected, "{layout:?}");
        self.live.extend(block);
        expected.is_none()
    }

    fn alloc_zeroed(&mut self, layout: Layout, outlook: &mut Outlook) -> bool {
        let expected = self.model.alloc(layout, outlook);
        let block = self.heap.alloc_zeroed(layout.size(), layout.align());
        assert_eq!(block.as_ref().map(Block::address), expected, "{layout:?}");
        if let Some(mut block) = block {
            assert!(block.is_filled_with(0), "not zeroed: {layout:?}");
            block.fill();
            self.live.push(block);
        }
        expected.is_none()
    }

    fn realloc(&mut self, index: usize, new: Layout, outlook: &mut Outlook) -> bool {
        let block = &mut self.live[index];
        let (address, old) = (block.address(), block.layout());
        let expected = self.model.realloc(address, old, new, outlook);
        let done = self.heap.realloc(block, new.size());
        let found = done.then(|| block.address());
        assert_eq!(found, expected, "from {old:?} to {new:?}");
        block.check_first(old.size().min(block.size()));
        if done {
            block.fill();
        }
        !done
    }

    /// `None` if no such layout exists.
    fn layout(&self, size: usize, align_bits: u8) -> Option<Layout> {
        let align = 1_usize.checked_shl(align_bits.into())?;
        Layout::from_size_align(size, align)
            .ok()
            .filter(|layout| self.is_size(layout.size()))
    }

    fn is_size(&self, size: usize) -> bool {
        size > 0 || (A::EMPTY_BLOCKS && self.heap.ground().base().is_some())
    }
}
