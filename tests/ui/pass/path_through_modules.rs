//! A path through modules.

entrypoint::entrypoint!(crate::program::instructions::process);

mod program {
    pub mod instructions {
        use entrypoint::{AccountInfo, ProgramResult, Pubkey};

        pub fn process(
            _program_id: &Pubkey,
            _accounts: &[AccountInfo],
            _instruction_data: &[u8],
        ) -> ProgramResult {
            Ok(())
        }
    }
}

fn main() {}
