//! A function of a type.

use entrypoint::{AccountInfo, ProgramResult, Pubkey};

struct Program;

impl Program {
    fn process(_: &Pubkey, _: &[AccountInfo], _: &[u8]) -> ProgramResult {
        Ok(())
    }
}

entrypoint::entrypoint!(Program::process);

fn main() {}
