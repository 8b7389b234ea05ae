//! Failures of programs, and the messages of all errors.

mod failures;
mod messages;
