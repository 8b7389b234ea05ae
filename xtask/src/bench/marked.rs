//! A section of a Markdown file that a command writes, between two marker lines.

use anyhow::{Context, Result, ensure};

/// The line behind the section that starts with the line `start`.
#[must_use]
pub fn end(start: &str) -> String {
    start.replacen("<!-- ", "<!-- end of what was ", 1)
}

/// Replaces the section of the text behind the line `start`.
///
/// # Errors
///
/// If the text does not have each of the two lines once, in their order.
pub fn replace(text: &str, start: &str, section: &str) -> Result<String> {
    let (start, end) = place(text, start)?;
    Ok(format!("{}{section}{}", &text[..start], &text[end..]))
}

/// The section that a text has behind the line `start`.
///
/// # Errors
///
/// As for [`replace`].
pub fn find<'a>(text: &'a str, start: &str) -> Result<&'a str> {
    let (start, end) = place(text, start)?;
    Ok(&text[start..end])
}

/// The range of the section, in bytes.
fn place(text: &str, start_line: &str) -> Result<(usize, usize)> {
    let end_line = end(start_line);
    let (start, end) = (the_line(text, start_line)?, the_line(text, &end_line)?);
    ensure!(
        start.1 <= end.0,
        "the line `{end_line}` is before `{start_line}`; move it behind the table"
    );
    Ok((start.1, end.0))
}

/// The range of the only line with this text, in bytes.
fn the_line(text: &str, line: &str) -> Result<(usize, usize)> {
    let mut found = None;
    let mut start = 0;
    for candidate in text.split_inclusive('\n') {
        let end = start + candidate.len();
        if candidate.trim_end() == line {
            ensure!(
                found.is_none(),
                "there are two lines `{line}`; remove the one that is not at the table"
            );
            found = Some((start, end));
        }
        start = end;
    }
    found.with_context(|| format!("there is no line `{line}`"))
}
