//! Printing: results to the standard output, errors to the standard error.

use std::io::{self, Write};

use anyhow::{Context, Error, Result};
use loader::display::escape_control_in_lines;

pub mod bench;
mod data;
pub mod inspection;
pub mod json;
pub mod people;

/// Exit code of a program that failed, differed from what its fixture expects, or that the loader
/// rejects.
pub const EXIT_FAILED: u8 = 1;

/// Exit code when no program was run, or its outcome could not be shown.
pub const EXIT_NOT_RUN: u8 = 2;

/// Prints a text on the standard output, with its control characters escaped. It ignores a reader
/// that has closed it, such as `head`.
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
    // If the standard error is closed, there is no way to report that.
    let _ = writeln!(io::stderr(), "error: {text}");
}
