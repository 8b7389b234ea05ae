//! The allocators and the memories under test: a test that uses these traits runs over every
//! allocator and source.

use core::alloc::{GlobalAlloc, Layout};
use core::marker::PhantomData;
use core::ops::Range;

use allocator::{BumpAllocator, HeapSource, SegregatedBumpAllocator};
use bytemuck::Zeroable;

use super::model::{BumpModel, Model, SegregatedModel};
use super::{HEADER, Heap, Outlook};

/// An allocator under test.
pub trait Subject: GlobalAlloc {
    /// Whether the allocator accepts empty layouts, which `GlobalAlloc` leaves open.
    const EMPTY_BLOCKS: bool;
    /// The program's state before the first block.
    const STATE: Layout;
    /// The reference model.
    type Model: Model;

    /// The bytes from the first block to the top.
    fn used(&self) -> usize;
    /// The peak of `used`.
    fn peak(&self) -> usize;
    /// The length of the heap, including header and state.
    fn limit(&self) -> usize;
    /// Bytes in freed blocks that wait for the next request of their class.
    fn listed(&self) -> usize;
}

impl<G: Zeroable, S: HeapSource> Subject for BumpAllocator<G, S> {
    const EMPTY_BLOCKS: bool = true;
    const STATE: Layout = Layout::new::<G>();
    type Model = BumpModel;

    fn used(&self) -> usize {
        BumpAllocator::used(self)
    }

    fn peak(&self) -> usize {
        BumpAllocator::peak(self)
    }

    fn limit(&self) -> usize {
        BumpAllocator::limit(self)
    }

    fn listed(&self) -> usize {
        0
    }
}

impl<S: HeapSource> Subject for SegregatedBumpAllocator<S> {
    const EMPTY_BLOCKS: bool = false;
    const STATE: Layout = Layout::new::<()>();
    type Model = SegregatedModel;

    fn used(&self) -> usize {
        SegregatedBumpAllocator::used(self)
    }

    fn peak(&self) -> usize {
        SegregatedBumpAllocator::peak(self)
    }

    fn limit(&self) -> usize {
        SegregatedBumpAllocator::limit(self)
    }

    fn listed(&self) -> usize {
        SegregatedBumpAllocator::listed(self)
    }
}

/// How to construct an allocator over any source.
pub trait Algorithm {
    /// The allocator over a source.
    type Over<S: HeapSource>: Subject;

    /// Constructs the allocator.
    ///
    /// # Safety
    ///
    /// No other allocator is constructed over the same region, no byte of it has been written, and
    /// one thread uses it.
    unsafe fn over<S: HeapSource>(source: S) -> Self::Over<S>;
}

/// [`BumpAllocator`] with a `G` at its base.
pub struct Bump<G = ()>(PhantomData<G>);

impl<G: Zeroable> Algorithm for Bump<G> {
    type Over<S: HeapSource> = BumpAllocator<G, S>;

    unsafe fn over<S: HeapSource>(source: S) -> Self::Over<S> {
        // SAFETY: `with_source` requires a fresh region with one allocator, in one thread. The
        // caller promises that.
        unsafe { BumpAllocator::with_source(source) }
    }
}

/// [`SegregatedBumpAllocator`].
pub struct Segregated;

impl Algorithm for Segregated {
    type Over<S: HeapSource> = SegregatedBumpAllocator<S>;

    unsafe fn over<S: HeapSource>(source: S) -> Self::Over<S> {
        // SAFETY: `with_source` requires a fresh region with one allocator, in one thread. The
        // caller promises that.
        unsafe { SegregatedBumpAllocator::with_source(source) }
    }
}

/// Memory over which a source can be opened.
///
/// # Safety
///
/// `open` must return a source over memory that is zeroed, whose bytes are all initialized, and
/// that no other source has during the borrow.
pub unsafe trait Memory {
    /// The source.
    type Source<'memory>: HeapSource
    where
        Self: 'memory;
    /// The test's own record of the memory.
    type Ground<'memory>: Ground
    where
        Self: 'memory;

    /// Opens the memory.
    fn open(&mut self) -> (Self::Source<'_>, Self::Ground<'_>);

    /// Asserts that no byte outside the source's memory was written.
    fn check_rest(&self);

    /// An allocator over the memory.
    fn start<A: Algorithm>(&mut self) -> Heap<'_, A::Over<Self::Source<'_>>, Self::Ground<'_>> {
        let (source, ground) = self.open();
        // SAFETY: by the contract of `open` the region is zeroed, and only this source has it.
        // `Heap` is not `Sync`.
        let allocator = unsafe { A::over(source) };
        Heap::new(allocator, ground)
    }
}

/// The test's own record of the memory under a heap, which does not depend on the allocator.
pub trait Ground {
    /// The address of the header, if there is memory for one.
    fn base(&self) -> Option<usize>;

    /// Whether all these bytes are in the heap's memory.
    fn gave(&self, bytes: Range<usize>) -> bool;

    /// How the memory would change if the heap requested more.
    fn outlook(&self) -> Outlook;

    /// Another user takes pages of the heap's memory, if it has pages.
    fn others_take(&self, pages: usize) {
        let _ = pages;
    }

    /// Another user takes a page during the heap's next request for more.
    fn others_race(&self) {}

    /// Asserts that no other user's byte was written, as far as this can be checked now.
    fn check(&self) {}
}

/// A region that does not grow.
impl Ground for Range<usize> {
    fn base(&self) -> Option<usize> {
        (self.len() >= HEADER).then_some(self.start)
    }

    fn gave(&self, bytes: Range<usize>) -> bool {
        self.start <= bytes.start && bytes.end <= self.end
    }

    fn outlook(&self) -> Outlook {
        Outlook::Fixed
    }
}
