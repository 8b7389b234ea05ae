//! What to emit after an error.
//!
//! Where the first argument is a path, the function is still named and its type still checked, so that
//! one compile shows every fault, and no warning of unused code comes on top. Heap and panic handler are those of a
//! program that says nothing of them, unless this one tried to; otherwise the compiler would say on the guest that there
//! are none.

use proc_macro2::TokenStream;
use quote::quote;

use crate::expand;
use crate::model::Entry;
use crate::parse::Invocation;
use crate::validate;

/// The errors, and what can be said of the rest.
pub fn after(invocation: &Invocation, entry: Entry, error: syn::Error) -> TokenStream {
    let mut tokens = error.into_compile_error();
    if let Ok(handler) = validate::handler(&invocation.handler) {
        tokens.extend(expand::handler(&handler, entry));
    }
    let says = |name: &str| invocation.options.iter().any(|option| option.name == name);
    if !says("heap") {
        tokens.extend(quote!(::entrypoint::custom_heap_default! {}));
    }
    if !says("panic") {
        tokens.extend(quote!(::entrypoint::custom_panic_default! {}));
    }
    tokens
}
