//! The heap on targets where the entry announces it.

/// Returns whether the heap was not announced.
pub(super) fn heap_is_missing() -> bool {
    allocator::heap_limit() == 0
}

/// Expands to nothing: the entry announces the heap.
#[doc(hidden)]
#[macro_export]
macro_rules! __announced_heap {
    () => {};
}

#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! __unnamed_heap {
    ([$($riscv64_attribute:tt)*] bump) => {
        $crate::__unnamed_heap! {
            [$($riscv64_attribute)*]
            $crate::BumpAllocator,
            // SAFETY: a program has one global allocator, and a guest has one thread.
            unsafe { $crate::__private::default_heap() }
        }
    };
    ([$($riscv64_attribute:tt)*] segregated) => {
        $crate::__unnamed_heap! {
            [$($riscv64_attribute)*]
            $crate::SegregatedBumpAllocator,
            // SAFETY: a program has one global allocator, and a guest has one thread.
            unsafe { $crate::SegregatedBumpAllocator::new() }
        }
    };
    ([$($riscv64_attribute:tt)*] $type:ty, $value:expr) => {
        #[global_allocator]
        static HEAP: $crate::__private::UnnamedHeap<$type> =
            $crate::__private::unnamed_heap($value);

        $crate::__export! {
            [$($riscv64_attribute)*]
            extern "C" fn entrypoint_heap_bump() {}
        }
        $crate::__heap_trace_export! { [$($riscv64_attribute)*] HEAP }
    };
}
