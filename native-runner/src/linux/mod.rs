//! The process, on 64-bit Linux.

use std::ffi::OsString;

mod arguments;
mod connection;
mod end;
mod limits;
mod mapping;
mod memory;
mod program;
mod serve;
mod server;

pub use end::End;

use arguments::Arguments;
use connection::{Connection, inherited};
use program::Program;

/// Opens the library, and serves the loader's requests.
///
/// # Errors
///
/// Why it has ended.
pub fn run(words: impl Iterator<Item = OsString>) -> Result<(), End> {
    let arguments = Arguments::parse(words)?;
    // Before any code of the library's runs: opening it runs its constructors.
    limits::set(&arguments)?;
    // SAFETY: `inherited` requires that nothing else owns the descriptor or uses it. This process
    // has just started, and has opened no descriptor that it keeps. `parse` has rejected those of
    // the standard streams, which the standard library uses.
    let socket = unsafe { inherited(arguments.socket) }?;
    if arguments.is_server {
        return server::open_and_serve(socket, &arguments);
    }
    let program = Program::open(&arguments.library)?;
    serve::serve(Connection::new(socket), &program, None)
}
