//! The heap on targets where the entry announces it.

/// Returns whether the heap was not announced.
pub(crate) fn heap_is_missing() -> bool {
    allocator::heap_limit() == 0
}
