//! Replacements of the syscalls.
//!
//! They follow [`abi::imports`] as far as a unit test can see it. Nothing is metered, and nothing
//! has a limit.

use std::cell::{Cell, RefCell};
use std::format;
use std::println;
use std::string::String;
use std::thread_local;
use std::vec::Vec;

use abi::Pubkey;
use abi::report::{AbortKind, AbortReport};

pub(crate) use super::asks::*;
pub(crate) use super::crypto::*;
use crate::testing::with_current;

thread_local! {
    /// The return data, and the program that set it.
    static RETURN_DATA: RefCell<(Vec<u8>, Pubkey)> =
        const { RefCell::new((Vec::new(), Pubkey::new([0; 32]))) };

    /// The program that a unit test is about, as far as it is known.
    static PROGRAM_ID: Cell<Pubkey> = const { Cell::new(Pubkey::new([0; 32])) };
}

/// Records which program this thread tests. Only an input names it.
pub(crate) fn note_program_id(program_id: &Pubkey) {
    PROGRAM_ID.set(*program_id);
}

/// Returns the program that this thread tests.
pub(crate) fn program_id() -> Pubkey {
    PROGRAM_ID.get()
}

pub(crate) unsafe fn rlo_log_(message: *const u8, length: u64) {
    // SAFETY: by the syscall's contract, `length` bytes are readable at `message`, and nothing
    // writes them during the call.
    let bytes = unsafe { core::slice::from_raw_parts(message, length as usize) };
    print(String::from_utf8_lossy(bytes).into_owned());
}

/// Prints a log line, and records it.
fn print(line: String) {
    println!("{line}");
    with_current(|current| current.record.logs.push(line));
}

pub(crate) unsafe fn rlo_log_64_(a: u64, b: u64, c: u64, d: u64, e: u64) {
    print(format!("{a:#x}, {b:#x}, {c:#x}, {d:#x}, {e:#x}"));
}

pub(crate) unsafe fn rlo_log_pubkey(key: *const u8) {
    // SAFETY: by the syscall's contract, 32 bytes are readable at `key`. A `Pubkey` has alignment 1
    // and no invalid values.
    let key = unsafe { key.cast::<Pubkey>().read() };
    print(format!("{key}"));
}

pub(crate) unsafe fn rlo_log_compute_units_() {
    println!("gas is not metered here");
}

pub(crate) unsafe fn rlo_remaining_compute_units() -> u64 {
    u64::MAX
}

pub(crate) unsafe fn rlo_set_return_data(data: *const u8, length: u64) {
    // SAFETY: by the syscall's contract, `length` bytes are readable at `data`, and nothing writes
    // them during the call.
    let data = unsafe { core::slice::from_raw_parts(data, length as usize) };
    RETURN_DATA.set((data.to_vec(), PROGRAM_ID.get()));
}

pub(crate) unsafe fn rlo_get_return_data(data: *mut u8, length: u64, program_id: *mut u8) -> u64 {
    RETURN_DATA.with_borrow(|(whole, setter)| {
        let copied = whole.len().min(length as usize);
        if copied > 0 {
            // SAFETY: `copied` is at most the length of `whole`, so that many bytes are readable
            // there. It is at most `length`, so by the syscall's contract that many bytes are
            // writable at `data`. They belong to the caller, so they do not overlap `whole`.
            unsafe { data.copy_from_nonoverlapping(whole.as_ptr(), copied) };
            // SAFETY: by the syscall's contract, 32 bytes are writable at `program_id`. A `Pubkey`
            // has alignment 1.
            unsafe { program_id.cast::<Pubkey>().write(*setter) };
        }
        whole.len() as u64
    })
}

/// Panics: a unit test has no loader.
pub(crate) unsafe fn rlo_abort(report: *const u8, _magic: u64) {
    // SAFETY: by the syscall's contract, `report` points to a report. It is aligned, because
    // `crate::abort` passes a reference.
    let report = unsafe { report.cast::<AbortReport>().read() };
    panic!(
        "the program gave up: {:?} {:?}",
        AbortKind::from_u32(report.kind),
        report.values
    );
}
