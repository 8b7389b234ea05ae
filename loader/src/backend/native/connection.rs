//! The loader's side of the socket. The loader does not trust the process on the other side: it may
//! send nothing, invalid messages, or more than the loader requested.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::sync::Arc;

use abi::native::Message;

use super::process::{POLL_INTERVAL, Process};
use super::server::Server;
use crate::error::Failure;

/// The most bytes that the loader allocates before it has received them.
const CHUNK: usize = 64 * 1024;

/// The signal that ends a process which has used its CPU time.
const SIGXCPU: i32 = 24;

/// The process does not reply any more, and why.
#[derive(Clone, Debug)]
pub(super) struct Disconnected(pub Failure);

/// A process, and the socket by which the loader directs it.
pub(super) struct Connection {
    process: Process,
    stream: UnixStream,
    /// Seconds.
    limit: u32,
    /// Why the loader does not talk to the process any more.
    disconnected: Option<Disconnected>,
}

/// The loader's end of a new socket, by which it waits for at most [`POLL_INTERVAL`] at once, and
/// the end of the process.
pub(super) fn pair() -> io::Result<(UnixStream, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_read_timeout(Some(POLL_INTERVAL))?;
    ours.set_write_timeout(Some(POLL_INTERVAL))?;
    Ok((ours, theirs))
}

impl Connection {
    /// The connection over a stream of [`pair`].
    pub fn new(process: Process, stream: UnixStream, limit: u32) -> Self {
        Self {
            process,
            stream,
            limit,
            disconnected: None,
        }
    }

    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// The server that has forked the process, if one has.
    pub fn server(&self) -> Option<&Arc<Server>> {
        self.process.server()
    }

    /// Why the process does not reply any more, if it does not.
    pub fn disconnected(&self) -> Option<Failure> {
        self.disconnected
            .as_ref()
            .map(|Disconnected(failure)| failure.clone())
    }

    /// The process and its socket, for a process that serves more than one invocation.
    pub fn into_parts(self) -> (Process, UnixStream) {
        (self.process, self.stream)
    }

    /// Sends a message with some bytes after it, and receives the reply.
    pub fn call(&mut self, message: &Message, bytes: &[u8]) -> Result<Message, Disconnected> {
        self.send_message(message)?;
        self.send(bytes)?;
        self.receive_message()
    }

    /// Sends a message.
    pub fn send_message(&mut self, message: &Message) -> Result<(), Disconnected> {
        self.send(bytemuck::bytes_of(message))
    }

    /// Receives a message.
    pub fn receive_message(&mut self) -> Result<Message, Disconnected> {
        let mut message = Message::default();
        self.receive(bytemuck::bytes_of_mut(&mut message))?;
        Ok(message)
    }

    /// Receives so many bytes.
    pub fn receive_bytes(&mut self, length: usize) -> Result<Vec<u8>, Disconnected> {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let start = bytes.len();
            bytes.resize(length.min(start + CHUNK), 0);
            self.receive(&mut bytes[start..])?;
        }
        Ok(bytes)
    }

    /// Ends the connection because of a message that the runner cannot send: the program has
    /// written to the socket, or over the runner's memory.
    pub fn protocol_error(&mut self) -> Disconnected {
        self.disconnect(Failure::trapped_because(
            "protocol error: unexpected message from native-runner",
        ))
    }

    fn send(&mut self, mut bytes: &[u8]) -> Result<(), Disconnected> {
        while !bytes.is_empty() {
            let sent = self.try_with(|stream| stream.write(bytes))?;
            bytes = &bytes[sent..];
        }
        Ok(())
    }

    fn receive(&mut self, mut buffer: &mut [u8]) -> Result<(), Disconnected> {
        while !buffer.is_empty() {
            let received = self.try_with(|stream| stream.read(buffer))?;
            buffer = &mut buffer[received..];
        }
        Ok(())
    }

    /// Uses the socket until it has sent or received some bytes.
    fn try_with(
        &mut self,
        mut action: impl FnMut(&mut UnixStream) -> io::Result<usize>,
    ) -> Result<usize, Disconnected> {
        if let Some(why) = &self.disconnected {
            return Err(why.clone());
        }
        loop {
            match action(&mut self.stream) {
                Ok(0) => return Err(self.closed()),
                Ok(bytes) => return Ok(bytes),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    // A process that it has left behind may keep the socket open.
                    if self.process.has_ended() {
                        return Err(self.closed());
                    }
                    if self.process.is_timed_out(POLL_INTERVAL) {
                        return Err(self.timed_out());
                    }
                }
                Err(_) => return Err(self.closed()),
            }
        }
    }

    fn disconnect(&mut self, failure: Failure) -> Disconnected {
        self.disconnected.insert(Disconnected(failure)).clone()
    }

    fn timed_out(&mut self) -> Disconnected {
        self.process.end();
        let limit = self.limit;
        self.disconnect(Failure::TimedOut { limit })
    }

    /// The process has closed the socket, mostly because it ends; a debugger may stop it before.
    fn closed(&mut self) -> Disconnected {
        if !self.process.wait() {
            return self.timed_out();
        }
        let limit = self.limit;
        let failure = match self.process.end() {
            Some(status) if status.signal() == Some(SIGXCPU) => Failure::TimedOut { limit },
            Some(status) => Failure::trapped_because(format!("the process ended: {status}")),
            None => Failure::trapped_because("the process ended"),
        };
        self.disconnect(failure)
    }
}
