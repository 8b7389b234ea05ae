//! Serves the loader's requests, from the first message to the last.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use abi::entry::NATIVE_HEAP_BASE;
use abi::imports::MAX_ARGUMENTS;
use abi::native::{Message, NativeHost, sent_with_call};

use super::End;
use super::connection::Connection;
use super::mapping::Mapping;
use super::program::Program;

/// The socket, for [`call`], which the program calls without any pointer of this crate. It is not
/// locked while the program runs.
static CONNECTION: Mutex<Option<Connection>> = Mutex::new(None);

/// Uses the connection.
fn with<T>(action: impl FnOnce(&mut Connection) -> Result<T, End>) -> Result<T, End> {
    let mut connection = CONNECTION.lock().unwrap_or_else(PoisonError::into_inner);
    action(connection.as_mut().ok_or(End::Closed)?)
}

/// Whether a fork server has forked the process. Then the heap is at [`NATIVE_HEAP_BASE`] and the
/// loader reads it from the file, so the program need not wait for a syscall that returns nothing.
static IS_FORKED: AtomicBool = AtomicBool::new(false);

/// Serves the loader's requests. Heap and input are in the file, if the loader has sent one.
///
/// # Errors
///
/// Why that has ended.
pub fn serve(
    connected: Connection,
    program: &Program,
    mut file: Option<OwnedFd>,
) -> Result<(), End> {
    *CONNECTION.lock().unwrap_or_else(PoisonError::into_inner) = Some(connected);
    let mut mapping = None;
    loop {
        let message = with(Connection::next)?;
        let answer = match (message.kind, &mapping) {
            (Message::PLACE, None) => {
                let [heap_size, input_length, ..] = message.values;
                let placed = mapping.insert(Mapping::new(heap_size, input_length, file.take())?);
                let input = placed.input().addr() as u64;
                let keeps_header = program.keeps_header().into();
                Message::new(Message::PLACED, [placed.heap_base(), input, keeps_header])
            }
            (Message::ENTER, Some(placed)) => enter(program, placed, message.values[0]),
            (Message::START, None) => {
                let [heap_size, input_length, announced, ..] = message.values;
                let placed = mapping.insert(Mapping::new(heap_size, input_length, file.take())?);
                // The loader has written addresses into the input.
                if placed.heap_base() != NATIVE_HEAP_BASE {
                    return Err(End::refused("the address of the heap is in use"));
                }
                IS_FORKED.store(true, Ordering::Relaxed);
                enter(program, placed, announced)
            }
            (Message::PLACE | Message::START, Some(_)) => {
                return Err(End::refused("the loader mapped heap and input twice"));
            }
            (Message::ENTER, None) => {
                return Err(End::refused(
                    "the loader entered the program before it mapped heap and input",
                ));
            }
            (kind, _) => {
                return Err(End::refused(format!("unexpected message of kind {kind}")));
            }
        };
        with(|connection| connection.send(&answer))?;
    }
}

/// Calls the program, and returns the reply with its status. `heap_size` is what it is announced.
fn enter(program: &Program, placed: &Mapping, heap_size: u64) -> Message {
    let host = NativeHost {
        heap_base: placed.heap_base(),
        heap_size,
        input_length: placed.input_length(),
        call,
    };
    // SAFETY: `enter` requires that heap and input are mapped, that only the program accesses them,
    // and that the program may call `call`. `Mapping` has mapped both and this crate has no
    // reference to them; `call` is the function of the contract.
    let status = unsafe { program.enter(&host, placed.input()) };
    Message::new(Message::RETURNED, [status, 0, 0])
}

/// Runs a syscall: sends it to the loader, and serves memory until the loader replies.
///
/// # Safety
///
/// The arguments can be read.
unsafe extern "C" fn call(import: u32, arguments: *const [u64; MAX_ARGUMENTS]) -> u64 {
    // SAFETY: `read_unaligned` requires that `arguments` is readable for its type. The caller
    // promises that; no alignment is needed.
    let values = unsafe { arguments.read_unaligned() };
    answer(import, values).unwrap_or_else(|end| {
        // The program cannot continue without a reply.
        exit(end.say())
    })
}

/// Ends the process. One that was forked ends without the handlers of an orderly exit, which belong
/// to its server.
fn exit(code: u8) -> ! {
    if IS_FORKED.load(Ordering::Relaxed) {
        // SAFETY: `_exit` has no preconditions.
        unsafe { libc::_exit(code.into()) }
    }
    std::process::exit(code.into())
}

fn answer(import: u32, values: [u64; MAX_ARGUMENTS]) -> Result<u64, End> {
    let called = |kind| Message {
        kind,
        import,
        values,
    };
    // Locked until the reply has arrived, so that each thread of a program gets its own.
    with(|connection| {
        let is_sent = match sent_with_call(import, &values) {
            Some((address, length)) if IS_FORKED.load(Ordering::Relaxed) => {
                if connection.post(&called(Message::POSTED), address, length)? {
                    return Ok(0);
                }
                false
            }
            Some((address, length)) => {
                connection.send_with(&called(Message::CALLED_WITH), address, length)?
            }
            None => false,
        };
        if !is_sent {
            connection.send(&called(Message::CALLED))?;
        }
        let message = connection.next()?;
        if message.kind != Message::ANSWER {
            let kind = message.kind;
            return Err(End::refused(format!(
                "unexpected message of kind {kind} during a syscall"
            )));
        }
        let [answer, ..] = message.values;
        Ok(answer)
    })
}
