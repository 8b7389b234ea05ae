//! What the allocator's tests share: buffers at awkward addresses, and heaps that check their
//! blocks.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test file is a program of its own and uses a part of this"
)]

pub mod arena;
mod buffer;
pub mod decode;
pub mod driver;
pub mod invocation;
pub mod model;
mod once;
mod pages;
pub mod room;
mod subject;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::marker::PhantomData;
use core::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use allocator::{BumpAllocator, HeapSource};
use bytemuck::Zeroable;

pub use buffer::{Buffer, MODULUS, SENTINEL};
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(miri)
))]
pub use once::map;
pub use once::{Announced, Mapped, in_its_own_process};
pub use pages::{Outlook, Pages};
pub use subject::{Algorithm, Bump, Ground, Memory, Segregated, Subject};

/// Bytes of the heap's header, which stand before everything else.
pub const HEADER: usize = 8;

/// Where a block of this alignment goes in a bump heap whose top is at `from`.
pub fn place(from: usize, align: usize) -> usize {
    if align <= 8 {
        from.next_multiple_of(8)
    } else {
        (from + 4).next_multiple_of(align)
    }
}

/// The bytes that a block of this size takes.
pub fn room(size: usize) -> usize {
    size.next_multiple_of(8)
}

/// State of a program's own of a hundred bytes, in arrays as short as `Zeroable` is implemented
/// for.
pub type Hundred = [[Cell<u8>; 25]; 4];

/// State of a program's own that moves the first block to an awkward place.
#[derive(Zeroable)]
#[repr(C, align(64))]
pub struct Aligned(Cell<u8>);

/// Remainders of base addresses that suit no alignment, a small one, and all. A loader's is 8.
pub const BASES: [usize; 8] = [0, 1, 3, 4, 8, 15, 4095, 4104];

/// A heap whose blocks are checked as they come. Its blocks live as long as its memory.
pub struct Heap<'memory, A, T = Range<usize>> {
    allocator: A,
    ground: T,
    next_tag: Cell<u8>,
    _memory: PhantomData<&'memory mut [u8]>,
}

impl<'memory, A: Subject, T: Ground> Heap<'memory, A, T> {
    /// Wraps an allocator over the memory at `ground`, all of whose bytes are initialized.
    pub fn new(allocator: A, ground: T) -> Self {
        Self {
            allocator,
            ground,
            next_tag: Cell::new(1),
            _memory: PhantomData,
        }
    }

    /// What the test knows of the memory.
    pub fn ground(&self) -> &T {
        &self.ground
    }

    pub fn alloc(&self, size: usize, align: usize) -> Option<Block<'memory>> {
        let layout = Layout::from_size_align(size, align).expect("a valid layout");
        if !self.can_ask_for(size) {
            return None;
        }
        // SAFETY: a layout of a size that can be asked for. No bytes are no special case to an
        // allocator that says so, though the trait leaves that open, and the tests hold it to that
        // where there is a header to write.
        let pointer = unsafe { self.allocator.alloc(layout) };
        let mut block = self.accept(pointer, layout)?;
        block.fill();
        Some(block)
    }

    /// A block of zeroes, which the caller may look at before it says [`Block::fill`].
    pub fn alloc_zeroed(&self, size: usize, align: usize) -> Option<Block<'memory>> {
        let layout = Layout::from_size_align(size, align).expect("a valid layout");
        if !self.can_ask_for(size) {
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
    /// The bytes that it had in both sizes are then as they were; the rest is whatever came with
    /// it.
    #[must_use]
    pub fn realloc(&self, block: &mut Block<'memory>, new_size: usize) -> bool {
        self.check_own(block);
        let layout = block.layout;
        let new_layout =
            Layout::from_size_align(new_size, layout.align()).expect("a valid new layout");
        if !self.can_ask_for(new_size) {
            return false;
        }
        // SAFETY: the block came from this heap and has this layout, and the new one is valid. For
        // a size of zero see `alloc`.
        let pointer = unsafe { self.allocator.realloc(block.pointer, layout, new_size) };
        let Some(moved) = self.accept(pointer, new_layout) else {
            return false;
        };
        block.pointer = moved.pointer;
        block.layout = new_layout;
        true
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

    /// Bytes in blocks that were freed and wait for the next request of their size.
    pub fn listed(&self) -> usize {
        self.allocator.listed()
    }

    fn can_ask_for(&self, size: usize) -> bool {
        size > 0 || (A::EMPTY_BLOCKS && self.ground.base().is_some())
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
        let base = self.ground.base().expect("a block where there is no heap");
        let state = (base + HEADER).next_multiple_of(A::STATE.align());
        assert!(
            start >= state + A::STATE.size(),
            "a block in the header or the state"
        );
        let end = start
            .checked_add(layout.size())
            .expect("a block that wraps");
        assert!(
            self.ground.gave(start..end),
            "a block in memory that the heap was not given: {start:#x} to {end:#x}"
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
            self.ground.gave(start..start + block.size()),
            "another heap's block"
        );
    }
}

impl<G: Zeroable, S: HeapSource, T: Ground> Heap<'_, BumpAllocator<G, S>, T> {
    pub fn global(&self) -> &G {
        self.allocator.global()
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

    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Writes the block's own pattern over all of it.
    pub fn fill(&mut self) {
        let pattern = pattern(self.tag, self.size());
        for chunk in self.bytes_mut().chunks_mut(PERIOD) {
            chunk.copy_from_slice(&pattern[..chunk.len()]);
        }
    }

    /// Fails unless the first `length` bytes hold the block's pattern.
    pub fn check_first(&self, length: usize) {
        let pattern = pattern(self.tag, length);
        for (index, chunk) in self.bytes()[..length].chunks(PERIOD).enumerate() {
            let expected = &pattern[..chunk.len()];
            assert_eq!(chunk, expected, "from {} on in {self:?}", index * PERIOD);
        }
    }

    /// Fails unless the whole block holds its pattern.
    pub fn check(&self) {
        self.check_first(self.size());
    }

    pub fn is_filled_with(&self, value: u8) -> bool {
        // Equal to itself one byte on: a comparison that is quick without optimization as well.
        let bytes = self.bytes();
        match bytes {
            [] => true,
            [first, rest @ ..] => *first == value && *rest == bytes[..rest.len()],
        }
    }
}

/// A pattern repeats after this many bytes, which is no multiple of what allocators round to.
const PERIOD: usize = 251;

/// The first `length` bytes of a pattern, or all of it. Never zero, and not 0xAA for a while, so
/// that neither is mistaken for a block's own bytes.
fn pattern(tag: u8, length: usize) -> [u8; PERIOD] {
    let mut bytes = [0; PERIOD];
    let mut value = tag;
    for byte in &mut bytes[..length.min(PERIOD)] {
        *byte = value | 1;
        value = value.wrapping_add(7);
    }
    bytes
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
