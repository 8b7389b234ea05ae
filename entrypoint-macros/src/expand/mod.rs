//! Model to tokens.
//!
//! This file expands what every target has. Each other file has the items of one target: exports,
//! global allocator and panic handler. The expansion contains the items of all targets, and
//! `__select_target!` of `entrypoint` selects one group: only that crate knows its target.
//!
//! Every path is absolute: `crate_path` replaces `__ep_crate`. Every `cfg` on a feature that the
//! calling crate may not declare is below an `allow(unexpected_cfgs)`. All items have the location
//! of the author's line, so a failure or a report names that line. Local variables resolve at
//! [`Span::mixed_site`].

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::ExprPath;
use syn::spanned::Spanned;

use crate::model::{Accounts, Entry, Heap, HeapKind, PanicLevel, Program};
use crate::parse::{CustomHeap, DeclaredHeap, HostCall, NamedArena, NamedHeap};

mod contract;
mod host;
mod native;
mod riscv64;
mod wasm32;

/// The targets. A new target is a file here and a row.
const TARGETS: [&dyn Target; 4] = [
    &riscv64::Riscv64,
    &wasm32::Wasm32,
    &native::Native,
    &host::Host,
];

/// The items of one target.
///
/// The default of a method is the expansion that most targets share.
trait Target {
    /// Returns the name of the target's group in `__select_target!`.
    fn name(&self) -> &'static str;

    /// Exports a function under its own name.
    fn export(&self, function: TokenStream) -> TokenStream {
        quote! {
            #[unsafe(no_mangle)]
            #function
        }
    }

    /// Exports the entry.
    fn entry(&self, entry: &EntryExport) -> TokenStream;

    /// Exports the function that announces the heap, if the entry does not announce it.
    fn announced_heap(&self) -> TokenStream {
        TokenStream::new()
    }

    /// Declares a heap without a name.
    fn unnamed_heap(&self, kind: HeapKind) -> TokenStream;

    /// Makes a static the global allocator.
    fn global_allocator(&self, declaration: TokenStream) -> TokenStream {
        quote! {
            #[global_allocator]
            #declaration
        }
    }

    /// Declares the heap header to the loader, which reads use and peak there.
    fn heap_header(&self) -> TokenStream {
        let export = self.export(quote!(
            extern "C" fn entrypoint_heap_bump() {}
        ));
        quote!(mod guest { #export })
    }

    /// Declares the panic handler, which calls a function of `entrypoint`.
    fn panic_handler(&self, report: &TokenStream) -> TokenStream {
        quote_spanned! {Span::mixed_site()=>
            #[panic_handler]
            fn panic(info: &::core::panic::PanicInfo<'_>) -> ! {
                __ep_crate::__private::#report(info)
            }
        }
    }

    /// Exports the function that allocates scratch memory, if the program provides it.
    fn alloc(&self) -> TokenStream {
        TokenStream::new()
    }

    /// Exports a handler. `reply` is the function that calls it.
    fn handler(&self, _name: &Ident, _reply: &Ident) -> TokenStream {
        TokenStream::new()
    }

    /// Rejects a module with only handlers, if the target cannot call them.
    fn only_handlers(&self, _names: &[Ident]) -> TokenStream {
        TokenStream::new()
    }

    /// Calls a host function, as an expression.
    fn call_host(&self, HostCall { call, name, given }: &HostCall) -> TokenStream {
        quote!(#call.__host().call(::core::stringify!(#name), #given))
    }

    /// Returns the cell of a host's arena, as an expression.
    fn arena_cell(&self, _capacity: &TokenTree) -> TokenStream {
        quote! {
            // SAFETY: by `docs/abi.md`, the host writes only initialized bytes, only to bytes that
            // it allocated, and only while no call of the program runs.
            unsafe { __ep_crate::__private::ArenaCell::new() }
        }
    }

    /// Exports the functions of a host's arena, from a module beside the arena.
    fn arena_exports(&self, _arena: &Ident) -> TokenStream {
        TokenStream::new()
    }
}

/// The parts of an entry that depend on the program.
struct EntryExport {
    /// The function of `entrypoint` that reads the input and calls the program's function.
    enter: TokenStream,
    /// Whether the loader places the heap, as far as the entry knows: an expression.
    is_loaders_heap: TokenStream,
    /// The author's line, for debug information, but resolved as code of the macro.
    span: Span,
}

/// Expands the items of all targets, of which `entrypoint` selects one group.
fn select_target(items: impl Fn(&dyn Target) -> TokenStream) -> TokenStream {
    let groups = TARGETS.iter().map(|target| {
        let name = Ident::new(target.name(), Span::call_site());
        let items = items(*target);
        quote!(#name { #items })
    });
    quote!(__ep_crate::__select_target! { #(#groups)* })
}

/// Expands a whole program: the typed function, the heap, the panic handler, the export.
pub fn program(program: &Program) -> TokenStream {
    let function = function(&program.function, program.accounts.entry());
    let heap = match program.heap {
        Heap::Ours(kind) => unnamed_heap(kind),
        Heap::Custom => TokenStream::new(),
    };
    let panic = match program.panic {
        Some(level) => panic_handler(level),
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
        Entry::WithHeap | Entry::NoAlloc => quote!(__ep_crate::ProcessInstruction),
        Entry::Lazy => quote!(__ep_crate::ProcessInstructionLazily),
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
    let (is_loaders_heap, if_loaders_heap) = match program.heap {
        Heap::Ours(_) => (
            quote!(::core::cfg!(feature = "custom-heap")),
            quote!(feature = "custom-heap"),
        ),
        Heap::Custom => (quote!(true), quote!(all())),
    };
    let entry = EntryExport {
        enter,
        is_loaders_heap,
        span: Span::mixed_site().located_at(program.function.span()),
    };
    let entry = select_target(|target| target.entry(&entry));
    let announced_heap = select_target(|target| target.announced_heap());
    let heap_size = contract::heap_size(program);
    let record = contract::record(program);
    quote! {
        #[allow(unexpected_cfgs, dead_code)]
        const _: () = {
            #heap_size
            #[cfg(not(feature = "no-entrypoint"))]
            #record
            #[cfg(not(feature = "no-entrypoint"))]
            #entry
            #[cfg(all(#if_loaders_heap, not(feature = "no-entrypoint")))]
            #announced_heap
        };
    }
}

/// Expands the program's heap, with a name or without.
pub fn heap(heap: &DeclaredHeap) -> TokenStream {
    match heap {
        DeclaredHeap::Unnamed(kind) => unnamed_heap(*kind),
        DeclaredHeap::Named(heap) => named_heap(heap),
    }
}

/// Expands a heap without a name.
pub fn unnamed_heap(kind: HeapKind) -> TokenStream {
    let heap = select_target(|target| target.unnamed_heap(kind));
    quote! {
        #[doc(hidden)]
        #[allow(unexpected_cfgs)]
        mod __one_heap_per_crate {
            #[cfg(all(not(feature = "custom-heap"), not(feature = "no-entrypoint")))]
            mod guest {
                #heap
            }
        }
    }
}

/// Declares a heap without a name in the memory that the loader announces.
fn heap_in_announced_memory(target: &dyn Target, kind: HeapKind) -> TokenStream {
    let type_ = match kind {
        HeapKind::Bump => quote!(__ep_crate::BumpAllocator),
        HeapKind::Segregated => quote!(__ep_crate::SegregatedBumpAllocator),
    };
    let header = target.export(quote!(
        extern "C" fn entrypoint_heap_bump() {}
    ));
    let trace = heap_trace(target);
    quote! {
        #[global_allocator]
        static HEAP: __ep_crate::__private::UnnamedHeap<#type_> =
            __ep_crate::__private::unnamed_heap(
                // SAFETY: a program has one global allocator, so this is the only allocator over
                // the announced heap. A guest has one thread.
                unsafe { <#type_ as __ep_crate::__private::DefaultHeap>::NEW.claim() },
            );

        #header
        #trace
    }
}

/// Exports the trace of the heap `HEAP`, if it counts.
fn heap_trace(target: &dyn Target) -> TokenStream {
    let export = target.export(quote! {
        extern "C" fn entrypoint_heap_trace() -> u64 {
            HEAP.address()
        }
    });
    quote!(__ep_crate::__if_heap_trace! { #export })
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
    // SAFETY (of the expansion): a program has one global allocator, so on a guest this is the only
    // allocator over the announced heap, and a guest has one thread. Elsewhere the heap is never
    // announced, unless unsafe code promises both.
    let value = quote_spanned! {span=>
        unsafe { <#type_ as __ep_crate::__private::DefaultHeap>::NEW.claim() }
    };
    let allocator = select_target(|target| {
        target.global_allocator(quote! {
            #(#attributes)*
            #visibility static #name: #type_ = #value;
        })
    });
    let header = select_target(|target| target.heap_header());
    quote! {
        #allocator

        #(#conditions)*
        #[doc(hidden)]
        mod __one_heap_per_crate {
            #header
        }
    }
}

/// Expands a global allocator that the author constructs.
pub fn custom_heap(heap: &CustomHeap) -> TokenStream {
    let CustomHeap {
        attributes,
        visibility,
        name,
        type_,
        value,
    } = heap;
    select_target(|target| {
        target.global_allocator(quote! {
            #(#attributes)*
            #visibility static #name: #type_ = #value;
        })
    })
}

/// Expands the default panic handler.
pub fn panic_handler(level: PanicLevel) -> TokenStream {
    let report = match level {
        PanicLevel::Message => quote!(panic_with_message),
        PanicLevel::Location => quote!(panic_with_location),
        PanicLevel::Abort => quote!(panic_silent),
    };
    let handler = select_target(|target| target.panic_handler(&report));
    quote! {
        #[doc(hidden)]
        #[allow(unexpected_cfgs)]
        mod __one_panic_handler_per_crate {
            #[cfg(all(not(feature = "custom-panic"), not(feature = "no-entrypoint")))]
            #handler
        }
    }
}

/// Expands the export `alloc`.
pub fn alloc() -> TokenStream {
    unless_no_entrypoint(select_target(|target| target.alloc()))
}

/// Expands a module of handlers: heap, panic handler, `alloc` and the handlers.
pub fn handler_module(names: &[Ident]) -> TokenStream {
    let heap = unnamed_heap(HeapKind::Bump);
    let panic = panic_handler(PanicLevel::Message);
    let alloc = alloc();
    let handlers = handlers(names);
    let only_handlers = unless_no_entrypoint(select_target(|target| target.only_handlers(names)));
    quote! {
        #heap
        #panic
        #alloc
        #handlers
        #only_handlers
    }
}

/// Expands the exports of handlers.
pub fn handlers(names: &[Ident]) -> TokenStream {
    names.iter().map(handler).collect()
}

fn handler(name: &Ident) -> TokenStream {
    let reply = Ident::new("__reply_of_the_handler", Span::mixed_site());
    let export = select_target(|target| target.handler(name, &reply));
    // At the location of the name, so that an error shows it, but resolved as code of the macro. An
    // error would show the whole invocation if a path of `entrypoint`, which resolves elsewhere,
    // were part of the expression.
    let span = name.span().resolved_at(Span::mixed_site());
    let call_handler = quote_spanned! {span=>
        // A compiler error names this type and the function.
        let handler: fn(__Call<'call>) -> _ = #name;
        __Answer::give(&handler(call), take)
    };
    let function = quote_spanned! {Span::mixed_site()=>
        #[allow(dead_code)]
        fn #reply<'call, R>(
            call: __ep_crate::handler::Call<'call>,
            take: impl ::core::ops::FnOnce(
                ::core::option::Option<&[::core::primitive::u8]>
            ) -> R,
        ) -> R {
            use __ep_crate::handler::{Answer as __Answer, Call as __Call};
            #call_handler
        }
    };
    quote! {
        #[allow(unexpected_cfgs)]
        const _: () = {
            #function

            #[cfg(not(feature = "no-entrypoint"))]
            #export
        };
    }
}

/// Expands a call of a host function, as an expression.
pub fn call_host(call: &HostCall) -> TokenStream {
    select_target(|target| target.call_host(call))
}

/// Expands an arena that the host fills, and the exports for it.
pub fn host_return(arena: &NamedArena) -> TokenStream {
    let NamedArena {
        attributes,
        visibility,
        name,
        capacity,
    } = arena;
    let cell = select_target(|target| target.arena_cell(capacity));
    let exports = select_target(|target| target.arena_exports(name));
    quote! {
        #(#attributes)*
        #visibility static #name: __ep_crate::host_return::HostArena<#capacity> =
            __ep_crate::host_return::HostArena::__new(#cell);

        #[doc(hidden)]
        #[allow(unexpected_cfgs)]
        mod __one_host_return_per_crate {
            #[cfg(not(feature = "no-entrypoint"))]
            #exports
        }
    }
}

/// Expands items that the feature `no-entrypoint` of the calling crate leaves out.
fn unless_no_entrypoint(items: TokenStream) -> TokenStream {
    quote! {
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(not(feature = "no-entrypoint"))]
            #items
        };
    }
}

/// Rejects a module with only handlers: it would be a program without an entry.
fn reject_only_handlers(names: &[Ident]) -> TokenStream {
    let names: String = names.iter().map(|name| format!("`{name}`, ")).collect();
    let message = format!(
        "EP0028: this is not a program but a handler, {names}for a host on WebAssembly\n\
         help: build it with `cargo entrypoint build --target wasm32`; docs/handlers.md has such a host"
    );
    quote!(::core::compile_error!(#message);)
}
