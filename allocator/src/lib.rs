//! Heaps and arenas for single-threaded guests.
//!
//! A guest that lives for one invocation does not need a general allocator, because its whole
//! memory is dropped when it ends. It needs a heap that costs a handful of instructions, knows its
//! limit, and reports clearly when a block does not fit.
//!
//! # Which one to use
//!
//! | type | use it for | gas | what it leaks |
//! |---|---|---|---|
//! | [`BumpAllocator`] | a short program, or one that frees in reverse order of allocation; the default | 10 an allocation, 17 with its free | every freed block except the newest |
//! | [`SegregatedBumpAllocator`] | a program that frees blocks in any order and goes on, such as an instance that serves many calls | 13 a first allocation, 7 one that reuses a block and its free | nothing, except rounding of sizes up to a size class |
//! | [`Arena`] | a part of a program that frees all its blocks at once; not a global allocator | a constant number of steps, also to free everything | freed blocks except the newest of each end, until a rewind or reset |
//! | [`InvocationArena`] | scratch memory for what the host passes in during one invocation | a constant number of steps, also to free everything | it only frees everything at once |
//! | [`PagedInvocationArena`] | scratch memory of any length, if the memory grows and a program lives for many invocations | a number of steps that grows with the logarithm of its memory | it only frees everything at once |
//! | [`TracingAllocator`] around one of the first two | measuring how a program uses memory | that of the heap, and that of counting | nothing of its own |
//!
//! `cargo xtask bench allocators` measures the figures. They are those of the workloads
//! `box_kept` and `box_freed`, one unit for each instruction. This crate's README also has the
//! figures of comparable crates.
//!
//! # Algorithm, source, sharing
//!
//! These are three independent choices:
//!
//! - An *algorithm* decides which bytes to allocate ([`BumpAllocator`],
//!   [`SegregatedBumpAllocator`]).
//! - A *source* provides the bytes ([`HeapSource`]): the region that a loader announced
//!   ([`LoaderHeap`]), a fixed address ([`FixedHeap`]), a borrowed buffer ([`BorrowedHeap`]), or
//!   the memory of a WebAssembly module ([`WasmMemory`]).
//! - *Sharing* depends on the place of the allocator: a `static` as the global allocator of a guest
//!   with one thread, or a local variable.
//!
//! # Over a buffer
//!
//! ```
//! use allocator::BumpAllocator;
//! use core::alloc::{GlobalAlloc, Layout};
//! use core::mem::MaybeUninit;
//!
//! let mut buffer = [MaybeUninit::uninit(); 256];
//! let heap = BumpAllocator::<(), _>::from_buffer(&mut buffer);
//! let layout = Layout::from_size_align(100, 8)?;
//! // SAFETY: the layout has a size.
//! let first = unsafe { heap.alloc(layout) };
//! assert!(!first.is_null() && first.addr() % 8 == 0);
//! // SAFETY: the layout has a size. It does not fit after the first block.
//! let refused = unsafe { heap.alloc(Layout::from_size_align(200, 1)?) };
//! assert!(refused.is_null());
//! // SAFETY: `first` came from this heap with this layout.
//! unsafe { heap.dealloc(first, layout) };
//! assert!(heap.used() < 8);
//! assert!(heap.peak() >= 100);
//! # Ok::<(), core::alloc::LayoutError>(())
//! ```
//!
//! # In a guest
//!
//! The entry announces the heap with [`set_heap_base`] and [`set_heap_limit`] before any code can
//! allocate. A `static` is the global allocator:
//!
//! ```
//! use allocator::BumpAllocator;
//!
//! // In a guest, `#[global_allocator]` is here.
//! // SAFETY: the only allocator over the announced heap, in a program with one thread.
//! static HEAP: BumpAllocator = unsafe { BumpAllocator::new() };
//!
//! // A heap that was never announced refuses every allocation, and writes nowhere.
//! assert_eq!(HEAP.limit(), 0);
//! ```
//!
//! # Scratch memory for the host
//!
//! [`InvocationArena`] is not a heap of the program. The host allocates scratch memory in it, and
//! the program reads there what the host wrote. [`PagedInvocationArena`] does the same over a
//! memory that grows.
//!
//! # Parts of a program
//!
//! An [`Arena`] is a fixed buffer with two ends, for a part of a program that frees all its blocks
//! at once. Collections use it through its handles, which are [`allocator_api2`] allocators, and
//! values through [`ArenaHandle`]s. With the feature `alloc` an arena can take its buffer from the
//! program's own heap.
//!
//! # Addresses are aligned, not offsets
//!
//! A loader's heap starts right above a program's data, at an address such as `0x30008`. A source
//! need not be aligned. The allocators align the address itself, for every alignment from 1 to
//! 2^31.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

// Arenas take their identities from an atomic counter, and tracing uses atomic counters.
#[cfg(target_has_atomic = "ptr")]
mod arena;
mod bump;
mod class;
mod grain;
mod invocation;
mod paged_invocation;
mod segregated;
mod source;
#[cfg(target_has_atomic = "ptr")]
mod tracing;

pub use allocator_api2;
#[cfg(target_has_atomic = "ptr")]
pub use arena::{
    Arena, ArenaHandle, BottomEnd, BottomHandle, BottomMark, Budget, EpochSaturated, RewindError,
    Stale, StaticBuffer, TopHandle, TopMark,
};
pub use bump::BumpAllocator;
pub use invocation::InvocationArena;
pub use paged_invocation::PagedInvocationArena;
pub use segregated::SegregatedBumpAllocator;
pub use source::{
    BorrowedHeap, FixedHeap, HeapSource, LinearMemory, LoaderHeap, PAGE_SIZE, PageMemory,
    WasmMemory, heap_limit, set_heap_base, set_heap_limit, take_end_of_heap,
};
#[cfg(target_has_atomic = "ptr")]
pub use tracing::{
    HeapFigures, TraceCounts, TraceEvent, TraceOperation, TraceSink, TracingAllocator,
};

/// The least heap, in bytes, that a loader provides: 32 KiB.
///
/// State that an allocator keeps for its program must fit in it.
pub const MIN_HEAP_LENGTH: usize = 32 * 1024;

/// The example of the README, as a doctest.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
