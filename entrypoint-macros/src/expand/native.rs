//! Native libraries: the host passes a table, which has the place of the heap.

use proc_macro2::{Ident, TokenStream};
use quote::quote_spanned;

use super::{EntryExport, Target, heap_in_announced_memory, reject_only_handlers};
use crate::model::HeapKind;

pub(super) struct Native;

impl Target for Native {
    fn name(&self) -> &'static str {
        "native"
    }

    fn entry(
        &self,
        EntryExport {
            enter,
            is_loaders_heap: _,
            span,
        }: &EntryExport,
    ) -> TokenStream {
        quote_spanned! {*span=>
            /// # Safety
            ///
            /// The host follows `docs/abi.md`, section "Native library".
            #[unsafe(no_mangle)]
            unsafe extern "C" fn entrypoint_native_host(
                host: *const __ep_crate::__private::Host,
            ) {
                // SAFETY: by that section, `host` is readable, and its heap, length and function
                // are valid until the entry has returned.
                unsafe { __ep_crate::__private::set_host(host) }
            }

            /// # Safety
            ///
            /// `input` points to an input as a loader writes it, aligned to 8. This is called once.
            /// The heap is where the host has set it, or else at the address in `abi::entry`.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn entrypoint(input: *mut ::core::primitive::u8) -> ::core::primitive::u64 {
                // SAFETY: the host calls this once, so nothing else has happened except
                // `entrypoint_native_host`. By the contract, there is a heap. A program has one
                // thread and one global allocator.
                let table = unsafe { __ep_crate::__private::begin() }.into();
                let process_instruction = __ONE_ENTRYPOINT_PER_CRATE;
                // SAFETY: by the contract, there is an input, aligned to 8, for this one call.
                // The length is the host's. A program has one thread.
                unsafe { __ep_crate::__private::#enter(input, table, process_instruction) }
            }
        }
    }

    fn unnamed_heap(&self, kind: HeapKind) -> TokenStream {
        heap_in_announced_memory(self, kind)
    }

    fn only_handlers(&self, names: &[Ident]) -> TokenStream {
        reject_only_handlers(names)
    }
}
