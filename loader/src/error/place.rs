//! A place in the source of a program.

use std::fmt;

use crate::display::escape_control;

/// A place in the program's source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SourceLocation {
    /// The file, as [`short_path`](crate::display::short_path) spells it in a failure; in a
    /// profile, as the compiler was given it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1; `None` if it is not known.
    pub column: Option<u32>,
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", escape_control(&self.file), self.line)?;
        match self.column {
            Some(column) => write!(formatter, ":{column}"),
            None => Ok(()),
        }
    }
}

pub(super) fn at(location: &Option<SourceLocation>) -> String {
    location
        .as_ref()
        .map_or_else(String::new, |location| format!(" at {location}"))
}

pub(super) fn inside(function: &Option<String>) -> String {
    function.as_ref().map_or_else(String::new, |function| {
        format!(" in {}", escape_control(function))
    })
}
