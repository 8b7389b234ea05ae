//! How the program is entered, and its heap.

use crate::process_instruction;

#[cfg(not(any(
    feature = "lean",
    feature = "lazy",
    feature = "own_heap",
    feature = "stateful"
)))]
entrypoint::entrypoint!(process_instruction);

#[cfg(feature = "lean")]
entrypoint::entrypoint_no_alloc!(
    process_instruction,
    max_accounts = 4,
    duplicates = reject,
    panic = location
);
const _: () = assert!(crate::MAX_LEAN == 4);

#[cfg(feature = "lazy")]
entrypoint::entrypoint_lazy!(lazily::process, heap = segregated, panic = abort);

#[cfg(feature = "own_heap")]
mod own_heap {
    use entrypoint::BumpAllocator;
    use entrypoint::allocator::TracingAllocator;

    entrypoint::entrypoint!(super::process_instruction, heap = custom);
    entrypoint::custom_heap!(
        /// The program's heap.
        pub static HEAP: TracingAllocator<BumpAllocator> =
            // SAFETY: the only allocator over the announced heap, in a program that has one thread.
            TracingAllocator::new(unsafe { BumpAllocator::new() });
    );
}

#[cfg(feature = "stateful")]
mod stateful {
    use core::cell::Cell;

    use entrypoint::BumpAllocator;

    entrypoint::entrypoint!(
        super::process_instruction,
        heap = custom,
        duplicates = reject
    );
    entrypoint::custom_heap_default!(pub static HEAP: BumpAllocator<Tally>);

    /// What is kept at the base of the heap.
    #[derive(bytemuck::Zeroable)]
    pub struct Tally {
        pub calls: Cell<u64>,
    }
}

/// Counts in the heap's state.
pub fn count_in_heap() {
    #[cfg(feature = "stateful")]
    {
        let calls = &stateful::HEAP.global().calls;
        calls.set(calls.get() + 1);
        entrypoint::msg!("{} in the heap", calls.get());
    }
    #[cfg(feature = "own_heap")]
    {
        let counts = own_heap::HEAP.counts();
        entrypoint::msg!(
            "{} allocations, {} frees",
            counts.allocations,
            counts.deallocations
        );
    }
    #[cfg(not(any(feature = "own_heap", feature = "stateful")))]
    entrypoint::msg!("the heap counts nothing");
}

#[cfg(feature = "lazy")]
mod lazily {
    use entrypoint::input::{LazyAccount, LazyAccounts};
    use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey};

    use crate::{MAX_LISTED, process_instruction};

    /// Lists the accounts on the stack.
    pub fn process(program_id: &Pubkey, entries: LazyAccounts, script: &[u8]) -> ProgramResult {
        let mut accounts: [Option<AccountInfo>; MAX_LISTED] = [None; MAX_LISTED];
        let count = entries.len();
        for (position, entry) in entries.enumerate() {
            let account = match entry {
                LazyAccount::First(account) => Some(account),
                LazyAccount::Repeat(first) => accounts.get(first).copied().flatten(),
            };
            *accounts
                .get_mut(position)
                .ok_or(ProgramError::InvalidArgument)? = account;
        }
        let Some(first) = accounts[0] else {
            return process_instruction(program_id, &[], script);
        };
        let accounts = accounts.map(|account| account.unwrap_or(first));
        process_instruction(program_id, &accounts[..count], script)
    }
}
