//! A process of the native engine that breaks the protocol: each violation is a failure of that
//! invocation.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use abi::imports::Import;
use abi::native::{Message, OWN_SYSCALL};
use loader::{AccountInput, Outcome, Pubkey};
use tests::everywhere_guest::call;

use super::engine::{children, one_test, program_by};

/// The child's end of the socket, in a process that breaks the protocol.
struct FaultyRunner(UnixStream);

impl FaultyRunner {
    fn send(&mut self, kind: u32, import: u32, values: [u64; 3], bytes: &[u8]) {
        let message = Message {
            import,
            ..Message::new(kind, values)
        };
        self.0
            .write_all(bytemuck::bytes_of(&message))
            .expect("a connected loader");
        self.0.write_all(bytes).expect("a connected loader");
    }

    /// Receives the next message, and confirms those that write memory.
    fn receive(&mut self) -> Message {
        loop {
            let mut message = Message::default();
            self.0
                .read_exact(bytemuck::bytes_of_mut(&mut message))
                .expect("a message");
            if message.kind != Message::WRITE {
                return message;
            }
            let mut bytes = vec![0; message.values[1] as usize];
            self.0.read_exact(&mut bytes).expect("bytes");
            self.send(Message::DONE, 0, [0; 3], &[]);
        }
    }
}

/// Each violation of the protocol, and a part of the message that it causes.
const VIOLATIONS: [(&str, &str); 17] = [
    (
        "close",
        "exited before it started the program (exit status: 6)",
    ),
    ("place another kind", "protocol error"),
    ("place too far", "protocol error"),
    ("enter another kind", "protocol error"),
    ("call no import", "protocol error"),
    ("send with no text", "protocol error"),
    ("post without a file", "protocol error"),
    ("send less", "exit status: 6"),
    ("read more", "protocol error"),
    ("read less", "exit status: 6"),
    ("read another kind", "protocol error"),
    (
        "copy everything",
        "`rlo_memcpy_` was called with 1,099,511,627,776 bytes",
    ),
    ("own name too long", "protocol error"),
    ("own name unreadable", "protocol error"),
    (
        "own name unknown",
        "`own_other` failed: the loader has no syscall of this name",
    ),
    ("own arguments unreadable", "protocol error"),
    (
        "return and close",
        "the program unmapped the memory of the input",
    ),
];

/// Not a test by itself: a test starts this executable as a runner, with a violation to commit.
#[test]
fn break_protocol() {
    let words: Vec<String> = std::env::args().collect();
    let Some(how) = words.iter().find_map(|word| word.strip_prefix("how=")) else {
        return;
    };
    let [.., socket, _library, _seconds] = &words[..] else {
        panic!("{words:?}");
    };
    let socket: i32 = socket.parse().expect("a descriptor");
    // SAFETY: `from_raw_fd` requires an open descriptor that nothing else owns. The loader has
    // passed it to this process, in which nothing else knows its number.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    let mut loader = FaultyRunner(socket.into());
    assert_eq!(loader.receive().kind, Message::PLACE);
    match how {
        "close" => std::process::exit(6),
        "place another kind" => loader.send(Message::DONE, 0, [1 << 33, 1 << 34, 0], &[]),
        "place too far" => loader.send(Message::PLACED, 0, [1 << 33, u64::MAX - 8, 0], &[]),
        _ => loader.send(Message::PLACED, 0, [1 << 33, 1 << 34, 0], &[]),
    }
    assert_eq!(loader.receive().kind, Message::ENTER);
    match how {
        "enter another kind" => loader.send(Message::DONE, 0, [0; 3], &[]),
        "call no import" => loader.send(Message::CALLED, Import::ALL.len() as u32, [0; 3], &[]),
        "send with no text" => {
            loader.send(
                Message::CALLED_WITH,
                Import::Memcpy as u32,
                [8, 8, 8],
                &[7; 8],
            );
        }
        "post without a file" => {
            loader.send(Message::POSTED, Import::Log as u32, [8, 8, 0], &[7; 16]);
        }
        "send less" => {
            loader.send(
                Message::CALLED_WITH,
                Import::Log as u32,
                [8, 10, 0],
                &[7; 4],
            );
            std::process::exit(6);
        }
        "copy everything" => {
            loader.send(Message::CALLED, Import::Memcpy as u32, [8, 8, 1 << 40], &[])
        }
        "return and close" => loader.send(Message::RETURNED, 0, [0; 3], &[]),
        "own name too long" => loader.send(Message::CALLED, OWN_SYSCALL, [8, 256, 8], &[]),
        "own name unreadable" | "own name unknown" | "own arguments unreadable" => {
            loader.send(Message::CALLED, OWN_SYSCALL, [8, 9, 8], &[]);
        }
        _ => loader.send(Message::CALLED, Import::Log as u32, [8, 10, 0], &[]),
    }
    assert_eq!(loader.receive().kind, Message::READ);
    match how {
        "read more" => loader.send(Message::BYTES, 0, [11, 0, 0], &[7; 11]),
        "read another kind" => loader.send(Message::DONE, 0, [0; 3], &[]),
        "read less" => loader.send(Message::BYTES, 0, [10, 0, 0], &[7; 4]),
        "own name unreadable" => loader.send(Message::INACCESSIBLE, 0, [0; 3], &[]),
        "own name unknown" => loader.send(Message::BYTES, 0, [9, 0, 0], b"own_other"),
        "own arguments unreadable" => {
            loader.send(Message::BYTES, 0, [9, 0, 0], b"own_known");
            assert_eq!(loader.receive().kind, Message::READ);
            loader.send(Message::INACCESSIBLE, 0, [0; 3], &[]);
        }
        _ => {}
    }
    std::process::exit(6);
}

#[test]
fn misbehaving_process_is_a_failure() {
    let _guard = one_test();
    let own = std::env::current_exe().expect("an executable");
    for (how, expected) in VIOLATIONS {
        let how = format!("how={how}");
        let words = ["protocol::break_protocol", "--exact", &how].map(OsString::from);
        let program = program_by([own.clone().into()].into_iter().chain(words));
        let call = call(&[])
            .account(AccountInput::new(Pubkey::default()))
            .gas(i64::MAX as u64);
        let message = match program.invoke(&call) {
            Err(error) => error.to_string(),
            Ok(Outcome {
                failure: Some(failure),
                ..
            }) => failure.to_string(),
            Ok(outcome) => panic!("{how}: {outcome:?}"),
        };
        assert!(message.contains(expected), "{how}: {message}");
        assert_eq!(children(), [0; 0], "{how}");
    }
}
