//! Numbers and names as messages show them.

use std::fmt::Display;

use abi::report::CUT_MARK;

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
    let cut = symbol.get(..64).filter(|cut| cut.len() < symbol.len());
    let mark = if cut.is_some() { CUT_MARK } else { "" };
    let name = String::from_utf8_lossy(cut.unwrap_or(symbol));
    format!("{}{mark}", escape_control(&name))
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
    use super::list;

    #[test]
    fn list_says_how_many_names_are_missing() {
        let names = |count: usize| list((0..count).map(|number| number.to_string()));
        assert_eq!(names(0), "nothing");
        assert_eq!(names(2), "`0`, `1`");
        assert!(names(10).ends_with(", `9`"));
        assert!(names(1_011).ends_with(", `9` and 1,001 more"));
    }
}
