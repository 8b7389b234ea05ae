//! What is said over the socket, by a process that need not do as it should: it may say nothing, nonsense, or more than it is asked.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;

use abi::native::Message;

use super::process::{GLANCE, Process};
use crate::error::Failure;

/// Bytes that are taken from the socket at once: memory is there for no more than has come.
const PIECE: usize = 64 * 1024;

/// The signal that ends a process which has had its time.
const SIGXCPU: i32 = 24;

/// Nobody is there to answer any more, and why.
#[derive(Clone, Debug)]
pub(super) struct Lost(pub Failure);

/// A process, and the socket that it is told by what to do.
pub(super) struct Connection {
    process: Process,
    stream: UnixStream,
    /// Seconds.
    limit: u32,
    /// Why there is nothing more to be said to the process.
    lost: Option<Lost>,
}

impl Connection {
    pub fn new(process: Process, stream: UnixStream, limit: u32) -> io::Result<Self> {
        stream.set_read_timeout(Some(GLANCE))?;
        stream.set_write_timeout(Some(GLANCE))?;
        Ok(Self {
            process,
            stream,
            limit,
            lost: None,
        })
    }

    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Why the process was lost, if it was.
    pub fn lost(&self) -> Option<Failure> {
        self.lost.as_ref().map(|Lost(failure)| failure.clone())
    }

    /// Says something, with some bytes behind it, and takes the answer.
    pub fn ask(&mut self, message: &Message, bytes: &[u8]) -> Result<Message, Lost> {
        self.send(bytemuck::bytes_of(message))?;
        self.send(bytes)?;
        let mut answer = Message::default();
        self.receive(bytemuck::bytes_of_mut(&mut answer))?;
        Ok(answer)
    }

    /// Takes so many bytes.
    pub fn take(&mut self, length: usize) -> Result<Vec<u8>, Lost> {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let start = bytes.len();
            bytes.resize(length.min(start + PIECE), 0);
            self.receive(&mut bytes[start..])?;
        }
        Ok(bytes)
    }

    /// The process has said what it cannot: its program has written to the socket, or where it should not.
    pub fn refuse(&mut self) -> Lost {
        self.lose(Failure::trapped_because(
            "the process of the program says what it cannot",
        ))
    }

    fn send(&mut self, mut bytes: &[u8]) -> Result<(), Lost> {
        while !bytes.is_empty() {
            let sent = self.try_with(|stream| stream.write(bytes))?;
            bytes = &bytes[sent..];
        }
        Ok(())
    }

    fn receive(&mut self, mut buffer: &mut [u8]) -> Result<(), Lost> {
        while !buffer.is_empty() {
            let received = self.try_with(|stream| stream.read(buffer))?;
            buffer = &mut buffer[received..];
        }
        Ok(())
    }

    /// Uses the socket until it has done a part.
    fn try_with(
        &mut self,
        mut action: impl FnMut(&mut UnixStream) -> io::Result<usize>,
    ) -> Result<usize, Lost> {
        if let Some(lost) = &self.lost {
            return Err(lost.clone());
        }
        loop {
            match action(&mut self.stream) {
                Ok(0) => return Err(self.closed()),
                Ok(bytes) => return Ok(bytes),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    // Whatever it has left behind may hold the socket open.
                    if self.process.has_ended() {
                        return Err(self.closed());
                    }
                    if self.process.is_out_of_time(GLANCE) {
                        return Err(self.out_of_time());
                    }
                }
                Err(_) => return Err(self.closed()),
            }
        }
    }

    fn lose(&mut self, failure: Failure) -> Lost {
        self.lost.insert(Lost(failure)).clone()
    }

    fn out_of_time(&mut self) -> Lost {
        self.process.end();
        let limit = self.limit;
        self.lose(Failure::TimedOut { limit })
    }

    /// The process has closed the socket. Mostly that is because it ends; a debugger may stop it before.
    fn closed(&mut self) -> Lost {
        if !self.process.wait() {
            return self.out_of_time();
        }
        let limit = self.limit;
        let failure = match self.process.end() {
            Some(status) if status.signal() == Some(SIGXCPU) => Failure::TimedOut { limit },
            Some(status) => Failure::trapped_because(format!("its process has ended: {status}")),
            None => Failure::trapped_because("its process has ended"),
        };
        self.lose(failure)
    }
}
