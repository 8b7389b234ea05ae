//! A WebAssembly module with two heaps on one memory, whose exports allocate and free blocks.
//!
//! The global allocator is a segregated heap; the other is a bump heap. Each grows the memory when
//! it needs more, and so may the host. On other targets the crate is empty.
#![no_std]
#![cfg(target_arch = "wasm32")]

extern crate alloc;

#[path = "../../../support/collections.rs"]
mod collections;

use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};

use allocator::{BumpAllocator, LinearMemory, SegregatedBumpAllocator, WasmMemory};

#[global_allocator]
static SEGREGATED: SegregatedBumpAllocator<WasmMemory> =
    // SAFETY: the source requires that one thread, and one heap, uses it. The module has one
    // thread, and only this heap uses the source.
    unsafe { SegregatedBumpAllocator::with_source(WasmMemory::new(LinearMemory)) };

static BUMP: BumpAllocator<(), WasmMemory> =
    // SAFETY: the source requires that one thread, and one heap, uses it. The module has one
    // thread, and only this heap uses the source.
    unsafe { BumpAllocator::with_source(WasmMemory::new(LinearMemory)) };

/// The heap with this number; 0 is the global heap.
fn heap(number: u32) -> &'static dyn GlobalAlloc {
    if number == 0 { &SEGREGATED } else { &BUMP }
}

fn layout(size: u32, align: u32) -> Option<Layout> {
    Layout::from_size_align(size as usize, align as usize).ok()
}

/// Returns a block's address; 0 if the allocation fails.
#[unsafe(no_mangle)]
extern "C" fn take(number: u32, size: u32, align: u32) -> *mut u8 {
    match layout(size, align) {
        // SAFETY: `alloc` requires a size other than 0. The host passes only such sizes.
        Some(layout) => unsafe { heap(number).alloc(layout) },
        None => core::ptr::null_mut(),
    }
}

/// Works like `take`, with zeroed bytes.
#[unsafe(no_mangle)]
extern "C" fn take_zeroed(number: u32, size: u32, align: u32) -> *mut u8 {
    match layout(size, align) {
        // SAFETY: `alloc_zeroed` requires a size other than 0. The host passes only such sizes.
        Some(layout) => unsafe { heap(number).alloc_zeroed(layout) },
        None => core::ptr::null_mut(),
    }
}

/// Frees a block.
#[unsafe(no_mangle)]
extern "C" fn give(number: u32, block: *mut u8, size: u32, align: u32) {
    if let Some(layout) = layout(size, align) {
        // SAFETY: `dealloc` requires a live block of this heap, and its layout. The host frees only
        // blocks that it allocated here, with their present layout.
        unsafe { heap(number).dealloc(block, layout) };
    }
}

/// Returns a block's new address; 0 if the allocation fails.
#[unsafe(no_mangle)]
extern "C" fn resize(number: u32, block: *mut u8, size: u32, align: u32, new_size: u32) -> *mut u8 {
    match layout(size, align) {
        // SAFETY: `realloc` requires a live block with its layout, and a new size other than 0. The
        // host resizes only blocks that it allocated, with their present layout, to such sizes.
        Some(layout) => unsafe { heap(number).realloc(block, layout, new_size as usize) },
        None => core::ptr::null_mut(),
    }
}

/// The sum of the first `count` numbers, from a vector that grows one by one.
#[unsafe(no_mangle)]
extern "C" fn sum(count: u32) -> u64 {
    let mut numbers = Vec::new();
    for number in 0..u64::from(count) {
        numbers.push(number);
    }
    numbers.iter().sum()
}

/// The lines of these rounds of the collections' workload, which are never freed: address in the
/// high half, length in the low half.
#[unsafe(no_mangle)]
extern "C" fn work(rounds: u32) -> u64 {
    let text = collections::work(rounds).leak();
    (text.as_ptr() as u64) << 32 | text.len() as u64
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
