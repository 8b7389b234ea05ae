//! Model to tokens.
//!
//! The names and texts are in a section that the program never reads: see `error_names` of the
//! crate `program-abi`. Every guest declares one static for each error.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::DeriveInput;
use syn::ext::IdentExt;
use syn::spanned::Spanned;

use super::{ErrorEnum, ErrorVariant, validate};

/// Expands the conversion, the checks of the codes, and the names.
pub fn implement(error_enum: &ErrorEnum) -> TokenStream {
    let ErrorEnum {
        crate_path,
        name,
        errors,
    } = error_enum;
    let checks = errors.iter().map(|error| check(error_enum, error));
    let names = names(error_enum);
    quote! {
        #[automatically_derived]
        impl ::core::convert::From<#name> for #crate_path::ProgramError {
            #[inline]
            fn from(error: #name) -> Self {
                Self::Custom(error as ::core::primitive::u32)
            }
        }

        #(#checks)*

        #names
    }
}

/// Expands the errors, and a conversion, without which each use of it would be one more error.
pub fn fallback(input: &DeriveInput, error: &syn::Error) -> TokenStream {
    let errors = error.to_compile_error();
    let crate_path = validate::default_crate_path();
    let name = &input.ident;
    let (generics, arguments, conditions) = input.generics.split_for_impl();
    quote! {
        #errors

        #[automatically_derived]
        impl #generics ::core::convert::From<#name #arguments> for #crate_path::ProgramError
        #conditions
        {
            fn from(_: #name #arguments) -> Self {
                Self::Custom(0)
            }
        }
    }
}

/// Expands the check of a code: the author's number, or one more than the last.
fn check(error_enum: &ErrorEnum, error: &ErrorVariant) -> TokenStream {
    let (name, variant) = (&error_enum.name, &error.name);
    let number = error.discriminant.as_ref();
    let span = number.map_or_else(|| variant.span(), Spanned::span);
    let message = format!(
        "EP0039: the code of `{name}::{variant}` does not fit in a u32\n\
         help: a code is a number from 0 to 4294967295; above 2147483647 the enum needs \
         `#[repr(u32)]`"
    );
    quote_spanned! {span=>
        const _: () = ::core::assert!(
            #name::#variant as ::core::primitive::u128
                <= ::core::primitive::u32::MAX as ::core::primitive::u128,
            #message
        );
    }
}

/// Expands the statics with the names and texts, on the targets of programs.
fn names(error_enum: &ErrorEnum) -> TokenStream {
    let ErrorEnum {
        crate_path,
        name,
        errors,
    } = error_enum;
    let statics = |section: &str, is_note: bool| -> TokenStream {
        let statics = errors.iter().map(|error| {
            let variant = &error.name;
            let line = format!("{}::{}\0{}", name.unraw(), variant.unraw(), error.text);
            let length = line.len();
            let line = Literal::byte_string(line.as_bytes());
            let record = quote!(#crate_path::__private::error_record(
                #name::#variant as ::core::primitive::u32,
                #line,
            ));
            let array = quote! {
                [::core::primitive::u8; #crate_path::__private::error_record_length(#length)]
            };
            let (type_, value) = if is_note {
                (
                    quote!(#crate_path::__private::Note<#array>),
                    quote!(#crate_path::__private::Note::of_error(#record)),
                )
            } else {
                (array, record)
            };
            quote! {
                const _: () = {
                    #[used]
                    #[unsafe(link_section = #section)]
                    static ERROR: #type_ = #value;
                };
            }
        });
        statics.collect()
    };
    let section = statics("entrypoint_errors", false);
    let note = statics(".note.entrypoint_errors", true);
    quote! {
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(not(feature = "no-entrypoint"))]
            #crate_path::__select_target! {
                riscv64 { #section }
                wasm32 { #section }
                native { #note }
                host {}
            }
        };
    }
}
