//! A named heap, in the entry and on its own, and a heap with a static.

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

mod from_a_macro {
    macro_rules! heap {
        ($type:ty) => {
            entrypoint::custom_heap_default!(static HEAP: $type);
        };
    }

    heap!(entrypoint::SegregatedBumpAllocator);

    /// Uses the heap.
    pub fn limit() -> usize {
        HEAP.limit()
    }
}

mod named {
    use entrypoint::SegregatedBumpAllocator;

    entrypoint::custom_heap_default!(pub static HEAP: SegregatedBumpAllocator);
}

fn main() {
    // No loader has announced a heap here.
    assert_eq!(named::HEAP.limit(), 0);
    assert_eq!(from_a_macro::limit(), 0);
}
