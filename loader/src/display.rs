//! Numbers and names as messages show them.

use std::fmt::Display;

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

/// A text with its control characters escaped, so that a terminal does not obey them.
pub(crate) fn escape_control(text: &str) -> String {
    text.chars()
        .flat_map(|character| {
            let is_harmless = !character.is_control();
            let plain = is_harmless.then_some(character);
            let escaped = (!is_harmless).then(|| character.escape_default());
            plain.into_iter().chain(escaped.into_iter().flatten())
        })
        .collect()
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
