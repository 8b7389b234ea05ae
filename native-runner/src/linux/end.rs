//! Why the process ends.

/// Why the process ends, other than by a signal.
#[derive(Debug)]
pub enum End {
    /// The loader has closed the socket, or has ended. There is no loader to report to.
    Closed,
    /// An error.
    Wrong {
        /// The exit code.
        code: u8,
        /// The message, for people.
        what: String,
    },
}

impl End {
    /// The loader has sent an invalid request.
    pub fn refused(what: impl Into<String>) -> Self {
        Self::wrong(1, what)
    }

    /// The process was not called as it must be.
    pub fn misused(what: impl Into<String>) -> Self {
        Self::wrong(2, what)
    }

    /// The library is not a program.
    pub fn no_program(what: impl Into<String>) -> Self {
        Self::wrong(3, what)
    }

    fn wrong(code: u8, what: impl Into<String>) -> Self {
        Self::Wrong {
            code,
            what: what.into(),
        }
    }

    /// Prints the message on the standard error, and returns the exit code.
    #[must_use]
    pub fn say(&self) -> u8 {
        match self {
            Self::Closed => 0,
            Self::Wrong { code, what } => {
                eprintln!("native-runner: {what}");
                *code
            }
        }
    }
}
