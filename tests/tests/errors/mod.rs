//! Failures of programs, and the messages of all errors.

mod failures;
mod invalid_calls;
mod ledgers;
mod messages;
