//! Tokens to syntax. What the words mean is no concern here.

use proc_macro2::{Span, TokenStream};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Expr, Ident, Token, Type, Visibility};

use crate::model::PanicLevel;

/// What stands between the parentheses of `entrypoint!` or `entrypoint_no_alloc!`.
pub struct Invocation {
    /// The first argument, whatever it is.
    pub handler: Expr,
    pub options: Vec<RawOption>,
}

/// `name = value`.
pub struct RawOption {
    pub name: Ident,
    pub value: Expr,
}

/// What stands between the parentheses of `custom_heap_default!`.
pub struct NamedHeap {
    pub visibility: Visibility,
    pub name: Ident,
    pub type_: Type,
}

impl Parse for Invocation {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.is_empty() {
            return Err(syn::Error::new(
                Span::call_site(),
                "missing the program's function\n\
                 help: name it, as in `entrypoint!(process_instruction)`",
            ));
        }
        let handler: Expr = input.parse()?;
        let mut options = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>().map_err(|error| {
                syn::Error::new(
                    error.span(),
                    "expected a comma\nhelp: options are written `, name = value`",
                )
            })?;
            if input.is_empty() {
                break;
            }
            options.push(input.parse()?);
        }
        Ok(Self { handler, options })
    }
}

impl Parse for RawOption {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: Ident = input.parse().map_err(|error| {
            syn::Error::new(
                error.span(),
                "expected the name of an option\nhelp: options are written `name = value`",
            )
        })?;
        if !input.peek(Token![=]) {
            return Err(syn::Error::new(
                name.span(),
                format!("option `{name}` has no value\nhelp: write `{name} = …`"),
            ));
        }
        input.parse::<Token![=]>()?;
        if input.is_empty() || input.peek(Token![,]) {
            return Err(syn::Error::new(
                name.span(),
                format!("option `{name}` has no value\nhelp: write `{name} = …`"),
            ));
        }
        Ok(Self {
            name,
            value: input.parse()?,
        })
    }
}

/// The arguments of `entrypoint!` and `entrypoint_no_alloc!`.
pub fn entry(input: TokenStream) -> syn::Result<Invocation> {
    syn::parse2(input)
}

/// The argument of `custom_heap_default!`: nothing, or `static NAME: BumpAllocator<State>`.
pub fn heap(input: TokenStream) -> syn::Result<Option<NamedHeap>> {
    let parser = |input: ParseStream<'_>| {
        if input.is_empty() {
            return Ok(None);
        }
        let visibility = input.parse()?;
        input.parse::<Token![static]>().map_err(|error| {
            syn::Error::new(
                error.span(),
                "expected nothing or a static\n\
                 help: write `custom_heap_default!()`, or name the heap, as in \
                 `custom_heap_default!(static HEAP: BumpAllocator<State>)`",
            )
        })?;
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        let type_ = input.parse()?;
        input.parse::<Option<Token![;]>>()?;
        Ok(Some(NamedHeap {
            visibility,
            name,
            type_,
        }))
    };
    parser.parse2(input)
}

/// The argument of `custom_panic_default!`: nothing or a level.
pub fn panic_level(input: TokenStream) -> syn::Result<PanicLevel> {
    let parser = |input: ParseStream<'_>| {
        if input.is_empty() {
            return Ok(PanicLevel::Message);
        }
        let name: Ident = input.parse()?;
        PanicLevel::named(&name.to_string()).ok_or_else(|| {
            syn::Error::new(
                name.span(),
                format!(
                    "unknown panic level `{name}`\n\
                     help: the levels are `message`, `location` and `abort`"
                ),
            )
        })
    };
    parser.parse2(input)
}
