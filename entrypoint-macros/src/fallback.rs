//! The code to emit beside an error.
//!
//! If the first argument is a path, the expansion still names the function and checks its type. One
//! compile then shows every error, without warnings about unused code. The expansion also has the
//! default heap and panic handler, unless the invocation tried to choose others. Without them, the
//! compiler would also report on the guest that they are missing.

use proc_macro2::TokenStream;

use crate::expand;
use crate::model::{Entry, HeapKind, PanicLevel};
use crate::parse::Invocation;
use crate::validate;

/// Expands the errors, and the code for the rest of the program.
pub fn after(invocation: &Invocation, entry: Entry, error: syn::Error) -> TokenStream {
    let mut tokens = error.into_compile_error();
    if let Ok(function) = validate::function(&invocation.function) {
        tokens.extend(expand::function(&function, entry));
    }
    let says = |name: &str| invocation.options.iter().any(|option| option.name == name);
    if !says("heap") {
        tokens.extend(expand::unnamed_heap(HeapKind::Bump));
    }
    if !says("panic") {
        tokens.extend(expand::panic_handler(PanicLevel::Message));
    }
    tokens
}
