//! PolkaVM's RISC-V, the target of blobs, with registers for heap and input.

#[path = "../shared/account_list.rs"]
mod account_list;
#[path = "../shared/arena.rs"]
mod arena;
#[path = "../shared/handler.rs"]
mod handler;
#[path = "../shared/heap.rs"]
mod heap;
#[path = "../shared/panic.rs"]
mod panic;

pub(crate) use account_list::list_memory;
pub use arena::ArenaCell;
pub use handler::{HostReplies, for_tests};
use heap::heap_is_missing;
pub use panic::{panic_silent, panic_with_location, panic_with_message};
pub use polkavm_derive::{default_abi, polkavm_export};

/// The syscalls, as PolkaVM links them.
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
    // SAFETY: `unimp` traps, so it never falls through, and it touches neither memory nor
    // registers.
    unsafe { core::arch::asm!("unimp", options(noreturn)) }
}

/// Does nothing: addresses have 32 bits, which fit into a report.
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
            // A second entry in another module is a second definition of this symbol. Without it,
            // PolkaVM's linker would take either of the two exports, without an error.
            #[unsafe(no_mangle)]
            extern "C" fn __one_entrypoint_per_program() {}

            $($riscv64_attribute)*
            extern "C" fn entrypoint(
                input: u64,
                length: u64,
                heap_base: u64,
                heap_size: u64,
            ) -> u64 {
                // The loader passes u32. Whole registers save the code that would cut them. SAFETY:
                // this is the start of the entry, which the loader calls once. By `docs/abi.md`,
                // these registers are base and size of a zeroed heap of at least 32 KiB that
                // nothing else uses, and both are u32, so the region ends below 2^63. A guest has
                // one thread and one global allocator.
                unsafe { $crate::__private::announce_heap(heap_base, heap_size) };
                let input = ::core::ptr::with_exposed_provenance_mut(input as usize);
                let length = ::core::option::Option::Some(length as usize);
                let process_instruction = super::__ONE_ENTRYPOINT_PER_CRATE;
                // SAFETY: the loader wrote an input of `length` bytes there, at the start of a
                // page, for the whole invocation. A guest has one thread, and the loader calls the
                // entry once.
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
            // A second pair in another module is a second definition of this symbol. Without it,
            // PolkaVM's linker would take either of the two exports, without an error.
            #[unsafe(no_mangle)]
            extern "C" fn __one_host_return_per_program() {}

            // A whole register, so that a length of more than 32 bits is refused and not cut.
            #[$crate::__private::polkavm_export(abi = $crate::__private::default_abi)]
            extern "C" fn guest_alloc(length: u64) -> u64 {
                super::super::$arena.guest_alloc(length as usize) as u64
            }

            #[$crate::__private::polkavm_export(abi = $crate::__private::default_abi)]
            extern "C" fn reset_arena() {
                // SAFETY: the host calls this while no call of the program runs, so the program is
                // not inside `with`. By `docs/abi.md`, the host no longer writes to earlier bytes.
                unsafe { super::super::$arena.reset_arena() }
            }
        }
    };
}

/// Expands to nothing: the loader maps its own memory for the input.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_alloc {
    () => {};
}
