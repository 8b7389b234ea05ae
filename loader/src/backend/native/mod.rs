//! Programs for the machine itself, each invocation in a process of its own.
//!
//! The process does as it is told over a socket, and while the program calls an import it waits: see [`abi::native`]. So
//! imports, rules and diagnosis are those of the other machines. Nothing holds the program back but the process.

use std::ffi::OsString;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use abi::imports::Import;
use abi::native::Message;
use tempfile::{Builder, TempDir};

use super::{Context, End, Heap, Inaccessible, Instance, Machine, Placement, write_input};
use crate::engine::Engine;
use crate::error::Failure;
use crate::error::{InvocationError, LoadError};
use crate::invocation::Invocation;
use crate::invoke as run;
use crate::invoke::imports::Host;
use crate::invoke::input;
use crate::limits::Limits;
use crate::outcome::Outcome;
use connection::{Connection, Lost};
use process::Process;

mod connection;
mod process;

/// The most bytes that are read or written at once at a program's wish.
const MAX_COPIED: u64 = 1 << 30;

/// The command that runs a library.
#[derive(Clone)]
pub(crate) struct Runner {
    command: Arc<[OsString]>,
}

/// A library, in a file of its own.
pub(crate) struct Library {
    runner: Runner,
    /// Where the file is, and the sockets.
    folder: TempDir,
    last_socket: AtomicU64,
}

impl Runner {
    pub fn new(command: impl IntoIterator<Item = OsString>) -> Self {
        Self {
            command: command.into_iter().collect(),
        }
    }

    pub fn load(&self, library: &[u8]) -> Result<Library, LoadError> {
        if !library.starts_with(b"\x7fELF") {
            return Err(LoadError::InvalidLibrary {
                reason: "it is no ELF file".to_owned(),
            });
        }
        let invalid = |error: io::Error| LoadError::InvalidLibrary {
            reason: format!("it cannot be written to a file: {error}"),
        };
        // Whoever can write to the socket can answer in the program's place.
        let folder = Builder::new()
            .prefix("program-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map_err(invalid)?;
        std::fs::write(library_path(&folder), library).map_err(invalid)?;
        Ok(Library {
            runner: self.clone(),
            folder,
            last_socket: AtomicU64::new(0),
        })
    }
}

fn library_path(folder: &TempDir) -> PathBuf {
    folder.path().join("program.so")
}

impl Library {
    /// Calls the program once. `invocation` is valid.
    pub fn invoke(
        &self,
        limits: &Limits,
        invocation: &Invocation,
    ) -> Result<Outcome, InvocationError> {
        let mut guest = self.start(limits)?;
        run::invoke(Engine::Native, limits, invocation, &mut guest)
    }

    fn start(&self, limits: &Limits) -> Result<Guest, InvocationError> {
        let number = self.last_socket.fetch_add(1, Ordering::Relaxed);
        let socket = self.folder.path().join(number.to_string());
        let library = library_path(&self.folder);
        let (process, stream) = Process::start(&self.runner.command, &socket, &library, limits)?;
        let connection = Connection::new(process, stream, limits.processor_seconds);
        Ok(Guest {
            connection: connection.map_err(InvocationError::engine)?,
            gas: 0,
        })
    }
}

/// A program in its process.
struct Guest {
    connection: Connection,
    gas: u64,
}

impl Machine for Guest {
    fn read_into(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), Inaccessible> {
        let bytes = self.read(address, buffer.len() as u64)?;
        buffer.copy_from_slice(&bytes);
        Ok(())
    }

    fn read(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Inaccessible> {
        if length == 0 {
            return Ok(Vec::new());
        }
        if length > MAX_COPIED {
            return Err(Inaccessible);
        }
        let request = Message::new(Message::READ, [address, length, 0]);
        let answer = self.ask(&request, &[])?;
        match (answer.kind, answer.values[0]) {
            (Message::BYTES, sent) if sent == length => self
                .connection
                .take(length as usize)
                .map_err(|Lost(_)| Inaccessible),
            (Message::INACCESSIBLE, _) => Err(Inaccessible),
            _ => Err(self.refuse()),
        }
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible> {
        if bytes.is_empty() {
            return Ok(());
        }
        let request = Message::new(Message::WRITE, [address, bytes.len() as u64, 0]);
        match self.ask(&request, bytes)?.kind {
            Message::DONE => Ok(()),
            Message::INACCESSIBLE => Err(Inaccessible),
            _ => Err(self.refuse()),
        }
    }

    /// Whether it is worth trying: a write says whether it could be done.
    fn is_writable(&mut self, _address: u64, length: u64) -> bool {
        length <= MAX_COPIED
    }

    fn gas(&self) -> u64 {
        self.gas
    }

    fn set_gas(&mut self, gas: u64) {
        self.gas = gas;
    }

    fn out_of_gas(&self, limit: u64) -> Failure {
        Failure::out_of_gas(limit)
    }
}

impl Guest {
    fn ask(&mut self, request: &Message, bytes: &[u8]) -> Result<Message, Inaccessible> {
        let answer = self.connection.ask(request, bytes);
        answer.map_err(|Lost(_)| Inaccessible)
    }

    fn refuse(&mut self) -> Inaccessible {
        let Lost(_) = self.connection.refuse();
        Inaccessible
    }
}

impl Instance for Guest {
    type Machine = Self;

    fn machine(&mut self) -> &mut Self {
        self
    }

    fn place(&mut self, invocation: &Invocation) -> Result<Placement, InvocationError> {
        let length = input::serialized_length(invocation);
        let request = Message::new(
            Message::PLACE,
            [invocation.heap_size.into(), length as u64, 0],
        );
        let placed = match self.connection.ask(&request, &[]) {
            Ok(placed) => placed,
            Err(Lost(late @ Failure::TimedOut { .. })) => {
                return Err(InvocationError::engine(late));
            }
            Err(Lost(_)) => return Err(self.connection.process().did_not_start()),
        };
        let [base, input, has_header, _, _] = placed.values;
        // Opening a library runs code of its own, which has the socket too.
        if placed.kind != Message::PLACED || input.checked_add(length as u64).is_none() {
            let Lost(failure) = self.connection.refuse();
            return Err(InvocationError::engine(failure));
        }
        Ok(Placement {
            heap: Heap {
                base,
                size: invocation.announced_heap.unwrap_or(invocation.heap_size),
                has_header: has_header != 0,
            },
            input,
            // A valid input is shorter.
            input_length: length as u32,
            entries: write_input(self, invocation, input)?,
        })
    }

    fn enter(
        &mut self,
        placement: &Placement,
        host: &mut Host,
        context: &Context,
    ) -> Result<End, InvocationError> {
        let mut request = Message::new(Message::ENTER, [placement.heap.size.into(), 0, 0]);
        loop {
            let event = match self.connection.ask(&request, &[]) {
                Ok(event) => event,
                Err(Lost(failure)) => return Ok(End::Failed(failure)),
            };
            let import = match event.kind {
                Message::RETURNED => return Ok(End::Returned(event.values[0])),
                Message::CALLED => Import::ALL.get(event.import as usize),
                _ => None,
            };
            let Some(import) = import else {
                let Lost(failure) = self.connection.refuse();
                return Ok(End::Failed(failure));
            };
            match host.call(*import, event.values, self, context) {
                Ok(answer) => {
                    request = Message::new(Message::ANSWER, [answer.unwrap_or(0), 0, 0]);
                }
                // What an import says of memory that is gone is not what has happened.
                Err(failure) => return Ok(End::Failed(self.connection.lost().unwrap_or(failure))),
            }
        }
    }
}
