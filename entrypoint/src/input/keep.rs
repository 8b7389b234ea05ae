//! Values that stay in one register.
//!
//! RV64E has few registers, and each that a function saves costs it two instructions. The compiler
//! likes to have a value and a sum with it, or two counters of a loop that differ by a constant, in
//! a register each. It cannot do so with values that it knows nothing of.

/// Returns the pointer, without the compiler's knowledge of how it was calculated.
#[inline(always)]
pub(super) fn keep<T>(pointer: *mut T) -> *mut T {
    #[cfg(all(target_arch = "riscv64", target_os = "none"))]
    let pointer = {
        let mut pointer = pointer;
        // SAFETY: there are no instructions.
        unsafe {
            core::arch::asm!(
                "/* {0} */",
                inout(reg) pointer,
                options(pure, nomem, nostack, preserves_flags),
            );
        }
        pointer
    };
    pointer
}

/// Returns the number, without the compiler's knowledge of how it was calculated.
#[inline(always)]
pub(super) fn keep_number(number: isize) -> isize {
    #[cfg(all(target_arch = "riscv64", target_os = "none"))]
    let number = {
        let mut number = number;
        // SAFETY: there are no instructions.
        unsafe {
            core::arch::asm!(
                "/* {0} */",
                inout(reg) number,
                options(pure, nomem, nostack, preserves_flags),
            );
        }
        number
    };
    number
}
