//! An entrypoint in the body of a function, as in a documentation test.

fn main() {
    use entrypoint::{AccountInfo, BumpAllocator, ProgramResult, Pubkey};

    entrypoint::entrypoint!(process_instruction, heap = custom);
    entrypoint::custom_heap_default!(static HEAP: BumpAllocator);

    fn process_instruction(
        _program_id: &Pubkey,
        _accounts: &[AccountInfo],
        _instruction_data: &[u8],
    ) -> ProgramResult {
        assert_eq!(HEAP.used(), 0);
        Ok(())
    }
}
