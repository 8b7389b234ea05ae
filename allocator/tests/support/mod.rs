//! What the allocator's tests share: buffers at awkward addresses, and heaps that check their blocks.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test file is a program of its own and uses a part of this"
)]

pub mod arena;
mod buffer;
pub mod model;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::marker::PhantomData;
use core::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use allocator::{BumpAllocator, HeapSource};
use bytemuck::Zeroable;

pub use buffer::{Buffer, MODULUS};

/// Bytes of the heap's header, which stand before everything else.
pub const HEADER: usize = 8;

/// Remainders of base addresses that suit no alignment, a small one, and all. A loader's is 8.
pub const BASES: [usize; 8] = [0, 1, 3, 4, 8, 15, 4095, 4104];

/// A bump heap whose blocks are checked as they come. Its blocks live as long as its memory.
pub struct Heap<'memory, G: Zeroable, S: HeapSource> {
    allocator: BumpAllocator<G, S>,
    region: Range<usize>,
    next_tag: Cell<u8>,
    _memory: PhantomData<&'memory mut [u8]>,
}

impl<'memory, G: Zeroable, S: HeapSource> Heap<'memory, G, S> {
    /// Wraps an allocator over the memory at `region`, all of whose bytes are initialized.
    pub fn new(allocator: BumpAllocator<G, S>, region: Range<usize>) -> Self {
        assert_eq!(allocator.limit(), region.len());
        Self {
            allocator,
            region,
            next_tag: Cell::new(1),
            _memory: PhantomData,
        }
    }

    pub fn alloc(&self, size: usize, align: usize) -> Option<Block<'memory>> {
        let layout = Layout::from_size_align(size, align).expect("a valid layout");
        if self.has_no_header() && size == 0 {
            return None;
        }
        // SAFETY: the allocator handles any layout; a size of zero is no special case to it, though
        // the trait leaves that open, and the tests hold it to that where there is a header to write.
        let pointer = unsafe { self.allocator.alloc(layout) };
        let mut block = self.accept(pointer, layout)?;
        block.fill();
        Some(block)
    }

    /// A block of zeroes, which the caller may look at before it says [`Block::fill`].
    pub fn alloc_zeroed(&self, size: usize, align: usize) -> Option<Block<'memory>> {
        let layout = Layout::from_size_align(size, align).expect("a valid layout");
        if self.has_no_header() && size == 0 {
            return None;
        }
        // SAFETY: as in `alloc`.
        let pointer = unsafe { self.allocator.alloc_zeroed(layout) };
        self.accept(pointer, layout)
    }

    pub fn dealloc(&self, block: Block<'memory>) {
        self.check_own(&block);
        // SAFETY: the block came from this heap, has this layout, and is given up here.
        unsafe { self.allocator.dealloc(block.pointer, block.layout) };
    }

    /// Resizes the block if there is room, and says whether there was.
    ///
    /// The bytes that it had in both sizes are then as they were; the rest is whatever came with it.
    #[must_use]
    pub fn realloc(&self, block: &mut Block<'memory>, new_size: usize) -> bool {
        self.check_own(block);
        let layout = block.layout;
        let new_layout =
            Layout::from_size_align(new_size, layout.align()).expect("a valid new layout");
        // SAFETY: the block came from this heap and has this layout, and the new one is valid. For a
        // size of zero see `alloc`.
        let pointer = unsafe { self.allocator.realloc(block.pointer, layout, new_size) };
        let Some(moved) = self.accept(pointer, new_layout) else {
            return false;
        };
        block.pointer = moved.pointer;
        block.layout = new_layout;
        true
    }

    pub fn global(&self) -> &G {
        self.allocator.global()
    }

    pub fn limit(&self) -> usize {
        self.allocator.limit()
    }

    pub fn used(&self) -> usize {
        self.allocator.used()
    }

    pub fn peak(&self) -> usize {
        self.allocator.peak()
    }

    /// `used` and `peak`, to compare before and after.
    pub fn figures(&self) -> (usize, usize) {
        (self.used(), self.peak())
    }

    fn has_no_header(&self) -> bool {
        self.region.len() < HEADER
    }

    /// Everything that makes a pointer a block, without looking at other blocks.
    fn accept(&self, pointer: *mut u8, layout: Layout) -> Option<Block<'memory>> {
        if pointer.is_null() {
            return None;
        }
        let start = pointer.addr();
        assert_eq!(
            start % layout.align(),
            0,
            "misaligned for {layout:?}: {start:#x}"
        );
        assert!(start >= self.region.start + HEADER, "a block in the header");
        assert!(start <= self.region.end, "a block behind the heap");
        assert!(
            layout.size() <= self.region.end - start,
            "a block past the end of the heap"
        );
        let tag = self.next_tag.get();
        self.next_tag.set(tag.wrapping_add(29));
        Some(Block {
            pointer,
            layout,
            tag,
            _memory: PhantomData,
        })
    }

    fn check_own(&self, block: &Block<'memory>) {
        let start = block.address();
        assert!(
            start >= self.region.start && start <= self.region.end,
            "another heap's block"
        );
    }
}

/// A live block, and what its bytes should be once it was filled.
#[derive(Debug)]
pub struct Block<'memory> {
    pointer: *mut u8,
    layout: Layout,
    tag: u8,
    _memory: PhantomData<&'memory mut [u8]>,
}

impl Block<'_> {
    pub fn address(&self) -> usize {
        self.pointer.addr()
    }

    pub fn size(&self) -> usize {
        self.layout.size()
    }

    pub fn align(&self) -> usize {
        self.layout.align()
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the block is live, for only `Heap::dealloc` ends it and consumes it; it lies in
        // initialized memory, as `accept` checked; and only `bytes_mut` writes to it.
        unsafe { core::slice::from_raw_parts(self.pointer, self.size()) }
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and live blocks share no byte, so nobody else holds these.
        unsafe { core::slice::from_raw_parts_mut(self.pointer, self.layout.size()) }
    }

    /// Writes the block's own pattern over all of it.
    pub fn fill(&mut self) {
        let tag = self.tag;
        for (index, byte) in self.bytes_mut().iter_mut().enumerate() {
            *byte = pattern(tag, index);
        }
    }

    /// Fails unless the first `length` bytes hold the block's pattern.
    pub fn check_first(&self, length: usize) {
        for (index, byte) in self.bytes()[..length].iter().enumerate() {
            assert_eq!(*byte, pattern(self.tag, index), "byte {index} of {self:?}");
        }
    }

    /// Fails unless the whole block holds its pattern.
    pub fn check(&self) {
        self.check_first(self.size());
    }

    pub fn is_filled_with(&self, value: u8) -> bool {
        self.bytes().iter().all(|byte| *byte == value)
    }
}

/// Never zero, and not 0xAA for a while, so that neither is mistaken for a block's own bytes.
fn pattern(tag: u8, index: usize) -> u8 {
    let index = (index % 251) as u8;
    tag.wrapping_add(index.wrapping_mul(7)) | 1
}

/// Fails unless every block holds its pattern and no two share a byte.
pub fn check_all<'block, 'memory: 'block>(
    blocks: impl IntoIterator<Item = &'block Block<'memory>>,
) {
    let mut ends: Vec<(usize, usize)> = Vec::new();
    for block in blocks {
        block.check();
        // A block without bytes shares none, wherever it stands.
        if block.size() > 0 {
            ends.push((block.address(), block.address() + block.size()));
        }
    }
    ends.sort_unstable();
    for pair in ends.windows(2) {
        assert!(pair[0].1 <= pair[1].0, "two blocks overlap: {:#x?}", pair);
    }
}

/// The message that `action` panics with.
pub fn panic_message<R>(action: impl FnOnce() -> R) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(action)) else {
        panic!("it did not panic")
    };
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => (*panic.downcast::<&str>().expect("a panic with a message")).to_owned(),
    }
}
