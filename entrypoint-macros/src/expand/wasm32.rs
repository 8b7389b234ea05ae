//! WebAssembly: an instance lives for many calls, and its host gets scratch memory from `alloc`.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;

use super::{EntryExport, Target, heap_trace};
use crate::model::HeapKind;
use crate::parse::HostCall;

pub(super) struct Wasm32;

/// Declares an export to the build, which gives it its name and checks that it is in the module.
///
/// The linker adds the line to a custom section. The build removes the section.
fn declare(symbol: &str, name: &str) -> TokenStream {
    let line = format!("{symbol} {name}\n");
    let length = line.len();
    let line = Literal::byte_string(line.as_bytes());
    quote! {
        const _: () = {
            #[used]
            #[unsafe(link_section = "entrypoint_exports")]
            static DECLARED: [::core::primitive::u8; #length] = *#line;
        };
    }
}

impl Target for Wasm32 {
    fn name(&self) -> &'static str {
        "wasm32"
    }

    fn entry(
        &self,
        EntryExport {
            enter,
            is_loaders_heap,
            span,
        }: &EntryExport,
    ) -> TokenStream {
        let alloc = self.alloc();
        let declared = declare("entrypoint", "entrypoint");
        quote_spanned! {*span=>
            #declared

            /// # Safety
            ///
            /// The host follows `docs/abi.md`, section "WebAssembly".
            #[unsafe(no_mangle)]
            unsafe extern "C" fn entrypoint(input: *mut ::core::primitive::u8, length: ::core::primitive::usize) -> ::core::primitive::u64 {
                // SAFETY: by that section, the host calls this while no other call of the program
                // runs, and no longer uses scratch memory other than the input.
                unsafe { __ep_crate::__private::begin(input, length, #is_loaders_heap) };
                let process_instruction = __ONE_ENTRYPOINT_PER_CRATE;
                let table = __ep_crate::__private::AccountTable::AtEndOf(length);
                // SAFETY: the host wrote an input of `length` bytes there, aligned to 8, for this
                // call. Its scratch memory is not allocated again before the end. A guest has one
                // thread. The program's function of an earlier call has returned and kept nothing
                // of its input.
                let status = unsafe {
                    __ep_crate::__private::#enter(input, table, process_instruction)
                };
                // SAFETY: the program's function has returned. By that section, the host reads the
                // input before it calls the program again.
                unsafe { __ep_crate::__private::end() };
                status
            }

            #alloc
        }
    }

    fn announced_heap(&self) -> TokenStream {
        let declared = declare("entrypoint_heap", "entrypoint_heap");
        quote_spanned! {Span::mixed_site()=>
            #declared

            /// # Safety
            ///
            /// The host follows `docs/abi.md`, section "WebAssembly".
            #[unsafe(no_mangle)]
            unsafe extern "C" fn entrypoint_heap(base: ::core::primitive::usize, size: ::core::primitive::usize) {
                // SAFETY: by that section, the host calls this once, before anything else, with a
                // zeroed region of 32,768 to 0x7fff_ffff bytes that it does not use itself. A guest
                // has one thread and one global allocator.
                unsafe {
                    __ep_crate::__private::announce_heap(
                        base as ::core::primitive::u64,
                        size as ::core::primitive::u64,
                    )
                }
            }
        }
    }

    fn unnamed_heap(&self, _kind: HeapKind) -> TokenStream {
        let trace = heap_trace(self);
        quote_spanned! {Span::mixed_site()=>
            // An instance lives for many calls, so the heap takes back what it can, for either word
            // of the option `heap`.
            #[global_allocator]
            static HEAP: __ep_crate::__private::UnnamedHeap<
                __ep_crate::SegregatedBumpAllocator<__ep_crate::allocator::WasmMemory>,
            > = {
                let source = __ep_crate::allocator::WasmMemory::new(
                    __ep_crate::allocator::LinearMemory,
                );
                // SAFETY: a program has one global allocator, over its own source, and a guest has
                // one thread.
                let heap = unsafe { __ep_crate::SegregatedBumpAllocator::with_source(source) };
                __ep_crate::__private::unnamed_heap(heap)
            };

            #trace
        }
    }

    fn alloc(&self) -> TokenStream {
        let declared = declare("alloc", "alloc");
        quote_spanned! {Span::mixed_site()=>
            #declared

            #[unsafe(no_mangle)]
            extern "C" fn alloc(size: ::core::primitive::usize) -> *mut ::core::primitive::u8 {
                __ep_crate::__private::alloc_scratch(size)
            }
        }
    }

    fn handler(&self, name: &Ident, reply: &Ident) -> TokenStream {
        // Under its own name it would be the symbol of another function, such as the logarithm.
        let export = name.unraw().to_string();
        let symbol = format!("__entrypoint_handler_{export}");
        let declared = declare(&symbol, &export);
        quote_spanned! {Span::mixed_site()=>
            const _: () = {
                #declared

                /// # Safety
                ///
                /// The host follows `docs/abi.md`, section "Handlers".
                #[unsafe(export_name = #symbol)]
                unsafe extern "C" fn #name(
                    argument: ::core::primitive::u64,
                ) -> ::core::primitive::u64 {
                    // SAFETY: by that section, the host calls this while no other call runs, no
                    // longer uses earlier scratch memory except the argument, and reads the result
                    // before it calls again.
                    unsafe {
                        __ep_crate::__private::serve(argument, |call| {
                            #reply(call, __ep_crate::__private::keep)
                        })
                    }
                }
            };
        }
    }

    fn call_host(&self, HostCall { call, name, given }: &HostCall) -> TokenStream {
        quote_spanned! {Span::mixed_site()=>
            {
                #[link(wasm_import_module = "env")]
                unsafe extern "C" {
                    fn #name(
                        address: *const ::core::primitive::u8,
                        length: ::core::primitive::usize,
                    ) -> ::core::primitive::u64;
                }
                // SAFETY: the address and the length are those of one slice, which the host only
                // reads. By `docs/abi.md`, the host writes only to scratch memory that `alloc`
                // returned since.
                let returned = unsafe { #name(#given.as_ptr(), #given.len()) };
                #call.__host().read(returned)
            }
        }
    }

    fn arena_exports(&self, arena: &Ident) -> TokenStream {
        let declared = [
            declare("guest_alloc", "guest_alloc"),
            declare("reset_arena", "reset_arena"),
        ];
        quote_spanned! {Span::mixed_site()=>
            #(#declared)*

            #[unsafe(no_mangle)]
            extern "C" fn guest_alloc(length: ::core::primitive::usize) -> ::core::primitive::usize {
                super::#arena.guest_alloc(length)
            }

            #[unsafe(no_mangle)]
            extern "C" fn reset_arena() {
                // SAFETY: the host calls this while no call of the program runs, so the program is
                // not inside `with`. By `docs/abi.md`, the host no longer writes to earlier bytes.
                unsafe { super::#arena.reset_arena() }
            }
        }
    }
}
