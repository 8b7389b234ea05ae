//! Shared code of the allocator's tests: buffers at awkward addresses, and heaps that check their
//! blocks.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test binary uses a part of this module"
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

/// Bytes of the heap's header, which is before everything else.
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

/// State of a program with an alignment that moves the first block.
#[derive(Zeroable)]
#[repr(C, align(64))]
pub struct Aligned(Cell<u8>);

/// Remainders of base addresses: unaligned, with a small alignment, and fully aligned. A loader's
/// is 8.
pub const BASES: [usize; 8] = [0, 1, 3, 4, 8, 15, 4095, 4104];

/// A heap that checks each of its new blocks. Its blocks live as long as its memory.
pub struct Heap<'memory, A, T = Range<usize>> {
    allocator: A,
    ground: T,
    next_tag: Cell<u8>,
    _memory: PhantomData<&'memory mut [u8]>,
}

impl<'memory, A: Subject, T: Ground> Heap<'memory, A, T> {
    /// Wraps an allocator over the memory at `ground`, whose bytes are all initialized.
    pub fn new(allocator: A, ground: T) -> Self {
        Self {
            allocator,
            ground,
            next_tag: Cell::new(1),
            _memory: PhantomData,
        }
    }

    /// The test's own record of the memory.
    pub fn ground(&self) -> &T {
        &self.ground
    }

    pub fn alloc(&self, size: usize, align: usize) -> Option<Block<'memory>> {
        let layout = Layout::from_size_align(size, align).expect("a valid layout");
        if !self.can_ask_for(size) {
            return None;
        }
        // SAFETY: `can_ask_for` has checked that the allocator accepts the layout. `GlobalAlloc`
        // leaves an empty layout open, and these allocators accept it if they have a header, which
        // the tests check.
        let pointer = unsafe { self.allocator.alloc(layout) };
        let mut block = self.accept(pointer, layout)?;
        block.fill();
        Some(block)
    }

    /// A zeroed block; the caller may read it before it calls [`Block::fill`].
    pub fn alloc_zeroed(&self, size: usize, align: usize) -> Option<Block<'memory>> {
        let layout = Layout::from_size_align(size, align).expect("a valid layout");
        if !self.can_ask_for(size) {
            return None;
        }
        // SAFETY: `can_ask_for` has checked that the allocator accepts the layout; see `alloc`.
        let pointer = unsafe { self.allocator.alloc_zeroed(layout) };
        self.accept(pointer, layout)
    }

    pub fn dealloc(&self, block: Block<'memory>) {
        self.check_own(&block);
        // SAFETY: the block came from this heap and has this layout, and this function consumes it.
        unsafe { self.allocator.dealloc(block.pointer, block.layout) };
    }

    /// Resizes the block if there is enough memory, and returns whether there was.
    ///
    /// The bytes up to the shorter of both sizes stay the same; the others are unspecified.
    #[must_use]
    pub fn realloc(&self, block: &mut Block<'memory>, new_size: usize) -> bool {
        self.check_own(block);
        let layout = block.layout;
        let new_layout =
            Layout::from_size_align(new_size, layout.align()).expect("a valid new layout");
        if !self.can_ask_for(new_size) {
            return false;
        }
        // SAFETY: the block came from this heap and has this layout. The new size is valid for its
        // alignment, and see `alloc` for a size of zero.
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

    /// `used` and `peak`, for a comparison.
    pub fn figures(&self) -> (usize, usize) {
        (self.used(), self.peak())
    }

    /// Bytes in freed blocks that wait for the next request of their class.
    pub fn listed(&self) -> usize {
        self.allocator.listed()
    }

    fn can_ask_for(&self, size: usize) -> bool {
        size > 0 || (A::EMPTY_BLOCKS && self.ground.base().is_some())
    }

    /// Checks all properties of a block that do not depend on other blocks.
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
        let base = self.ground.base().expect("a block without a heap");
        let state = (base + HEADER).next_multiple_of(A::STATE.align());
        assert!(
            start >= state + A::STATE.size(),
            "a block in the header or the state"
        );
        let end = start
            .checked_add(layout.size())
            .expect("a block within the address space");
        assert!(
            self.ground.gave(start..end),
            "a block outside the heap's memory: {start:#x} to {end:#x}"
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

/// A live block, and the pattern of its bytes after `fill`.
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
        // SAFETY: the block is live, because only `Heap::dealloc` ends it, and consumes it. It is
        // in initialized memory, as `accept` checked. Only `bytes_mut` writes to it.
        unsafe { core::slice::from_raw_parts(self.pointer, self.size()) }
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as a live block it is in initialized memory, as `accept` checked, and overlaps no
        // other.
        unsafe { core::slice::from_raw_parts_mut(self.pointer, self.layout.size()) }
    }

    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Writes the block's own pattern to all of it.
    pub fn fill(&mut self) {
        let pattern = pattern(self.tag, self.size());
        for chunk in self.bytes_mut().chunks_mut(PERIOD) {
            chunk.copy_from_slice(&pattern[..chunk.len()]);
        }
    }

    /// Asserts that the first `length` bytes have the block's pattern.
    pub fn check_first(&self, length: usize) {
        let pattern = pattern(self.tag, length);
        for (index, chunk) in self.bytes()[..length].chunks(PERIOD).enumerate() {
            let expected = &pattern[..chunk.len()];
            assert_eq!(chunk, expected, "from {} on in {self:?}", index * PERIOD);
        }
    }

    /// Asserts that the whole block has its pattern.
    pub fn check(&self) {
        self.check_first(self.size());
    }

    pub fn is_filled_with(&self, value: u8) -> bool {
        // Comparing it with itself, shifted by one byte, is fast even without optimization.
        let bytes = self.bytes();
        match bytes {
            [] => true,
            [first, rest @ ..] => *first == value && *rest == bytes[..rest.len()],
        }
    }
}

/// The length of a pattern, which is not a multiple of an allocator's granularity.
const PERIOD: usize = 251;

/// The first `length` bytes of a pattern, at most all of it. They are never zero, and rarely 0xAA,
/// so that neither looks like a block's bytes.
fn pattern(tag: u8, length: usize) -> [u8; PERIOD] {
    let mut bytes = [0; PERIOD];
    let mut value = tag;
    for byte in &mut bytes[..length.min(PERIOD)] {
        *byte = value | 1;
        value = value.wrapping_add(7);
    }
    bytes
}

/// Asserts that every block has its pattern, and that no two overlap.
pub fn check_all<'block, 'memory: 'block>(
    blocks: impl IntoIterator<Item = &'block Block<'memory>>,
) {
    let mut ends: Vec<(usize, usize)> = Vec::new();
    for block in blocks {
        block.check();
        // An empty block overlaps no other one, at any address.
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
        panic!("no panic")
    };
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => (*panic.downcast::<&str>().expect("a panic with a message")).to_owned(),
    }
}
