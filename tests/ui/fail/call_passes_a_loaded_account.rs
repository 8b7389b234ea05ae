//! An account that the program has loaded is a copy. It cannot be passed to a call.

use entrypoint::{AccountBuffer, Instruction, ProgramResult, Pubkey, invoke, load_account};

fn call(instruction: &Instruction<'_>) -> ProgramResult {
    let mut buffer = AccountBuffer::<8>::new();
    let account = load_account(&Pubkey::new([1; 32]), &mut buffer)?;
    invoke(instruction, &[account])
}

fn main() {
    let _ = call;
}
