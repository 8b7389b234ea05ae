//! In which words log lines are.

use abi::Pubkey;

/// In which words the lines of [`Outcome::logs`](crate::Outcome::logs) are.
///
/// ```
/// use loader::{Engine, Invocation, Loader, LogStyle, Pubkey};
///
/// let blob = program_test::build("../examples/hello");
/// let program = Loader::new(Engine::Interpreter)?.log_style(LogStyle::Runtime).load(&blob)?;
/// let program_id = Pubkey::new([1; 32]);
/// let outcome = program.invoke(&Invocation::new(program_id).gas(10_000))?;
/// assert_eq!(outcome.logs.first(), Some(&format!("Program {program_id} invoke [1]")));
/// assert_eq!(outcome.logs.last(), Some(&format!("Program {program_id} success")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum LogStyle {
    /// What the programs log, and nothing else. A program that logs more than
    /// [`Limits::logs`](crate::Limits::logs) fails.
    #[default]
    Plain,
    /// The lines of the Rialo runtime, those of a called program between those of its caller:
    ///
    /// | line | when |
    /// |---|---|
    /// | `Program ID invoke [DEPTH]` | a program begins |
    /// | `Program log: TEXT` | a program logs a text, numbers or a key |
    /// | `Program data: BASE64 …` | a program logs data |
    /// | `Program consumption: N units remaining` | a program logs its gas |
    /// | `Program ID consumed N of M compute units` | a program ends; a [`Builtin`](crate::Builtin) has no such line |
    /// | `Program return: ID BASE64` | it ends, and there is return data |
    /// | `Program ID success`, `Program ID failed: REASON` | it has ended |
    ///
    /// What a [`Builtin`](crate::Builtin) logs has no prefix. A line that exceeds
    /// [`Limits::logs`](crate::Limits::logs) is left out, the first of them becomes `Log
    /// truncated`, and the program continues. A text that is not UTF-8 ends the program.
    Runtime,
}

/// The text of a log line as its program wrote it; `None` for a line that the loader adds in
/// [`LogStyle::Runtime`]: where a program begins and ends, and what it returns.
///
/// A line in [`LogStyle::Plain`] is the text itself, unless it looks like one of the runtime's.
///
/// ```
/// use loader::logged_text;
///
/// assert_eq!(logged_text("Program log: count: 42"), Some("count: 42"));
/// assert_eq!(logged_text("Program 11111111111111111111111111111111 success"), None);
/// assert_eq!(logged_text("count: 42"), Some("count: 42"));
/// ```
#[must_use]
pub fn logged_text(line: &str) -> Option<&str> {
    let Some(rest) = line.strip_prefix("Program ") else {
        return Some(line);
    };
    if let Some(text) = rest.strip_prefix("log: ") {
        return Some(text);
    }
    if rest.starts_with("return: ") {
        return None;
    }
    let is_of_program = rest.split_once(' ').is_some_and(|(program_id, what)| {
        let words = ["invoke [", "consumed ", "success", "failed: "];
        program_id.parse::<Pubkey>().is_ok() && words.iter().any(|word| what.starts_with(word))
    });
    (!is_of_program).then_some(line)
}

/// Whether two lines are the same, apart from the gas with which programs began and ended.
pub(crate) fn is_same_line(left: &str, right: &str) -> bool {
    let used = |line: &str| {
        let (program, figures) = line.strip_prefix("Program ")?.split_once(" consumed ")?;
        let (used, limit) = figures.strip_suffix(" compute units")?.split_once(" of ")?;
        (is_number(used) && is_number(limit)).then(|| program.to_owned())
    };
    left == right || (used(left).is_some() && used(left) == used(right))
}

/// Whether two lines are the same, apart from the gas that remains and that programs have used.
pub(crate) fn is_same_line_without_gas(left: &str, right: &str) -> bool {
    let is_plain = |line: &str| line.strip_prefix("gas remaining: ").is_some_and(is_number);
    let is_runtimes = |line: &str| {
        let figure = line.strip_prefix("Program consumption: ");
        let figure = figure.and_then(|figure| figure.strip_suffix(" units remaining"));
        figure.is_some_and(is_number)
    };
    is_same_line(left, right)
        || (is_plain(left) && is_plain(right))
        || (is_runtimes(left) && is_runtimes(right))
}

/// The lines before those with which programs that failed have ended, the innermost first.
pub(crate) fn before_failed_ends(lines: &[String]) -> &[String] {
    let is_of_end = |line: &&String| {
        line.strip_prefix("Program ").is_some_and(|line| {
            let is_used = line.contains(" consumed ") && line.ends_with(" compute units");
            is_used || line.contains(" failed: ") || line.starts_with("return: ")
        })
    };
    let ends = lines.iter().rev().take_while(is_of_end).count();
    &lines[..lines.len() - ends]
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_gas_may_differ() {
        let used = |used: &str| format!("Program 1 consumed {used} of 200 compute units");
        assert!(is_same_line(&used("7"), &used("8")));
        assert!(!is_same_line(&used("7"), &used("x")));
        assert!(!is_same_line(
            &used("7"),
            "Program 2 consumed 7 of 200 compute units"
        ));
        assert!(!is_same_line("Program log: a", "Program log: b"));
        let remain = |gas: u32| format!("Program consumption: {gas} units remaining");
        assert!(!is_same_line(&remain(1), &remain(2)));
        assert!(is_same_line_without_gas(&remain(1), &remain(2)));
        assert!(!is_same_line_without_gas(&remain(1), "gas remaining: 1"));
        assert!(!is_same_line_without_gas(
            "gas remaining: 1",
            "gas remaining: "
        ));
    }

    #[test]
    fn ends_of_failed_programs_are_left_out() {
        let lines = [
            "Program 1 invoke [1]",
            "Program log: failed",
            "Program 2 invoke [2]",
            "Program 2 consumed 5 of 10 compute units",
            "Program 2 failed: Computational budget exceeded",
            "Program 1 consumed 15 of 20 compute units",
            "Program return: 1 AA==",
            "Program 1 failed: Computational budget exceeded",
        ]
        .map(str::to_owned);
        assert_eq!(before_failed_ends(&lines), &lines[..3]);
        assert_eq!(before_failed_ends(&lines[..2]), &lines[..2]);
        assert_eq!(before_failed_ends(&[]), [""; 0]);
    }
}
