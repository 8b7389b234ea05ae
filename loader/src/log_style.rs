//! In which words log lines are.

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
