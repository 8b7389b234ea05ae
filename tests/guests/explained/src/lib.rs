//! Right code for each error of `docs/errors.md`, where the page has the same lines. It compiles in
//! one crate, because the feature `no-entrypoint` leaves the exports out.
#![allow(dead_code, missing_docs)]

use entrypoint::input::LazyAccounts;
use entrypoint::{AccountInfo, ProgramResult, Pubkey};

fn process_instruction(_: &Pubkey, _: &[AccountInfo<'_>], _: &[u8]) -> ProgramResult {
    Ok(())
}

/// The function is missing.
mod ep0001 {
    use super::*;

    entrypoint::entrypoint!(process_instruction);
}

/// The first argument is not the path of a function.
mod ep0002 {
    use super::*;

    entrypoint::entrypoint!(process_instruction);
}

/// A comma is missing.
mod ep0003 {
    use super::*;

    entrypoint::entrypoint!(process_instruction, heap = custom);
}

/// An option has no name.
mod ep0004 {
    use super::*;

    entrypoint::entrypoint!(process_instruction, heap = custom);
}

/// An option has no value.
mod ep0005 {
    use super::*;

    entrypoint::entrypoint!(process_instruction, heap = segregated);
}

/// An option occurs twice.
mod ep0006 {
    use super::*;

    entrypoint::entrypoint!(process_instruction, panic = location);
}

/// The macro has no option of this name.
mod ep0007 {
    use super::*;

    entrypoint::entrypoint!(process_instruction, heap_size = 64 * 1024);
}

/// The option has no value of this name.
mod ep0008 {
    use super::*;

    entrypoint::entrypoint!(process_instruction, panic = abort);
}

/// `entrypoint!` has no option `max_accounts`.
mod ep0009 {
    use super::*;

    entrypoint::entrypoint_no_alloc!(process_instruction, max_accounts = 16);
}

/// `entrypoint_lazy!` does not check the accounts.
mod ep0010 {
    use super::*;

    entrypoint::entrypoint_lazy!(read_some);

    fn read_some(_: &Pubkey, mut accounts: LazyAccounts, _: &[u8]) -> ProgramResult {
        let _first = accounts.next();
        Ok(())
    }
}

/// `max_accounts` is not a number from 1 to 255.
mod ep0011 {
    use super::*;

    entrypoint::entrypoint_no_alloc!(process_instruction, max_accounts = 255);
}

/// `heap_size` is out of range.
mod ep0012 {
    use super::*;

    entrypoint::entrypoint!(process_instruction, heap_size = 128 * 1024);
}

/// The argument of `custom_heap_default!`.
mod ep0020 {
    entrypoint::custom_heap_default!(segregated);
}

/// The argument of `custom_panic_default!`.
mod ep0021 {
    entrypoint::custom_panic_default!(location);
}

/// The argument of `custom_heap!`.
mod ep0022 {
    use std::alloc::System;

    entrypoint::custom_heap!(static HEAP: System = System);
}

/// The argument of `host_return!`.
mod ep0023 {
    entrypoint::host_return!(static SCRATCH: HostArena<4096>);
}

/// The arguments of `handler!` and `export_handler!`.
mod ep0024 {
    use routes::get;

    entrypoint::handler!(get);

    mod routes {
        pub fn get(_call: entrypoint::handler::Call<'_>) {}
    }
}

/// The name of a handler is taken.
mod ep0025 {
    entrypoint::export_handler!(read_memory);

    fn read_memory(_call: entrypoint::handler::Call<'_>) {}
}

/// `export_alloc!` has no arguments.
mod ep0026 {
    entrypoint::export_alloc!();
}

/// The functions of `host_functions!`.
mod ep0027 {
    entrypoint::host_functions! {
        /// Returns a number in decimal digits.
        fn number(of: &str) -> Option<&str>;
    }

    const _: () = {
        let _ = number;
    };
}

/// A handler is not a program.
mod ep0028 {
    use super::*;

    entrypoint::entrypoint!(process_instruction);
    entrypoint::export_handler!(handle);

    fn handle(_call: entrypoint::handler::Call<'_>) {}
}

/// Errors are not an enum.
mod ep0030 {
    #[derive(entrypoint::ProgramError)]
    enum VaultError {
        WrongAuthority,
    }
}

/// The enum has no variants.
mod ep0031 {
    #[derive(entrypoint::ProgramError)]
    enum VaultError {
        NotOpen,
    }
}

/// The enum has parameters.
mod ep0032 {
    #[derive(entrypoint::ProgramError)]
    enum VaultError {
        WrongAuthority,
        TooMuch,
    }
}

/// A variant has fields.
mod ep0033 {
    #[derive(entrypoint::ProgramError)]
    enum VaultError {
        WrongAuthority,
        TooMuch,
    }
}

/// A code is negative.
mod ep0034 {
    #[derive(entrypoint::ProgramError)]
    enum VaultError {
        NotOpen = 100,
    }
}

/// A text has a zero byte.
mod ep0035 {
    #[derive(entrypoint::ProgramError)]
    enum VaultError {
        #[error("zero bytes")]
        ZeroBytes,
    }
}

/// An attribute occurs twice.
mod ep0036 {
    #[derive(entrypoint::ProgramError)]
    enum VaultError {
        #[error("one text")]
        OneText,
    }
}

/// The attribute `error` has no text.
mod ep0037 {
    #[derive(entrypoint::ProgramError)]
    enum VaultError {
        #[error("the vault is empty")]
        Empty = 7,
    }
}

/// The attribute `program_error`.
mod ep0038 {
    #[derive(entrypoint::ProgramError)]
    #[program_error(crate = ::entrypoint)]
    enum VaultError {
        NotOpen,
    }
}

/// A code does not fit in a u32.
mod ep0039 {
    #[derive(entrypoint::ProgramError)]
    #[repr(u32)]
    enum VaultError {
        Large = u32::MAX,
    }
}

/// The state of a heap is not `Zeroable`.
mod ep0040 {
    use entrypoint::BumpAllocator;

    type State = core::cell::Cell<u64>;

    entrypoint::custom_heap_default!(static HEAP: BumpAllocator<State>);
}

/// `custom_heap_default!` cannot construct this heap.
mod ep0041 {
    use std::alloc::System;

    entrypoint::custom_heap!(static HEAP: System = System);
}

/// The state of a heap is too large.
mod ep0042 {
    use core::cell::Cell;

    use entrypoint::BumpAllocator;

    entrypoint::custom_heap_default!(static HEAP: BumpAllocator<[Cell<u64>; 1024]>);
}

/// A handler returns a type that is not an answer.
mod ep0043 {
    use entrypoint::handler::Call;

    fn number(_call: Call<'_>) -> String {
        5.to_string()
    }

    entrypoint::export_handler!(number);
}

/// A type does not pass between a handler and its host.
mod ep0044 {
    entrypoint::host_functions! {
        /// Returns a number in decimal digits.
        fn number(of: &str) -> Option<&str>;
    }

    const _: () = {
        let _ = number;
    };
}

/// A call has no list of accounts.
mod ep0045 {
    use super::*;

    use entrypoint::{Instruction, invoke};

    pub fn call(instruction: &Instruction<'_>, account: &AccountInfo<'_>) -> ProgramResult {
        invoke(instruction, &[account])
    }
}

/// A call passes something that is not a view of an account.
mod ep0046 {
    use super::*;

    use entrypoint::{Instruction, invoke};

    pub fn call(instruction: &Instruction<'_>, accounts: &[AccountInfo<'_>]) -> ProgramResult {
        invoke(instruction, accounts)
    }
}

/// A type needs a larger alignment than account data has.
mod ep0047 {
    use super::*;

    use entrypoint::ProgramError;

    pub fn total(account: &AccountInfo<'_>) -> Result<u128, ProgramError> {
        Ok(u128::from_le_bytes(*account.try_borrow_as::<[u8; 16]>()?))
    }
}

/// A syscall has more than five parameters.
mod ep0050 {
    entrypoint::declare_syscalls! {
        /// Mixes six numbers.
        ///
        /// # Safety
        ///
        /// The address is that of six numbers.
        pub fn mix(numbers: *const [u64; 6]) -> u64;
    }
}
