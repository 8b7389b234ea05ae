//! Names that a program gives, as messages show them.

/// A program's own name for something, short and without what a terminal would obey.
pub(crate) fn shown(symbol: &[u8]) -> String {
    harmless(&String::from_utf8_lossy(&symbol[..symbol.len().min(64)]))
}

/// A text without what a terminal would obey.
pub(crate) fn harmless(text: &str) -> String {
    text.chars()
        .flat_map(|character| {
            let is_harmless = !character.is_control();
            let plain = is_harmless.then_some(character);
            let escaped = (!is_harmless).then(|| character.escape_default());
            plain.into_iter().chain(escaped.into_iter().flatten())
        })
        .collect()
}

/// The first of some names: enough to see what the program is.
pub(crate) fn list(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.take(10).map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        "nothing".to_owned()
    } else {
        names.join(", ")
    }
}
