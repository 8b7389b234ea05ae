//! Commands whose effect depends on the target, or that are impossible in safe code.

use alloc::boxed::Box;
use core::hint::black_box;
use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};
use core::slice;

use entrypoint::{Pubkey, msg};

use crate::Command;

/// Runs a command that depends on the target.
pub fn run(command: Command, numbers: [u64; 3]) {
    let [a, b, c] = numbers;
    match command {
        Command::LogGas => entrypoint::log_compute_units(),
        Command::AllocateForEver => loop {
            black_box(alloc::vec::Vec::<u8>::with_capacity(a as usize)).leak();
        },
        Command::Loop => loop {
            black_box(());
        },
        Command::RecurseForEver => {
            black_box(recurse(0));
        }
        Command::LogForEver => loop {
            msg!("again");
        },
        Command::ReadAt => msg!("{}", read(a)),
        Command::WriteAt => write(a, b as u8),
        Command::PassOn => pass_on(a, b, c),
        Command::LogBlock => {
            let block = Box::leak(Box::new(0_u8));
            msg!("{:#x}", core::ptr::from_mut(block).addr());
        }
        _ => process::run(command, a, b),
    }
}

#[expect(unconditional_recursion, reason = "the command recurses for ever")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recurse(depth + 1) + frame[0]
}

fn read(address: u64) -> u8 {
    let address = black_box(address as usize);
    // SAFETY: none is claimed; the test checks what the target does.
    unsafe { with_exposed_provenance::<u8>(address).read_volatile() }
}

fn write(address: u64, byte: u8) {
    let address = black_box(address as usize);
    // SAFETY: none is claimed; the test checks what the target does.
    unsafe { with_exposed_provenance_mut::<u8>(address).write_volatile(byte) }
}

/// Passes memory to a syscall that the program does not own. The program itself never reads it.
fn pass_on(address: u64, length: u64, import: u64) {
    let (address, length) = (black_box(address as usize), black_box(length as usize));
    // SAFETY: none is claimed; the test checks what the loader does.
    let bytes =
        unsafe { slice::from_raw_parts_mut(with_exposed_provenance_mut::<u8>(address), length) };
    match import {
        // SAFETY: `from_utf8_unchecked` requires text. Only the loader reads it, and it accepts any
        // bytes.
        0 => entrypoint::log(unsafe { str::from_utf8_unchecked(bytes) }),
        1 => entrypoint::set_return_data(bytes),
        2 => {
            entrypoint::set_return_data(&[1; 64]);
            let _ = entrypoint::get_return_data(bytes);
        }
        _ => {
            // SAFETY: none is claimed; the test checks what the loader does.
            let key = unsafe { &*with_exposed_provenance::<Pubkey>(address) };
            entrypoint::log_pubkey(key);
        }
    }
}

/// The commands with which a process damages itself.
#[cfg(target_os = "linux")]
mod process {
    use core::ffi::{c_int, c_void};

    use entrypoint::msg;

    use crate::Command;

    unsafe extern "C" {
        safe fn abort() -> !;
        safe fn exit(code: c_int) -> !;
        safe fn close(file: c_int) -> c_int;
        safe fn fork() -> c_int;
        safe fn pause() -> c_int;
        fn write(file: c_int, bytes: *const c_void, length: usize) -> isize;
    }

    /// The file descriptors after the standard ones.
    const FILES: core::ops::Range<c_int> = 3..64;

    pub fn run(command: Command, a: u64, b: u64) {
        match command {
            Command::Exit => exit(a as c_int),
            Command::AbortProcess => abort(),
            Command::IllegalInstruction => illegal(),
            Command::CloseFiles => {
                for file in FILES {
                    close(file);
                }
            }
            Command::WriteToFiles => {
                let rubbish = [a as u8; 4_096];
                for file in FILES {
                    print(file, &rubbish[..(b % 4_097) as usize]);
                }
            }
            Command::Print => print(1, b"printed by the program\n"),
            Command::Pause => wait(),
            Command::LeaveProcess => {
                let left = fork();
                if left == 0 {
                    wait();
                }
                msg!("{left}");
                exit(a as c_int);
            }
            _ => {}
        }
    }

    fn wait() {
        loop {
            pause();
        }
    }

    fn print(file: c_int, bytes: &[u8]) {
        // SAFETY: `write` requires a readable range. The pointer and the length are those of one
        // slice.
        let _ = unsafe { write(file, bytes.as_ptr().cast(), bytes.len()) };
    }

    #[cfg(target_arch = "x86_64")]
    fn illegal() {
        // SAFETY: none is claimed; the test checks what the target does.
        unsafe { core::arch::asm!("ud2") }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn illegal() {
        abort()
    }
}

#[cfg(not(target_os = "linux"))]
mod process {
    /// This target has no process.
    pub fn run(_command: crate::Command, _a: u64, _b: u64) {}
}
