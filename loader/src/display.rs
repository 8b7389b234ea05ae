//! Numbers and texts as messages and reports show them.

use std::fmt::Display;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// An unsigned number with its digits in groups of three: 1,000.
pub(crate) fn thousands(number: impl Display) -> String {
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
    escape_control(&String::from_utf8_lossy(&symbol[..symbol.len().min(64)]))
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

/// The first ten of some names: enough to recognise the program.
pub(crate) fn list(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.take(10).map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
