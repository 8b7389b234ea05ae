//! A function of a trait.

use entrypoint::{AccountInfo, ProgramResult, Pubkey};

trait Process {
    fn process(program_id: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult;
}

struct Program;

impl Process for Program {
    fn process(_: &Pubkey, _: &[AccountInfo], _: &[u8]) -> ProgramResult {
        Ok(())
    }
}

entrypoint::entrypoint!(<Program as Process>::process);

fn main() {}
