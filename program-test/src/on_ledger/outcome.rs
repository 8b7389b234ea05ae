//! Assertions about the outcome of a transaction.

use std::any::type_name;
use std::fmt::{self, Debug};
use std::ops::Deref;

use ledger::{Pubkey, TransactionOutcome};
use loader::{Failure, ProgramError};

use super::Known;

/// The outcome of a transaction of a [`TestLedger`](crate::TestLedger), with assertions. Its
/// messages have the tree of calls, the logs and the accounts that changed.
///
/// It prints as that report, too.
#[derive(Clone)]
#[must_use = "assert whether the transaction succeeded"]
pub struct TestOutcome {
    outcome: TransactionOutcome,
    known: Known,
}

impl TestOutcome {
    pub(super) fn new(outcome: TransactionOutcome, known: Known) -> Self {
        Self { outcome, known }
    }

    /// Asserts that the transaction succeeded. Returns the outcome, for what follows.
    ///
    /// # Panics
    ///
    /// If it failed; the message has the reason.
    #[track_caller]
    pub fn assert_success(&self) -> &Self {
        if !self.outcome.is_success() {
            self.panic("the transaction failed");
        }
        self
    }

    /// Asserts that a program returned this error: the innermost one of a chain of calls. The error
    /// is a [`ProgramError`], or one of the author's enums.
    ///
    /// If the program's file has the names of its errors, an error of another enum with the same
    /// number is another error.
    ///
    /// # Panics
    ///
    /// If the transaction succeeded, or failed in another way.
    #[track_caller]
    pub fn assert_error<E: Into<ProgramError> + Debug>(&self, error: E) -> &Self {
        let shown = if is_program_error::<E>() {
            format!("{error:?}")
        } else {
            format!("{}::{error:?}", short_type_name::<E>())
        };
        let expected = error.into();
        let Some((program_id, Failure::ProgramError { error: found })) =
            self.outcome.failed_program()
        else {
            self.panic(&format!("expected {shown}"));
        };
        let is_of_enum = match expected {
            ProgramError::Custom(code) if !is_program_error::<E>() => {
                self.may_be_of(&program_id, code, short_type_name::<E>())
            }
            _ => true,
        };
        if *found != expected || !is_of_enum {
            let found = self.known.show_error(&program_id, *found);
            self.panic(&format!("expected {shown}, found {found}"));
        }
        self
    }

    /// Whether the error with this code may be of this enum, as far as the program's file tells.
    fn may_be_of(&self, program_id: &Pubkey, code: u32, name: &str) -> bool {
        let errors = self.known.errors_of(program_id);
        let errors = errors.map_or(&[][..], |errors| errors.all());
        let mut same_code = errors.iter().filter(|error| error.code == code).peekable();
        same_code.peek().is_none()
            || same_code.any(|error| error.name.split("::").next() == Some(name))
    }

    /// Asserts the kind of the failure: that of the innermost program of a chain of calls, such as
    /// `"OutOfGas"`, or that of the transaction, such as `"InsufficientFundsForRent"`. See
    /// [`Failure::kind`] and [`TransactionError::kind`](ledger::TransactionError::kind).
    ///
    /// # Panics
    ///
    /// If the transaction succeeded, or failed in another way.
    #[track_caller]
    pub fn assert_failure(&self, kind: &str) -> &Self {
        let found = match (self.outcome.failed_program(), &self.outcome.error) {
            (Some((_, failure)), _) => failure.kind(),
            (None, Some(error)) => error.kind(),
            (None, None) => self.panic(&format!("expected the failure {kind}")),
        };
        if found != kind {
            self.panic(&format!("expected the failure {kind}, found {found}"));
        }
        self
    }

    /// Asserts that a program logged this line.
    ///
    /// # Panics
    ///
    /// If none did.
    #[track_caller]
    pub fn assert_log(&self, line: &str) -> &Self {
        if !self.outcome.texts().any(|logged| logged == line) {
            self.panic(&format!("no program logged {line:?}"));
        }
        self
    }

    #[track_caller]
    fn panic(&self, what: &str) -> ! {
        panic!("{what}{}\n{self}", self.known.place());
    }
}

impl Deref for TestOutcome {
    type Target = TransactionOutcome;

    fn deref(&self) -> &TransactionOutcome {
        &self.outcome
    }
}

impl fmt::Display for TestOutcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.outcome.report(&self.known), formatter)
    }
}

impl fmt::Debug for TestOutcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

fn is_program_error<E>() -> bool {
    type_name::<E>() == type_name::<ProgramError>()
}

/// The name of a type without its module.
fn short_type_name<E>() -> &'static str {
    let name = type_name::<E>();
    name.rsplit("::").next().unwrap_or(name)
}
