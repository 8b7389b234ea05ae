//! What the loader says, from the first message to the last.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use abi::imports::MAX_ARGUMENTS;
use abi::native::{Message, NativeHost};

use super::End;
use super::connection::Connection;
use super::mapping::Mapping;
use super::program::Program;

/// The socket, for [`call`], which the program calls without anything of ours. Nobody holds it while the program runs.
static CONNECTION: OnceLock<Mutex<Connection>> = OnceLock::new();

fn connection() -> Result<MutexGuard<'static, Connection>, End> {
    let connection = CONNECTION.get().ok_or(End::Closed)?;
    Ok(connection.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Does what the loader says.
///
/// # Errors
///
/// Why that has ended.
pub fn serve(connected: Connection, program: &Program) -> Result<(), End> {
    CONNECTION.get_or_init(|| Mutex::new(connected));
    let mut mapping = None;
    loop {
        let message = connection()?.next()?;
        let answer = match (message.kind, &mapping) {
            (Message::PLACE, None) => {
                let [heap_size, input_length, ..] = message.values;
                let placed = mapping.insert(Mapping::new(heap_size, input_length)?);
                let input = placed.input().addr() as u64;
                let keeps_header = program.keeps_header().into();
                Message::new(Message::PLACED, [placed.heap_base(), input, keeps_header])
            }
            (Message::ENTER, Some(placed)) => {
                let [heap_size, ..] = message.values;
                let host = NativeHost {
                    heap_base: placed.heap_base(),
                    heap_size,
                    input_length: placed.input_length(),
                    call,
                };
                // SAFETY: heap and input are mapped, this crate has no reference to them, and `call` is for the program.
                let status = unsafe { program.enter(&host, placed.input()) };
                Message::new(Message::RETURNED, [status, 0, 0])
            }
            (Message::PLACE, Some(_)) => {
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
        connection()?.send(&answer)?;
    }
}

/// Calls an import: asks the loader, and gives it memory until it answers.
///
/// # Safety
///
/// The arguments can be read.
unsafe extern "C" fn call(import: u32, arguments: *const [u64; MAX_ARGUMENTS]) -> u64 {
    // SAFETY: as the caller says. They need not be aligned.
    let values = unsafe { arguments.read_unaligned() };
    answer(import, values).unwrap_or_else(|end| {
        // There is nothing that the program could do without an answer.
        std::process::exit(end.say().into())
    })
}

fn answer(import: u32, values: [u64; MAX_ARGUMENTS]) -> Result<u64, End> {
    // Held until the answer is there, so that a program of several threads gets each its own.
    let mut connection = connection()?;
    connection.send(&Message {
        kind: Message::CALLED,
        import,
        values,
    })?;
    let message = connection.next()?;
    if message.kind != Message::ANSWER {
        let kind = message.kind;
        return Err(End::refused(format!(
            "unexpected message of kind {kind} during a syscall"
        )));
    }
    let [answer, ..] = message.values;
    Ok(answer)
}
