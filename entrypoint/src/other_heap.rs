//! Another heap than the one that the program chose, to compare the two.

#[cfg(feature = "heap-bump")]
use allocator::BumpAllocator as Heap;
#[cfg(not(feature = "heap-bump"))]
use allocator::SegregatedBumpAllocator as Heap;

/// The type of a heap without a name, whatever the program chose.
pub type UnnamedHeap<A> = <A as Other>::Heap;

/// A heap that another one replaces.
pub trait Other {
    /// The other one.
    type Heap;
}

impl<A> Other for A {
    type Heap = Heap;
}

/// Returns the other heap in place of the program's only one.
#[must_use]
pub const fn unnamed_heap<A>(heap: A) -> UnnamedHeap<A> {
    core::mem::forget(heap);
    // SAFETY: `new` requires that it is the only allocator over the announced heap, and one thread.
    // Only the macros' expansions call this function, once in a program, with the program's only
    // allocator over that heap, which the line above has given up. A guest has one thread.
    unsafe { Heap::new() }
}
