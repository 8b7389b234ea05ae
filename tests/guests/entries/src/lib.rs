//! Returns its view of its accounts, under each entry macro: program id, length of the instruction
//! data, and [`SEEN_LENGTH`] bytes for each account in order.
#![no_std]

use entrypoint::{AccountInfo, ProgramResult, Pubkey, set_return_data};

#[cfg(not(any(
    feature = "no_alloc",
    feature = "no_alloc_reject",
    feature = "lazy",
    feature = "reject"
)))]
entrypoint::entrypoint!(process_instruction);
#[cfg(feature = "reject")]
entrypoint::entrypoint!(process_instruction, duplicates = reject);
#[cfg(feature = "no_alloc")]
entrypoint::entrypoint_no_alloc!(process_instruction, max_accounts = 8);
#[cfg(feature = "no_alloc_reject")]
entrypoint::entrypoint_no_alloc!(process_instruction, max_accounts = 8, duplicates = reject);
#[cfg(feature = "lazy")]
entrypoint::entrypoint_lazy!(process_lazily);

/// The most accounts in a test.
pub const MAX_ACCOUNTS: usize = 8;

/// Length in bytes of the view of an account: distance of its key from the instruction data, key,
/// owner, kelvins, data length, rent epoch, three flags, 5 zero bytes.
pub const SEEN_LENGTH: usize = 8 + 32 + 32 + 8 + 8 + 8 + 8;

/// Length in bytes of the start: program id and length of the instruction data.
pub const PREFIX_LENGTH: usize = 32 + 8;

/// Returns its view.
pub fn process_instruction(
    program_id: &Pubkey,
    accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let mut seen = [0; PREFIX_LENGTH + SEEN_LENGTH * MAX_ACCOUNTS];
    let (prefix, rest) = seen.split_at_mut(PREFIX_LENGTH);
    prefix[..32].copy_from_slice(program_id.as_bytes());
    prefix[32..].copy_from_slice(&(instruction_data.len() as u64).to_le_bytes());
    for (account, seen) in accounts.iter().zip(rest.chunks_exact_mut(SEEN_LENGTH)) {
        let key = account.key().as_bytes();
        let distance = key.as_ptr().addr() - instruction_data.as_ptr().addr();
        let numbers = [
            distance as u64,
            account.kelvins(),
            account.data_len() as u64,
            account.rent_epoch(),
        ];
        let flags = [
            account.is_signer(),
            account.is_writable(),
            account.executable(),
        ];
        let (numbered, rest) = seen.split_at_mut(32);
        for (place, number) in numbered.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        rest[..32].copy_from_slice(key);
        rest[32..64].copy_from_slice(account.owner().as_bytes());
        rest[64..67].copy_from_slice(&flags.map(u8::from));
    }
    set_return_data(&seen[..PREFIX_LENGTH + SEEN_LENGTH * accounts.len()]);
    Ok(())
}

/// Returns its view, with the lazy entry.
#[cfg(feature = "lazy")]
pub fn process_lazily(
    program_id: &Pubkey,
    entries: entrypoint::input::LazyAccounts,
    instruction_data: &[u8],
) -> ProgramResult {
    use entrypoint::ProgramError;
    use entrypoint::input::LazyAccount;

    let mut accounts: [Option<AccountInfo>; MAX_ACCOUNTS] = [None; MAX_ACCOUNTS];
    let count = entries.len();
    for (position, entry) in entries.enumerate() {
        let account = match entry {
            LazyAccount::First(account) => Some(account),
            LazyAccount::Repeat(index) => accounts.get(index).copied().flatten(),
        };
        *accounts
            .get_mut(position)
            .ok_or(ProgramError::InvalidArgument)? = account;
    }
    let Some(first) = accounts[0] else {
        return process_instruction(program_id, &[], instruction_data);
    };
    let accounts = accounts.map(|account| account.unwrap_or(first));
    process_instruction(program_id, &accounts[..count], instruction_data)
}
