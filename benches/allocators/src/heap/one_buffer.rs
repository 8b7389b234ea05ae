//! Not an allocator: it returns the same buffer for every block, so that a workload costs only its
//! loop.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr;

use entrypoint::ProgramResult;

use super::single_thread::SingleThread;

/// Bytes of the longest block of the workloads that it supports, a zeroed KiB.
const LENGTH: usize = 1024;

#[repr(align(16))]
pub struct Buffer([u8; LENGTH]);

pub struct Heap(SingleThread<Buffer>);

/// # Safety
///
/// The global allocator of a program with one thread, which uses at most one of its blocks at a
/// time.
pub const unsafe fn new() -> Heap {
    // SAFETY: `new` requires that one thread uses the value. The program has one thread.
    Heap(unsafe { SingleThread::new(Buffer([0; LENGTH])) })
}

/// # Safety
///
/// Called once, before the first allocation.
#[inline(always)]
pub unsafe fn start(_heap: &Heap) -> ProgramResult {
    Ok(())
}

impl Heap {
    #[inline(always)]
    fn block(&self, size: usize, align: usize) -> *mut u8 {
        if size > LENGTH || align > align_of::<Buffer>() {
            return ptr::null_mut();
        }
        self.0.pointer().cast()
    }
}

// SAFETY: `GlobalAlloc` requires blocks that are in allocated memory and aligned. Every block is in
// the buffer and aligned. They are all the same one, which the contract of `new` allows.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.block(layout.size(), layout.align())
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.block(layout.size(), layout.align())
    }

    /// Costs nothing, but reads the block for the compiler, so that the caller must have the block
    /// and its contents.
    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, _layout: Layout) {
        look_at(block);
    }

    #[inline]
    unsafe fn realloc(&self, _block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        self.block(new_size, layout.align())
    }
}

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
#[inline(always)]
fn look_at(block: *mut u8) {
    // SAFETY: there are no instructions. The compiler may assume that they read memory through the
    // pointer, which stays in its register.
    unsafe {
        core::arch::asm!("/* {} */", in(reg) block, options(readonly, nostack, preserves_flags))
    };
}

#[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
fn look_at(block: *mut u8) {
    core::hint::black_box(block);
}
