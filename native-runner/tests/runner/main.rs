//! Drives the runner's process as a loader does, with a real library, process and socket.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

mod rejected;
mod server;

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use abi::entry::NATIVE_HEAP_BASE;
use abi::imports::Import;
use abi::native::{MAX_SENT_WITH_CALL, Message};
use command_fds::CommandFdExt;
use tempfile::TempDir;

/// Signal numbers of Linux.
const SIGILL: i32 = 4;
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;
const SIGSEGV: i32 = 11;
const SIGXCPU: i32 = 24;

/// The commands of the library, which its input selects.
const REPORT: u64 = 0;
const SEGFAULT: u64 = 1;
const ILLEGAL: u64 = 2;
const LOOP: u64 = 3;
const OVERFLOW: u64 = 4;
const ADD_HEAP: u64 = 5;
const CALL_TWICE: u64 = 6;
const LOG: u64 = 7;
const CALL_WITH_HANDLER: u64 = 8;

const HEAP: u64 = 32 * 1024;

/// The library, compiled once for each set of `--cfg` options.
fn library(options: &'static str) -> PathBuf {
    static FOLDER: Mutex<Option<(TempDir, HashMap<&str, PathBuf>)>> = Mutex::new(None);
    let mut folder = FOLDER.lock().expect("no test failed in here");
    let (folder, libraries) =
        folder.get_or_insert_with(|| (tempfile::tempdir().expect("a folder"), HashMap::new()));
    let compile = || {
        let path = folder.path().join(format!("program-{options}.so"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/library/program.rs");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let status = Command::new(rustc)
            .args(["--edition=2024", "--crate-type=cdylib", "-Cpanic=abort"])
            .args(options.split_whitespace().flat_map(|cfg| ["--cfg", cfg]))
            .arg("-o")
            .args([&path, &source])
            .status()
            .expect("rustc runs");
        assert!(status.success(), "the library does not compile");
        path
    };
    libraries.entry(options).or_insert_with(compile).clone()
}

/// The process, and the loader's end of the socket.
struct Runner {
    child: Child,
    socket: UnixStream,
}

impl Runner {
    fn start(library: impl AsRef<Path>) -> Self {
        Self::start_with(library, &["0"])
    }

    /// Starts the process with more arguments after the library.
    fn start_with(library: impl AsRef<Path>, words: &[&str]) -> Self {
        let command = Command::new(env!("CARGO_BIN_EXE_native-runner"));
        Self::start_command(command, library, words)
    }

    fn start_command(mut command: Command, library: impl AsRef<Path>, words: &[&str]) -> Self {
        let (socket, theirs) = UnixStream::pair().expect("a socket");
        let child = command
            .arg(theirs.as_raw_fd().to_string())
            .arg(library.as_ref())
            .args(words)
            .stderr(Stdio::piped())
            .preserved_fds(vec![theirs.into()])
            .spawn()
            .expect("the process starts");
        // It owns their end, which has to close with the process.
        drop(command);
        // A process that waits for more fails the test, and does not hold it up for ever.
        let patience = Some(Duration::from_secs(60));
        socket.set_read_timeout(patience).expect("a timeout");
        Self { child, socket }
    }

    /// Starts the process, and places heap and input. The first eight bytes of the input are a
    /// command.
    fn placed(library: impl AsRef<Path>, command: u64) -> Self {
        let mut runner = Self::start(library);
        runner.place(command);
        runner
    }

    fn place(&mut self, command: u64) {
        let [_, input, _] = self.placement(HEAP, 16);
        assert!(self.write(input, &command.to_le_bytes()));
    }

    fn placement(&mut self, heap: u64, input: u64) -> [u64; 3] {
        self.send(Message::PLACE, [heap, input, 0]);
        let placed = self.receive();
        assert_eq!((placed.kind, placed.import), (Message::PLACED, 0));
        let [heap, input, keeps_header, 0, 0] = placed.values else {
            panic!("{placed:?}");
        };
        [heap, input, keeps_header]
    }

    fn send(&mut self, kind: u32, values: [u64; 3]) {
        let message = Message::new(kind, values);
        self.socket
            .write_all(bytemuck::bytes_of(&message))
            .expect("the process reads");
    }

    fn receive(&mut self) -> Message {
        let mut message = Message::default();
        self.socket
            .read_exact(bytemuck::bytes_of_mut(&mut message))
            .unwrap_or_else(|error| panic!("no reply: {error}"));
        message
    }

    /// `None` if the address is inaccessible.
    fn read(&mut self, address: u64, length: u64) -> Option<Vec<u8>> {
        self.send(Message::READ, [address, length, 0]);
        let answer = self.receive();
        if answer == Message::new(Message::INACCESSIBLE, [0; 3]) {
            return None;
        }
        assert_eq!(answer, Message::new(Message::BYTES, [length, 0, 0]));
        let mut bytes = vec![0; usize::try_from(length).expect("a length")];
        self.socket.read_exact(&mut bytes).expect("the bytes");
        Some(bytes)
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> bool {
        self.send(Message::WRITE, [address, bytes.len() as u64, 0]);
        self.socket.write_all(bytes).expect("the process reads");
        let answer = self.receive();
        assert_eq!(answer.values, [0; 5]);
        match answer.kind {
            Message::DONE => true,
            Message::INACCESSIBLE => false,
            _ => panic!("{answer:?}"),
        }
    }

    fn enter(&mut self) {
        self.send(Message::ENTER, [HEAP, 0, 0]);
    }

    fn returned(&mut self) -> u64 {
        let returned = self.receive();
        assert_eq!(returned.kind, Message::RETURNED, "{returned:?}");
        let [status, 0, 0, 0, 0] = returned.values else {
            panic!("{returned:?}");
        };
        status
    }

    /// The end of the process while the socket is open, and its standard error.
    fn ends(mut self) -> (ExitStatus, String) {
        let mut rest = Vec::new();
        match self.socket.read_to_end(&mut rest) {
            Ok(_) => {}
            // The process left bytes unread.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("no end of the process: {error}"),
        }
        assert_eq!(rest, [], "an unexpected message");
        self.wait()
    }

    /// The end of the process after the socket is closed, and its standard error.
    fn ends_closed(mut self) -> (ExitStatus, String) {
        self.socket
            .shutdown(std::net::Shutdown::Both)
            .expect("an open socket");
        self.wait()
    }

    fn wait(&mut self) -> (ExitStatus, String) {
        let mut text = String::new();
        let mut stderr = self.child.stderr.take().expect("a pipe");
        stderr.read_to_string(&mut text).expect("text");
        (self.child.wait().expect("the end of the process"), text)
    }

    /// The soft and the hard limit of the process.
    fn limit(&self, name: &str) -> [String; 2] {
        limit_of(&self.child.id().to_string(), name)
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        // The process has ended, unless a test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a process that must end before it connects.
fn run(words: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_native-runner"))
        .args(words)
        .output()
        .expect("a process")
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("text")
}

#[test]
fn host_structure_has_all_addresses() {
    let mut runner = Runner::start(library(""));
    let [heap, input, keeps_header] = runner.placement(5_000, 70_001);
    assert_eq!(
        (heap, input, keeps_header),
        (NATIVE_HEAP_BASE, NATIVE_HEAP_BASE + 8_192, 0)
    );
    runner.send(Message::ENTER, [4_000, 0, 0]);
    let called = runner.receive();
    assert_eq!((called.kind, called.import), (Message::CALLED, 11));
    let [told_heap, told_size, told_length, told_input, fixed] = called.values;
    assert_eq!((told_heap, told_size), (heap, 4_000));
    assert_eq!((told_length, told_input), (70_001, input));
    // The loader can access memory during the syscall,
    assert_eq!(
        runner.read(fixed, 16).expect("readable memory"),
        b"cannot be writte"
    );
    assert!(runner.write(heap, b"a heap"));
    assert_eq!(runner.read(heap, 7).expect("readable memory"), b"a heap\0");
    runner.send(Message::ANSWER, [u64::MAX - 1, 0, 0]);
    assert_eq!(runner.returned(), u64::MAX - 1);
    // and after the program has returned.
    assert_eq!(runner.read(heap, 6).expect("readable memory"), b"a heap");
    let (status, stderr) = runner.ends_closed();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn program_declares_its_heap_header() {
    let mut runner = Runner::start(library("header"));
    let [.., keeps_header] = runner.placement(HEAP, 8);
    assert_eq!(keeps_header, 1);
}

#[test]
fn heap_and_input_are_zeroed_and_can_be_written() {
    let mut runner = Runner::start(library(""));
    let [heap, input, _] = runner.placement(HEAP, 10_000);
    assert_eq!(runner.read(heap, HEAP), Some(vec![0; HEAP as usize]));
    assert_eq!(runner.read(input, 10_000), Some(vec![0; 10_000]));
    assert!(runner.write(input, &ADD_HEAP.to_le_bytes()));
    runner.enter();
    assert_eq!(runner.returned(), 0);
    let written: Vec<u8> = (0..HEAP).map(|offset| offset as u8).collect();
    assert_eq!(runner.read(heap, HEAP), Some(written));
}

#[test]
fn a_heap_and_an_input_may_be_empty() {
    let mut runner = Runner::start(library(""));
    let [heap, input, _] = runner.placement(0, 0);
    assert_eq!((heap, input), (NATIVE_HEAP_BASE, NATIVE_HEAP_BASE));
    assert_eq!(runner.read(input, 0), Some(Vec::new()));
}

#[test]
fn heap_moves_if_its_address_is_taken() {
    let mut runner = Runner::start(library("occupied"));
    let [heap, input, _] = runner.placement(HEAP, 16);
    assert_ne!(heap, NATIVE_HEAP_BASE);
    assert_eq!((heap % 4_096, input), (0, heap + HEAP));
    assert_eq!(runner.read(heap, HEAP), Some(vec![0; HEAP as usize]));
    // The earlier mapping is unchanged, and read-only.
    assert_eq!(runner.read(NATIVE_HEAP_BASE, 4_096), Some(vec![0; 4_096]));
    assert!(!runner.write(NATIVE_HEAP_BASE, b"x"));
    runner.enter();
    assert_eq!(runner.receive().values[0], heap);
}

#[test]
fn long_memory_is_copied_in_chunks() {
    let mut runner = Runner::start(library(""));
    let length = 200_001;
    let [_, input, _] = runner.placement(0, length);
    let bytes: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
    assert!(runner.write(input, &bytes));
    assert_eq!(runner.read(input, length).as_ref(), Some(&bytes));
    assert_eq!(
        runner.read(input + 65_535, 65_538).as_deref(),
        Some(&bytes[65_535..][..65_538])
    );
}

#[test]
fn unmapped_addresses_are_reported() {
    let mut runner = Runner::placed(library(""), REPORT);
    let end = NATIVE_HEAP_BASE + HEAP + 4_096;
    runner.enter();
    let fixed = runner.receive().values[4];
    let kernel = 0xffff_8000_0000_0000;
    for (address, length) in [
        (0, 1),
        (0, u64::MAX),
        (u64::MAX, 1),
        (u64::MAX, u64::MAX),
        (kernel, 8),
        (end, 1),
        (end - 1, 2),
        (end - 4_096, 4_097),
        (NATIVE_HEAP_BASE, 1 << 40),
        (NATIVE_HEAP_BASE, u64::MAX - NATIVE_HEAP_BASE),
        (NATIVE_HEAP_BASE, u64::MAX),
        (NATIVE_HEAP_BASE - 1, 2),
    ] {
        assert_eq!(runner.read(address, length), None, "{address:#x}, {length}");
    }
    for (address, length) in [
        (0, 1),
        (u64::MAX, 1),
        (u64::MAX - 100, 200_000),
        (kernel, 8),
        (fixed, 4),
        (end - 1, 2),
        (end, 1),
        (NATIVE_HEAP_BASE - 100_000, 100_010),
        // A whole chunk of unmapped memory before a mapped one.
        (NATIVE_HEAP_BASE - 65_536, 65_546),
    ] {
        assert!(
            !runner.write(address, &vec![7; length]),
            "{address:#x}, {length}"
        );
    }
    // The runner wrote nothing after the unmapped part.
    assert_eq!(runner.read(NATIVE_HEAP_BASE, 10), Some(vec![0; 10]));
    // An empty range may have any address.
    for address in [0, kernel, u64::MAX] {
        assert_eq!(runner.read(address, 0), Some(Vec::new()));
        assert!(runner.write(address, &[]));
    }
    // The last mapped byte.
    assert!(runner.write(end - 1, b"z"));
    assert_eq!(runner.read(end - 1, 1).expect("readable memory"), b"z");
    assert_eq!(runner.read(fixed, 6).expect("readable memory"), b"cannot");
    runner.send(Message::ANSWER, [9, 0, 0]);
    assert_eq!(runner.returned(), 9);
}

#[test]
fn text_of_a_log_is_sent_with_the_call() {
    let log = |text: u64, length| {
        let mut runner = Runner::start(library(""));
        let [_, input, _] = runner.placement(0, 24);
        let text = if text == 0 { input } else { text };
        let words = [LOG, text, length].map(u64::to_le_bytes);
        assert!(runner.write(input, words.as_flattened()));
        runner.enter();
        let called = runner.receive();
        assert_eq!(called.import, Import::Log as u32);
        assert_eq!(called.values, [text, length, 0, 0, 0]);
        let sent = (called.kind == Message::CALLED_WITH).then(|| {
            let mut bytes = vec![0; length as usize];
            runner.socket.read_exact(&mut bytes).expect("the bytes");
            (bytes, words.as_flattened().to_vec())
        });
        if sent.is_none() {
            assert_eq!(called.kind, Message::CALLED);
        }
        runner.send(Message::ANSWER, [5, 0, 0]);
        assert_eq!(runner.returned(), 5);
        sent
    };
    for length in [1, 8, 24] {
        let (found, expected) = log(0, length).expect("memory that can be read");
        assert_eq!(found, expected[..length as usize]);
    }
    let kernel = 0xffff_8000_0000_0000;
    for (text, length) in [
        (0, 0),
        (0, MAX_SENT_WITH_CALL + 1),
        (0, u64::MAX),
        // Not in its whole length.
        (NATIVE_HEAP_BASE + 1, MAX_SENT_WITH_CALL),
        (1, 1),
        (kernel, 8),
        (u64::MAX, 1),
    ] {
        assert_eq!(log(text, length), None, "{text:#x}, {length}");
    }
}

#[test]
fn imports_are_called_one_after_the_other() {
    let mut runner = Runner::placed(library(""), CALL_TWICE);
    runner.enter();
    let first = runner.receive();
    assert_eq!((first.kind, first.import), (Message::CALLED, 0));
    assert_eq!(first.values, [1; 5]);
    runner.send(Message::ANSWER, [77, 0, 0]);
    let second = runner.receive();
    // The runner passes an unknown number on; the loader rejects it.
    assert_eq!((second.kind, second.import), (Message::CALLED, u32::MAX));
    assert_eq!(second.values, [77; 5]);
    runner.send(Message::ANSWER, [5, 0, 0]);
    assert_eq!(runner.returned(), 77 << 32 | 5);
}

#[test]
fn a_crash_ends_with_a_signal() {
    for (command, signal) in [(SEGFAULT, SIGSEGV), (ILLEGAL, SIGILL)] {
        let mut runner = Runner::placed(library(""), command);
        runner.enter();
        let (status, stderr) = runner.ends();
        assert_eq!((status.signal(), stderr.as_str()), (Some(signal), ""));
        assert!(!status.core_dumped());
    }
    let mut runner = Runner::placed(library(""), OVERFLOW);
    runner.enter();
    let (status, stderr) = runner.ends();
    assert_eq!(status.signal(), Some(SIGABRT));
    assert!(stderr.contains("has overflowed its stack"), "{stderr}");
}

#[test]
fn endless_loop_is_killed() {
    let mut runner = Runner::start_with(library(""), &["1"]);
    runner.place(LOOP);
    assert_eq!(runner.limit("Max cpu time"), ["1", "2"]);
    runner.enter();
    let (status, stderr) = runner.ends();
    assert_eq!((status.signal(), stderr.as_str()), (Some(SIGXCPU), ""));
}

#[test]
fn limits_are_set_as_requested() {
    // The process sets its limits before it places memory.
    let mut runner = Runner::start_with(library(""), &["0"]);
    runner.place(REPORT);
    assert_eq!(runner.limit("Max cpu time"), own_limit("Max cpu time"));
    assert_eq!(runner.limit("Max core file size"), ["0", "0"]);
    let mut runner = Runner::start_with(library(""), &["0", "--core-dumps"]);
    runner.place(REPORT);
    assert_eq!(
        runner.limit("Max core file size"),
        own_limit("Max core file size")
    );
    let most = u64::MAX.to_string();
    let mut runner = Runner::start_with(library(""), &[&most]);
    runner.place(REPORT);
    assert_eq!(runner.limit("Max cpu time")[0], "unlimited");
    // A lower limit that is already set stays.
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -t 7; exec \"$0\" \"$@\""]);
    shell.arg(env!("CARGO_BIN_EXE_native-runner"));
    let mut runner = Runner::start_command(shell, library(""), &["100"]);
    runner.place(REPORT);
    assert_eq!(runner.limit("Max cpu time"), ["7", "7"]);
}

/// The limits of the test, which its child processes inherit.
fn own_limit(name: &str) -> [String; 2] {
    limit_of("self", name)
}

/// The soft and the hard limit of a process.
fn limit_of(process: &str, name: &str) -> [String; 2] {
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits"));
    let limits = limits.expect("a running process");
    let line = limits.lines().find(|line| line.starts_with(name));
    let mut words = line.expect("the limit")[name.len()..].split_whitespace();
    [words.next(), words.next()].map(|word| word.expect("a limit").to_owned())
}

#[test]
fn closed_socket_is_not_an_error() {
    // Before any message, within a message, during a write, and during a syscall.
    let (status, stderr) = Runner::start(library("")).ends_closed();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
    let mut runner = Runner::start(library(""));
    runner
        .socket
        .write_all(&[1; 20])
        .expect("the process reads");
    let (status, stderr) = runner.ends_closed();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
    let mut runner = Runner::placed(library(""), REPORT);
    runner.send(Message::WRITE, [NATIVE_HEAP_BASE, u64::MAX, 0]);
    runner
        .socket
        .write_all(&[1; 200_000])
        .expect("the process reads");
    let (status, stderr) = runner.ends_closed();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
    let mut runner = Runner::placed(library(""), REPORT);
    runner.enter();
    assert_eq!(runner.receive().kind, Message::CALLED);
    let (status, stderr) = runner.ends_closed();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn process_ends_with_the_starting_thread() {
    let thread = std::thread::spawn(|| {
        let mut runner = Runner::start_with(library(""), &["20"]);
        runner.place(LOOP);
        runner.enter();
        runner
    });
    let runner = thread.join().expect("no failure");
    let (status, _) = runner.ends();
    assert_eq!(status.signal(), Some(SIGKILL));
}
