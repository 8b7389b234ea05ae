//! The path of `entrypoint` in the crate that calls a macro.
//!
//! That crate may have renamed `entrypoint`, or may know it only through another crate that
//! re-exports the macros. The macros of `entrypoint` therefore pass their `$crate` on. The other
//! modules write `__ep_crate` for it.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};

/// What the expansions say for the path of `entrypoint`.
const PLACEHOLDER: &str = "__ep_crate";

/// Splits `[$crate] arguments`.
///
/// # Panics
///
/// If the input does not begin so: only the macros of `entrypoint` call these.
pub fn split(input: TokenStream) -> (Ident, TokenStream) {
    let mut input = input.into_iter();
    let path = match input.next() {
        Some(TokenTree::Group(brackets)) => brackets.stream().into_iter().next(),
        _ => None,
    };
    let Some(TokenTree::Ident(path)) = path else {
        panic!("this macro is for the macros of `entrypoint`, which pass `[$crate]` first");
    };
    (path, input.collect())
}

/// Replaces each placeholder by the path, at the location of the placeholder.
pub fn resolve(tokens: TokenStream, path: &Ident) -> TokenStream {
    let resolve_tree = |tree| match tree {
        TokenTree::Ident(ident) if ident == PLACEHOLDER => {
            let mut path = path.clone();
            path.set_span(ident.span().resolved_at(path.span()));
            TokenTree::Ident(path)
        }
        TokenTree::Group(group) => {
            let mut resolved = Group::new(group.delimiter(), resolve(group.stream(), path));
            resolved.set_span(group.span());
            TokenTree::Group(resolved)
        }
        other => other,
    };
    tokens.into_iter().map(resolve_tree).collect()
}
