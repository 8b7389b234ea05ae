//! All errors of loading and running programs: each as data, with a stable kind and a text.
//!
//! `handler::CallError` and `sweep::SweepFailed` are in the folders of their modules.

mod call;
mod failure;
mod invocation;
mod load;
mod write_back;

pub use call::InvalidCall;
pub use failure::{Access, Failure, SourceLocation};
pub use invocation::InvocationError;
pub use load::LoadError;
pub use write_back::WriteBackError;
