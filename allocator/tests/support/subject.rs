//! What is tested, and on what memory: a test written against these runs over every allocator and
//! source.

use core::alloc::{GlobalAlloc, Layout};
use core::marker::PhantomData;
use core::ops::Range;

use allocator::{BumpAllocator, HeapSource, SegregatedBumpAllocator};
use bytemuck::Zeroable;

use super::model::{BumpModel, Model, SegregatedModel};
use super::{HEADER, Heap, Outlook};

/// An allocator under test.
pub trait Subject: GlobalAlloc {
    /// Whether it handles blocks without bytes as well, which `GlobalAlloc` leaves open.
    const EMPTY_BLOCKS: bool;
    /// The program's state that it keeps before the first block.
    const STATE: Layout;
    /// What it should do.
    type Model: Model;

    /// Bytes from the first block to the top.
    fn used(&self) -> usize;
    /// The most bytes there ever were from the first block to the top.
    fn peak(&self) -> usize;
    /// Length of the heap, header and state included.
    fn limit(&self) -> usize;
    /// Bytes in blocks that were freed and wait for the next request of their size.
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

/// How an allocator is built over a source, whichever that is.
pub trait Algorithm {
    /// The allocator over a source.
    type Over<S: HeapSource>: Subject;

    /// Builds it.
    ///
    /// # Safety
    ///
    /// No other allocator is built over the same region, nothing has been written to it, and one
    /// thread uses it.
    unsafe fn over<S: HeapSource>(source: S) -> Self::Over<S>;
}

/// [`BumpAllocator`] with a `G` at its base.
pub struct Bump<G = ()>(PhantomData<G>);

impl<G: Zeroable> Algorithm for Bump<G> {
    type Over<S: HeapSource> = BumpAllocator<G, S>;

    unsafe fn over<S: HeapSource>(source: S) -> Self::Over<S> {
        // SAFETY: the contract is the same.
        unsafe { BumpAllocator::with_source(source) }
    }
}

/// [`SegregatedBumpAllocator`].
pub struct Segregated;

impl Algorithm for Segregated {
    type Over<S: HeapSource> = SegregatedBumpAllocator<S>;

    unsafe fn over<S: HeapSource>(source: S) -> Self::Over<S> {
        // SAFETY: the contract is the same.
        unsafe { SegregatedBumpAllocator::with_source(source) }
    }
}

/// Memory that a source can be opened on.
///
/// # Safety
///
/// What `open` returns is a source over memory that no other source has while the borrow lasts,
/// zeroed, and all of whose bytes are initialized.
pub unsafe trait Memory {
    /// The source.
    type Source<'memory>: HeapSource
    where
        Self: 'memory;
    /// What the test knows of the memory meanwhile.
    type Ground<'memory>: Ground
    where
        Self: 'memory;

    /// Opens the memory.
    fn open(&mut self) -> (Self::Source<'_>, Self::Ground<'_>);

    /// Fails if anything was written that was not given to the source.
    fn check_rest(&self);

    /// An allocator over the memory.
    fn start<A: Algorithm>(&mut self) -> Heap<'_, A::Over<Self::Source<'_>>, Self::Ground<'_>> {
        let (source, ground) = self.open();
        // SAFETY: by the contract of `open` the region is this source's alone and zeroed; `Heap` is
        // not `Sync`.
        let allocator = unsafe { A::over(source) };
        Heap::new(allocator, ground)
    }
}

/// What a test knows of the memory under a heap, without asking the allocator.
pub trait Ground {
    /// The address of the header, if there is memory for one.
    fn base(&self) -> Option<usize>;

    /// Whether the heap was given all of these bytes.
    fn gave(&self, bytes: Range<usize>) -> bool;

    /// What becomes of the memory when the heap asks for more.
    fn outlook(&self) -> Outlook;

    /// Somebody else takes memory from where the heap's comes from, if anybody can.
    fn others_take(&self, pages: usize) {
        let _ = pages;
    }

    /// Somebody else takes a page in the middle of the heap's next request for more.
    fn others_race(&self) {}

    /// Fails if anything was written that belongs to others, as far as that can be seen now.
    fn check(&self) {}
}

/// A region that stays as it is.
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
