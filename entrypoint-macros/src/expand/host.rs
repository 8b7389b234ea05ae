//! Builds for unit tests: `std` has the allocator and the panic handler, and there is no host.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote_spanned;

use super::{EntryExport, Target};
use crate::model::HeapKind;

pub(super) struct Host;

impl Target for Host {
    fn name(&self) -> &'static str {
        "host"
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
            /// `input` points to an input as a loader writes it, aligned to 8, and one thread uses
            /// it.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn entrypoint(input: *mut ::core::primitive::u8) -> ::core::primitive::u64 {
                let process_instruction = __ONE_ENTRYPOINT_PER_CRATE;
                // SAFETY: by the contract, `input` is an input, aligned to 8, used by one thread.
                // Its length is not known, nor its table.
                unsafe {
                    __ep_crate::__private::#enter(
                        input,
                        __ep_crate::__private::AccountTable::NotKnown,
                        process_instruction,
                    )
                }
            }
        }
    }

    fn unnamed_heap(&self, _kind: HeapKind) -> TokenStream {
        TokenStream::new()
    }

    fn global_allocator(&self, declaration: TokenStream) -> TokenStream {
        declaration
    }

    fn heap_header(&self) -> TokenStream {
        TokenStream::new()
    }

    fn panic_handler(&self, _report: &TokenStream) -> TokenStream {
        TokenStream::new()
    }

    fn arena_cell(&self, capacity: &TokenTree) -> TokenStream {
        quote_spanned! {Span::mixed_site()=>
            {
                __ep_crate::__private::thread_local! {
                    static __HOST_ARENA: __ep_crate::host_return::InvocationArena<#capacity> =
                        const {
                            // SAFETY: each thread has its own arena, and there is no host. Only
                            // unsafe code can write to the arena, through a pointer, and it must
                            // follow the rules of `alloc`.
                            unsafe { __ep_crate::host_return::InvocationArena::new() }
                        };
                }
                __ep_crate::__private::ArenaCell::new(&__HOST_ARENA)
            }
        }
    }
}
