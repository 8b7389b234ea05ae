//! Programs for the machine itself, each invocation in a process of its own.
//!
//! The process does as it is told over a socket, and while the program calls an import it waits: see [`abi::native`]. So
//! imports, rules and diagnosis are those of the other machines. Nothing holds the program back but the process.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use abi::imports::Import;
use abi::native::Message;
use tempfile::TempDir;

use super::{Context, End, Heap, Inaccessible, Instance, Machine, Placement, write_input};
use crate::error::{InvocationError, LoadError};
use crate::failure::Failure;
use crate::imports::Host;
use crate::input;
use crate::invocation::Invocation;
use crate::limits::Limits;
use crate::outcome::Outcome;
use crate::program::Engine;
use crate::run;

/// How often it is looked whether the process has come to the socket.
const PATIENCE: Duration = Duration::from_micros(100);

/// The most bytes that are written at once at a program's wish.
const MAX_WRITTEN: u64 = 1 << 30;

/// The signal that ends a process which has had its time.
const SIGXCPU: i32 = 24;

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
        let folder = TempDir::with_prefix("program-").map_err(invalid)?;
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
        let mut process = self.start(limits)?;
        run::invoke(Engine::Native, limits, invocation, &mut process)
    }

    fn start(&self, limits: &Limits) -> Result<Process, InvocationError> {
        let [executable, arguments @ ..] = &*self.runner.command else {
            return Err(InvocationError::vm(
                "there is no command to run programs with",
            ));
        };
        let number = self.last_socket.fetch_add(1, Ordering::Relaxed);
        let socket = self.folder.path().join(number.to_string());
        let listener = UnixListener::bind(&socket).map_err(InvocationError::vm)?;
        listener
            .set_nonblocking(true)
            .map_err(InvocationError::vm)?;
        let mut command = Command::new(executable);
        command
            .args(arguments)
            .arg(&socket)
            .arg(library_path(&self.folder))
            .arg(limits.processor_seconds.to_string());
        // Whatever stands before the runner may be there for somebody to talk to, such as a debugger.
        if arguments.is_empty() {
            command.stdin(Stdio::null()).stdout(io::stderr());
        }
        let mut child = command.spawn().map_err(|error| {
            InvocationError::vm(format!("cannot run {}: {error}", executable.display()))
        })?;
        let stream = accept(&listener, &mut child);
        // Nobody else comes.
        let _ = std::fs::remove_file(&socket);
        match stream {
            Ok(stream) => Ok(Process {
                child,
                stream,
                gas: 0,
                limit: limits.processor_seconds,
            }),
            Err(error) => {
                end(&mut child);
                Err(error)
            }
        }
    }
}

/// Waits for the process to come to the socket, as long as there is a process.
fn accept(listener: &UnixListener, child: &mut Child) -> Result<UnixStream, InvocationError> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).map_err(InvocationError::vm)?;
                return Ok(stream);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(InvocationError::vm(error)),
        }
        if let Some(status) = child.try_wait().map_err(InvocationError::vm)? {
            return Err(InvocationError::vm(format!(
                "the process that is to run the program has ended before that: {status}"
            )));
        }
        thread::sleep(PATIENCE);
    }
}

/// Ends a process, if it has not ended, and answers how it did.
fn end(child: &mut Child) -> Option<ExitStatus> {
    // It fails only where there is nothing left to end.
    let _ = child.kill();
    child.wait().ok()
}

/// A program in its process.
struct Process {
    child: Child,
    stream: UnixStream,
    gas: u64,
    /// Seconds of the processor's time.
    limit: u32,
}

impl Drop for Process {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

impl Process {
    fn send(&mut self, message: &Message, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytemuck::bytes_of(message))?;
        self.stream.write_all(bytes)
    }

    fn receive(&mut self) -> io::Result<Message> {
        let mut message = Message::default();
        self.stream
            .read_exact(bytemuck::bytes_of_mut(&mut message))?;
        Ok(message)
    }

    fn ask(&mut self, message: &Message, bytes: &[u8]) -> io::Result<Message> {
        self.send(message, bytes)?;
        self.receive()
    }

    /// Why the process says nothing any more.
    fn gone(&mut self) -> Failure {
        // It has closed the socket, so it is ending by itself. It may be stopped by a debugger before.
        let status = self.child.wait();
        match status {
            Ok(status) if status.signal() == Some(SIGXCPU) => {
                Failure::OutOfTime { limit: self.limit }
            }
            Ok(status) => Failure::trapped_because(status.to_string()),
            Err(error) => Failure::trapped_because(error.to_string()),
        }
    }
}

impl Machine for Process {
    fn read_into(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), Inaccessible> {
        let bytes = self.read(address, buffer.len() as u64)?;
        buffer.copy_from_slice(&bytes);
        Ok(())
    }

    fn read(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Inaccessible> {
        if length == 0 {
            return Ok(Vec::new());
        }
        let request = Message::new(Message::READ, [address, length, 0]);
        let answer = self.ask(&request, &[]).map_err(|_| Inaccessible)?;
        if answer.kind != Message::BYTES || answer.values[0] != length {
            return Err(Inaccessible);
        }
        // It is there, so it is no longer than the process's memory.
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| Inaccessible)?];
        self.stream
            .read_exact(&mut bytes)
            .map_err(|_| Inaccessible)?;
        Ok(bytes)
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible> {
        if bytes.is_empty() {
            return Ok(());
        }
        let request = Message::new(Message::WRITE, [address, bytes.len() as u64, 0]);
        match self.ask(&request, bytes) {
            Ok(answer) if answer.kind == Message::DONE => Ok(()),
            _ => Err(Inaccessible),
        }
    }

    /// Whether it is worth trying: a write says whether it could be done.
    fn is_writable(&mut self, _address: u64, length: u64) -> bool {
        length <= MAX_WRITTEN
    }

    fn gas(&self) -> u64 {
        self.gas
    }

    fn set_gas(&mut self, gas: u64) {
        self.gas = gas;
    }

    fn out_of_gas(&self, limit: u64) -> Failure {
        Failure::OutOfGas {
            limit,
            program_counter: None,
            function: None,
            location: None,
        }
    }
}

impl Instance for Process {
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
        let placed = self.ask(&request, &[]).map_err(|_| {
            let gone = self.gone();
            InvocationError::vm(gone)
        })?;
        let [base, input, has_header, _, _] = placed.values;
        if placed.kind != Message::PLACED {
            return Err(InvocationError::DoesNotFit {
                heap: invocation.heap_size,
                input: length,
            });
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
            let Ok(event) = self.ask(&request, &[]) else {
                return Ok(End::Failed(self.gone()));
            };
            match event.kind {
                Message::RETURNED => return Ok(End::Returned(event.values[0])),
                Message::CALLED => {}
                _ => return Ok(End::Failed(broken())),
            }
            let Some(import) = Import::ALL.get(event.import as usize) else {
                return Ok(End::Failed(broken()));
            };
            match host.call(*import, event.values, self, context) {
                Ok(answer) => {
                    request = Message::new(Message::ANSWER, [answer.unwrap_or(0), 0, 0]);
                }
                Err(failure) => return Ok(End::Failed(failure)),
            }
        }
    }
}

/// A program has written where it should not, or to the socket itself.
fn broken() -> Failure {
    Failure::trapped_because("the process of the program says what it cannot")
}
