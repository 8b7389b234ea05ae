//! A heap may be shared between threads only if its constructor requires that promise.

use core::cell::Cell;

use allocator::{BorrowedHeap, BumpAllocator, FixedHeap, LoaderHeap};

/// A `Sync` type has two implementations, so `NotSync::check` is ambiguous and does not compile.
/// Any other type has one.
trait NotSync<Way> {
    fn check() {}
}

impl<T> NotSync<()> for T {}
impl<T: Sync> NotSync<u8> for T {}

/// Works like `NotSync`, for `Send`.
trait NotSend<Way> {
    fn check() {}
}

impl<T> NotSend<()> for T {}
impl<T: Send> NotSend<u8> for T {}

fn is_sync<T: Sync>() {}

#[test]
fn allocator_over_a_buffer_stays_in_its_thread() {
    <BumpAllocator<(), BorrowedHeap<'static>> as NotSync<_>>::check();
    <BumpAllocator<(), BorrowedHeap<'static>> as NotSend<_>>::check();
}

#[test]
fn unsafe_constructor_allows_a_static() {
    is_sync::<BumpAllocator<Cell<u64>, LoaderHeap>>();
    is_sync::<BumpAllocator<Cell<u64>, FixedHeap<4096, 4096>>>();
}
