//! The machine that blobs are for: PolkaVM's RISC-V, with registers for heap and input.

mod guest;
mod list_on_heap;
mod loader_heap;
mod one_thread;
mod only_programs;

pub use guest::{panic_with_location, panic_with_message, panic_without_words};
pub(crate) use list_on_heap::list_memory;
use loader_heap::heap_is_missing;
pub use one_thread::ArenaCell;
pub use only_programs::{Asked, for_tests};
pub use polkavm_derive::{default_abi, polkavm_export};

/// The imports, as PolkaVM links them.
#[allow(
    dead_code,
    reason = "the table has calls that only other runtimes' programs make"
)]
pub(crate) mod raw {
    macro_rules! declare {
        ($(
            $(#[doc = $doc:literal])*
            $variant:ident = $symbol:ident($($parameter:ident: $type:ty),*) -> $return:ty;
        )*) => {
            #[polkavm_derive::polkavm_import]
            unsafe extern "C" {
                $(pub fn $symbol($($parameter: $type),*) -> $return;)*
            }
        };
    }

    abi::for_each_import!(declare);
}

/// Traps.
pub(crate) fn halt() -> ! {
    // SAFETY: `unimp` traps, and so never falls through.
    unsafe { core::arch::asm!("unimp", options(noreturn)) }
}

/// Nothing: addresses have 32 bits, for which a report has room.
fn note_high_half(_value: &mut u64, _text: &str) {}

#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! __export {
    ([$($riscv64_attribute:tt)*] $function:item) => {
        $($riscv64_attribute)*
        $function
    };
}

#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! __entry {
    ([$($riscv64_attribute:tt)*] $is_loaders_heap:expr, $($enter:tt)*) => {
        // `polkavm_export` looks for the function in a module.
        mod guest {
            // A second entry in another module is a second definition of this symbol; PolkaVM's linker
            // would take either of two exports, and say nothing.
            #[unsafe(no_mangle)]
            extern "C" fn __one_entrypoint_per_program() {}

            $($riscv64_attribute)*
            extern "C" fn entrypoint(
                input: u64,
                length: u64,
                heap_base: u64,
                heap_size: u64,
            ) -> u64 {
                // The loader passes u32; taking whole registers spares the code that would cut them.
                // SAFETY: these are the registers of the entry, and nothing has happened yet.
                unsafe { $crate::__private::announce_heap(heap_base, heap_size) };
                let input = ::core::ptr::with_exposed_provenance_mut(input as usize);
                let length = ::core::option::Option::Some(length as usize);
                let process_instruction = super::__ONE_ENTRYPOINT_PER_CRATE;
                // SAFETY: the loader has written an input of `length` bytes there, on a page of
                // its own; a guest has one thread, and the loader calls the entry once.
                unsafe { $crate::__private::$($enter)*(input, length, process_instruction) }
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! __host_return_exports {
    ($arena:ident) => {
        // `polkavm_export` looks for the functions in a module.
        mod exports {
            // A second pair in another module is a second definition of this symbol; PolkaVM's linker would
            // take either of two exports, and say nothing.
            #[unsafe(no_mangle)]
            extern "C" fn __one_host_return_per_program() {}

            // A whole register, so that a length that does not fit in 32 bits is refused and not cut.
            #[$crate::__private::polkavm_export(abi = $crate::__private::default_abi)]
            extern "C" fn guest_alloc(length: u64) -> u64 {
                super::super::$arena.guest_alloc(length as usize) as u64
            }

            #[$crate::__private::polkavm_export(abi = $crate::__private::default_abi)]
            extern "C" fn reset_arena() {
                // SAFETY: the host calls this, so the program is not inside of `with`; and with this call
                // the host gives up the room it had.
                unsafe { super::super::$arena.reset_arena() }
            }
        }
    };
}

/// Nothing: the loader writes the input where it has room itself.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_alloc {
    () => {};
}
