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
        bail!(
            "`{asked}` is not a code, which is written as in EP0012; `cargo entrypoint explain` lists \
             all codes"
        );
    };
    let distance = |section: &&str| {
        let other = self::number(code(section)).unwrap_or(u32::MAX);
        other.abs_diff(number)
    };
    let nearest = sections().min_by_key(distance).unwrap_or_default();
    if distance(&nearest) > 0 {
        bail!(
            "no message has the code EP{number:04}; the nearest is {}; `cargo entrypoint explain` lists \
             all codes",
            title(nearest)
        );
    }
    Ok(as_text(nearest))
}

/// The number of a code, with or without the letters and the zeroes before it.
fn number(code: &str) -> Option<u32> {
    let digits = code.trim().to_ascii_uppercase();
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
        for code in ["EP0012", "ep0012", "12", "0012", " EP12 "] {
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
    fn an_unknown_code_names_the_nearest() {
        let message = |code| section(code).expect_err("an unknown code").to_string();
        assert!(message("EP0013").contains("EP0013; the nearest is EP0012: "));
        assert!(message("9999").contains("EP9999; the nearest is EP0050: "));
        for code in ["", "E0308", "heap", "-1", "99999999999"] {
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
