//! The end of a program that cannot go on.

/// Is never called, because the syscall `rlo_abort` panics here.
pub(crate) fn halt() -> ! {
    unreachable!("an abort has come back")
}
