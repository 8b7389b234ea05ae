//! How an invocation gets its process: a fork server forks it, or the loader starts it.
//!
//! The loader starts it if a command of the caller's is to run it, such as a debugger, because that
//! command runs one process. It also does if the runner does not fork: see [`Message::READY`]. The
//! first process says so, and the next ones start at once, beside each other.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use abi::native::Message;

use super::connection::{Connection, Disconnected};
use super::process::{Process, is_wrapped, no_socket};
use super::server::Server;
use super::shared::SharedMemory;
use super::{NativeProgram, Runner};
use crate::error::{Failure, InvocationError};

/// A process in which no invocation has run, and the memory for heap and input that it shares with
/// the loader.
type Started = (Connection, Option<SharedMemory>);

impl Runner {
    /// A process for an invocation. It may use so many seconds; 0 for no limit.
    pub(super) fn process_for(
        &self,
        program: &NativeProgram,
        seconds: u32,
    ) -> Result<Started, InvocationError> {
        let is_unforkable = || program.is_unforkable.load(Ordering::Relaxed);
        if is_wrapped(&self.command) || is_unforkable() {
            return self.start(program, seconds, false).map(alone);
        }
        if let Some(forked) = self.fork(program, seconds)? {
            return Ok(forked);
        }
        let starting = program.starting.lock();
        let starting = starting.unwrap_or_else(PoisonError::into_inner);
        // Another thread may have started the server in the meantime, or found that none forks.
        if is_unforkable() {
            drop(starting);
            return self.start(program, seconds, false).map(alone);
        }
        if let Some(forked) = self.fork(program, seconds)? {
            return Ok(forked);
        }
        let mut connection = self.start(program, seconds, true)?;
        let ready = match connection.receive_message() {
            Ok(ready) => ready,
            Err(why) => return Err(not_opened(&mut connection, &why)),
        };
        match (ready.kind, ready.values[0]) {
            (Message::READY, 1) => {
                let server = Arc::new(Server::new(connection, ready.values[1] != 0)?);
                self.servers.insert(program.number, seconds, server);
            }
            (Message::READY, 0) => {
                program.is_unforkable.store(true, Ordering::Relaxed);
                return Ok(alone(connection));
            }
            _ => {
                let Disconnected(failure) = connection.protocol_error();
                return Err(InvocationError::engine(failure));
            }
        }
        drop(starting);
        match self.fork(program, seconds)? {
            Some(forked) => Ok(forked),
            // The system allows no more processes of the server, but it may allow one of the
            // loader.
            None => self.start(program, seconds, false).map(alone),
        }
    }

    /// A process that the server of the program forks; `None` if the program has no server, or one
    /// that has ended.
    fn fork(
        &self,
        program: &NativeProgram,
        seconds: u32,
    ) -> Result<Option<Started>, InvocationError> {
        let Some(server) = self.servers.get(program.number, seconds) else {
            return Ok(None);
        };
        let forked = server.fork().map_err(no_socket)?;
        let Some(forked) = forked.filter(|forked| !forked.has_ended()) else {
            self.servers.remove(&server);
            return Ok(None);
        };
        let process = Process::forked(forked.id, server, seconds);
        let connection = Connection::new(process, forked.stream, seconds);
        Ok(Some((connection, Some(forked.memory))))
    }

    fn start(
        &self,
        program: &NativeProgram,
        seconds: u32,
        is_server: bool,
    ) -> Result<Connection, InvocationError> {
        let library = program.library.path();
        let (process, stream) = Process::start(&self.command, library, seconds, is_server)?;
        Ok(Connection::new(process, stream, seconds))
    }
}

fn alone(connection: Connection) -> Started {
    (connection, None)
}

/// Why a process has not opened the library.
pub(super) fn not_opened(connection: &mut Connection, why: &Disconnected) -> InvocationError {
    match why {
        Disconnected(late @ Failure::TimedOut { .. }) => InvocationError::engine(format!(
            "the runner did not open the library in time: {late}"
        )),
        Disconnected(_) => connection.process().did_not_start(),
    }
}
