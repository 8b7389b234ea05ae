//! Tokens to syntax, without regard to meaning.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Expr, Ident, Token, Type, Visibility};

use crate::model::{HeapKind, PanicLevel};

const HEAP_HELP: &str = "help: write `custom_heap_default!(bump)` or `custom_heap_default!(segregated)`, or name \
                         the heap, as in `custom_heap_default!(static HEAP: BumpAllocator<State>)`";
const PANIC_HELP: &str = "help: the levels are `message`, `location` and `abort`";
const CUSTOM_HEAP_HELP: &str = "help: declare the allocator, as in \
                                `custom_heap!(static HEAP: Allocator = Allocator::new())`";
const ARENA_HELP: &str = "help: name the arena and its bytes, as in \
                          `host_return!(static SCRATCH: HostArena<4096>)`";
const HANDLER_HELP: &str = "help: name functions that are in scope here, as in \
                            `handler!(handle)` or `handler!(get, post)`";
const EXPORT_HANDLER_HELP: &str =
    "help: name functions that are in scope here, as in `export_handler!(handle)`";

/// The names of other exports of a module.
const TAKEN_NAMES: [&str; 8] = [
    "memory",
    "entrypoint",
    "entrypoint_heap",
    "entrypoint_heap_bump",
    "entrypoint_heap_trace",
    "alloc",
    "guest_alloc",
    "reset_arena",
];

/// The arguments of `entrypoint!` or `entrypoint_no_alloc!`.
pub struct Invocation {
    /// The first argument: any expression.
    pub function: Expr,
    pub options: Vec<RawOption>,
    /// Errors for arguments that are not options.
    pub not_options: Vec<syn::Error>,
}

/// An option, `name = value`.
pub struct RawOption {
    pub name: Ident,
    pub value: Expr,
}

/// The argument of `custom_heap_default!`.
pub enum DeclaredHeap {
    /// Nothing, which means `bump`, or a word.
    Unnamed(HeapKind),
    /// `static NAME: BumpAllocator<State>`
    Named(Box<NamedHeap>),
}

/// A heap with a name.
pub struct NamedHeap {
    pub attributes: Vec<Attribute>,
    pub visibility: Visibility,
    pub name: Ident,
    pub type_: Type,
}

/// The argument of `custom_heap!`: `static NAME: Allocator = value`.
pub struct CustomHeap {
    pub attributes: Vec<Attribute>,
    pub visibility: Visibility,
    pub name: Ident,
    pub type_: Type,
    pub value: Expr,
}

/// The argument of `host_return!`: `static NAME: HostArena<CAPACITY>`.
pub struct NamedArena {
    pub attributes: Vec<Attribute>,
    pub visibility: Visibility,
    pub name: Ident,
    /// A literal, a name, or an expression in braces.
    pub capacity: TokenTree,
}

/// The arguments of `__call_host!`, from `host_functions!`.
pub struct HostCall {
    /// The variable with the call.
    pub call: Ident,
    /// The host function.
    pub name: Ident,
    /// The variable with the bytes for the host.
    pub given: Ident,
}

impl Parse for Invocation {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.is_empty() {
            return Err(syn::Error::new(
                Span::call_site(),
                "missing the program's function\n\
                 help: write its name, as in `entrypoint!(process_instruction)`",
            ));
        }
        let next = found(input);
        let function: Expr = input.parse().map_err(|error| {
            syn::Error::new(
                error.span(),
                format!(
                    "expected the path of a function, found {next}\n\
                     help: write the program's function first, as in \
                     `entrypoint!(process_instruction)`"
                ),
            )
        })?;
        let mut options = Vec::new();
        let mut not_options = Vec::new();
        while !input.is_empty() {
            if input.peek(Token![,]) {
                input.parse::<Token![,]>()?;
            } else {
                not_options.push(input.error(format!(
                    "expected a comma, found {}\nhelp: options are written `, name = value`",
                    found(input)
                )));
                skip_to_comma(input)?;
                continue;
            }
            if input.is_empty() {
                break;
            }
            match input.parse() {
                Ok(option) => options.push(option),
                Err(error) => {
                    not_options.push(error);
                    skip_to_comma(input)?;
                }
            }
        }
        Ok(Self {
            function,
            options,
            not_options,
        })
    }
}

impl Parse for RawOption {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let next = found(input);
        let name: Ident = input.parse().map_err(|error| {
            syn::Error::new(
                error.span(),
                format!(
                    "expected the name of an option, found {next}\n\
                     help: options are written `name = value`"
                ),
            )
        })?;
        let equals: Option<Token![=]> = input.parse()?;
        if equals.is_none() || input.is_empty() || input.peek(Token![,]) {
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

/// Parses the arguments of `entrypoint!` and `entrypoint_no_alloc!`.
pub fn entry(input: TokenStream) -> syn::Result<Invocation> {
    syn::parse2(input)
}

/// Parses the argument of `custom_heap_default!`: nothing, a word, or
/// `static NAME: BumpAllocator<State>`.
pub fn heap(input: TokenStream) -> syn::Result<DeclaredHeap> {
    let parser = |input: ParseStream<'_>| {
        if input.is_empty() {
            return Ok(DeclaredHeap::Unnamed(HeapKind::Bump));
        }
        if input.peek(Ident) {
            let name: Ident = input.parse()?;
            let kind = HeapKind::named(&name.to_string()).ok_or_else(|| {
                syn::Error::new(name.span(), format!("unknown heap `{name}`\n{HEAP_HELP}"))
            })?;
            expect_end(input, HEAP_HELP)?;
            return Ok(DeclaredHeap::Unnamed(kind));
        }
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        expect::<Token![static]>(input, "nothing, a heap's name or a static", HEAP_HELP)?;
        let name: Ident = expect(input, "the name of the static", HEAP_HELP)?;
        if input.is_empty() {
            return Err(syn::Error::new(
                name.span(),
                format!("static `{name}` has no type\n{HEAP_HELP}"),
            ));
        }
        expect::<Token![:]>(input, "a colon and a type", HEAP_HELP)?;
        let type_ = expect(input, "a type", HEAP_HELP)?;
        input.parse::<Option<Token![;]>>()?;
        expect_end(input, HEAP_HELP)?;
        Ok(DeclaredHeap::Named(Box::new(NamedHeap {
            attributes,
            visibility,
            name,
            type_,
        })))
    };
    parser.parse2(input)
}

/// Parses the argument of `custom_panic_default!`: nothing or a level.
pub fn panic_level(input: TokenStream) -> syn::Result<PanicLevel> {
    let parser = |input: ParseStream<'_>| {
        if input.is_empty() {
            return Ok(PanicLevel::Message);
        }
        let name: Ident = expect(input, "a panic level", PANIC_HELP)?;
        let level = PanicLevel::named(&name.to_string()).ok_or_else(|| {
            syn::Error::new(
                name.span(),
                format!("unknown panic level `{name}`\n{PANIC_HELP}"),
            )
        })?;
        expect_end(input, PANIC_HELP)?;
        Ok(level)
    };
    parser.parse2(input)
}

/// Parses the argument of `custom_heap!`.
pub fn custom_heap(input: TokenStream) -> syn::Result<CustomHeap> {
    let parser = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        expect::<Token![static]>(input, "a static with its value", CUSTOM_HEAP_HELP)?;
        let name = expect(input, "the name of the static", CUSTOM_HEAP_HELP)?;
        expect::<Token![:]>(input, "a colon and a type", CUSTOM_HEAP_HELP)?;
        let type_ = expect(input, "a type", CUSTOM_HEAP_HELP)?;
        expect::<Token![=]>(input, "the value of the static", CUSTOM_HEAP_HELP)?;
        let value = input.parse()?;
        input.parse::<Option<Token![;]>>()?;
        expect_end(input, CUSTOM_HEAP_HELP)?;
        Ok(CustomHeap {
            attributes,
            visibility,
            name,
            type_,
            value,
        })
    };
    parser.parse2(input)
}

/// Parses the argument of `host_return!`.
pub fn host_return(input: TokenStream) -> syn::Result<NamedArena> {
    let parser = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        expect::<Token![static]>(input, "a static", ARENA_HELP)?;
        let name = expect(input, "the name of the static", ARENA_HELP)?;
        expect::<Token![:]>(input, "a colon and a type", ARENA_HELP)?;
        let next = input.fork();
        let type_: Ident = expect(input, "`HostArena`", ARENA_HELP)?;
        if type_ != "HostArena" {
            return Err(next.error(format!(
                "expected `HostArena`, found `{type_}`\n{ARENA_HELP}"
            )));
        }
        expect::<Token![<]>(input, "the number of bytes, `<…>`", ARENA_HELP)?;
        let capacity = expect(input, "a number of bytes", ARENA_HELP)?;
        expect::<Token![>]>(input, "`>`", ARENA_HELP)?;
        input.parse::<Option<Token![;]>>()?;
        expect_end(input, ARENA_HELP)?;
        Ok(NamedArena {
            attributes,
            visibility,
            name,
            capacity,
        })
    };
    parser.parse2(input)
}

/// Parses the names of `handler!`.
pub fn handler(input: TokenStream) -> syn::Result<Vec<Ident>> {
    (|input: ParseStream<'_>| names(input, HANDLER_HELP)).parse2(input)
}

/// Parses the names of `export_handler!`.
pub fn export_handler(input: TokenStream) -> syn::Result<Vec<Ident>> {
    (|input: ParseStream<'_>| names(input, EXPORT_HANDLER_HELP)).parse2(input)
}

/// Parses the names of handlers, separated by commas, and rejects taken names.
fn names(input: ParseStream<'_>, help: &str) -> syn::Result<Vec<Ident>> {
    const NAMES: &str = "the names of functions";
    let mut names: Vec<Ident> = Vec::new();
    let mut taken: Option<syn::Error> = None;
    loop {
        let name: Ident = expect(input, NAMES, help)?;
        if TAKEN_NAMES.iter().any(|taken| name.unraw() == taken) {
            let error = syn::Error::new(
                name.span(),
                format!(
                    "`{name}` is the name of another export of a module\n\
                     help: give the handler another name"
                ),
            );
            match &mut taken {
                Some(errors) => errors.combine(error),
                None => taken = Some(error),
            }
        }
        names.push(name);
        if input.is_empty() {
            break;
        }
        expect::<Token![,]>(input, NAMES, help)?;
        if input.is_empty() {
            break;
        }
    }
    taken.map_or(Ok(names), Err)
}

/// Parses the arguments of `__call_host!`.
pub fn call_host(input: TokenStream) -> syn::Result<HostCall> {
    let parser = |input: ParseStream<'_>| {
        let call = input.parse()?;
        input.parse::<Token![,]>()?;
        let name = input.parse()?;
        input.parse::<Token![,]>()?;
        let given = input.parse()?;
        Ok(HostCall { call, name, given })
    };
    parser.parse2(input)
}

/// Rejects arguments of `export_alloc!`.
pub fn export_alloc(input: TokenStream) -> syn::Result<()> {
    (|input: ParseStream<'_>| expect_end(input, "help: write `export_alloc!()`")).parse2(input)
}

/// Parses a `T`, or returns an error with this project's message.
fn expect<T: Parse>(input: ParseStream<'_>, expected: &str, help: &str) -> syn::Result<T> {
    let next = found(input);
    input.parse().map_err(|error| {
        syn::Error::new(
            error.span(),
            format!("expected {expected}, found {next}\n{help}"),
        )
    })
}

fn expect_end(input: ParseStream<'_>, help: &str) -> syn::Result<()> {
    if input.is_empty() {
        return Ok(());
    }
    Err(input.error(format!("expected the end, found {}\n{help}", found(input))))
}

/// Describes the next token for a message.
fn found(input: ParseStream<'_>) -> String {
    match input.fork().parse() {
        Ok(TokenTree::Group(group)) => match group.delimiter() {
            Delimiter::Parenthesis => "`(`".to_owned(),
            Delimiter::Brace => "`{`".to_owned(),
            Delimiter::Bracket => "`[`".to_owned(),
            Delimiter::None => format!("`{group}`"),
        },
        Ok(token) => format!("`{token}`"),
        Err(_) => "the end".to_owned(),
    }
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}
