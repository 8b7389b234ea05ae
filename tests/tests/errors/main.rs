//! Failures of programs, and the text of every error.

mod failures;
mod messages;
