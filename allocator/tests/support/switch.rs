//! A global allocator that passes one thread's requests to the allocator under test, and all others
//! to the system; and the workload of collections that runs on it.

#![allow(dead_code, reason = "each test binary uses a part of this module")]

#[path = "../../../tests/support/collections.rs"]
mod collections;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::alloc::System;

thread_local! {
    /// Whether this thread's requests go to the allocator under test.
    static SWITCHED: Cell<bool> = const { Cell::new(false) };
}

/// An allocator that one thread at a time can switch to.
pub struct Switch<A> {
    inner: A,
    taken: AtomicBool,
    /// The lowest and the highest address of its blocks.
    lowest: AtomicUsize,
    highest: AtomicUsize,
}

// SAFETY: `on` lets only one thread access `inner`, and its contract requires that the blocks of
// `inner` are freed on that thread.
unsafe impl<A> Sync for Switch<A> {}

impl<A> Switch<A> {
    /// An allocator to which no thread has switched yet.
    pub const fn new(inner: A) -> Self {
        Self {
            inner,
            taken: AtomicBool::new(false),
            lowest: AtomicUsize::new(usize::MAX),
            highest: AtomicUsize::new(0),
        }
    }

    /// Passes this thread's requests to the allocator while `action` runs.
    ///
    /// # Safety
    ///
    /// `action` must free all its blocks before it returns, on this thread, and no other blocks. It
    /// must not panic.
    ///
    /// # Panics
    ///
    /// If it is called a second time.
    pub unsafe fn on<R>(&self, action: impl FnOnce(&A) -> R) -> R {
        assert!(!self.taken.swap(true, Ordering::Relaxed), "used before");
        SWITCHED.set(true);
        let result = action(&self.inner);
        SWITCHED.set(false);
        result
    }

    /// The allocator under test.
    ///
    /// # Safety
    ///
    /// The thread must be the one that has called `on`.
    pub unsafe fn inner(&self) -> &A {
        &self.inner
    }

    /// The addresses from the lowest block to the end of the highest.
    pub fn extent(&self) -> Range<usize> {
        self.lowest.load(Ordering::Relaxed)..self.highest.load(Ordering::Relaxed)
    }

    fn note(&self, block: *mut u8, size: usize) -> *mut u8 {
        if !block.is_null() {
            self.lowest.fetch_min(block.addr(), Ordering::Relaxed);
            self.highest
                .fetch_max(block.addr() + size, Ordering::Relaxed);
        }
        block
    }
}

/// Runs the workload of collections on the allocator and on the system, and asserts that the
/// results are equal. Returns the addresses from the lowest block to the end of the highest.
pub fn collections_agree<A: GlobalAlloc>(heap: &Switch<A>, rounds: u32) -> Range<usize> {
    let expected = collections::work(rounds);
    assert_eq!(expected.lines().count(), 7 * rounds as usize);
    let mut found = String::with_capacity(2 * expected.len());
    // SAFETY: the result is copied to a string of the system, whose capacity is twice the expected
    // length, and is freed before the closure returns. The workload does not panic with a correct
    // allocator, and ends the process if memory is full.
    unsafe {
        heap.on(|_| {
            let result = collections::work(rounds);
            let length = result.len().min(found.capacity());
            found.push_str(result.get(..length).unwrap_or("not UTF-8"));
        });
    }
    assert_eq!(found, expected);
    heap.extent()
}

// SAFETY: every call goes unchanged to one of two allocators. A thread that has switched frees and
// resizes only blocks of the allocator that it has switched to: by the contract of `on` it frees
// all of them before it switches back, and no others.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Switch<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if SWITCHED.get() {
            // SAFETY: `alloc` requires a layout with a size. The caller passes one.
            self.note(unsafe { self.inner.alloc(layout) }, layout.size())
        } else {
            // SAFETY: `alloc` requires a layout with a size. The caller passes one.
            unsafe { System.alloc(layout) }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if SWITCHED.get() {
            // SAFETY: `alloc_zeroed` requires a layout with a size. The caller passes one.
            self.note(unsafe { self.inner.alloc_zeroed(layout) }, layout.size())
        } else {
            // SAFETY: `alloc_zeroed` requires a layout with a size. The caller passes one.
            unsafe { System.alloc_zeroed(layout) }
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if SWITCHED.get() {
            // SAFETY: the caller passes a live block and its layout, and the block is one of
            // `inner`.
            unsafe { self.inner.dealloc(block, layout) }
        } else {
            // SAFETY: the caller passes a live block and its layout, and the block is one of the
            // system.
            unsafe { System.dealloc(block, layout) }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if SWITCHED.get() {
            // SAFETY: the caller passes a live block of `inner`, its layout, and a valid new size.
            self.note(
                unsafe { self.inner.realloc(block, layout, new_size) },
                new_size,
            )
        } else {
            // SAFETY: the caller passes a live block of the system, its layout, and a valid new
            // size.
            unsafe { System.realloc(block, layout, new_size) }
        }
    }
}
