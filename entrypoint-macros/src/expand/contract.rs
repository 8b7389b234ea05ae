//! The record of what the program needs, in its file: see `contract` of the crate `program-abi`.
//!
//! Every guest declares one static for it, in a section that the program never reads.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::select_target;
use crate::model::{Accounts, Entry, Heap, HeapKind, PanicLevel, Program};

/// Expands the size of the heap, as a checked constant. The build for unit tests checks it too.
pub fn heap_size(program: &Program) -> TokenStream {
    let Some(size) = &program.heap_size else {
        return quote!(
            const __HEAP_SIZE: ::core::primitive::u32 = __ep_crate::__private::contract::MIN_HEAP;
        );
    };
    // At the location of the size, so that an error shows it, but resolved as code of the macro.
    let span = size.span().resolved_at(Span::call_site());
    let message = "EP0012: `heap_size` is out of range\n\
                   help: write a number of bytes from 32768 (32 KiB, the default) to 67107840 (64 MiB \
                   less 1 KiB)";
    quote_spanned! {span=>
        const __HEAP_SIZE: ::core::primitive::u32 = #size;
        const _: () = ::core::assert!(
            __HEAP_SIZE >= __ep_crate::__private::contract::MIN_HEAP
                && __HEAP_SIZE <= __ep_crate::__private::contract::MAX_HEAP,
            #message
        );
    }
}

/// Expands the static with the record, beside `__HEAP_SIZE`.
pub fn record(program: &Program) -> TokenStream {
    let entry = match program.accounts.entry() {
        Entry::WithHeap => quote!(Entrypoint),
        Entry::NoAlloc => quote!(NoAlloc),
        Entry::Lazy => quote!(Lazy),
    };
    let heap = match program.heap {
        Heap::Ours(HeapKind::Bump) => quote!(Bump),
        Heap::Ours(HeapKind::Segregated) => quote!(Segregated),
        Heap::Custom => quote!(Custom),
    };
    let panic = match program.panic {
        Some(PanicLevel::Message) => quote!(Message),
        Some(PanicLevel::Location) => quote!(Location),
        Some(PanicLevel::Abort) => quote!(Abort),
        None => quote!(Custom),
    };
    let (max_accounts, reject_duplicates) = match program.accounts {
        Accounts::OnHeap { reject_duplicates } => (0, reject_duplicates),
        Accounts::OnStack {
            max,
            reject_duplicates,
        } => (max, reject_duplicates),
        Accounts::Nowhere => (0, false),
    };
    let record = quote! {
        __ep_crate::__private::contract::record(
            __ep_crate::__private::contract::EntryKind::#entry,
            if ::core::cfg!(feature = "custom-heap") {
                __ep_crate::__private::contract::HeapKind::Custom
            } else {
                __ep_crate::__private::contract::HeapKind::#heap
            },
            __HEAP_SIZE,
            if ::core::cfg!(feature = "custom-panic") {
                __ep_crate::__private::contract::PanicKind::Custom
            } else {
                __ep_crate::__private::contract::PanicKind::#panic
            },
            #max_accounts,
            #reject_duplicates,
        )
    };
    let array = quote!([::core::primitive::u8; __ep_crate::__private::contract::LENGTH]);
    let section = quote! {
        #[used]
        #[unsafe(link_section = "entrypoint_contract")]
        static CONTRACT: #array = #record;
    };
    let note = quote! {
        #[used]
        #[unsafe(link_section = ".note.entrypoint_contract")]
        static CONTRACT: __ep_crate::__private::Note<#array> =
            __ep_crate::__private::Note::of_contract(#record);
    };
    select_target(|target| match target.name() {
        "riscv64" | "wasm32" => section.clone(),
        "native" => note.clone(),
        _ => TokenStream::new(),
    })
}
