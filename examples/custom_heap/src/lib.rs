//! Brings its own global allocator: `heap = custom` leaves the default one out.
//!
//! The allocator here is the crate's own bump allocator behind a counter, so that the program can say how
//! often it allocated. A program may as well take one from another crate, or forbid allocation.
#![no_std]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::{AtomicU32, Ordering};

use entrypoint::{AccountInfo, BumpAllocator, ProgramResult, Pubkey, entrypoint, msg};

entrypoint!(process_instruction, heap = custom);

/// An allocator that counts the requests it passes on.
pub struct CountingAllocator {
    inner: BumpAllocator,
    requests: AtomicU32,
}

impl CountingAllocator {
    /// How many allocations and reallocations there were.
    pub fn requests(&self) -> u32 {
        self.requests.load(Ordering::Relaxed)
    }

    fn count(&self) {
        self.requests.store(self.requests() + 1, Ordering::Relaxed);
    }
}

// SAFETY: every method does what the inner allocator does, and counting allocates nothing.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.count();
        // SAFETY: the contract is the same.
        unsafe { self.inner.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the contract is the same.
        unsafe { self.inner.dealloc(block, layout) };
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        self.count();
        // SAFETY: the contract is the same.
        unsafe { self.inner.realloc(block, layout, new_size) }
    }
}

/// The program's heap.
// On the host, where the crate's own tests would run, `std` has an allocator already.
#[cfg_attr(all(target_arch = "riscv64", target_os = "none"), global_allocator)]
pub static HEAP: CountingAllocator = CountingAllocator {
    // SAFETY: the only allocator over the announced heap, in a guest that has one thread.
    inner: unsafe { BumpAllocator::new() },
    requests: AtomicU32::new(0),
};

/// Sorts the words of the instruction data.
pub fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let text = String::from_utf8_lossy(instruction_data);
    let mut words: Vec<&str> = text.split_whitespace().collect();
    words.sort_unstable();
    msg!("{}", words.join(" "));
    msg!("{} requests to the allocator", HEAP.requests());
    Ok(())
}
