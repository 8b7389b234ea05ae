//! A heap by a word, in the entry and on its own.

mod program {
    use entrypoint::{AccountInfo, ProgramResult, Pubkey};

    entrypoint::entrypoint!(process_instruction, heap = segregated);

    fn process_instruction(
        _program_id: &Pubkey,
        _accounts: &[AccountInfo],
        _instruction_data: &[u8],
    ) -> ProgramResult {
        Ok(())
    }
}

mod by_hand {
    entrypoint::custom_heap_default!(segregated);
}

mod spelled_out {
    entrypoint::custom_heap_default!(bump);
}

fn main() {}
