//! All errors of loading and running programs: each as data, with a stable kind and a text.
//!
//! `handler::CallError` and `sweep::SweepFailed` are in the folders of their modules.

mod call;
mod failure;
mod invocation;
mod load;
mod phrases;
mod place;
mod write_back;

pub use call::InvalidCall;
pub use failure::{Access, Failure};
pub use invocation::InvocationError;
pub use load::LoadError;
pub use place::SourceLocation;
pub use write_back::WriteBackError;
