//! Printing: results to the standard output, errors to the standard error.

use std::io::{self, Write};

use anyhow::{Context, Error, Result};
use loader::display::{escape_control_in_lines, is_control};

/// Exit code of a command that found a fault in what it ran or measured.
pub const EXIT_FAILED: u8 = 1;

/// Exit code when nothing was run, or the outcome could not be shown.
pub const EXIT_NOT_RUN: u8 = 2;

/// Prints a text on the standard output, with its control characters escaped. It ignores a reader
/// that has closed it, such as `head`.
///
/// # Errors
///
/// If the text cannot be written.
pub fn print(text: &str) -> Result<()> {
    let text = escape_control_in_lines(text);
    let mut output = io::stdout().lock();
    let written = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to the standard output"),
    }
}

/// Prints an error with its causes on the standard error, with its control characters escaped.
pub fn error(error: &Error) {
    let text = escape_control_in_lines(&format!("{error:#}"));
    // A closed standard error cannot be reported.
    let _ = writeln!(io::stderr(), "error: {text}");
}

/// The same JSON with the control characters in its texts escaped, so that a terminal shows them,
/// and a reader of the JSON gets them. A serializer escapes only those that JSON excludes.
#[must_use]
pub fn escaped_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '\n' || !is_control(character) {
            escaped.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
    }
    escaped
}
