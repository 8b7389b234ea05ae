//! Which heaps may be shared between threads: only those whose constructors make that a promise.

use core::cell::Cell;

use allocator::{BorrowedHeap, BumpAllocator, FixedHeap, LoaderHeap};

/// Has two ways to be true for a type that is `Sync`, so that naming it is ambiguous and does not
/// compile; one way for a type that is not.
trait NotSync<Way> {
    fn check() {}
}

impl<T> NotSync<()> for T {}
impl<T: Sync> NotSync<u8> for T {}

/// The same for `Send`.
trait NotSend<Way> {
    fn check() {}
}

impl<T> NotSend<()> for T {}
impl<T: Send> NotSend<u8> for T {}

fn is_sync<T: Sync>() {}

#[test]
fn lent_buffer_allocator_stays_in_its_thread() {
    <BumpAllocator<(), BorrowedHeap<'static>> as NotSync<_>>::check();
    <BumpAllocator<(), BorrowedHeap<'static>> as NotSend<_>>::check();
}

#[test]
fn unsafe_constructor_allows_a_static() {
    is_sync::<BumpAllocator<Cell<u64>, LoaderHeap>>();
    is_sync::<BumpAllocator<Cell<u64>, FixedHeap<4096, 4096>>>();
}
