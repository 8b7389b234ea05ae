//! Model to tokens.
//!
//! Every path is absolute. Every `cfg` on a feature that the calling crate may not declare is below
//! an `allow(unexpected_cfgs)`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ExprPath, Type};

use crate::model::{Accounts, Entry, Heap, HeapKind, PanicLevel, Program};
use crate::parse::{DeclaredHeap, NamedHeap};

/// Expands a whole program: the typed function, the heap, the panic handler, the export.
pub fn program(program: &Program) -> TokenStream {
    let function = function(&program.function, program.accounts.entry());
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
        #function
        #heap
        #panic
        #export
    }
}

/// Expands the function to a typed constant.
///
/// The compiler checks the function's type where the author wrote its path, and the export finds it
/// whatever the path is relative to. A second entry in the same module is a second definition of
/// the constant, which explains its name.
pub fn function(path: &ExprPath, entry: Entry) -> TokenStream {
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
    // Whether the loader places the heap, as far as the entry knows.
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

/// Returns the attribute that exports a function on riscv64.
///
/// This is the only code for one target in this crate. PolkaVM's attribute gives the export the
/// source location of the attribute, and that must be the author's line.
fn riscv64_attribute() -> TokenStream {
    quote! {
        #[::entrypoint::__private::polkavm_export(abi = ::entrypoint::__private::default_abi)]
    }
}

/// Expands the program's heap, with a name or without.
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
    // At the location of the type, so that an error shows it, but resolved as code of the macro, so
    // that the program's lints ignore it.
    let span = type_.span().resolved_at(Span::call_site());
    // A heap that is left out has no header to declare.
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
        // heap is never announced, unless unsafe code promises that there is one thread.
        ::entrypoint::__global_allocator! {
            #(#attributes)*
            #visibility static #name: #type_ = #value;
        }

        #(#conditions)*
        #[doc(hidden)]
        mod __one_heap_per_crate {
            // Declares the heap header to the loader, which reads use and peak there.
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

/// Returns whether a type is written as a path that ends in this name.
fn names(type_: &Type, name: &str) -> bool {
    match type_ {
        // A type from a `macro_rules!` macro.
        Type::Group(group) => names(&group.elem, name),
        Type::Path(path) => {
            let last = path.path.segments.last();
            last.is_some_and(|segment| segment.ident == name)
        }
        _ => false,
    }
}

/// Expands the default panic handler.
pub fn panic_handler(level: PanicLevel) -> TokenStream {
    let report = match level {
        PanicLevel::Message => quote!(panic_with_message),
        PanicLevel::Location => quote!(panic_with_location),
        PanicLevel::Abort => quote!(panic_silent),
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
