//! Names of functions.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::str::Chars;

use abi::report::CUT_MARK;

/// The start of the names of modules that `entrypoint!` uses once in a crate.
const MACRO_NAME: &str = "__one_";

/// The module that `entrypoint!` puts the exports of a program into.
const MACRO_MODULE: &str = "guest";

/// PolkaVM's function around an export.
const TRAMPOLINE: &str = "::__polkavm_export::trampoline";

/// The longest symbol or path of a function, in bytes, that is read. A longer one is cut.
pub(crate) const MAX_PATH_LENGTH: usize = 4_096;

/// The longest name of a function in bytes, with the mark if it is cut.
const MAX_FUNCTION_LENGTH: usize = 1_024;

/// The name of a function as reports show it, from the compiler's symbol or from its path.
///
/// A function has its path. A method has that of its type, and a method of a trait names both.
/// Types in angle brackets have no path, functions no generic arguments, and the modules of
/// `entrypoint!` are left out. A name of more than 1,024 bytes is cut, and ends in `…`.
///
/// ```
/// use loader::display::function_name;
///
/// assert_eq!(function_name("_RNvNtCs1234_4core3fmt5write"), "core::fmt::write");
/// assert_eq!(
///     function_name("<core::fmt::Formatter>::pad_integral"),
///     "core::fmt::Formatter::pad_integral"
/// );
/// assert_eq!(
///     function_name("<text::TextBuffer<512> as core::fmt::Write>::write_str"),
///     "<TextBuffer<512> as Write>::write_str"
/// );
/// assert_eq!(function_name("core::ptr::read::<[u8; 4]>"), "core::ptr::read");
/// assert_eq!(function_name("counter::_::guest::entrypoint"), "counter::entrypoint");
/// ```
#[must_use]
pub fn function_name(symbol: &str) -> String {
    let symbol = cut(symbol, MAX_PATH_LENGTH);
    let path = path_of_symbol(&symbol).map_or(symbol, Cow::Owned);
    // PolkaVM's linker or the loader has cut the path, so its brackets do not match.
    if path.contains(CUT_MARK) {
        return cut(&path, MAX_FUNCTION_LENGTH).into_owned();
    }
    let path = path.strip_suffix(TRAMPOLINE).unwrap_or(&path);
    let name = Names::of(path).function();
    cut(&name, MAX_FUNCTION_LENGTH).into_owned()
}

/// A text with at most so many bytes: the end of a longer one is a mark.
pub(crate) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let start = &text[..text.floor_char_boundary(most - CUT_MARK.len())];
    Cow::Owned(format!("{start}{CUT_MARK}"))
}

/// The path of a function from the compiler's symbol, with all generic arguments; `None` if the
/// text is not such a symbol. It has at most [`MAX_PATH_LENGTH`] bytes.
pub(crate) fn path_of_symbol(symbol: &str) -> Option<String> {
    let symbol = rustc_demangle::try_demangle(symbol).ok()?;
    let mut path = Start(String::new());
    // Without the hashes of the crates. A short symbol can name a path of a million bytes.
    let _ = write!(path, "{symbol:#}");
    Some(cut(&path.0, MAX_PATH_LENGTH).into_owned())
}

/// The start of a text. Writing fails when the path is longer than it may be.
struct Start(String);

impl Write for Start {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push_str(text);
        match self.0.len() {
            0..=MAX_PATH_LENGTH => Ok(()),
            _ => Err(fmt::Error),
        }
    }
}

/// The path of an export, if this is PolkaVM's function around it.
pub(crate) fn without_trampoline(path: &str) -> Option<&str> {
    path.strip_suffix(TRAMPOLINE)
}

/// Reads a path, in the order of its characters. Any text is read to its end.
struct Names<'a> {
    rest: Chars<'a>,
}

impl<'a> Names<'a> {
    fn of(path: &'a str) -> Self {
        Self { rest: path.chars() }
    }

    fn starts_with(&self, text: &str) -> bool {
        self.rest.as_str().starts_with(text)
    }

    fn take(&mut self, text: &str) -> bool {
        let Some(rest) = self.rest.as_str().strip_prefix(text) else {
            return false;
        };
        self.rest = rest.chars();
        true
    }

    /// The text up to the bracket that closes the one before it, which is taken too.
    fn bracketed(&mut self) -> &'a str {
        let text = self.rest.as_str();
        let mut depth = 1_usize;
        let mut before = None;
        for (index, character) in text.char_indices() {
            match character {
                '<' => depth += 1,
                // The arrow of a function's type.
                '>' if before == Some('-') => {}
                '>' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.rest = text[index + 1..].chars();
                return &text[..index];
            }
            before = Some(character);
        }
        self.rest = "".chars();
        text
    }

    /// A part of a path: up to a separator of paths or types.
    fn segment(&mut self) -> &'a str {
        let text = self.rest.as_str();
        let mut braces = 0_usize;
        let end = text.char_indices().find(|(index, character)| {
            match character {
                '{' => braces += 1,
                '}' => braces = braces.saturating_sub(1),
                _ => {}
            }
            let is_separator = match character {
                ':' => text[*index..].starts_with("::"),
                other => !other.is_alphanumeric() && !matches!(other, '_' | '{' | '}' | '#'),
            };
            braces == 0 && is_separator
        });
        let end = end.map_or(text.len(), |(index, _)| index);
        self.rest = text[end..].chars();
        &text[..end]
    }

    /// The whole text as the path of a function.
    fn function(mut self) -> String {
        let mut name = String::new();
        if self.take("<") {
            let of = self.bracketed();
            let is_path = of.starts_with(char::is_alphanumeric) && !is_impl_of_trait(of);
            name = match is_path {
                true => Names::of(of).type_with_path(),
                false => format!("<{}>", Names::of(of).types()),
            };
        }
        let mut is_in_macro = false;
        while !self.rest.as_str().is_empty() {
            let is_of_function = self.take("::<");
            if is_of_function || self.take("<") {
                let arguments = self.bracketed();
                // Those of a type are in the middle.
                if !is_of_function && self.starts_with("::") {
                    name.push_str(&format!("<{}>", Names::of(arguments).types()));
                }
                continue;
            }
            let separator = if self.take("::") { "::" } else { "" };
            let segment = self.segment();
            let is_of_macro = segment == "_" || segment.starts_with(MACRO_NAME);
            if is_of_macro && !separator.is_empty() {
                is_in_macro = true;
                continue;
            }
            if !(is_in_macro && segment == MACRO_MODULE) {
                name.push_str(separator);
                name.push_str(segment);
            }
            is_in_macro = false;
            if segment.is_empty() && !self.starts_with("::") && !self.starts_with("<") {
                name.extend(self.rest.next());
            }
        }
        name
    }

    /// A type with its path, and its arguments without theirs.
    fn type_with_path(mut self) -> String {
        let mut text = String::new();
        while let Some(character) = self.rest.next() {
            text.push(character);
            if character == '<' {
                let arguments = self.bracketed();
                text.push_str(&Names::of(arguments).types());
                text.push('>');
            }
        }
        text
    }

    /// The whole text as types: each path without the modules that lead to it.
    fn types(mut self) -> String {
        let mut text = String::new();
        while !self.rest.as_str().is_empty() {
            let mut segment = self.segment();
            if segment.is_empty() {
                text.extend(self.rest.next());
                continue;
            }
            // Of a closure, the function that it is in.
            let mut around = None;
            loop {
                if self.starts_with("::<") {
                    let _ = self.take("::<");
                    let _ = self.bracketed();
                } else if self.take("::") {
                    let next = self.segment();
                    if next.is_empty() {
                        break;
                    }
                    around = next.starts_with('{').then_some(segment);
                    segment = next;
                } else {
                    break;
                }
            }
            if let Some(around) = around {
                text.push_str(around);
                text.push_str("::");
            }
            text.push_str(segment);
        }
        text
    }
}

/// Whether a text is a type and one of its traits.
fn is_impl_of_trait(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut before = None;
    for (index, character) in text.char_indices() {
        match character {
            '<' => depth += 1,
            '>' if before == Some('-') => {}
            '>' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 && text[index..].starts_with(" as ") => return true,
            _ => {}
        }
        before = Some(character);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_tell_functions_apart() {
        for (path, name) in [
            ("memset", "memset"),
            ("vault::withdraw", "vault::withdraw"),
            ("<u64>::_fmt_inner", "u64::_fmt_inner"),
            ("<*mut u8>::wrapping_offset", "<*mut u8>::wrapping_offset"),
            ("<[u8]>::len", "<[u8]>::len"),
            (
                "<[u8; 8] as core::cmp::PartialEq>::eq",
                "<[u8; 8] as PartialEq>::eq",
            ),
            ("<u64 as core::fmt::Display>::fmt", "<u64 as Display>::fmt"),
            (
                "<alloc::vec::Vec<core::mem::MaybeUninit<u8>>>::push",
                "alloc::vec::Vec<MaybeUninit<u8>>::push",
            ),
            (
                "<entrypoint::account::AccountInfo>::write::<token::Holding>::{closure#0}",
                "entrypoint::account::AccountInfo::write::{closure#0}",
            ),
            (
                "<u8 as core::array::equality::SpecArrayEq<u8, 32>>::spec_eq",
                "<u8 as SpecArrayEq<u8, 32>>::spec_eq",
            ),
            (
                "<core::iter::Map<core::str::Chars, <str>::f::<u8>::{closure#1}> as \
                 core::iter::Iterator>::next",
                "<Map<Chars, <str>::f::{closure#1}> as Iterator>::next",
            ),
            (
                "<fn(&a::B) -> a::C as a::Call<(&a::B,)>>::call",
                "<fn(&B) -> C as Call<(&B,)>>::call",
            ),
            (
                "core::slice::sort::quicksort::<&str, fn(&&str, &&str) -> bool>",
                "core::slice::sort::quicksort",
            ),
            (
                "core::fmt::Write::write_char<b::TextBuffer<512>>",
                "core::fmt::Write::write_char",
            ),
            (
                "vault::_::guest::entrypoint::__polkavm_export::trampoline",
                "vault::entrypoint",
            ),
            ("token::_::check", "token::check"),
            ("<a::B as c…D>::fmt", "<a::B as c…D>::fmt"),
            (
                "hello::__one_heap_per_crate::guest::entrypoint_heap_bump",
                "hello::entrypoint_heap_bump",
            ),
            ("function at 0x10", "function at 0x10"),
            ("(unnamed)", "(unnamed)"),
            ("call of 3Xy; _ a", "call of 3Xy; _ a"),
        ] {
            assert_eq!(function_name(path), name);
            assert_eq!(function_name(name), name, "again");
        }
    }

    #[test]
    fn names_of_any_symbol_are_bounded() {
        // The generic arguments of a crate's function: each is a pair of the one before it.
        let mut symbol = "IC1pThhE".to_owned();
        let mut before = 4;
        for _ in 0..24 {
            let start = symbol.len();
            let number = match before - 1 {
                low @ 0..62 => digit(low).to_string(),
                high => format!("{}{}", digit(high / 62), digit(high % 62)),
            };
            symbol.push_str(&format!("TB{number}_B{number}_E"));
            before = start;
        }
        let symbol = format!("_R{symbol}E");
        assert!(symbol.len() < 400);
        let path = path_of_symbol(&symbol).expect("a symbol");
        assert!(
            path.starts_with("p::<(u8, u8), ((u8, u8), (u8, u8))"),
            "{path}"
        );
        assert!(path.ends_with('…'), "{path}");
        assert!(path.len() <= MAX_PATH_LENGTH, "{}", path.len());
        for symbol in [
            symbol,
            "é".repeat(600),
            "é".repeat(100_000),
            "<a".repeat(50_000),
        ] {
            let name = function_name(&symbol);
            assert!(name.len() <= MAX_FUNCTION_LENGTH, "{}", name.len());
            assert!(name.ends_with('…'), "{name}");
            assert_eq!(function_name(&name), name, "again");
        }
    }

    /// A digit of a number in a symbol.
    fn digit(value: usize) -> char {
        let mut digits = ('0'..='9').chain('a'..='z').chain('A'..='Z');
        digits.nth(value).expect("less than 62")
    }

    #[test]
    fn any_text_is_read_to_its_end() {
        for rubbish in [
            "", ">", "<", "a<", "->", "::", "é>", "a::<é>", "<<<", "<a as ", "{", "_R", "_",
        ] {
            let _ = function_name(rubbish);
        }
        assert_eq!(function_name("a::b::<é>"), "a::b");
        assert!(function_name(&"<".repeat(100_000)).starts_with("<<"));
    }
}
