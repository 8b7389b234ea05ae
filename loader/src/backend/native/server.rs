//! The fork server of a program: a process that has opened the library, and forks a child for each
//! invocation. The loader does not trust what it replies.

use std::io::{self, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use abi::native::Message;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recv, sendmsg};

use super::connection::{Connection, pair};
use super::process::{Process, no_socket};
use super::shared::SharedMemory;
use crate::error::InvocationError;

/// How long the loader waits for a reply of the server, which only forks and waits for children
/// that it has killed. A child can stop its server.
const PATIENCE: Duration = Duration::from_secs(5);

/// The error of a closed socket suffices: a signal would end the embedder's process.
#[cfg(target_os = "linux")]
const NO_SIGNAL: SendFlags = SendFlags::NOSIGNAL;

/// Programs run natively on Linux only, and the loader compiles elsewhere too.
#[cfg(not(target_os = "linux"))]
const NO_SIGNAL: SendFlags = SendFlags::empty();

/// A process that a fork server has forked: the loader's end of its socket, and the memory for its
/// heap and input.
pub(super) struct Forked {
    pub id: u32,
    pub stream: UnixStream,
    pub memory: SharedMemory,
}

impl Forked {
    /// Whether the process has ended while it waited, such as with its server.
    pub fn has_ended(&self) -> bool {
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        let received = recv(&self.stream, &mut [0; 1], flags);
        // It sends nothing before it is started.
        !matches!(received, Err(Errno::WOULDBLOCK))
    }
}

/// A fork server.
pub(super) struct Server {
    /// Whether the program's heap has the header of [`abi::heap`].
    pub has_heap_header: bool,
    control: Mutex<Control>,
    /// Dropped after `control`, and so ended.
    _process: Process,
}

/// The socket to the server, and the process that it forks in advance.
struct Control {
    stream: UnixStream,
    /// The other ends of what the loader has sent to the server, which has not replied yet.
    requested: Option<(UnixStream, SharedMemory)>,
    /// A process that waits for an invocation.
    spare: Option<Forked>,
}

/// The server has not replied in time, or not as it must.
struct Lost;

impl From<io::Error> for Lost {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl From<Errno> for Lost {
    fn from(_: Errno) -> Self {
        Self
    }
}

impl Server {
    /// The server behind the connection of a process that is ready to fork.
    pub fn new(connection: Connection, has_heap_header: bool) -> Result<Self, InvocationError> {
        let (process, stream) = connection.into_parts();
        let patience = Some(PATIENCE);
        stream.set_read_timeout(patience).map_err(no_socket)?;
        stream.set_write_timeout(patience).map_err(no_socket)?;
        Ok(Self {
            has_heap_header,
            control: Mutex::new(Control {
                stream,
                requested: None,
                spare: None,
            }),
            _process: process,
        })
    }

    /// A new process; `None` if the server does not fork any more.
    ///
    /// # Errors
    ///
    /// If the loader has no descriptors for it. The server then serves its other invocations on.
    pub fn fork(&self) -> io::Result<Option<Forked>> {
        let mut control = self.control();
        if !control.is_ahead() {
            let ends = Control::ends()?;
            control.act(|control| control.request_with(ends));
        }
        Ok(control.act(Control::take).flatten())
    }

    /// Lets the server fork the process of the next invocation, so that the loader does not wait
    /// for it then. It need not: another thread may use the server now, and the loader may have no
    /// descriptors left.
    pub fn fork_ahead(&self) {
        let Ok(mut control) = self.control.try_lock() else {
            return;
        };
        if control.is_ahead() {
            return;
        }
        if let Ok(ends) = Control::ends() {
            control.act(|control| control.request_with(ends));
        }
    }

    /// Ends a process and those that it has left behind, and returns how it ended; `None` if the
    /// server does not know it, or does not reply.
    pub fn end(&self, id: u32) -> Option<ExitStatus> {
        self.with(|control| control.end(id))
    }

    /// As [`end`](Self::end), but does not wait for it.
    pub fn end_later(&self, id: u32) {
        self.with(|control| control.send(&Message::new(Message::END, [id.into(), 0, 0])));
    }

    fn with<T>(&self, action: impl FnOnce(&mut Control) -> Result<T, Lost>) -> Option<T> {
        self.control().act(action)
    }

    fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The two ends of a new process's socket, and its memory.
type Ends = (UnixStream, UnixStream, SharedMemory);

impl Control {
    fn act<T>(&mut self, action: impl FnOnce(&mut Self) -> Result<T, Lost>) -> Option<T> {
        match action(self) {
            Ok(value) => Some(value),
            Err(Lost) => {
                // A late reply would be taken for that of a later request.
                let _ = self.stream.shutdown(Shutdown::Both);
                None
            }
        }
    }

    fn ends() -> io::Result<Ends> {
        let (ours, theirs) = pair()?;
        Ok((ours, theirs, SharedMemory::new()?))
    }

    /// Whether a process waits or is about to.
    fn is_ahead(&self) -> bool {
        self.requested.is_some() || self.spare.is_some()
    }

    fn request_with(&mut self, (ours, theirs, memory): Ends) -> Result<(), Lost> {
        let descriptors = [theirs.as_fd(), memory.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut sent = SendAncillaryBuffer::new(&mut space);
        sent.push(SendAncillaryMessage::ScmRights(&descriptors));
        let message = Message::new(Message::FORK, [0; 3]);
        let bytes = [IoSlice::new(bytemuck::bytes_of(&message))];
        let length = sendmsg(&self.stream, &bytes, &mut sent, NO_SIGNAL)?;
        if length != size_of::<Message>() {
            return Err(Lost);
        }
        self.requested = Some((ours, memory));
        Ok(())
    }

    /// The process that is requested, or waits; `None` if the system does not fork it.
    fn take(&mut self) -> Result<Option<Forked>, Lost> {
        self.receive_requested()?;
        Ok(self.spare.take())
    }

    fn receive_requested(&mut self) -> Result<(), Lost> {
        let Some((stream, memory)) = self.requested.take() else {
            return Ok(());
        };
        let [id, ..] = self.receive(Message::FORKED)?;
        let id = u32::try_from(id).map_err(|_| Lost)?;
        self.spare = (id != 0).then_some(Forked { id, stream, memory });
        Ok(())
    }

    fn end(&mut self, id: u32) -> Result<ExitStatus, Lost> {
        // Replies come in the order of requests.
        self.receive_requested()?;
        self.send(&Message::new(Message::END, [id.into(), 1, 0]))?;
        let [is_known, status, ..] = self.receive(Message::ENDED)?;
        match (is_known, u32::try_from(status)) {
            (1, Ok(status)) => Ok(ExitStatus::from_raw(status.cast_signed())),
            _ => Err(Lost),
        }
    }

    fn send(&mut self, message: &Message) -> Result<(), Lost> {
        Ok(self.stream.write_all(bytemuck::bytes_of(message))?)
    }

    fn receive(&mut self, kind: u32) -> Result<[u64; abi::imports::MAX_ARGUMENTS], Lost> {
        let mut message = Message::default();
        self.stream
            .read_exact(bytemuck::bytes_of_mut(&mut message))?;
        if message.kind != kind {
            return Err(Lost);
        }
        Ok(message.values)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server ends the requested processes, and those that they have left behind, before it
        // replies; then the loader ends the server.
        let spare = self.with(|control| {
            control.receive_requested()?;
            Ok(control.spare.take())
        });
        match spare.flatten() {
            Some(spare) => {
                self.end(spare.id);
            }
            None => {
                self.end(0);
            }
        }
    }
}
