//! A global allocator that gives one thread's requests to the allocator under test, and all others
//! to the system, and the workload of collections that is run on it.

#![allow(
    dead_code,
    reason = "each test file is a program of its own and uses a part of this"
)]

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

/// An allocator, for one thread at a time to switch to.
pub struct Switch<A> {
    inner: A,
    taken: AtomicBool,
    /// The lowest and the highest address of a block that it has handed out.
    lowest: AtomicUsize,
    highest: AtomicUsize,
}

// SAFETY: `on` lets one thread alone come to `inner`, for good; and blocks of `inner` are given up
// on that thread by the contract of `on`.
unsafe impl<A> Sync for Switch<A> {}

impl<A> Switch<A> {
    /// An allocator that nobody has switched to yet.
    pub const fn new(inner: A) -> Self {
        Self {
            inner,
            taken: AtomicBool::new(false),
            lowest: AtomicUsize::new(usize::MAX),
            highest: AtomicUsize::new(0),
        }
    }

    /// Gives this thread's requests to the allocator while `action` runs.
    ///
    /// # Safety
    ///
    /// `action` gives up all that it allocates before it returns, and on this thread, and nothing
    /// else; and it does not panic.
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
    /// The thread is the one that has called `on`.
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

/// Runs the workload of collections on the allocator and on the system, and fails unless the
/// results are equal. Returns the addresses from the lowest block to the end of the highest.
pub fn collections_agree<A: GlobalAlloc>(heap: &Switch<A>, rounds: u32) -> Range<usize> {
    let expected = collections::work(rounds);
    assert_eq!(expected.lines().count(), 7 * rounds as usize);
    let mut found = String::with_capacity(2 * expected.len());
    // SAFETY: the result goes before the allocator, because it is only copied, to a string of the
    // system's that has room for twice as much as it should have. The workload does not panic where
    // memory is right, and ends the process where there is none.
    unsafe {
        heap.on(|_| {
            let result = collections::work(rounds);
            let length = result.len().min(found.capacity());
            found.push_str(result.get(..length).unwrap_or("not even text"));
        });
    }
    assert_eq!(found, expected);
    heap.extent()
}

// SAFETY: every call goes to one of two allocators as it came. A thread that has switched gives up
// and resizes blocks of the allocator that it has switched to only: by the contract of `on` it
// gives up all that it got there before it switches back, and nothing else meanwhile.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Switch<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if SWITCHED.get() {
            // SAFETY: the contract is the same.
            self.note(unsafe { self.inner.alloc(layout) }, layout.size())
        } else {
            // SAFETY: the contract is the same.
            unsafe { System.alloc(layout) }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if SWITCHED.get() {
            // SAFETY: the contract is the same.
            self.note(unsafe { self.inner.alloc_zeroed(layout) }, layout.size())
        } else {
            // SAFETY: the contract is the same.
            unsafe { System.alloc_zeroed(layout) }
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if SWITCHED.get() {
            // SAFETY: the contract is the same, and the block is one of `inner`.
            unsafe { self.inner.dealloc(block, layout) }
        } else {
            // SAFETY: the contract is the same, and the block is one of the system's.
            unsafe { System.dealloc(block, layout) }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if SWITCHED.get() {
            // SAFETY: as in `dealloc`.
            self.note(
                unsafe { self.inner.realloc(block, layout, new_size) },
                new_size,
            )
        } else {
            // SAFETY: as in `dealloc`.
            unsafe { System.realloc(block, layout, new_size) }
        }
    }
}
