//! Handlers that report their arguments, return every kind of result, and fail in every way; and a
//! program in the same module.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use entrypoint::handler::Call;
use entrypoint::host_return::HostReturnError;
use entrypoint::{AccountInfo, ProgramResult, Pubkey};

entrypoint::entrypoint!(process_instruction);
entrypoint::export_handler!(echo, see, ask, ask_text, ask_alone);
entrypoint::export_handler!(
    ask_twice, fill, count, locals, nothing, no_error, error, give_up, say
);

// Names of functions that the compiler calls, of the C library, and others that Rust allows.
entrypoint::export_handler!(
    log, exp, pow, sqrt, floor, round, sin, cos, fmod, memcmp, r#type, größe
);

entrypoint::host_functions! {
    /// The host's reply to these bytes.
    fn question(bytes: &[u8]) -> Option<&[u8]>;

    /// The host's reply to a call without an argument.
    fn alone() -> Option<&str>;
}

mod text {
    entrypoint::host_functions! {
        /// The function of the same name, with text.
        pub fn question(text: &str) -> Option<&str>;
    }
}

type Seen<T> = Result<T, HostReturnError>;

/// Logs the length of its data.
fn process_instruction(_: &Pubkey, _: &[AccountInfo], data: &[u8]) -> ProgramResult {
    entrypoint::msg!("{} bytes", data.len());
    Ok(())
}

/// Returns the argument.
fn echo(call: Call<'_>) -> Seen<Option<&[u8]>> {
    call.bytes()
}

/// Returns the results of reading the argument: its lengths as bytes and as text.
fn see(call: Call<'_>) -> String {
    let length = call.bytes().map(|bytes| bytes.map(<[u8]>::len));
    format!(
        "{length:?} {:?}",
        call.text().map(|text| text.map(str::len))
    )
}

/// Returns the host's reply to the argument, or the error.
fn ask(call: Call<'_>) -> Result<Option<Vec<u8>>, String> {
    let asked = call.bytes().ok().flatten().unwrap_or_default();
    match question(call, asked) {
        Ok(answer) => Ok(answer.map(<[u8]>::to_vec)),
        Err(error) => Ok(Some(format!("{error:?}").into_bytes())),
    }
}

fn ask_text(call: Call<'_>) -> Seen<String> {
    let asked = call.text()?.unwrap_or_default();
    Ok(format!("{:?}", text::question(call, asked)))
}

fn ask_alone(call: Call<'_>) -> Seen<Option<&str>> {
    alone(call)
}

/// Returns the argument and two replies; the first must still be valid after the second.
fn ask_twice(call: Call<'_>) -> Seen<Vec<u8>> {
    let asked = call.bytes()?.unwrap_or_default();
    let first = question(call, asked)?.unwrap_or_default();
    let second = question(call, first)?.unwrap_or_default();
    Ok([asked, first, second].concat())
}

/// Returns this many bytes, which the argument has in decimal digits, in a heap block.
fn fill(call: Call<'_>) -> Result<Vec<u8>, core::num::ParseIntError> {
    let digits = call.text().ok().flatten().unwrap_or_default();
    Ok(vec![b'x'; digits.parse()?])
}

/// Returns the number of calls in this instance.
fn count(_call: Call<'_>) -> [u8; 8] {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    (COUNT.fetch_add(1, Ordering::Relaxed) + 1).to_le_bytes()
}

/// A copy of the argument and a list of numbers, which a program has as local variables: freed in
/// reverse order, or in order if the argument starts with a `>`.
fn locals(call: Call<'_>) -> Seen<()> {
    let text = call.text()?.unwrap_or_default();
    let mut copy = String::with_capacity(text.len());
    copy.push_str(text);
    let numbers = vec![0_u32; 64];
    core::hint::black_box((&mut copy, &numbers));
    if text.starts_with('>') {
        drop(copy);
    }
    Ok(())
}

fn nothing(_call: Call<'_>) {}

fn no_error(_call: Call<'_>) -> Result<(), &'static str> {
    Ok(())
}

fn error(_call: Call<'_>) -> Result<(), &'static str> {
    Err("rejected by the handler")
}

fn give_up(call: Call<'_>) {
    panic!("given up on {:?}", call.text())
}

/// Logs the argument.
fn say(call: Call<'_>) -> Seen<()> {
    entrypoint::log(call.text()?.unwrap_or_default());
    Ok(())
}

/// A module with functions of the C library's names, which compute, and name themselves.
macro_rules! named {
    ($($name:ident)*) => {$(
        fn $name(call: Call<'_>) -> Seen<String> {
            let text = call.text()?.unwrap_or_default();
            let number: f64 = text.parse().unwrap_or_default();
            Ok(format!("{} {} {}", stringify!($name), number.max(2.5) % 1.75, text == "7.5"))
        }
    )*};
}

named! { log exp pow sqrt floor round sin cos fmod memcmp r#type größe }
