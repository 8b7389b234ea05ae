//! Native programs, each invocation in a process of its own: the engine `native`.
//!
//! A fork server opens the program once, and forks the processes; `start` says when it does not.
//! The loader directs a process over a socket, and the process waits while the program calls a
//! syscall: see [`abi::native`]. So syscalls, rules and diagnosis are those of the other targets.
//! Only the process isolates the program.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use abi::entry::{INPUT_ALIGNMENT, NATIVE_HEAP_BASE};
use abi::heap::HeapHeader;
use abi::imports::Import;
use abi::native::{MAX_OWN_SYSCALL_NAME, Message, OWN_SYSCALL, sent_with_call};

use super::{
    Arguments, Backend, End, GuestMemory, Heap, Inaccessible, Instance, Mapping, MemoryRequest,
    Syscall, SyscallSet, Syscalls,
};
use crate::display::display_name;
use crate::engine::Engine;
use crate::error::{Failure, InvocationError, LoadError};
use crate::limits::Limits;
use crate::program::Loader;
use connection::{Connection, Disconnected};
use library::Library;
use servers::Servers;
use shared::SharedMemory;

mod connection;
mod keeper;
mod library;
mod process;
mod server;
mod servers;
mod shared;
mod start;

/// The most bytes that one syscall of a program reads or writes.
const MAX_COPIED: u64 = 1 << 30;

/// The command that runs libraries.
pub(crate) struct Runner {
    command: Vec<OsString>,
    /// The file of the only library that it runs; `None` if it runs any.
    file: Option<PathBuf>,
    servers: Arc<Servers>,
}

impl Loader {
    /// A loader that runs native libraries, each invocation in a process of its own.
    ///
    /// `command` starts the process: the path of the project's `native-runner`, which
    /// `program_build::guest` builds, and before it the command that runs that, if there is one,
    /// such as a debugger and its arguments.
    ///
    /// If `command` is one word, it starts a fork server: a process that opens the library once,
    /// and forks a process for each invocation. The loader keeps the servers of the 16 programs
    /// that it used last, each with a thread. A server ends with the loader, and with its program.
    ///
    /// The library that the process opens has no name in the file system, so nothing remains of it,
    /// however the loader ends. The name that the process knows is `/proc/PID/fd/NUMBER`, by which
    /// debuggers find it while the loader runs.
    ///
    /// This is not a sandbox: a program can do all that the process's user can. Run your own
    /// programs only.
    #[must_use]
    pub fn native(command: impl IntoIterator<Item = OsString>) -> Self {
        Self::with_backend(Runner {
            command: command.into_iter().collect(),
            file: None,
            servers: Arc::new(Servers::new()),
        })
    }

    /// As [`native`](Self::native), for commands that read a library by the name of its file, such
    /// as `valgrind` and `perf record`. The process opens this file, which must stay as it is, and
    /// the loader loads no other library.
    #[must_use]
    pub fn native_file(
        command: impl IntoIterator<Item = OsString>,
        file: impl Into<PathBuf>,
    ) -> Self {
        Self::with_backend(Runner {
            command: command.into_iter().collect(),
            file: Some(file.into()),
            servers: Arc::new(Servers::new()),
        })
    }
}

/// A library, and the syscalls that it may call.
pub(crate) struct NativeProgram {
    library: Library,
    syscalls: SyscallSet,
    /// By which `servers` knows the program.
    number: u64,
    servers: Arc<Servers>,
    /// Held while a server starts.
    starting: Mutex<()>,
    /// Whether a server has said that it does not fork, so that the loader starts each process.
    is_unforkable: AtomicBool,
}

impl Drop for NativeProgram {
    fn drop(&mut self) {
        self.servers.remove_program(self.number);
    }
}

impl Backend for Runner {
    type Program = NativeProgram;
    type Instance<'a> = Guest<'a>;

    fn engine(&self) -> Engine {
        Engine::Native
    }

    fn load(
        &self,
        file: &[u8],
        _limits: &Limits,
        syscalls: &SyscallSet,
    ) -> Result<NativeProgram, LoadError> {
        if !file.starts_with(b"\x7fELF") {
            return Err(LoadError::InvalidLibrary {
                reason: "not an ELF file".to_owned(),
            });
        }
        let library = match &self.file {
            Some(path) => Library::named(path, file),
            None => Library::anonymous(file),
        };
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        Ok(NativeProgram {
            library: library.map_err(|reason| LoadError::InvalidLibrary { reason })?,
            syscalls: syscalls.clone(),
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            servers: Arc::clone(&self.servers),
            starting: Mutex::new(()),
            is_unforkable: AtomicBool::new(false),
        })
    }

    fn with_instance<T>(
        &self,
        program: &NativeProgram,
        limits: &Limits,
        run: impl FnOnce(&mut Guest<'_>) -> Result<T, InvocationError>,
    ) -> Result<T, InvocationError> {
        let seconds = limits.processor_seconds;
        let (connection, memory) = self.process_for(program, seconds)?;
        let mut guest = Guest {
            runner: self,
            program,
            connection,
            memory,
            sent: None,
            start: Message::default(),
            gas: 0,
        };
        let result = run(&mut guest);
        guest.retire_server();
        result
    }
}

/// A program in its process.
pub(crate) struct Guest<'a> {
    runner: &'a Runner,
    program: &'a NativeProgram,
    connection: Connection,
    /// Heap and input, if a server has forked the process.
    memory: Option<SharedMemory>,
    /// What the process has sent with the current syscall.
    sent: Option<Sent>,
    /// The request that enters the program. `map` sets it.
    start: Message,
    gas: u64,
}

/// Memory that the process has sent with a syscall.
struct Sent {
    address: u64,
    bytes: Vec<u8>,
    /// The heap header at the syscall, if the program runs on. No other memory is accessible then:
    /// the program may be writing to it.
    header: Option<[u8; size_of::<HeapHeader>()]>,
}

impl Sent {
    /// The bytes at an address; `None` if the process has not sent just these.
    fn find(&self, address: u64, length: u64) -> Option<&[u8]> {
        let is_it = |start, bytes: &[u8]| (start, bytes.len() as u64) == (address, length);
        let header = self.header.as_ref().map(<[u8; _]>::as_slice);
        if is_it(self.address, &self.bytes) {
            return Some(&self.bytes);
        }
        header.filter(|header| is_it(NATIVE_HEAP_BASE, header))
    }
}

impl GuestMemory for Guest<'_> {
    fn read(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Inaccessible> {
        if length == 0 {
            return Ok(Vec::new());
        }
        if length > MAX_COPIED {
            return Err(Inaccessible);
        }
        if let Some(bytes) = self.find_sent(address, length)? {
            return Ok(bytes.to_vec());
        }
        if let Some(memory) = self.connected_memory()
            && memory.has(address, length)
        {
            let mut bytes = vec![0; length as usize];
            memory.read(address, &mut bytes)?;
            return Ok(bytes);
        }
        let request = Message::new(Message::READ, [address, length, 0]);
        let reply = self.call(&request, &[])?;
        match (reply.kind, reply.values[0]) {
            (Message::BYTES, sent) if sent == length => self
                .connection
                .receive_bytes(length as usize)
                .map_err(|Disconnected(_)| Inaccessible),
            (Message::INACCESSIBLE, _) => Err(Inaccessible),
            _ => Err(self.protocol_error()),
        }
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.runs_on() {
            return Err(Inaccessible);
        }
        // It may be in the same place.
        self.sent = None;
        if let Some(memory) = self.connected_memory()
            && memory.has(address, bytes.len() as u64)
        {
            return memory.write(address, bytes);
        }
        let request = Message::new(Message::WRITE, [address, bytes.len() as u64, 0]);
        match self.call(&request, bytes)?.kind {
            Message::DONE => Ok(()),
            Message::INACCESSIBLE => Err(Inaccessible),
            _ => Err(self.protocol_error()),
        }
    }

    fn read_into(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), Inaccessible> {
        if let Some(bytes) = self.find_sent(address, buffer.len() as u64)? {
            buffer.copy_from_slice(bytes);
            return Ok(());
        }
        if let Some(memory) = self.connected_memory()
            && memory.has(address, buffer.len() as u64)
        {
            return memory.read(address, buffer);
        }
        let bytes = self.read(address, buffer.len() as u64)?;
        buffer.copy_from_slice(&bytes);
        Ok(())
    }

    /// Whether a write is worth trying: only the write itself knows whether it can be done.
    fn is_writable(&mut self, _address: u64, length: u64) -> bool {
        length <= MAX_COPIED
    }

    fn gas(&self) -> u64 {
        self.gas
    }

    fn set_gas(&mut self, gas: u64) {
        self.gas = gas;
    }
}

impl Guest<'_> {
    /// Heap and input, while the loader talks to the process: of one that has failed, it reads
    /// nothing.
    fn connected_memory(&self) -> Option<&SharedMemory> {
        let memory = self.memory.as_ref()?;
        self.connection.disconnected().is_none().then_some(memory)
    }

    /// Lets the program run until it makes a syscall or returns. If it runs already, there is no
    /// request.
    fn run(&mut self, request: Option<&Message>) -> Result<Message, Disconnected> {
        if let Some(request) = request {
            self.connection.send_message(request)?;
            // The program runs in the meantime.
            if let (Message::START, Some(server)) = (request.kind, self.connection.server()) {
                server.fork_ahead();
            }
        }
        self.connection.receive_message()
    }

    /// The bytes that the process has sent with the current syscall, if they are of this range.
    ///
    /// # Errors
    ///
    /// If it has not, and the program runs on.
    fn find_sent(&self, address: u64, length: u64) -> Result<Option<&[u8]>, Inaccessible> {
        let Some(sent) = &self.sent else {
            return Ok(None);
        };
        if self.connection.disconnected().is_some() {
            return Err(Inaccessible);
        }
        match sent.find(address, length) {
            None if self.runs_on() => Err(Inaccessible),
            found => Ok(found),
        }
    }

    /// Whether the program does not wait for the current syscall.
    fn runs_on(&self) -> bool {
        let sent = self.sent.as_ref();
        sent.is_some_and(|sent| sent.header.is_some())
    }

    /// Receives what the process sends with a syscall: the heap header too, if the program runs on.
    fn receive_sent(&mut self, called: &Message) -> Result<(), Failure> {
        let Some((address, length)) = sent_with_call(called.import, &called.values) else {
            return Err(self.invalid_message());
        };
        let runs_on = called.kind == Message::POSTED;
        let header_length = if runs_on { size_of::<HeapHeader>() } else { 0 };
        let bytes = self
            .connection
            .receive_bytes(length as usize + header_length);
        let mut bytes = bytes.map_err(|Disconnected(failure)| failure)?;
        let header = bytes.split_off(length as usize);
        self.sent = Some(Sent {
            address,
            bytes,
            header: header.try_into().ok(),
        });
        Ok(())
    }

    /// Lets go of the server that has forked the process, if the process did not do as it must: it
    /// may have damaged its server too.
    fn retire_server(&self) {
        if let Some(server) = self.connection.server()
            && self.connection.disconnected().is_some()
        {
            self.runner.servers.remove(server);
        }
    }

    fn call(&mut self, request: &Message, bytes: &[u8]) -> Result<Message, Inaccessible> {
        let reply = self.connection.call(request, bytes);
        reply.map_err(|Disconnected(_)| Inaccessible)
    }

    /// Finds the syscall that the program calls, and its arguments.
    fn find_syscall(
        &mut self,
        number: u32,
        arguments: Arguments,
    ) -> Result<(Syscall, Arguments), Failure> {
        if let Some(import) = Import::ALL.get(number as usize) {
            return Ok(((*import).into(), arguments));
        }
        let [name, length, place, ..] = arguments;
        if number != OWN_SYSCALL || length > MAX_OWN_SYSCALL_NAME as u64 {
            return Err(self.invalid_message());
        }
        let name = self.read(name, length);
        let name = name.map_err(|Inaccessible| self.invalid_message())?;
        let Some(syscall) = self.program.syscalls.find_own(&name) else {
            return Err(Failure::SyscallFailed {
                symbol: display_name(&name),
                reason: "the loader has no syscall of this name".to_owned(),
            });
        };
        let mut arguments = Arguments::default();
        let read = self.read_into(place, bytemuck::bytes_of_mut(&mut arguments));
        read.map_err(|Inaccessible| self.invalid_message())?;
        Ok((syscall, arguments))
    }

    /// The failure of a program that has sent a message which the runner does not send.
    fn invalid_message(&mut self) -> Failure {
        let Disconnected(failure) = self.connection.protocol_error();
        failure
    }

    /// Gives the file for heap and input its length, and returns their addresses. The process maps
    /// it when it starts the program.
    fn map_file(&mut self, request: &MemoryRequest) -> Result<(u64, u64), InvocationError> {
        let heap = u64::from(request.heap_size);
        let offset = heap.next_multiple_of(INPUT_ALIGNMENT.into());
        // An input without a byte has an address too.
        let length = offset.saturating_add(request.input_length.max(1) as u64);
        self.start = Message::new(
            Message::START,
            [
                heap,
                request.input_length as u64,
                request.announced_heap.into(),
            ],
        );
        if let Some(memory) = &mut self.memory {
            let set = memory.set_range(NATIVE_HEAP_BASE, length);
            set.map_err(|_| request.does_not_fit())?;
        }
        Ok((NATIVE_HEAP_BASE, NATIVE_HEAP_BASE + offset))
    }

    /// Lets the process map heap and input, and returns their addresses, and whether the heap has a
    /// header.
    fn place(&mut self, request: &MemoryRequest) -> Result<(u64, u64, bool), InvocationError> {
        let length = request.input_length as u64;
        let message = Message::new(Message::PLACE, [request.heap_size.into(), length, 0]);
        let placed = match self.connection.call(&message, &[]) {
            Ok(placed) => placed,
            Err(why) => return Err(start::not_opened(&mut self.connection, &why)),
        };
        let [base, input, has_header, _, _] = placed.values;
        // Opening a library runs its constructors, which can write to the socket too.
        if placed.kind != Message::PLACED || input.checked_add(length).is_none() {
            let Disconnected(failure) = self.connection.protocol_error();
            return Err(InvocationError::engine(failure));
        }
        let announced = request.announced_heap.into();
        self.start = Message::new(Message::ENTER, [announced, 0, 0]);
        Ok((base, input, has_header != 0))
    }

    fn protocol_error(&mut self) -> Inaccessible {
        let Disconnected(_) = self.connection.protocol_error();
        Inaccessible
    }
}

impl Instance for Guest<'_> {
    type Guest = Self;

    fn guest(&mut self) -> &mut Self {
        self
    }

    fn map(&mut self, request: &MemoryRequest) -> Result<Mapping, InvocationError> {
        // A valid input is shorter than 4 GiB.
        let input_length = request.input_length as u32;
        let (base, input, has_header) = match self.connection.server() {
            Some(server) => {
                let has_header = server.has_heap_header;
                let (base, input) = self.map_file(request)?;
                (base, input, has_header)
            }
            None => self.place(request)?,
        };
        Ok(Mapping {
            heap: Heap {
                base,
                size: request.announced_heap,
                has_header,
            },
            input,
            input_length,
        })
    }

    fn enter(
        &mut self,
        _mapping: &Mapping,
        syscalls: &mut Syscalls,
    ) -> Result<End, InvocationError> {
        let mut request = Some(self.start);
        loop {
            let event = match self.run(request.as_ref()) {
                Ok(event) => event,
                Err(Disconnected(failure)) => return Ok(End::Failed(failure)),
            };
            let runs_on = event.kind == Message::POSTED;
            let called = match event.kind {
                Message::RETURNED => return Ok(End::Returned(event.values[0])),
                Message::CALLED => self.find_syscall(event.import, event.values),
                Message::POSTED if self.memory.is_none() => Err(self.invalid_message()),
                Message::CALLED_WITH | Message::POSTED => self
                    .receive_sent(&event)
                    .and_then(|()| self.find_syscall(event.import, event.values)),
                _ => Err(self.invalid_message()),
            };
            let returned =
                called.and_then(|(syscall, arguments)| syscalls.call(&syscall, arguments, self));
            match returned {
                Ok(value) => {
                    self.sent = None;
                    let answer = Message::new(Message::ANSWER, [value.unwrap_or(0), 0, 0]);
                    request = (!runs_on).then_some(answer);
                }
                // If the process has ended, that is the cause, and not the error of the syscall.
                Err(failure) => {
                    let failure = self.connection.disconnected().unwrap_or(failure);
                    return Ok(End::Failed(failure));
                }
            }
        }
    }
}
