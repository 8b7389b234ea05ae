//! `#[derive(ProgramError)]`: an enum of custom errors.
//!
//! The steps are those of the other macros: `parse` reads the attributes, `validate` makes the
//! model, and `expand` generates the code.

use proc_macro2::TokenStream;
use syn::{DeriveInput, Expr, Ident, Path};

mod expand;
mod parse;
mod validate;

/// An enum of errors that can be expanded.
struct ErrorEnum {
    /// The path of `entrypoint`.
    crate_path: Path,
    name: Ident,
    errors: Vec<ErrorVariant>,
}

/// A variant: one error.
struct ErrorVariant {
    name: Ident,
    /// The author's number; `None` for one more than the last.
    discriminant: Option<Expr>,
    /// What happened; empty if the author wrote nothing.
    text: String,
}

/// Expands the derive macro, or its errors.
pub fn derive(input: TokenStream) -> syn::Result<TokenStream> {
    let input: DeriveInput = syn::parse2(input)?;
    Ok(match validate::error_enum(&input) {
        Ok(error_enum) => expand::implement(&error_enum),
        Err(error) => expand::fallback(&input, &error),
    })
}
