//! The procedural macros behind those of the `entrypoint` crate, which documents them and contains
//! the code that they expand to.
//!
//! Each macro takes the path of `entrypoint` in brackets, and then the author's arguments. Each
//! step has a module: `crate_path` reads that path, `parse` reads the arguments, `model` describes
//! the program, `validate` checks it, `expand` generates the code, with a file for each target, and
//! `fallback` generates code beside an error.
//!
//! The derive macro `ProgramError` has its steps in `program_error`. It gets no path, because only
//! the author's enum is its input.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;

mod crate_path;
mod expand;
mod fallback;
mod model;
mod parse;
mod program_error;
mod validate;

/// Expands `entrypoint::entrypoint!`.
#[proc_macro]
pub fn entrypoint(input: TokenStream) -> TokenStream {
    expand(input, |arguments| entry(arguments, model::Entry::WithHeap))
}

/// Expands `entrypoint::entrypoint_no_alloc!`.
#[proc_macro]
pub fn entrypoint_no_alloc(input: TokenStream) -> TokenStream {
    expand(input, |arguments| entry(arguments, model::Entry::NoAlloc))
}

/// Expands `entrypoint::entrypoint_lazy!`.
#[proc_macro]
pub fn entrypoint_lazy(input: TokenStream) -> TokenStream {
    expand(input, |arguments| entry(arguments, model::Entry::Lazy))
}

/// Expands `entrypoint::custom_heap_default!`.
#[proc_macro]
pub fn custom_heap_default(input: TokenStream) -> TokenStream {
    expand(input, |arguments| {
        Ok(expand::heap(&parse::heap(arguments)?))
    })
}

/// Expands `entrypoint::custom_panic_default!`.
#[proc_macro]
pub fn custom_panic_default(input: TokenStream) -> TokenStream {
    expand(input, |arguments| {
        Ok(expand::panic_handler(parse::panic_level(arguments)?))
    })
}

/// Expands `entrypoint::custom_heap!`.
#[proc_macro]
pub fn custom_heap(input: TokenStream) -> TokenStream {
    expand(input, |arguments| {
        Ok(expand::custom_heap(&parse::custom_heap(arguments)?))
    })
}

/// Expands `entrypoint::export_alloc!`.
#[proc_macro]
pub fn export_alloc(input: TokenStream) -> TokenStream {
    expand(input, |arguments| {
        parse::export_alloc(arguments)?;
        Ok(expand::alloc())
    })
}

/// Expands `entrypoint::host_return!`.
#[proc_macro]
pub fn host_return(input: TokenStream) -> TokenStream {
    expand(input, |arguments| {
        Ok(expand::host_return(&parse::host_return(arguments)?))
    })
}

/// Expands `entrypoint::handler!`.
#[proc_macro]
pub fn handler(input: TokenStream) -> TokenStream {
    expand(input, |arguments| {
        Ok(expand::handler_module(&parse::handler(arguments)?))
    })
}

/// Expands `entrypoint::export_handler!`.
#[proc_macro]
pub fn export_handler(input: TokenStream) -> TokenStream {
    expand(input, |arguments| {
        Ok(expand::handlers(&parse::export_handler(arguments)?))
    })
}

/// Expands to the call of a host function, for `entrypoint::host_functions!`.
#[proc_macro]
pub fn call_host(input: TokenStream) -> TokenStream {
    expand(input, |arguments| {
        Ok(expand::call_host(&parse::call_host(arguments)?))
    })
}

/// Expands `#[derive(ProgramError)]`, which `entrypoint` documents.
#[proc_macro_derive(ProgramError, attributes(error, program_error))]
pub fn program_error(input: TokenStream) -> TokenStream {
    let tokens = program_error::derive(input.into());
    tokens.unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Expands what `expansion` makes of the arguments, or its error, with paths of `entrypoint` as the
/// caller can name it.
fn expand(
    input: TokenStream,
    expansion: impl FnOnce(Tokens) -> syn::Result<Tokens>,
) -> TokenStream {
    let (crate_path, arguments) = crate_path::split(input.into());
    let tokens = expansion(arguments).unwrap_or_else(syn::Error::into_compile_error);
    crate_path::resolve(tokens, &crate_path).into()
}

fn entry(arguments: Tokens, entry: model::Entry) -> syn::Result<Tokens> {
    let invocation = parse::entry(arguments)?;
    Ok(match validate::program(&invocation, entry) {
        Ok(program) => expand::program(&program),
        Err(error) => fallback::after(&invocation, entry, error),
    })
}
