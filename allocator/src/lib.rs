//! Heaps for single-threaded guests.
//!
//! A guest that lives for one invocation needs no general allocator: its memory is thrown away whole
//! when it ends. What it needs is a heap that costs a handful of instructions, that knows its limit,
//! and that says clearly when there is no room.
//!
//! # Which one
//!
//! | take | for | gas | what it leaks |
//! |---|---|---|---|
//! | [`BumpAllocator`] | a program that is short, or frees in the reverse order of taking; the default | 10 an allocation, 17 with its free | every freed block but the newest; gaps for alignment |
//! | [`SegregatedBumpAllocator`] | a program that frees small things in any order and goes on | 13 a first allocation, 7 one that reuses a block and its free | freed blocks of more than 128 bytes, or aligned to more than 16, but the newest, and what such a block loses by moving or shrinking; what rounds a size up to 16, 32, 64 or 128 |
//! | [`Arena`] | a part of a program that frees all it took at once; not a global allocator | a constant number of steps, also to free everything | freed blocks but the newest of each end, until a rewind or reset |
//! | [`InvocationArena`] | what the host hands in during one invocation | as above | nothing is freed but everything |
//! | [`PagedInvocationArena`] | the same, of any length, where the memory grows and a program lives for many invocations | a number of steps that grows with the logarithm of its memory | as above |
//! | [`TracingAllocator`] around one of the first two | seeing what a program does with memory | theirs, and that of counting | nothing of its own |
//!
//! The figures are those of `cargo entrypoint bench allocators`, which has also written those of comparable crates
//! into this crate's README: `box_kept` and `box_freed`, one unit an instruction.
//!
//! # Algorithm, source, sharing
//!
//! These are three things. An *algorithm* decides which bytes to hand out ([`BumpAllocator`],
//! [`SegregatedBumpAllocator`]). A *source* says which bytes there are ([`HeapSource`]): the region that a loader
//! announced ([`LoaderHeap`]), a fixed address ([`FixedHeap`]), a buffer somebody lent ([`BorrowedHeap`]), the memory
//! of a WebAssembly module ([`WasmMemory`]). *Sharing* is decided by where the allocator stands: in a `static` as the
//! global allocator of a guest that has one thread, or in a local variable.
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
//! let layout = Layout::from_size_align(100, 16)?;
//! // SAFETY: the layout has a size.
//! let first = unsafe { heap.alloc(layout) };
//! assert!(!first.is_null() && first.addr() % 16 == 0);
//! // SAFETY: as above. There is no room for a second hundred behind the first and its alignment.
//! let refused = unsafe { heap.alloc(Layout::from_size_align(200, 1)?) };
//! assert!(refused.is_null());
//! // SAFETY: `first` came from this heap with this layout.
//! unsafe { heap.dealloc(first, layout) };
//! assert!(heap.used() < 16);
//! assert!(heap.peak() >= 100);
//! # Ok::<(), core::alloc::LayoutError>(())
//! ```
//!
//! # In a guest
//!
//! The entry point announces the heap with [`set_heap_base`] and [`set_heap_limit`] before anything
//! can allocate, and a `static` is the global allocator:
//!
//! ```
//! use allocator::BumpAllocator;
//!
//! // In a guest, `#[global_allocator]` stands here.
//! // SAFETY: the only allocator over the announced heap, in a program with one thread.
//! static HEAP: BumpAllocator = unsafe { BumpAllocator::new() };
//!
//! // Never announced: a heap with no room, not a wild write.
//! assert_eq!(HEAP.limit(), 0);
//! ```
//!
//! # What the host hands in
//!
//! [`InvocationArena`] is no heap of the program's: the host asks it for room, and the program looks up
//! there what the host has written. [`PagedInvocationArena`] is the same over a memory that grows.
//!
//! # Parts of a program
//!
//! An [`Arena`] is a fixed buffer with two ends, for a part of a program that frees all it took at
//! once: for collections, through its handles, which are [`allocator_api2`] allocators, and for
//! values, through [`ArenaHandle`]s. With the feature `alloc` an arena can have its buffer from the
//! program's own heap.
//!
//! # Addresses are aligned, not offsets
//!
//! A loader's heap starts right above a program's data, at an address such as `0x30008`. No source
//! has to be aligned to anything; every alignment from 1 to 2^31 is made good in the address itself.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

// Arenas draw their identities from an atomic counter, and tracing counts with such.
#[cfg(target_has_atomic = "ptr")]
mod arena;
mod bump;
mod invocation;
mod paged_invocation;
mod segregated;
mod source;
#[cfg(target_has_atomic = "ptr")]
mod tracing;

pub use allocator_api2;
#[cfg(target_has_atomic = "ptr")]
pub use arena::{
    Arena, ArenaHandle, BottomHandle, BottomMark, Budget, EpochSaturated, RewindError, Stale,
    StaticBuffer, TopHandle, TopMark,
};
pub use bump::BumpAllocator;
pub use invocation::InvocationArena;
pub use paged_invocation::PagedInvocationArena;
pub use segregated::SegregatedBumpAllocator;
pub use source::{
    BorrowedHeap, FixedHeap, HeapSource, LinearMemory, LoaderHeap, PAGE_SIZE, PageMemory,
    WasmMemory, heap_limit, set_heap_base, set_heap_limit,
};
#[cfg(target_has_atomic = "ptr")]
pub use tracing::{
    HeapFigures, TraceCounts, TraceEvent, TraceOperation, TraceSink, TracingAllocator,
};

/// The least heap, in bytes, that a loader gives to a program: 32 KiB. State that an allocator keeps
/// for its program must fit in it.
pub const MIN_HEAP_LENGTH: usize = 32 * 1024;

/// The example of the README, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
