//! Model to tokens. Every path is absolute; every `cfg` on a feature that the calling crate may not
//! declare stands below an `allow(unexpected_cfgs)`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ExprPath, Type};

use crate::model::{Accounts, Entry, Heap, HeapKind, PanicLevel, Program};
use crate::parse::{DeclaredHeap, NamedHeap};

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
    // Whether the heap is the loader's to place, as far as the entry knows.
    let (is_announced, if_announced) = match program.heap {
        Heap::Ours(_) => (
            quote!(::core::cfg!(feature = "custom-heap")),
            quote!(feature = "custom-heap"),
        ),
        Heap::Custom => (quote!(true), quote!(all())),
    };
    let attribute = riscv64_attribute();
    quote! {
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(not(feature = "no-entrypoint"))]
            ::entrypoint::__entry! { [#attribute] #is_announced, #enter }
            #[cfg(all(#if_announced, not(feature = "no-entrypoint")))]
            ::entrypoint::__announced_heap! {}
        };
    }
}

/// What makes a function an export on RISC-V. It is the one thing of a machine that is written here: PolkaVM's attribute
/// gives the export the place where the attribute stands, and that shall be the author's line.
fn riscv64_attribute() -> TokenStream {
    quote! {
        #[::entrypoint::__private::polkavm_export(abi = ::entrypoint::__private::default_abi)]
    }
}

/// The program's heap, by a word or under a name of the author's.
pub fn heap(heap: &DeclaredHeap) -> TokenStream {
    match heap {
        DeclaredHeap::Unnamed(kind) => unnamed_heap(*kind),
        DeclaredHeap::Named(heap) => named_heap(heap),
    }
}

fn unnamed_heap(kind: HeapKind) -> TokenStream {
    let kind = Ident::new(kind.name(), Span::call_site());
    let attribute = riscv64_attribute();
    quote! {
        #[doc(hidden)]
        #[allow(unexpected_cfgs)]
        mod __one_heap_per_crate {
            #[cfg(all(not(feature = "custom-heap"), not(feature = "no-entrypoint")))]
            mod guest {
                ::entrypoint::__unnamed_heap! { [#attribute] #kind }
            }
        }
    }
}

fn named_heap(heap: &NamedHeap) -> TokenStream {
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
    let attribute = riscv64_attribute();
    quote! {
        // SAFETY: a program has one global allocator, and a guest has one thread. Elsewhere the
        // heap is never announced, unless somebody promises that there is one thread.
        ::entrypoint::__global_allocator! {
            #(#attributes)*
            #visibility static #name: #type_ = #value;
        }

        #(#conditions)*
        #[doc(hidden)]
        mod __one_heap_per_crate {
            // The loader finds use and peak at the base of the heap.
            ::entrypoint::__on_guest! {
                mod guest {
                    ::entrypoint::__export! {
                        [#attribute]
                        extern "C" fn entrypoint_heap_bump() {}
                    }
                }
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
    let report = match level {
        PanicLevel::Message => quote!(panic_with_message),
        PanicLevel::Location => quote!(panic_with_location),
        PanicLevel::Abort => quote!(panic_without_words),
    };
    quote! {
        #[doc(hidden)]
        #[allow(unexpected_cfgs)]
        mod __one_panic_handler_per_crate {
            #[cfg(all(not(feature = "custom-panic"), not(feature = "no-entrypoint")))]
            ::entrypoint::__on_guest! {
                #[panic_handler]
                fn panic(info: &::core::panic::PanicInfo<'_>) -> ! {
                    ::entrypoint::__private::#report(info)
                }
            }
        }
    }
}
