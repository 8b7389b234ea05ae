//! The size of a blob: the guest that `cargo xtask bench size` measures.
//!
//! One build has one program and one level of `panic`, each chosen by a feature:
//!
//! | program | |
//! |---|---|
//! | `empty` | returns at once |
//! | `log` | logs one line, a text without arguments |
//! | `index` | indexes its instruction data with a number from it, which may panic |
//! | `counter` | the example of that name: an account's data, checked arithmetic, a formatted line |
//!
//! `docs/blob-size.md` explains the contents of each blob.
#![no_std]

use entrypoint::ProcessInstruction;

#[cfg(not(feature = "counter"))]
use entrypoint::{AccountInfo, ProgramResult, Pubkey};

core::cfg_select! {
    feature = "message" => { entrypoint::entrypoint!(crate::PROGRAM, panic = message); }
    feature = "location" => { entrypoint::entrypoint!(crate::PROGRAM, panic = location); }
    feature = "abort" => { entrypoint::entrypoint!(crate::PROGRAM, panic = abort); }
    _ => {}
}

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
const _: () = {
    const PROGRAMS: usize = cfg!(feature = "empty") as usize
        + cfg!(feature = "log") as usize
        + cfg!(feature = "index") as usize
        + cfg!(feature = "counter") as usize;
    const LEVELS: usize = cfg!(feature = "message") as usize
        + cfg!(feature = "location") as usize
        + cfg!(feature = "abort") as usize;
    assert!(
        PROGRAMS == 1 && LEVELS == 1,
        "choose exactly one program and one level of `panic` by their features; `cargo xtask bench size` does so"
    );
};

/// The program.
pub const PROGRAM: ProcessInstruction = core::cfg_select! {
    feature = "counter" => { counter::process_instruction }
    _ => { process_instruction }
};

/// Logs a line, indexes its instruction data, or does nothing.
#[cfg(not(feature = "counter"))]
pub fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    #[cfg(feature = "log")]
    entrypoint::msg!("one line");
    #[cfg(feature = "index")]
    entrypoint::set_return_data(&[_instruction_data[usize::from(_instruction_data[0])]]);
    Ok(())
}
