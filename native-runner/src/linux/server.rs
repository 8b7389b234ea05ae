//! The fork server: opens the library once, and forks a child for each invocation.
//!
//! Only the thread that the process started with may run, because a child gets that one alone. The
//! server itself calls no code of the library's after its constructors.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::{self, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use abi::native::Message;
use libloading::os::unix::Library;
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, getpid, getppid, kill_process,
    kill_process_group, setpgid, waitid, waitpid,
};

use super::End;
use super::arguments::Arguments;
use super::connection::Connection;
use super::limits;
use super::mapping::{close, is_base_free};
use super::program::Program;
use super::serve::serve;

/// Opens the library, tells the loader whether this process forks, and serves its requests. A
/// process that does not fork serves one invocation itself.
///
/// # Errors
///
/// Why it has ended.
pub fn open_and_serve(mut control: UnixStream, arguments: &Arguments) -> Result<(), End> {
    let before = Shared::now().map_err(unknown_state)?;
    let program = Program::open(&arguments.library)?;
    let has_header = program.keeps_header().into();
    let forks = !is_sanitized()
        && is_alone().map_err(unknown_state)?
        && before.is_still_all()?
        && is_base_free();
    let ready = [forks.into(), has_header, 0];
    if !forks {
        limits::set_in_child(arguments)?;
        send(&mut control, Message::READY, ready)?;
        return serve(Connection::new(control), &program, None);
    }
    limits::lift()?;
    send(&mut control, Message::READY, ready)?;
    // Those that have not been waited for.
    let mut killed = Vec::new();
    loop {
        let (message, descriptors) = receive(&control)?;
        killed.retain(|child| wait(*child, WaitOptions::NOHANG) == Ended::NotYet);
        match (message.kind, descriptors) {
            (Message::FORK, Some([socket, file])) => {
                let server = getpid();
                // SAFETY: `fork` requires of a process with several threads that the child calls
                // async-signal-safe functions only. This process has one thread: `is_alone` has
                // seen that, and nothing that ran since then starts one.
                let child = unsafe { libc::fork() };
                if child == 0 {
                    close(control.into());
                    let end = run_child(socket.into(), file, &program, arguments, server);
                    let code = end.err().map_or(0, |end| end.say());
                    // SAFETY: `_exit` has no preconditions. The invocation has ended or never
                    // began, and whatever would run at an orderly exit belongs to a process that
                    // the server kills.
                    unsafe { libc::_exit(code.into()) }
                }
                // 0 if the system does not fork.
                let child = u64::try_from(child).unwrap_or(0);
                send(&mut control, Message::FORKED, [child, 0, 0])?;
            }
            (Message::END, _) => {
                let [child, is_status_wanted, ..] = message.values;
                let child = i32::try_from(child).ok().and_then(Pid::from_raw);
                if let Some(child) = child {
                    kill(child);
                }
                if is_status_wanted != 0 {
                    let ended = child.map(|child| wait(child, WaitOptions::empty()));
                    let values = match ended {
                        Some(Ended::With(status)) => [1, status.cast_unsigned().into(), 0],
                        _ => [0; 3],
                    };
                    send(&mut control, Message::ENDED, values)?;
                } else {
                    // The loader does not wait for it, and so the server does not either.
                    killed.extend(child);
                }
            }
            (kind, _) => {
                return Err(End::refused(format!(
                    "unexpected message of kind {kind} to the fork server"
                )));
            }
        }
    }
}

/// Serves the one invocation of a child.
fn run_child(
    socket: UnixStream,
    file: OwnedFd,
    program: &Program,
    arguments: &Arguments,
    server: Pid,
) -> Result<(), End> {
    // What the program leaves behind ends with it, and not with the server.
    setpgid(None, None)
        .map_err(|error| End::refused(format!("cannot make a process group: {error}")))?;
    limits::set_in_child(arguments)?;
    // The server may have ended before this process asked to end with it.
    if getppid() != Some(server) {
        return Err(End::Closed);
    }
    serve(Connection::new(socket), program, Some(file))
}

/// Kills a child, if it has not ended, and all processes of its group.
fn kill(child: Pid) {
    // Each call fails only if no process is left to end. The system does not reuse the number of a
    // child before its parent waits for it.
    let _ = kill_process_group(child, Signal::KILL);
    let _ = kill_process(child, Signal::KILL);
}

/// What is known of a child.
#[derive(PartialEq, Eq)]
enum Ended {
    NotYet,
    With(i32),
    /// It is not a child, or not any more.
    Unknown,
}

fn wait(child: Pid, options: WaitOptions) -> Ended {
    match retry_on_intr(|| waitpid(Some(child), options)) {
        Ok(Some((_, status))) => Ended::With(status.as_raw()),
        Ok(None) => Ended::NotYet,
        Err(_) => Ended::Unknown,
    }
}

fn send(control: &mut UnixStream, kind: u32, values: [u64; 3]) -> Result<(), End> {
    control
        .write_all(bytemuck::bytes_of(&Message::new(kind, values)))
        .map_err(|_| End::Closed)
}

/// Receives a message, and the two descriptors that are sent with it. It allocates nothing: after
/// a fork, the first write to a page copies it.
fn receive(control: &UnixStream) -> Result<(Message, Option<[OwnedFd; 2]>), End> {
    let mut message = Message::default();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::WAITALL | RecvFlags::CMSG_CLOEXEC;
    let received = retry_on_intr(|| {
        let bytes = bytemuck::bytes_of_mut(&mut message);
        recvmsg(
            control,
            &mut [IoSliceMut::new(bytes)],
            &mut ancillary,
            flags,
        )
    });
    if received.map_or(0, |received| received.bytes) < size_of::<Message>() {
        return Err(End::Closed);
    }
    let descriptors = ancillary.drain().find_map(|sent| match sent {
        RecvAncillaryMessage::ScmRights(mut descriptors) => {
            Some([descriptors.next()?, descriptors.next()?])
        }
        _ => None,
    });
    Ok((message, descriptors))
}

/// Whether this process is built with a sanitizer, whose state belongs to one process.
fn is_sanitized() -> bool {
    // SAFETY: `get` requires that the symbol has the given type. The symbol is a marker, and this
    // crate never calls it.
    unsafe { Library::this().get::<extern "C" fn()>(b"__asan_init") }.is_ok()
}

/// Whether this process has one thread and no child.
fn is_alone() -> io::Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let has_child = !matches!(waitid(WaitId::All, options), Err(Errno::CHILD));
    Ok(!has_child && fs::read_dir("/proc/self/task")?.count() == 1)
}

/// What children share with this process, so that one invocation could leave something to the next.
#[derive(PartialEq, Eq)]
struct Shared {
    /// The open descriptors, and the files that they are of.
    descriptors: BTreeSet<(OsString, PathBuf)>,
    /// The lines of `/proc/self/maps` of memory that a child gets no copy of.
    mappings: BTreeSet<String>,
}

impl Shared {
    fn now() -> io::Result<Self> {
        let mut descriptors = BTreeSet::new();
        for entry in fs::read_dir("/proc/self/fd")? {
            let entry = entry?;
            descriptors.insert((entry.file_name(), fs::read_link(entry.path())?));
        }
        let maps = fs::read_to_string("/proc/self/maps")?;
        // After the addresses: the permissions, such as `rw-s`.
        let is_shared = |line: &&str| {
            let permissions = line.split_whitespace().nth(1);
            permissions.is_some_and(|permissions| permissions.ends_with('s'))
        };
        Ok(Self {
            descriptors,
            mappings: maps.lines().filter(is_shared).map(str::to_owned).collect(),
        })
    }

    /// Whether the constructors of the library have added nothing.
    fn is_still_all(&self) -> Result<bool, End> {
        Ok(*self == Self::now().map_err(unknown_state)?)
    }
}

fn unknown_state(error: io::Error) -> End {
    End::refused(format!("cannot read the state of the process: {error}"))
}
