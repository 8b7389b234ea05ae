//! Numbers and texts as messages and reports show them.

mod function;

use std::fmt::Display;

use abi::report::CUT_MARK;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

pub use function::function_name;
pub(crate) use function::{MAX_PATH_LENGTH, cut, path_of_symbol, without_trampoline};

/// An unsigned number with its digits in groups of three.
///
/// ```
/// use loader::display::thousands;
///
/// assert_eq!(thousands(1_000_u64), "1,000");
/// ```
#[must_use]
pub fn thousands(number: impl Display) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A name that a program's file contains, cut after 64 bytes, without control characters.
pub(crate) fn display_name(symbol: &[u8]) -> String {
    let cut = symbol.get(..64).filter(|cut| cut.len() < symbol.len());
    let mark = if cut.is_some() { CUT_MARK } else { "" };
    let name = String::from_utf8_lossy(cut.unwrap_or(symbol));
    format!("{}{mark}", escape_control(&name))
}

/// A text on one line, with every character escaped that a terminal or a browser would obey rather
/// than show.
///
/// These are control characters, format characters and separators of lines. Among the format
/// characters are those that have no width, and those that turn the direction of the text around
/// them. A program's text cannot forge a part of a report then.
///
/// ```
/// use loader::display::escape_control;
///
/// assert_eq!(escape_control("sum:\t\u{202e}001"), r"sum:\t\u{202e}001");
/// ```
#[must_use]
pub fn escape_control(text: &str) -> String {
    escape(text, |_| false)
}

/// A text with the characters of [`escape_control`] escaped, but for the ends of lines and tabs.
///
/// ```
/// use loader::display::escape_control_in_lines;
///
/// assert_eq!(escape_control_in_lines("one\ntwo\u{1b}[2J"), "one\ntwo\\u{1b}[2J");
/// ```
#[must_use]
pub fn escape_control_in_lines(text: &str) -> String {
    escape(text, |character| matches!(character, '\n' | '\t'))
}

fn escape(text: &str, is_kept: fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_kept(character) || !is_control(character) {
            escaped.push(character);
        } else {
            escaped.extend(character.escape_default());
        }
    }
    escaped
}

/// Whether a terminal or a browser obeys a character rather than show it, as [`escape_control`]
/// explains.
#[must_use]
pub fn is_control(character: char) -> bool {
    matches!(
        character.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
    )
}

/// A source file as its author knows it: relative to the workspace, or to the sources of a package
/// or of the standard library. Debug information and panics spell the same file in several ways.
///
/// ```
/// use loader::display::short_path;
///
/// assert_eq!(short_path("./src/lib.rs"), "src/lib.rs");
/// assert_eq!(short_path("/rustc/0123abc/library/core/src/hint.rs"), "core/src/hint.rs");
/// assert_eq!(
///     short_path("./registry-0123456789abcdef/hex-0.4.3/src/lib.rs"),
///     "hex-0.4.3/src/lib.rs"
/// );
/// ```
#[must_use]
pub fn short_path(file: &str) -> &str {
    if let Some(path) = in_standard_library(file) {
        return path;
    }
    let mut path = file.trim_start_matches("./");
    let mut rest = path;
    while let Some((folder, inner)) = rest.split_once('/') {
        if is_registry(folder) {
            path = inner;
        }
        rest = inner;
    }
    path
}

/// Whether a file belongs to the standard library, or to a dependency from outside of the
/// workspace.
///
/// ```
/// use loader::display::is_foreign;
///
/// assert!(is_foreign("/rustc/0123abc/library/core/src/hint.rs"));
/// assert!(is_foreign("program-entrypoint-0.1.0/src/log.rs"));
/// assert!(!is_foreign("./src/lib.rs"));
/// ```
#[must_use]
pub fn is_foreign(file: &str) -> bool {
    let mut folders = file.trim_start_matches("./").split('/');
    in_standard_library(file).is_some()
        || folders.clone().any(is_registry)
        || folders.next().is_some_and(is_package)
}

/// The path of a file of the standard library below its folder `library`, which is the same for
/// every compiler; `None` for other files.
#[must_use]
pub fn in_standard_library(file: &str) -> Option<&str> {
    // The folder is on the computer that compiled the library, or stands for it.
    let is_absolute = file.starts_with('/');
    let folders = ["/library/core/src/", "/library/alloc/src/"];
    let start = folders.iter().find_map(|folder| file.find(folder))?;
    is_absolute.then(|| &file[start + "/library/".len()..])
}

/// Whether a folder has the packages of a registry. Cargo ends its name in a hash of the registry's
/// address.
fn is_registry(folder: &str) -> bool {
    let hash = folder.rsplit_once('-').map_or("", |(_, hash)| hash);
    hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a folder is a package with its version, as cargo names a package from outside of the
/// workspace.
fn is_package(folder: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    folder.match_indices('-').any(|(position, _)| {
        let mut version = folder[position + 1..].splitn(3, '.');
        let numbers = [version.next(), version.next()];
        let patch = version.next().unwrap_or_default();
        numbers.into_iter().flatten().all(is_number)
            && patch.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// The first ten of some names, enough to recognise the program, and the number of the others.
pub(crate) fn list(mut names: impl Iterator<Item = String>) -> String {
    let first: Vec<String> = names
        .by_ref()
        .take(10)
        .map(|name| format!("`{name}`"))
        .collect();
    match (first.is_empty(), names.count()) {
        (true, _) => "nothing".to_owned(),
        (false, 0) => first.join(", "),
        (false, others) => format!("{} and {} more", first.join(", "), thousands(others)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_shown_without_local_folders() {
        for (given, expected) in [
            ("./examples/a/src/lib.rs", "examples/a/src/lib.rs"),
            ("examples/a/src/lib.rs", "examples/a/src/lib.rs"),
            ("/rustc/0123abc/library/core/src/lib.rs", "core/src/lib.rs"),
            (
                "./registry-0123456789abcdef/hex-0.4.3/src/lib.rs",
                "hex-0.4.3/src/lib.rs",
            ),
            (
                "/usr/src/rustc-1.96.0/library/alloc/src/vec/mod.rs",
                "alloc/src/vec/mod.rs",
            ),
            (
                "program-entrypoint-0.1.0/registry-0123456789abcdef/hex-0.4.3/src/lib.rs",
                "hex-0.4.3/src/lib.rs",
            ),
            // The author's own.
            ("./library/core/src/lib.rs", "library/core/src/lib.rs"),
            ("lib.rs", "lib.rs"),
            ("", ""),
        ] {
            assert_eq!(short_path(given), expected);
        }
    }

    #[test]
    fn packages_from_outside_are_foreign() {
        for file in [
            "/rustc/0123abc/library/alloc/src/vec/mod.rs",
            "/usr/src/rustc-1.96.0/library/core/src/lib.rs",
            "./registry-0123456789abcdef/hex-0.4.3/src/lib.rs",
            "program-entrypoint-0.1.0/src/log.rs",
            "./program-entrypoint-0.1.0/src/log.rs",
            "a-b-1.20.3-rc.1/src/lib.rs",
        ] {
            assert!(is_foreign(file), "{file}");
        }
        for file in [
            "src/lib.rs",
            "./examples/a-1/src/lib.rs",
            "a-1.2/src/lib.rs",
            "a-1.x.2/src/lib.rs",
            "core/src/lib.rs",
            "./library/core/src/lib.rs",
            "",
        ] {
            assert!(!is_foreign(file), "{file}");
        }
    }

    #[test]
    fn characters_that_act_on_a_terminal_are_escaped() {
        // Every character with the Unicode property Bidi_Control.
        let bidi = ['\u{61c}', '\u{200e}', '\u{200f}'].into_iter();
        let bidi = bidi
            .chain('\u{202a}'..='\u{202e}')
            .chain('\u{2066}'..='\u{2069}');
        // Without width: a space, joiners, marks; tags, line and paragraph separators.
        let others = "\u{200b}\u{200c}\u{200d}\u{2060}\u{feff}\u{ad}\u{180e}\u{fff9}\u{e0041}\u{2028}\u{2029}";
        // A terminal also obeys the second range of control characters: U+009B begins a sequence.
        let control = "\0\n\r\t\u{7}\u{8}\u{1b}\u{7f}\u{85}\u{9b}";
        for character in bidi.chain(others.chars()).chain(control.chars()) {
            let escaped = escape_control(&format!("a{character}b"));
            assert_eq!(escaped, format!("a{}b", character.escape_default()));
            assert!(escaped.is_ascii(), "{escaped}");
        }
        for text in ["", "é e\u{301} שלום سلام 日本 \u{a0}\u{3000}", "\\ \" ' 🦀"] {
            assert_eq!(escape_control(text), text);
        }
    }

    #[test]
    fn list_says_how_many_names_are_missing() {
        let names = |count: usize| list((0..count).map(|number| number.to_string()));
        assert_eq!(names(0), "nothing");
        assert_eq!(names(2), "`0`, `1`");
        assert!(names(10).ends_with(", `9`"));
        assert!(names(1_011).ends_with(", `9` and 1,001 more"));
    }
}
