//! `cargo entrypoint explain`

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::arguments::ExplainArguments;
use crate::report;

/// The page of the book: a section for each code.
const PAGE: &str = include_str!("../../errors.md");

pub fn explain(arguments: &ExplainArguments) -> Result<ExitCode> {
    let text = match &arguments.code {
        Some(code) => section(code)?,
        None => list(),
    };
    report::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The sections, from their code on.
fn sections() -> impl Iterator<Item = &'static str> {
    PAGE.split("\n## ").skip(1)
}

/// The code of a section, which begins its title.
fn code(section: &str) -> &str {
    section.split(':').next().unwrap_or_default()
}

fn title(section: &str) -> &str {
    section.lines().next().unwrap_or_default()
}

/// The titles of all sections.
fn list() -> String {
    let titles: Vec<&str> = sections().map(title).collect();
    format!(
        "{}\n\n`cargo entrypoint explain CODE` explains one of them.\n",
        titles.join("\n")
    )
}

/// The section of a code, for a terminal.
fn section(asked: &str) -> Result<String> {
    let Some(number) = number(asked) else {
        if let Some(code) = compilers_code(asked) {
            bail!("{code} is a code of the compiler, which `rustc --explain {code}` explains");
        }
        bail!(
            "`{asked}` is not a code, which is written as in EP0012; `cargo entrypoint explain` lists \
             all codes"
        );
    };
    let asked = format!("EP{number:04}");
    if let Some(section) = sections().find(|section| code(section) == asked) {
        return Ok(as_text(section));
    }
    let is_near = |section: &&str| {
        let digits = code(section).bytes().zip(asked.bytes());
        let same = code(section).len() == asked.len();
        same && digits.filter(|(one, other)| one != other).count() == 1
    };
    let distance = |section: &&str| {
        let other = self::number(code(section)).unwrap_or(u32::MAX);
        other.abs_diff(number)
    };
    let near = sections().filter(is_near).min_by_key(distance);
    let near = near.map_or_else(String::new, |near| {
        format!("; did you mean {}?", title(near))
    });
    bail!("no message has the code {asked}{near}; `cargo entrypoint explain` lists all codes");
}

/// The code of the compiler's that this is, as in E0433.
fn compilers_code(asked: &str) -> Option<String> {
    let code = trimmed(asked);
    let digits = code.strip_prefix('E')?;
    let is_code = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then_some(code)
}

/// A code in capital letters, without the colon that follows it in a message.
fn trimmed(code: &str) -> String {
    code.trim().trim_end_matches(':').to_ascii_uppercase()
}

/// The number of a code, with or without the letters and the zeroes before it.
fn number(code: &str) -> Option<u32> {
    let digits = trimmed(code);
    let digits = digits.strip_prefix("EP").unwrap_or(&digits).to_owned();
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| digits.parse().ok())?
}

/// A section without the marks of blocks of code, which are indented instead.
fn as_text(section: &str) -> String {
    let mut text = String::new();
    let mut is_code = false;
    for line in section.trim_end().lines() {
        if line.starts_with("```") {
            is_code = !is_code;
            continue;
        }
        if is_code && !line.is_empty() {
            text.push_str("    ");
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_in_every_form() {
        for code in ["EP0012", "ep0012", "12", "0012", " EP12 ", "EP0012:"] {
            assert_eq!(number(code), Some(12), "{code}");
            let text = section(code).expect("a section");
            assert!(text.starts_with("EP0012: "), "{text}");
            assert!(
                text.contains("\nWrong:\n\n    entrypoint::entrypoint!("),
                "{text}"
            );
            assert!(
                text.contains("\nRight:\n\n    entrypoint::entrypoint!("),
                "{text}"
            );
            assert!(!text.contains("```"), "{text}");
        }
    }

    #[test]
    fn an_unknown_code_names_its_neighbour() {
        let message = |code| section(code).expect_err("an unknown code").to_string();
        assert!(message("EP0013").contains("EP0013; did you mean EP0012: "));
        // Two digits differ from every code.
        let far = "no message has the code EP9999; `cargo entrypoint explain` lists all codes";
        assert_eq!(message("9999"), far);
        for code in ["E0433", "e0433:"] {
            let expected =
                "E0433 is a code of the compiler, which `rustc --explain E0433` explains";
            assert_eq!(message(code), expected);
        }
        for code in ["", "E038", "heap", "-1", "99999999999"] {
            let expected = format!("`{code}` is not a code, which is written as in EP0012");
            assert!(message(code).starts_with(&expected), "{}", message(code));
        }
    }

    #[test]
    fn all_sections_are_listed() {
        let list = list();
        assert_eq!(
            list.lines().filter(|line| line.starts_with("EP")).count(),
            sections().count()
        );
        assert!(sections().count() >= 40);
    }
}
