//! The bench of entries inside the VM: the guest that `cargo xtask bench entry` measures.
//!
//! One build has one entry, chosen by a feature, over a function that does nothing. The gas of a
//! call is the entry overhead: the export, the registers of the heap, the walk over the accounts or
//! the read of the account table, the status. Accounts have 100 bytes of data each, and there is no
//! instruction data.
//!
//! The bench measures no time. An instruction costs one unit of gas, so every figure is exact and
//! the same everywhere. Another compiler makes other code, and other figures.
//!
//! # Nothing is left out
//!
//! The compiler would remove the walk for a function that reads nothing. So the function
//! [takes](take) all three of its arguments: each must be in a register, and its target in memory.
//! That costs no instruction, so the whole figure is the entry's; [`core::hint::black_box`] would
//! cost seven to ten.
//!
//! A second build, with the feature `checked`, returns the first byte of each account's key, in
//! order. The command compares these with the input, so that no entry looks cheap because it leaves
//! out accounts.
//!
//! # The same for all
//!
//! The entries of other projects are in `peers-bench`, over a function that calls the same
//! [`take`]. `entrypoint_no_alloc!` accepts 64 accounts, its default, which suffices for the
//! longest list that is measured.
#![no_std]

use entrypoint::input::{LazyAccount, LazyAccounts};
use entrypoint::{AccountInfo, ProgramResult, Pubkey};

core::cfg_select! {
    feature = "entrypoint" => { entrypoint::entrypoint!(process_instruction); }
    feature = "entrypoint_no_alloc" => {
        entrypoint::entrypoint_no_alloc!(process_instruction, max_accounts = 64);
    }
    feature = "entrypoint_reject" => {
        entrypoint::entrypoint!(process_instruction, duplicates = reject);
    }
    feature = "entrypoint_lazy" => { entrypoint::entrypoint_lazy!(process_lazily); }
    _ => {}
}

#[cfg(all(
    target_arch = "riscv64",
    target_os = "none",
    not(feature = "no-entrypoint")
))]
const _: () = assert!(
    cfg!(feature = "entrypoint") as usize
        + cfg!(feature = "entrypoint_no_alloc") as usize
        + cfg!(feature = "entrypoint_reject") as usize
        + cfg!(feature = "entrypoint_lazy") as usize
        == 1,
    "choose exactly one entry by its feature; `cargo xtask bench entry` does so"
);

/// Does nothing, but receives all its arguments.
pub fn process_instruction(
    program_id: &Pubkey,
    accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    #[cfg(feature = "checked")]
    report(accounts.iter().map(|account| account.key().as_bytes()[0]));
    take(program_id, accounts, instruction_data);
    Ok(())
}

/// Walks over as many accounts as the instruction data has bytes, and adds up their balances.
pub fn process_lazily(
    program_id: &Pubkey,
    accounts: LazyAccounts,
    instruction_data: &[u8],
) -> ProgramResult {
    let mut sum = 0_u64;
    for account in accounts.take(instruction_data.len()) {
        if let LazyAccount::First(account) = account {
            sum = sum.wrapping_add(account.kelvins());
        }
    }
    take(program_id, &[sum], instruction_data);
    Ok(())
}

/// Forces all three arguments into registers, and their targets into memory, without an
/// instruction.
#[inline(always)]
pub fn take<Id, Account>(program_id: &Id, accounts: &[Account], instruction_data: &[u8]) {
    #[cfg(all(target_arch = "riscv64", target_os = "none"))]
    // SAFETY: there are no instructions. The compiler may assume that they read the registers and
    // any memory.
    unsafe {
        core::arch::asm!(
            "/* {0} {1} {2} {3} {4} */",
            in(reg) program_id,
            in(reg) accounts.as_ptr(),
            in(reg) accounts.len(),
            in(reg) instruction_data.as_ptr(),
            in(reg) instruction_data.len(),
            options(nostack, preserves_flags),
        );
    }
    #[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
    core::hint::black_box((program_id, accounts, instruction_data));
}

/// Returns these bytes, one for each account.
pub fn report(first_bytes: impl ExactSizeIterator<Item = u8>) {
    let mut bytes = [0; 255];
    let count = first_bytes.len();
    for (to, byte) in bytes.iter_mut().zip(first_bytes) {
        *to = byte;
    }
    entrypoint::set_return_data(&bytes[..count]);
}
