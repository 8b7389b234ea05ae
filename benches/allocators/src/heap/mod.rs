//! The global allocator, and its heap.
//!
//! Each file has one allocator: `Heap`, its type, `new`, which creates it, and `start`, which is
//! called once before the workload.

#[cfg(any(feature = "arena_bottom", feature = "arena_top"))]
mod arena;
mod bump;
#[cfg(feature = "invocation_arena")]
mod invocation_arena;
#[cfg(feature = "linked_list_allocator")]
mod linked_list;
mod one_buffer;
#[cfg(feature = "paged_invocation_arena")]
mod paged_invocation_arena;
#[cfg(feature = "picoalloc")]
mod picoalloc;
#[cfg(feature = "rlsf")]
mod rlsf;
mod segregated;
mod single_thread;
#[cfg(feature = "talc")]
mod talc;

use allocator::TraceCounts;

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
pub use guest::{counts, start};
#[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
pub use host::{counts, start};

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
mod guest {
    use entrypoint::ProgramResult;

    use super::TraceCounts;

    core::cfg_select! {
        feature = "segregated" => { use super::segregated as chosen; }
        any(feature = "arena_bottom", feature = "arena_top") => { use super::arena as chosen; }
        feature = "invocation_arena" => { use super::invocation_arena as chosen; }
        feature = "paged_invocation_arena" => { use super::paged_invocation_arena as chosen; }
        feature = "picoalloc" => { use super::picoalloc as chosen; }
        feature = "talc" => { use super::talc as chosen; }
        feature = "rlsf" => { use super::rlsf as chosen; }
        feature = "linked_list_allocator" => { use super::linked_list as chosen; }
        feature = "one_buffer" => { use super::one_buffer as chosen; }
        // Also if none is chosen, so that the assertion below is the only error.
        _ => { use super::bump as chosen; }
    }

    const CHOSEN: usize = cfg!(feature = "bump") as usize
        + cfg!(feature = "segregated") as usize
        + cfg!(feature = "arena_bottom") as usize
        + cfg!(feature = "arena_top") as usize
        + cfg!(feature = "invocation_arena") as usize
        + cfg!(feature = "paged_invocation_arena") as usize
        + cfg!(feature = "picoalloc") as usize
        + cfg!(feature = "talc") as usize
        + cfg!(feature = "rlsf") as usize
        + cfg!(feature = "linked_list_allocator") as usize
        + cfg!(feature = "one_buffer") as usize;

    const _: () = assert!(
        CHOSEN == 1,
        "choose exactly one allocator by its feature; `cargo xtask bench allocators` does so"
    );

    #[cfg(not(feature = "traced"))]
    #[global_allocator]
    // SAFETY: the one global allocator of a program with one thread.
    static HEAP: chosen::Heap = unsafe { chosen::new() };

    #[cfg(feature = "traced")]
    #[global_allocator]
    static HEAP: allocator::TracingAllocator<chosen::Heap> =
        // SAFETY: the one global allocator of a program with one thread.
        allocator::TracingAllocator::new(unsafe { chosen::new() });

    /// The allocator itself, traced or not.
    #[inline(always)]
    fn heap() -> &'static chosen::Heap {
        #[cfg(feature = "traced")]
        return HEAP.inner();
        #[cfg(not(feature = "traced"))]
        &HEAP
    }

    /// # Safety
    ///
    /// Called once, before the first allocation.
    #[inline(always)]
    pub unsafe fn start() -> ProgramResult {
        // SAFETY: `start` requires one call, before any allocation. The caller promises both.
        unsafe { chosen::start(heap()) }
    }

    /// The counts, if the allocator is traced.
    #[inline(always)]
    pub fn counts() -> Option<TraceCounts> {
        #[cfg(feature = "traced")]
        return Some(HEAP.counts());
        #[cfg(not(feature = "traced"))]
        None
    }
}

/// On the host, `std` has the global allocator, and there is no heap of a loader.
#[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
mod host {
    use entrypoint::{ProgramError, ProgramResult};

    use super::TraceCounts;

    /// # Safety
    ///
    /// Called once, before the first allocation.
    pub unsafe fn start() -> ProgramResult {
        Err(ProgramError::InvalidArgument)
    }

    pub fn counts() -> Option<TraceCounts> {
        None
    }
}
