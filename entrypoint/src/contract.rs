//! The record of a program's contract, for the expansions of the entry macros.

use abi::contract::Contract;
pub use abi::contract::{EntryKind, HeapKind, LENGTH, MAX_HEAP, PanicKind};
pub use abi::heap::MIN_HEAP_LENGTH as MIN_HEAP;

/// The version of this crate.
const VERSION: [u8; 3] = [
    number(env!("CARGO_PKG_VERSION_MAJOR")),
    number(env!("CARGO_PKG_VERSION_MINOR")),
    number(env!("CARGO_PKG_VERSION_PATCH")),
];

/// Reads a part of a version. The crate does not compile if it does not fit.
const fn number(text: &str) -> u8 {
    match u8::from_str_radix(text, 10) {
        Ok(number) => number,
        Err(_) => panic!("a part of the version does not fit in a byte"),
    }
}

/// Returns the record of a program. `max_accounts` is 0 for any number of accounts.
#[must_use]
pub const fn record(
    entry: EntryKind,
    heap: HeapKind,
    heap_size: u32,
    panic: PanicKind,
    max_accounts: u8,
    rejects_duplicates: bool,
) -> [u8; LENGTH] {
    let contract = Contract {
        entry,
        heap,
        heap_size,
        panic,
        max_accounts: match max_accounts {
            0 => None,
            max => Some(max),
        },
        rejects_duplicates,
        has_heap_trace: cfg!(feature = "heap-trace"),
        version: VERSION,
    };
    contract.record()
}
