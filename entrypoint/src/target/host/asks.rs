//! Replacements of the syscalls that ask the host for something: the thread's
//! [`Host`](crate::testing::Host) has the replies, but those that are calculated.

use std::slice;
use std::vec::Vec;

use abi::call::{CInstruction, LoadedEntry, MAX_CALL_DEPTH, Slice};
use abi::imports::MAX_ARGUMENTS;
use abi::input::{AccountHeader, FIRST_OCCURRENCE};
use abi::instructions::SiblingLengths;
use abi::program_address;
use abi::{ProgramError, Pubkey};
use sha2::{Digest, Sha256};
use sha3::Keccak256;

use crate::testing::{CallRequest, make_call, with_current};

/// Returns the values at an address, as a slice of a call's structures names them.
///
/// # Safety
///
/// `count` values of `T` are readable at `first` until the syscall returns, and nothing writes them
/// until then.
unsafe fn values<'a, T: Copy>(first: *const T, count: u64) -> &'a [T] {
    if count == 0 {
        return &[];
    }
    // SAFETY: by the contract, so many values are readable and not written.
    unsafe { slice::from_raw_parts(first, count as usize) }
}

/// Returns the bytes of each slice.
///
/// # Safety
///
/// `count` slices are readable at `slices`, and the bytes of each of them, until the syscall
/// returns.
unsafe fn parts<'a>(slices: *const u8, count: u64) -> Vec<&'a [u8]> {
    // SAFETY: by the contract, so many slices are readable. They are aligned, because
    // `crate::call::slice_of` makes them as values of this type.
    let slices: &[Slice] = unsafe { values(slices.cast(), count) };
    let parts = slices.iter().map(|part| {
        let first = std::ptr::with_exposed_provenance(part.address as usize);
        // SAFETY: by the contract, the bytes of the slice are readable. `slice_of` has exposed
        // their provenance.
        unsafe { values(first, part.length) }
    });
    parts.collect()
}

/// Reads the key at an address.
///
/// # Safety
///
/// 32 bytes are readable at `key`.
unsafe fn key_at(key: *const u8) -> Pubkey {
    // SAFETY: by the contract, 32 bytes are readable. A `Pubkey` has alignment 1 and no invalid
    // values.
    unsafe { key.cast::<Pubkey>().read() }
}

pub(crate) unsafe fn rlo_invoke_signed_c(
    instruction: *const u8,
    accounts: *const u8,
    accounts_length: u64,
    signers: *const u8,
    signers_length: u64,
) -> u64 {
    // SAFETY: by the syscall's contract, a `CInstruction` is readable, and any bytes are one.
    let instruction = unsafe { instruction.cast::<CInstruction>().read_unaligned() };
    let program_id = std::ptr::with_exposed_provenance(instruction.program_id as usize);
    // SAFETY: by the syscall's contract, 32 bytes are readable.
    let program_id = unsafe { key_at(program_id) };
    let metas = std::ptr::with_exposed_provenance(instruction.accounts.address as usize);
    // SAFETY: by the syscall's contract, so many of them are readable. `invoke_signed`, the only
    // caller, passes a slice of `AccountMeta`.
    let metas = unsafe { values(metas, instruction.accounts.length) };
    let data = std::ptr::with_exposed_provenance(instruction.data.address as usize);
    // SAFETY: by the syscall's contract, so many bytes are readable.
    let data = unsafe { values(data, instruction.data.length) };
    // SAFETY: by the syscall's contract, so many descriptions are readable.
    let accounts = unsafe { values(accounts.cast(), accounts_length) };
    // SAFETY: by the syscall's contract, so many slices of seeds are readable. `invoke_signed`, the
    // only caller, passes a slice of `Signer`.
    let signers = unsafe { values(signers.cast(), signers_length) };
    let request = CallRequest {
        program_id,
        metas,
        data,
        accounts,
        signers,
    };
    // SAFETY: by the syscall's contract, the descriptions are those of views whose entries live
    // until this returns.
    match unsafe { make_call(&request) } {
        Ok(()) => 0,
        Err(error) => error.status(),
    }
}

pub(crate) unsafe fn rlo_get_stack_height() -> u64 {
    let height = with_current(|current| current.depth());
    debug_assert!(height <= MAX_CALL_DEPTH);
    height
}

pub(crate) unsafe fn rlo_create_program_address(
    seeds: *const u8,
    seeds_length: u64,
    program_id: *const u8,
    address: *mut u8,
) -> u64 {
    // SAFETY: by the syscall's contract, the seeds are readable.
    let seeds = unsafe { parts(seeds, seeds_length) };
    // SAFETY: by the syscall's contract, 32 bytes are readable.
    let program_id = unsafe { key_at(program_id) };
    let Ok(found) = program_address::create_program_address(&seeds, &program_id) else {
        return 1;
    };
    // SAFETY: by the syscall's contract, 32 bytes are writable.
    unsafe { address.cast::<Pubkey>().write(found) };
    0
}

pub(crate) unsafe fn rlo_try_find_program_address(
    seeds: *const u8,
    seeds_length: u64,
    program_id: *const u8,
    address: *mut u8,
    bump: *mut u8,
) -> u64 {
    // SAFETY: by the syscall's contract, the seeds are readable.
    let seeds = unsafe { parts(seeds, seeds_length) };
    // SAFETY: by the syscall's contract, 32 bytes are readable.
    let program_id = unsafe { key_at(program_id) };
    let found = program_address::find_program_address(&seeds, &program_id);
    let Some((found, found_bump)) = found else {
        return 1;
    };
    // SAFETY: by the syscall's contract, 32 bytes are writable.
    unsafe { address.cast::<Pubkey>().write(found) };
    // SAFETY: by the syscall's contract, one byte is writable.
    unsafe { bump.write(found_bump) };
    0
}

macro_rules! sysvars {
    ($($symbol:ident = $field:ident;)*) => {
        $(pub(crate) unsafe fn $symbol(value: *mut u8) -> u64 {
            let found = with_current(|current| current.host.sysvars.$field);
            let bytes = bytemuck::bytes_of(&found);
            // SAFETY: by the syscall's contract, a value of the sysvar is writable. It belongs to
            // the caller, so it does not overlap.
            unsafe { value.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
            0
        })*
    };
}

sysvars! {
    rlo_get_clock_sysvar = clock;
    rlo_get_rent_sysvar = rent;
    rlo_get_epoch_schedule_sysvar = epoch_schedule;
    rlo_get_fees_sysvar = fees;
    rlo_get_epoch_rewards_sysvar = epoch_rewards;
    rlo_get_last_restart_slot = last_restart_slot;
    rlo_get_random_seed = random_seed;
}

pub(crate) unsafe fn rlo_get_sysvar(
    id: *const u8,
    result: *mut u8,
    offset: u64,
    length: u64,
) -> u64 {
    // SAFETY: by the syscall's contract, 32 bytes are readable.
    let id = unsafe { key_at(id) };
    let Some(data) = with_current(|current| current.host.sysvar_data(&id)) else {
        return 2;
    };
    let end = offset.checked_add(length);
    let range = end.and_then(|end| data.get(offset as usize..end as usize));
    let Some(bytes) = range else {
        return 1;
    };
    // SAFETY: by the syscall's contract, `length` bytes are writable, and `bytes` has so many. They
    // belong to the caller, so they do not overlap.
    unsafe { result.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    0
}

pub(crate) unsafe fn rlo_load_account(key: *const u8, entry: *mut u8) -> u64 {
    // SAFETY: by the syscall's contract, 32 bytes are readable.
    let key = unsafe { key_at(key) };
    let Some(account) = with_current(|current| current.host.find_account(&key).cloned()) else {
        return ProgramError::UninitializedAccount.status();
    };
    let entry = entry.cast::<LoadedEntry>();
    // SAFETY: by the syscall's contract, a `LoadedEntry` is readable, and any bytes are one.
    let place = unsafe { entry.read_unaligned() };
    let length = (AccountHeader::DATA + account.data.len()) as u64;
    let filled = LoadedEntry { length, ..place };
    // SAFETY: by the syscall's contract, a `LoadedEntry` is writable.
    unsafe { entry.write_unaligned(filled) };
    if length > place.length {
        return ProgramError::AccountDataTooSmall.status();
    }
    let header = AccountHeader {
        marker: FIRST_OCCURRENCE,
        is_signer: 0,
        is_writable: 0,
        executable: account.executable.into(),
        original_data_length: 0,
        key: account.key.to_bytes(),
        owner: account.owner.to_bytes(),
        kelvins: account.kelvins,
        data_length: account.data.len() as u64,
    };
    let to = std::ptr::with_exposed_provenance_mut::<u8>(place.address as usize);
    // SAFETY: by the syscall's contract, `place.length` bytes are writable at the address. The
    // header is shorter than `length`, which is at most that.
    unsafe { to.cast::<AccountHeader>().write_unaligned(header) };
    // SAFETY: as before, and the data ends at `length`.
    let to = unsafe { to.add(AccountHeader::DATA) };
    // SAFETY: as before. The bytes belong to the caller, so they do not overlap the account's.
    unsafe { to.copy_from_nonoverlapping(account.data.as_ptr(), account.data.len()) };
    0
}

pub(crate) unsafe fn rlo_log_data(slices: *const u8, slices_length: u64) {
    // SAFETY: by the syscall's contract, the slices are readable.
    let parts = unsafe { parts(slices, slices_length) };
    let event = parts.into_iter().map(<[u8]>::to_vec).collect();
    with_current(|current| current.record.events.push(event));
}

pub(crate) unsafe fn rlo_sha256(slices: *const u8, slices_length: u64, hash: *mut u8) -> u64 {
    // SAFETY: by the syscall's contract, the slices are readable.
    let parts = unsafe { parts(slices, slices_length) };
    let found = parts.iter().fold(Sha256::new(), Digest::chain_update);
    // SAFETY: by the syscall's contract, 32 bytes are writable.
    unsafe { hash.cast::<[u8; 32]>().write(found.finalize().into()) };
    0
}

pub(crate) unsafe fn rlo_keccak256(slices: *const u8, slices_length: u64, hash: *mut u8) -> u64 {
    // SAFETY: by the syscall's contract, the slices are readable.
    let parts = unsafe { parts(slices, slices_length) };
    let found = parts.iter().fold(Keccak256::new(), Digest::chain_update);
    // SAFETY: by the syscall's contract, 32 bytes are writable.
    unsafe { hash.cast::<[u8; 32]>().write(found.finalize().into()) };
    0
}

pub(crate) unsafe fn rlo_blake3(slices: *const u8, slices_length: u64, hash: *mut u8) -> u64 {
    // SAFETY: by the syscall's contract, the slices are readable.
    let parts = unsafe { parts(slices, slices_length) };
    let mut found = blake3::Hasher::new();
    for part in parts {
        found.update(part);
    }
    // SAFETY: by the syscall's contract, 32 bytes are writable.
    unsafe { hash.cast::<[u8; 32]>().write(found.finalize().into()) };
    0
}

pub(crate) unsafe fn rlo_get_processed_sibling_instruction(
    index: u64,
    lengths: *mut u8,
    program_id: *mut u8,
    data: *mut u8,
    accounts: *mut u8,
) -> u64 {
    let Some(sibling) = with_current(|current| current.sibling(index)) else {
        return 0;
    };
    let lengths = lengths.cast::<SiblingLengths>();
    // SAFETY: by the syscall's contract, `SiblingLengths` are readable, and any bytes are some.
    let passed = unsafe { lengths.read_unaligned() };
    let found = SiblingLengths {
        data_length: sibling.data.len() as u64,
        account_count: sibling.accounts.len() as u64,
    };
    if passed != found {
        // SAFETY: by the syscall's contract, `SiblingLengths` are writable.
        unsafe { lengths.write_unaligned(found) };
        return 1;
    }
    let metas: &[u8] = bytemuck::cast_slice(&sibling.accounts);
    // SAFETY: by the syscall's contract, 32 bytes are writable.
    unsafe { program_id.cast::<Pubkey>().write(sibling.program_id) };
    // SAFETY: the lengths are those that the caller passed, so by the syscall's contract as many
    // bytes are writable. They belong to the caller, so they do not overlap the sibling's.
    unsafe { data.copy_from_nonoverlapping(sibling.data.as_ptr(), sibling.data.len()) };
    // SAFETY: as before, as many accounts are writable, which do not overlap the sibling's.
    unsafe { accounts.copy_from_nonoverlapping(metas.as_ptr(), metas.len()) };
    1
}

/// Makes the syscall of an embedder's with this name, which the test's host has.
///
/// # Safety
///
/// The arguments fulfil the contract of the syscall.
pub(super) unsafe fn own(name: &str, arguments: &[u64; MAX_ARGUMENTS]) -> u64 {
    let function = with_current(|current| current.host.find_syscall(name));
    let function = function.unwrap_or_else(|| {
        panic!(
            "the function calls the syscall `{name}`, which the host of this test does not have: \
             add it with `testing::Host::syscall`, and run the test in `testing::Host::run`"
        )
    });
    function(*arguments)
}
