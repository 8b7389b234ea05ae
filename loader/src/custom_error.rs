//! The names of a program's own errors.

use std::fmt;

use abi::system::SystemError;

use crate::display::escape_control;

/// A custom error of a program, as its file names it.
///
/// ```
/// use loader::CustomError;
///
/// let error = CustomError {
///     code: 3,
///     name: "VaultError::NotOpen".to_owned(),
///     text: "The vault was never opened".to_owned(),
/// };
/// assert_eq!(error.to_string(), "VaultError::NotOpen, \"The vault was never opened\"");
/// assert!(error.is_called("NotOpen") && error.is_called("VaultError::NotOpen"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CustomError {
    /// The number in `ProgramError::Custom`.
    pub code: u32,
    /// Its name, such as `VaultError::NotOpen`.
    pub name: String,
    /// What happened, for people; empty if the author wrote nothing.
    pub text: String,
}

impl CustomError {
    /// The errors of the system program, which has no file.
    ///
    /// ```
    /// use loader::CustomError;
    ///
    /// let errors = CustomError::of_system_program();
    /// assert_eq!(errors[0].name, "SystemError::AccountAlreadyInUse");
    /// ```
    #[must_use]
    pub fn of_system_program() -> Vec<Self> {
        let errors = (0..).map_while(SystemError::from_u32);
        let errors = errors.map(|error| Self {
            code: error as u32,
            name: format!("SystemError::{}", error.name()),
            text: error.to_string(),
        });
        errors.collect()
    }

    /// Whether this is its name, with the name of its type or without.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        let short = self.name.rsplit("::").next();
        self.name == name || short == Some(name)
    }
}

impl fmt::Display for CustomError {
    /// Writes name and text, and escapes what a terminal obeys.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&escape_control(&self.name))?;
        if self.text.is_empty() {
            return Ok(());
        }
        write!(formatter, ", \"{}\"", escape_control(&self.text))
    }
}
