//! Syntax to model. One compile reports all errors.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Expr, ExprPath, Lit};

use crate::model::{Accounts, Entry, Heap, HeapKind, PanicLevel, Program};
use crate::parse::{Invocation, RawOption};

/// The default of `max_accounts`.
const DEFAULT_MAX_ACCOUNTS: u8 = 64;

/// The errors found so far.
#[derive(Default)]
pub struct Errors(Option<syn::Error>);

impl Errors {
    pub fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// Returns the value, or records its error.
    pub fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Returns the errors, if there are any.
    pub fn finish(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

/// Returns the program that an invocation describes, or all its errors.
pub fn program(invocation: &Invocation, entry: Entry) -> syn::Result<Program> {
    let mut errors = Errors::default();
    let function = errors.keep(function(&invocation.function));
    for error in &invocation.not_options {
        errors.push(error.clone());
    }

    let mut heap = Heap::Ours(HeapKind::Bump);
    let mut heap_size = None;
    let mut panic = Some(PanicLevel::Message);
    let mut reject_duplicates = false;
    let mut max = DEFAULT_MAX_ACCOUNTS;
    let mut seen: Vec<&Ident> = Vec::new();
    for option in &invocation.options {
        if seen.contains(&&option.name) {
            errors.push(syn::Error::new(
                option.name.span(),
                format!(
                    "EP0006: option `{}` occurs twice\nhelp: remove one of the two",
                    option.name
                ),
            ));
            continue;
        }
        seen.push(&option.name);
        match option.name.to_string().as_str() {
            "heap" => heap = errors.keep(heap_option(option)).unwrap_or(heap),
            "heap_size" => heap_size = Some(option.value.clone()),
            "panic" => panic = errors.keep(panic_option(option)).unwrap_or(panic),
            "duplicates" if entry != Entry::Lazy => {
                reject_duplicates =
                    errors.keep(duplicates_option(option)).unwrap_or(reject_duplicates);
            }
            "max_accounts" if entry == Entry::NoAlloc => {
                max = errors.keep(max_accounts_option(option)).unwrap_or(max);
            }
            "max_accounts" if entry == Entry::WithHeap => errors.push(syn::Error::new(
                option.name.span(),
                "EP0009: `entrypoint!` has no option `max_accounts`, because it fills no array\n\
                 help: use `entrypoint_no_alloc!`",
            )),
            name @ ("max_accounts" | "duplicates") => errors.push(syn::Error::new(
                option.name.span(),
                format!(
                    "EP0010: `entrypoint_lazy!` has no option `{name}`, because it does not read the accounts\n\
                     help: check the accounts in the function, or use `entrypoint_no_alloc!`"
                ),
            )),
            name => errors.push(unknown_option(&option.name, name, entry)),
        }
    }
    match (errors.0, function) {
        (None, Some(function)) => Ok(Program {
            function,
            accounts: match entry {
                Entry::WithHeap => Accounts::OnHeap { reject_duplicates },
                Entry::NoAlloc => Accounts::OnStack {
                    max,
                    reject_duplicates,
                },
                Entry::Lazy => Accounts::Nowhere,
            },
            heap,
            heap_size,
            panic,
        }),
        (Some(error), _) => Err(error),
        (None, None) => unreachable!("a missing function is an error"),
    }
}

/// Returns the first argument as a path.
pub fn function(expression: &Expr) -> syn::Result<ExprPath> {
    let found = match ungrouped(expression) {
        Expr::Path(path) => return Ok(path.clone()),
        Expr::Assign(_) => "an option",
        Expr::Closure(_) => "a closure",
        Expr::Lit(_) => "a literal",
        Expr::Call(_) | Expr::MethodCall(_) => "a call",
        Expr::Block(_) => "a block",
        _ => "another expression",
    };
    Err(syn::Error::new_spanned(
        expression,
        format!(
            "EP0002: expected the path of a function, found {found}\n\
             help: write the program's function first, as in `entrypoint!(process_instruction)`"
        ),
    ))
}

fn heap_option(option: &RawOption) -> syn::Result<Heap> {
    let word = word(option);
    let word = word.as_deref();
    match word.and_then(HeapKind::named) {
        Some(kind) => Ok(Heap::Ours(kind)),
        None if word == Some("custom") => Ok(Heap::Custom),
        None => Err(not_one_of(option, &["bump", "segregated", "custom"])),
    }
}

fn panic_option(option: &RawOption) -> syn::Result<Option<PanicLevel>> {
    let word = word(option);
    match word.as_deref() {
        Some("custom") => Ok(None),
        Some(name) if PanicLevel::named(name).is_some() => Ok(PanicLevel::named(name)),
        _ => Err(not_one_of(
            option,
            &["message", "location", "abort", "custom"],
        )),
    }
}

fn duplicates_option(option: &RawOption) -> syn::Result<bool> {
    match word(option).as_deref() {
        Some("allow") => Ok(false),
        Some("reject") => Ok(true),
        _ => Err(not_one_of(option, &["allow", "reject"])),
    }
}

fn max_accounts_option(option: &RawOption) -> syn::Result<u8> {
    let refused = || {
        syn::Error::new_spanned(
            &option.value,
            format!(
                "EP0011: `max_accounts` cannot be `{}`\n\
                 help: write a number from 1 to 255; an input has at most 255 different accounts, and \
                 each takes 8 bytes of stack",
                option.value.to_token_stream()
            ),
        )
    };
    let Expr::Lit(literal) = ungrouped(&option.value) else {
        return Err(refused());
    };
    let Lit::Int(number) = &literal.lit else {
        return Err(refused());
    };
    match number.base10_parse::<u8>() {
        Ok(0) | Err(_) => Err(refused()),
        Ok(max) => Ok(max),
    }
}

/// Removes the group around an expression from a `macro_rules!` macro.
fn ungrouped(expression: &Expr) -> &Expr {
    match expression {
        Expr::Group(group) => ungrouped(&group.expr),
        _ => expression,
    }
}

/// Returns the option's value if it is a single word.
fn word(option: &RawOption) -> Option<String> {
    match ungrouped(&option.value) {
        Expr::Path(path) => path.path.get_ident().map(Ident::to_string),
        _ => None,
    }
}

fn not_one_of(option: &RawOption, values: &[&str]) -> syn::Error {
    let name = &option.name;
    syn::Error::new_spanned(
        &option.value,
        format!(
            "EP0008: unknown value `{}` for `{name}`\nhelp: `{name}` is {}",
            option.value.to_token_stream(),
            list(values, "or")
        ),
    )
}

fn unknown_option(span: &Ident, name: &str, entry: Entry) -> syn::Error {
    let names: &[&str] = match entry {
        Entry::WithHeap => &["heap", "heap_size", "panic", "duplicates"],
        Entry::NoAlloc => &["heap", "heap_size", "panic", "duplicates", "max_accounts"],
        Entry::Lazy => &["heap", "heap_size", "panic"],
    };
    syn::Error::new(
        span.span(),
        format!(
            "EP0007: unknown option `{name}`\nhelp: {} options are {}",
            match names.iter().find(|other| is_near(name, other)) {
                Some(near) => format!("did you mean `{near}`? The"),
                None => "the".to_owned(),
            },
            list(names, "and")
        ),
    )
}

/// Whether two words differ in one letter: another one, one more or one less.
fn is_near(one: &str, other: &str) -> bool {
    let same = one.bytes().zip(other.bytes());
    let start = same.take_while(|(one, other)| one == other).count();
    let (one, other) = (&one.as_bytes()[start..], &other.as_bytes()[start..]);
    let same = one.iter().rev().zip(other.iter().rev());
    let end = same.take_while(|(one, other)| one == other).count();
    one.len() - end <= 1 && other.len() - end <= 1
}

/// Joins words for a message: `a`, `b` and `c`, or with another conjunction.
fn list(words: &[&str], conjunction: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => {
            format!("{} {conjunction} {last}", rest.join(", "))
        }
        _ => quoted.join(""),
    }
}
