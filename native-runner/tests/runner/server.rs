//! The process as a fork server.

use std::fs::File;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::process::ExitStatus;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::*;

/// A server, and what it has said of itself.
fn start(library: impl AsRef<Path>, leave: &str, seconds: &str) -> (Runner, u64) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_native-runner"));
    command.env("LEAVE", leave);
    let mut server = Runner::start_command(command, library, &[seconds, "--fork-server"]);
    let ready = server.receive();
    assert_eq!((ready.kind, ready.values[1]), (Message::READY, 0));
    (server, ready.values[0])
}

/// A process that the server has forked.
struct Forked {
    id: u64,
    socket: UnixStream,
    memory: File,
}

impl Forked {
    fn new(server: &mut Runner) -> Self {
        let (socket, theirs) = UnixStream::pair().expect("a socket");
        let memory = memfd_create("memory", MemfdFlags::CLOEXEC).expect("a file");
        let descriptors = [theirs.as_fd(), memory.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut sent = SendAncillaryBuffer::new(&mut space);
        assert!(sent.push(SendAncillaryMessage::ScmRights(&descriptors)));
        let message = Message::new(Message::FORK, [0; 3]);
        let bytes = [IoSlice::new(bytemuck::bytes_of(&message))];
        sendmsg(&server.socket, &bytes, &mut sent, SendFlags::empty()).expect("a server");
        let forked = server.receive();
        assert_eq!(forked.kind, Message::FORKED);
        let patience = Some(Duration::from_secs(60));
        socket.set_read_timeout(patience).expect("a timeout");
        Self {
            id: forked.values[0],
            socket,
            memory: memory.into(),
        }
    }

    /// The end of the process, before any message.
    fn ends(mut self, server: &mut Runner) -> ExitStatus {
        let mut rest = Vec::new();
        // The process may leave bytes unread.
        let _ = self.socket.read_to_end(&mut rest);
        assert_eq!(rest, []);
        self.end(server)
    }

    /// Puts a command into the first bytes of the input, and starts the program.
    fn start(&mut self, command: u64) {
        self.start_with([command, 0, 0]);
    }

    /// Puts words into the input, and starts the program.
    fn start_with(&mut self, words: [u64; 3]) {
        self.memory.set_len(HEAP + 24).expect("a length");
        let words = words.map(u64::to_le_bytes);
        let written = self.memory.write_all_at(words.as_flattened(), HEAP);
        written.expect("memory");
        self.send(&Message::new(Message::START, [HEAP, 24, HEAP]));
    }

    fn send(&mut self, message: &Message) {
        let bytes = bytemuck::bytes_of(message);
        self.socket.write_all(bytes).expect("the process reads");
    }

    fn receive(&mut self) -> Message {
        let mut message = Message::default();
        let bytes = bytemuck::bytes_of_mut(&mut message);
        self.socket.read_exact(bytes).expect("a reply");
        message
    }

    fn end(self, server: &mut Runner) -> ExitStatus {
        server.send(Message::END, [self.id, 1, 0]);
        let ended = server.receive();
        assert_eq!((ended.kind, ended.values[0]), (Message::ENDED, 1));
        ExitStatus::from_raw(ended.values[1] as i32)
    }
}

#[test]
fn every_forked_process_is_fresh() {
    let (mut server, 1) = start(library(""), "", "0") else {
        panic!("the server does not fork");
    };
    for _ in 0..3 {
        let mut forked = Forked::new(&mut server);
        forked.start(ADD_HEAP);
        let returned = forked.receive();
        // The sum of the bytes that the program found in its heap.
        assert_eq!((returned.kind, returned.values[0]), (Message::RETURNED, 0));
        // The loader sees what it has written.
        let mut heap = [0; 4];
        forked.memory.read_exact_at(&mut heap, 0).expect("memory");
        assert_eq!(heap, [0, 1, 2, 3]);
        assert_eq!(forked.end(&mut server).signal(), Some(SIGKILL));
    }
    let (status, stderr) = server.ends_closed();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn ends_of_forked_processes_are_reported() {
    let (mut server, 1) = start(library(""), "", "1") else {
        panic!("the server does not fork");
    };
    for (command, expected) in [(SEGFAULT, SIGSEGV), (OVERFLOW, SIGABRT), (LOOP, SIGXCPU)] {
        let mut forked = Forked::new(&mut server);
        // The server has no limit: it works as long as its loader.
        assert_eq!(
            server.limit("Max cpu time")[0],
            own_limit("Max cpu time")[0]
        );
        let id = forked.id.to_string();
        forked.start(command);
        if command == LOOP {
            // It sets its limits before it starts the program.
            while limit_of(&id, "Max cpu time") != ["1", "2"] {
                std::thread::sleep(Duration::from_millis(1));
            }
            assert_eq!(limit_of(&id, "Max core file size"), ["0", "0"]);
        }
        assert_eq!(
            forked.ends(&mut server).signal(),
            Some(expected),
            "{command}"
        );
    }
    // A number that the server does not know.
    server.send(Message::END, [1 << 40, 1, 0]);
    assert_eq!(server.receive(), Message::new(Message::ENDED, [0; 3]));
}

#[test]
fn program_does_not_wait_for_a_log_that_can_be_read() {
    let (mut server, 1) = start(library(""), "", "0") else {
        panic!("the server does not fork");
    };
    let input = NATIVE_HEAP_BASE + HEAP;
    let mut forked = Forked::new(&mut server);
    forked.memory.set_len(8).expect("a length");
    forked.memory.write_all_at(&[5; 8], 0).expect("memory");
    forked.start_with([LOG, input, 8]);
    let posted = forked.receive();
    assert_eq!((posted.kind, posted.import), (Message::POSTED, 0));
    assert_eq!(posted.values, [input, 8, 0, 0, 0]);
    // The text, and the heap header.
    let mut sent = [[0; 8]; 2];
    let received = forked.socket.read_exact(sent.as_flattened_mut());
    received.expect("the bytes");
    assert_eq!(sent, [LOG.to_le_bytes(), [5; 8]]);
    // It has no answer.
    let returned = forked.receive();
    assert_eq!((returned.kind, returned.values[0]), (Message::RETURNED, 0));
    assert_eq!(forked.end(&mut server).signal(), Some(SIGKILL));

    let mut forked = Forked::new(&mut server);
    forked.start_with([LOG, 1, 8]);
    assert_eq!(forked.receive().kind, Message::CALLED);
    forked.send(&Message::new(Message::ANSWER, [6, 0, 0]));
    assert_eq!(forked.receive().values[0], 6);
}

#[test]
fn forked_process_that_loses_its_loader_runs_no_handlers() {
    let (mut server, 1) = start(library(""), "", "0") else {
        panic!("the server does not fork");
    };
    let mut forked = Forked::new(&mut server);
    forked.start(CALL_WITH_HANDLER);
    assert_eq!(forked.receive().kind, Message::CALLED);
    forked.socket.shutdown(Shutdown::Both).expect("a socket");
    let stat = format!("/proc/{}/stat", forked.id);
    let has_ended = || std::fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") Z "));
    let mut polls = 0;
    while !has_ended() {
        polls += 1;
        assert!(polls < 10_000, "the process still runs");
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut heap = [0; 1];
    forked.memory.read_exact_at(&mut heap, 0).expect("memory");
    assert_eq!(heap, [0]);
    assert_eq!(forked.end(&mut server).code(), Some(0));
}

#[test]
fn forked_process_ends_with_its_server() {
    let (mut server, 1) = start(library(""), "", "0") else {
        panic!("the server does not fork");
    };
    let mut forked = Forked::new(&mut server);
    forked.start(LOOP);
    server.child.kill().expect("a server");
    // The socket closes with the process.
    let mut rest = Vec::new();
    let _ = forked.socket.read_to_end(&mut rest);
    assert_eq!(rest, []);
}

#[test]
fn process_does_not_fork_what_children_would_share() {
    for leave in ["thread", "descriptor", "process", "mapping", "heap"] {
        let (mut runner, forks) = start(library("leaving"), leave, "1");
        assert_eq!(forks, 0, "{leave}");
        // It serves one invocation itself, under the usual limits.
        assert_eq!(runner.limit("Max cpu time"), ["1", "2"]);
        runner.place(77);
        runner.enter();
        assert_eq!(runner.returned(), 77);
        let (status, _) = runner.ends_closed();
        assert_eq!(status.code(), Some(0), "{leave}");
    }
    let (_server, forks) = start(library("leaving"), "nothing", "1");
    assert_eq!(forks, 1);
}

#[test]
fn server_rejects_other_messages() {
    for kind in [Message::PLACE, Message::FORK, 99] {
        let (mut server, _) = start(library(""), "", "0");
        server.send(kind, [0; 3]);
        let (status, stderr) = server.ends();
        assert_eq!(status.code(), Some(1));
        let expected = format!("unexpected message of kind {kind} to the fork server");
        assert!(stderr.contains(&expected), "{stderr}");
    }
}
