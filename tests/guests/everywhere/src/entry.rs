//! The program's entry and its heap, for each feature.

#[cfg(not(any(feature = "lean", feature = "lazy", feature = "stateful")))]
entrypoint::entrypoint!(crate::process_instruction);

#[cfg(feature = "lean")]
entrypoint::entrypoint_no_alloc!(
    crate::process_instruction,
    max_accounts = 4,
    duplicates = reject,
    heap = segregated,
    panic = location
);
const _: () = assert!(crate::MAX_LEAN == 4);

#[cfg(feature = "stateful")]
mod stateful {
    use core::cell::Cell;

    use entrypoint::BumpAllocator;

    entrypoint::entrypoint!(
        crate::process_instruction,
        heap = custom,
        duplicates = reject
    );
    entrypoint::custom_heap_default!(pub static HEAP: BumpAllocator<Tally>);

    /// The state at the base of the heap.
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
    #[cfg(feature = "lazy")]
    {
        let before = lazily::HEAP.counts().allocations;
        drop(core::hint::black_box(alloc::boxed::Box::new([0_u64; 9])));
        let after = lazily::HEAP.counts().allocations;
        entrypoint::msg!("{} in the heap", after - before);
    }
    #[cfg(not(any(feature = "lazy", feature = "stateful")))]
    entrypoint::msg!("the heap counts nothing");
}

#[cfg(feature = "lazy")]
mod lazily {
    use entrypoint::allocator::TracingAllocator;
    use entrypoint::input::{LazyAccount, LazyAccounts};
    use entrypoint::{AccountInfo, BumpAllocator, ProgramError, ProgramResult, Pubkey};

    use crate::{MAX_LISTED, process_instruction};

    entrypoint::entrypoint_lazy!(process, heap = custom, panic = abort);
    entrypoint::custom_heap!(
        /// The program's heap.
        pub static HEAP: TracingAllocator<BumpAllocator> =
            // SAFETY: `new` requires one thread, and no other allocator over the announced heap.
            // The program has one thread, and this is its only allocator.
            TracingAllocator::new(unsafe { BumpAllocator::new() });
    );

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
