//! Model to tokens. Every path is absolute; every `cfg` on a feature that the calling crate may not
//! declare stands below an `allow(unexpected_cfgs)`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ExprPath, Type};

use crate::model::{Accounts, Entry, Heap, HeapKind, PanicLevel, Program};
use crate::parse::{DeclaredHeap, NamedHeap};

/// The target on which programs run.
fn guest() -> TokenStream {
    quote!(all(target_arch = "riscv64", target_os = "none"))
}

/// The sum: the typed function, the heap, the panic handler, the export.
pub fn program(program: &Program) -> TokenStream {
    let handler = handler(&program.handler, program.accounts.entry());
    let heap = match program.heap {
        Heap::Ours(kind) => {
            let kind = Ident::new(kind.name(), Span::call_site());
            quote!(::entrypoint::custom_heap_default! { #kind })
        }
        Heap::Custom => TokenStream::new(),
    };
    let panic = match program.panic {
        Some(level) => {
            let level = Ident::new(level.name(), Span::call_site());
            quote!(::entrypoint::custom_panic_default! { #level })
        }
        None => TokenStream::new(),
    };
    let export = export(program);
    quote! {
        #handler
        #heap
        #panic
        #export
    }
}

/// The function as a constant: its type is checked where the author wrote its path, the export finds it
/// whatever the path is relative to, and a second entry in the same module is a second definition, which
/// is why it has this name.
pub fn handler(path: &ExprPath, entry: Entry) -> TokenStream {
    let type_ = match entry {
        Entry::WithHeap | Entry::NoAlloc => quote!(::entrypoint::ProcessInstruction),
        Entry::Lazy => quote!(::entrypoint::ProcessInstructionLazily),
    };
    let constant = quote_spanned! {path.span()=>
        const __ONE_ENTRYPOINT_PER_CRATE: #type_ = #path;
    };
    quote! {
        #[doc(hidden)]
        #[allow(dead_code)]
        #constant
    }
}

fn export(program: &Program) -> TokenStream {
    let guest = guest();
    let enter = match program.accounts {
        Accounts::OnHeap { reject_duplicates } => quote!(enter::<#reject_duplicates>),
        Accounts::OnStack {
            max,
            reject_duplicates,
        } => {
            let max = usize::from(max);
            quote!(enter_no_alloc::<#max, #reject_duplicates>)
        }
        Accounts::Nowhere => quote!(enter_lazily),
    };
    quote! {
        #[allow(unexpected_cfgs)]
        const _: () = {
            // `polkavm_export` looks for the function in a module.
            #[cfg(all(#guest, not(feature = "no-entrypoint")))]
            mod guest {
                // A second entry in another module is a second definition of this symbol; PolkaVM's linker
                // would take either of two exports, and say nothing.
                #[unsafe(no_mangle)]
                extern "C" fn __one_entrypoint_per_program() {}

                #[::entrypoint::__private::polkavm_export(
                    abi = ::entrypoint::__private::default_abi
                )]
                extern "C" fn entrypoint(
                    input: u64,
                    length: u64,
                    heap_base: u64,
                    heap_size: u64,
                ) -> u64 {
                    // The loader passes u32; taking whole registers spares the code that would cut them.
                    // SAFETY: these are the registers of the entry, and nothing has happened yet.
                    unsafe { ::entrypoint::__private::announce_heap(heap_base, heap_size) };
                    let input = ::core::ptr::with_exposed_provenance_mut(input as usize);
                    let length = ::core::option::Option::Some(length as usize);
                    let process_instruction = super::__ONE_ENTRYPOINT_PER_CRATE;
                    // SAFETY: the loader has written an input of `length` bytes there, on a page of
                    // its own; a guest has one thread, and the loader calls the entry once.
                    unsafe {
                        ::entrypoint::__private::#enter(input, length, process_instruction)
                    }
                }
            }

            /// # Safety
            ///
            /// `input` points to an input as a loader has written it, aligned to 8.
            #[cfg(all(not(#guest), not(feature = "no-entrypoint")))]
            #[unsafe(no_mangle)]
            unsafe extern "C" fn entrypoint(input: *mut u8) -> u64 {
                let process_instruction = __ONE_ENTRYPOINT_PER_CRATE;
                // SAFETY: the contract is the same; the length is not known.
                unsafe {
                    ::entrypoint::__private::#enter(
                        input,
                        ::core::option::Option::None,
                        process_instruction,
                    )
                }
            }
        };
    }
}

/// The program's heap, by a word or under a name of the author's.
pub fn heap(heap: &DeclaredHeap) -> TokenStream {
    match heap {
        DeclaredHeap::Unnamed(kind) => unnamed_heap(*kind),
        DeclaredHeap::Named(heap) => named_heap(heap),
    }
}

/// The export that says that the loader finds use and peak at the base of the heap.
fn heap_header_export() -> TokenStream {
    quote! {
        #[::entrypoint::__private::polkavm_export(abi = ::entrypoint::__private::default_abi)]
        extern "C" fn entrypoint_heap_bump() {}
    }
}

fn unnamed_heap(kind: HeapKind) -> TokenStream {
    let guest = guest();
    let header_export = heap_header_export();
    let (type_, value) = match kind {
        HeapKind::Bump => (
            quote!(::entrypoint::BumpAllocator),
            quote!(::entrypoint::__private::default_heap()),
        ),
        HeapKind::Segregated => (
            quote!(::entrypoint::SegregatedBumpAllocator),
            quote!(::entrypoint::SegregatedBumpAllocator::new()),
        ),
    };
    quote! {
        #[doc(hidden)]
        #[allow(unexpected_cfgs)]
        mod __one_heap_per_crate {
            #[cfg(all(
                #guest,
                not(feature = "custom-heap"),
                not(feature = "no-entrypoint")
            ))]
            mod guest {
                // SAFETY: a program has one global allocator, and a guest has one thread.
                #[global_allocator]
                static HEAP: ::entrypoint::__private::UnnamedHeap<#type_> =
                    ::entrypoint::__private::unnamed_heap(unsafe { #value });

                #header_export
                ::entrypoint::__heap_trace_export!(HEAP);
            }
        }
    }
}

fn named_heap(heap: &NamedHeap) -> TokenStream {
    let guest = guest();
    let header_export = heap_header_export();
    let NamedHeap {
        attributes,
        visibility,
        name,
        type_,
    } = heap;
    // Where the type is, so that an error shows it, but still code of the macro, so that no lint
    // of the program's looks at it.
    let span = type_.span().resolved_at(Span::call_site());
    // A heap that is not there has no header to vouch for.
    let conditions = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"));
    let value = if names(type_, "SegregatedBumpAllocator") {
        quote_spanned!(span=> unsafe { ::entrypoint::SegregatedBumpAllocator::new() })
    } else {
        quote_spanned!(span=> unsafe { ::entrypoint::__private::default_heap() })
    };
    quote! {
        // SAFETY: a program has one global allocator, and a guest has one thread. Elsewhere the
        // heap is never announced, unless somebody promises that there is one thread.
        #[cfg_attr(#guest, global_allocator)]
        #(#attributes)*
        #visibility static #name: #type_ = #value;

        #(#conditions)*
        #[doc(hidden)]
        mod __one_heap_per_crate {
            #[cfg(#guest)]
            mod guest {
                #header_export
            }
        }
    }
}

/// Whether a type is written as a path that ends in this name.
fn names(type_: &Type, name: &str) -> bool {
    match type_ {
        // A type that came through a `macro_rules!` macro.
        Type::Group(group) => names(&group.elem, name),
        Type::Path(path) => {
            let last = path.path.segments.last();
            last.is_some_and(|segment| segment.ident == name)
        }
        _ => false,
    }
}

/// The default panic handler.
pub fn panic_handler(level: PanicLevel) -> TokenStream {
    let guest = guest();
    let report = match level {
        PanicLevel::Message => quote!(panic_with_message),
        PanicLevel::Location => quote!(panic_with_location),
        PanicLevel::Abort => quote!(panic_without_words),
    };
    quote! {
        #[doc(hidden)]
        #[allow(unexpected_cfgs)]
        mod __one_panic_handler_per_crate {
            #[cfg(all(
                #guest,
                not(feature = "custom-panic"),
                not(feature = "no-entrypoint")
            ))]
            #[panic_handler]
            fn panic(info: &::core::panic::PanicInfo<'_>) -> ! {
                ::entrypoint::__private::#report(info)
            }
        }
    }
}
