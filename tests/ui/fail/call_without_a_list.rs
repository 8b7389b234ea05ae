//! A call needs a list of accounts.

use entrypoint::{AccountInfo, Instruction, ProgramResult, invoke};

fn call(instruction: &Instruction<'_>, account: &AccountInfo<'_>) -> ProgramResult {
    invoke(instruction, account)
}

fn main() {
    let _ = call;
}
