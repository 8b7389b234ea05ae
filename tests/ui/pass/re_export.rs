//! A function that is re-exported.

mod program {
    use entrypoint::{AccountInfo, ProgramResult, Pubkey};

    pub fn process(
        _program_id: &Pubkey,
        _accounts: &[AccountInfo],
        _instruction_data: &[u8],
    ) -> ProgramResult {
        Ok(())
    }
}

pub use program::process as process_instruction;

entrypoint::entrypoint!(process_instruction);

fn main() {}
