//! A debugger for programs on the target that they are deployed on: the protocol of gdb in front of
//! a recording.
//!
//! | module | contents |
//! |---|---|
//! | [`places`] | where an instruction of the blob is in the ELF file that gdb reads |
//! | [`session`] | the position in the recording: forwards, backwards, breakpoints |
//! | [`registers`] | the registers as gdb numbers them |
//! | [`target`] | the session as the crate `gdbstub` wants it |
//! | [`script`] | the commands for gdb: symbols and sources |

mod places;
mod registers;
pub mod script;
mod session;
mod target;

pub use places::Places;
pub use session::Session;
pub use target::{Connection, describe, serve};
