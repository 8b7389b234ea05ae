//! PolkaVM's RISC-V: registers announce heap and input.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{EntryExport, Target, heap_in_announced_memory, reject_only_handlers};
use crate::model::HeapKind;

pub(super) struct Riscv64;

/// PolkaVM's attribute gives the export the source location of the attribute, so it is where the
/// function is.
fn polkavm_export(function: &TokenStream) -> TokenStream {
    let first = function.clone().into_iter().next();
    let location = first.map_or_else(Span::call_site, |token| token.span());
    let span = Span::call_site().located_at(location);
    quote_spanned! {span=>
        #[__ep_crate::__private::polkavm_export(abi = __ep_crate::__private::default_abi)]
    }
}

impl Target for Riscv64 {
    fn name(&self) -> &'static str {
        "riscv64"
    }

    fn export(&self, function: TokenStream) -> TokenStream {
        let attribute = polkavm_export(&function);
        quote! {
            #attribute
            #function
        }
    }

    fn entry(
        &self,
        EntryExport {
            enter,
            is_loaders_heap: _,
            span,
        }: &EntryExport,
    ) -> TokenStream {
        let entry = self.export(quote_spanned! {*span=>
            extern "C" fn entrypoint(
                input: u64,
                _length: u64,
                heap_base: u64,
                heap_size: u64,
                account_table: u64,
            ) -> u64 {
                // The loader passes u32. Whole registers save the code that would cut them.
                // SAFETY: this is the start of the entry, which the loader calls once. By
                // `docs/abi.md`, these registers are base and size of a zeroed heap of at least
                // 32 KiB that nothing else uses, and both are u32, so the region ends below 2^62. A
                // guest has one thread and one global allocator.
                unsafe { __ep_crate::__private::announce_heap(heap_base, heap_size) };
                let input = ::core::ptr::with_exposed_provenance_mut(input as usize);
                let table = ::core::ptr::with_exposed_provenance(account_table as usize);
                let table = __ep_crate::__private::AccountTable::At(table);
                let process_instruction = super::__ONE_ENTRYPOINT_PER_CRATE;
                // SAFETY: the loader wrote an input of `length` bytes there, at the start of a
                // page, for the whole invocation. A guest has one thread, and the loader calls the
                // entry once.
                unsafe { __ep_crate::__private::#enter(input, table, process_instruction) }
            }
        });
        quote! {
            // `polkavm_export` looks for the function in a module.
            mod guest {
                // A second entry in another module is a second definition of this symbol. Without
                // it, PolkaVM's linker would take either of the two exports, without an error.
                #[unsafe(no_mangle)]
                extern "C" fn __one_entrypoint_per_program() {}

                #entry
            }
        }
    }

    fn unnamed_heap(&self, kind: HeapKind) -> TokenStream {
        heap_in_announced_memory(self, kind)
    }

    fn only_handlers(&self, names: &[Ident]) -> TokenStream {
        reject_only_handlers(names)
    }

    fn arena_exports(&self, arena: &Ident) -> TokenStream {
        // A whole register, so that a length of more than 32 bits is refused and not cut.
        let guest_alloc = self.export(quote_spanned! {Span::mixed_site()=>
            extern "C" fn guest_alloc(length: u64) -> u64 {
                super::super::#arena.guest_alloc(length as usize) as u64
            }
        });
        let reset_arena = self.export(quote! {
            extern "C" fn reset_arena() {
                // SAFETY: the host calls this while no call of the program runs, so the program is
                // not inside `with`. By `docs/abi.md`, the host no longer writes to earlier bytes.
                unsafe { super::super::#arena.reset_arena() }
            }
        });
        quote! {
            // `polkavm_export` looks for the functions in a module.
            mod exports {
                // A second pair in another module is a second definition of this symbol. Without
                // it, PolkaVM's linker would take either of the two exports, without an error.
                #[unsafe(no_mangle)]
                extern "C" fn __one_host_return_per_program() {}

                #guest_alloc
                #reset_arena
            }
        }
    }
}
