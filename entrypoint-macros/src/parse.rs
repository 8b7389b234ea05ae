//! Tokens to syntax, without regard to meaning.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Expr, Ident, Token, Type, Visibility};

use crate::model::{HeapKind, PanicLevel};

/// How the argument of a macro is written, and the code of the errors about it.
#[derive(Clone, Copy)]
struct Usage {
    code: &'static str,
    help: &'static str,
}

impl Usage {
    /// The error for tokens that are not as they should be.
    fn error(self, span: Span, what: impl std::fmt::Display) -> syn::Error {
        let Self { code, help } = self;
        syn::Error::new(span, format!("{code}: {what}\n{help}"))
    }
}

const HEAP_USAGE: Usage = Usage {
    code: "EP0020",
    help: "help: write `custom_heap_default!(bump)` or `custom_heap_default!(segregated)`, or name \
                         the heap, as in `custom_heap_default!(static HEAP: BumpAllocator<State>)`",
};
const PANIC_USAGE: Usage = Usage {
    code: "EP0021",
    help: "help: the levels are `message`, `location` and `abort`",
};
const CUSTOM_HEAP_USAGE: Usage = Usage {
    code: "EP0022",
    help: "help: declare the allocator, as in \
                                `custom_heap!(static HEAP: Allocator = Allocator::new())`",
};
const ARENA_USAGE: Usage = Usage {
    code: "EP0023",
    help: "help: name the arena and its bytes, as in \
                          `host_return!(static SCRATCH: HostArena<4096>)`",
};
const HANDLER_USAGE: Usage = Usage {
    code: "EP0024",
    help: "help: name functions that are in scope here, as in \
                            `handler!(handle)` or `handler!(get, post)`",
};
const EXPORT_HANDLER_USAGE: Usage = Usage {
    code: "EP0024",
    help: "help: name functions that are in scope here, as in `export_handler!(handle)`",
};
const EXPORT_ALLOC_USAGE: Usage = Usage {
    code: "EP0026",
    help: "help: write `export_alloc!()`",
};

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
                "EP0001: missing the program's function\n\
                 help: write its name, as in `entrypoint!(process_instruction)`",
            ));
        }
        let next = found(input);
        let function: Expr = input.parse().map_err(|error| {
            syn::Error::new(
                error.span(),
                format!(
                    "EP0002: expected the path of a function, found {next}\n\
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
                    "EP0003: expected a comma, found {}\nhelp: options are written `, name = value`",
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
                    "EP0004: expected the name of an option, found {next}\n\
                     help: options are written `name = value`"
                ),
            )
        })?;
        let equals: Option<Token![=]> = input.parse()?;
        if equals.is_none() || input.is_empty() || input.peek(Token![,]) {
            return Err(syn::Error::new(
                name.span(),
                format!("EP0005: option `{name}` has no value\nhelp: write `{name} = …`"),
            ));
        }
        let next = found(input);
        let value = input.parse().map_err(|error: syn::Error| {
            syn::Error::new(
                error.span(),
                format!(
                    "EP0005: expected the value of the option `{name}`, found {next}\n\
                     help: write `{name} = …`"
                ),
            )
        })?;
        Ok(Self { name, value })
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
                HEAP_USAGE.error(name.span(), format_args!("unknown heap `{name}`"))
            })?;
            expect_end(input, HEAP_USAGE)?;
            return Ok(DeclaredHeap::Unnamed(kind));
        }
        let (attributes, visibility) = before_static(input, HEAP_USAGE)?;
        expect::<Token![static]>(input, "nothing, a heap's name or a static", HEAP_USAGE)?;
        let name: Ident = expect(input, "the name of the static", HEAP_USAGE)?;
        if input.is_empty() {
            let what = format_args!("static `{name}` has no type");
            return Err(HEAP_USAGE.error(name.span(), what));
        }
        expect::<Token![:]>(input, "a colon and a type", HEAP_USAGE)?;
        let type_ = expect(input, "a type", HEAP_USAGE)?;
        input.parse::<Option<Token![;]>>()?;
        expect_end(input, HEAP_USAGE)?;
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
        let name: Ident = expect(input, "a panic level", PANIC_USAGE)?;
        let level = PanicLevel::named(&name.to_string()).ok_or_else(|| {
            PANIC_USAGE.error(name.span(), format_args!("unknown panic level `{name}`"))
        })?;
        expect_end(input, PANIC_USAGE)?;
        Ok(level)
    };
    parser.parse2(input)
}

/// Parses the argument of `custom_heap!`.
pub fn custom_heap(input: TokenStream) -> syn::Result<CustomHeap> {
    let parser = |input: ParseStream<'_>| {
        let (attributes, visibility) = before_static(input, CUSTOM_HEAP_USAGE)?;
        expect::<Token![static]>(input, "a static with its value", CUSTOM_HEAP_USAGE)?;
        let name = expect(input, "the name of the static", CUSTOM_HEAP_USAGE)?;
        expect::<Token![:]>(input, "a colon and a type", CUSTOM_HEAP_USAGE)?;
        let type_ = expect(input, "a type", CUSTOM_HEAP_USAGE)?;
        expect::<Token![=]>(input, "the value of the static", CUSTOM_HEAP_USAGE)?;
        let value = expect(input, "the value of the static", CUSTOM_HEAP_USAGE)?;
        input.parse::<Option<Token![;]>>()?;
        expect_end(input, CUSTOM_HEAP_USAGE)?;
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
        let (attributes, visibility) = before_static(input, ARENA_USAGE)?;
        expect::<Token![static]>(input, "a static", ARENA_USAGE)?;
        let name = expect(input, "the name of the static", ARENA_USAGE)?;
        expect::<Token![:]>(input, "a colon and a type", ARENA_USAGE)?;
        let next = input.fork();
        let type_: Ident = expect(input, "`HostArena`", ARENA_USAGE)?;
        if type_ != "HostArena" {
            let what = format_args!("expected `HostArena`, found `{type_}`");
            return Err(ARENA_USAGE.error(next.span(), what));
        }
        expect::<Token![<]>(input, "the number of bytes, `<…>`", ARENA_USAGE)?;
        let capacity = expect(input, "a number of bytes", ARENA_USAGE)?;
        expect::<Token![>]>(input, "`>`", ARENA_USAGE)?;
        input.parse::<Option<Token![;]>>()?;
        expect_end(input, ARENA_USAGE)?;
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
    (|input: ParseStream<'_>| names(input, HANDLER_USAGE)).parse2(input)
}

/// Parses the names of `export_handler!`.
pub fn export_handler(input: TokenStream) -> syn::Result<Vec<Ident>> {
    (|input: ParseStream<'_>| names(input, EXPORT_HANDLER_USAGE)).parse2(input)
}

/// Parses the names of handlers, separated by commas, and rejects taken names.
fn names(input: ParseStream<'_>, usage: Usage) -> syn::Result<Vec<Ident>> {
    const NAMES: &str = "the names of functions";
    let mut names: Vec<Ident> = Vec::new();
    let mut taken: Option<syn::Error> = None;
    loop {
        let name: Ident = expect(input, NAMES, usage)?;
        if TAKEN_NAMES.iter().any(|taken| name.unraw() == taken) {
            let error = syn::Error::new(
                name.span(),
                format!(
                    "EP0025: `{name}` is the name of another export of a module\n\
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
        expect::<Token![,]>(input, NAMES, usage)?;
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
    (|input: ParseStream<'_>| expect_end(input, EXPORT_ALLOC_USAGE)).parse2(input)
}

/// Parses the attributes and the visibility of a static.
fn before_static(
    input: ParseStream<'_>,
    usage: Usage,
) -> syn::Result<(Vec<Attribute>, Visibility)> {
    let attributes = expect_with(input, Attribute::parse_outer, "an attribute", usage)?;
    Ok((attributes, expect(input, "a visibility", usage)?))
}

/// Parses a `T`, or returns an error with this project's message.
fn expect<T: Parse>(input: ParseStream<'_>, expected: &str, usage: Usage) -> syn::Result<T> {
    expect_with(input, T::parse, expected, usage)
}

/// Parses with a function, or returns an error with this project's message.
fn expect_with<T>(
    input: ParseStream<'_>,
    parse: fn(ParseStream<'_>) -> syn::Result<T>,
    expected: &str,
    usage: Usage,
) -> syn::Result<T> {
    let next = found(input);
    input.call(parse).map_err(|error| {
        let what = format_args!("expected {expected}, found {next}");
        usage.error(error.span(), what)
    })
}

fn expect_end(input: ParseStream<'_>, usage: Usage) -> syn::Result<()> {
    if input.is_empty() {
        return Ok(());
    }
    let what = format_args!("expected the end, found {}", found(input));
    Err(usage.error(input.span(), what))
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
