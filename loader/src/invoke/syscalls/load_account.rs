//! Accounts that an instruction does not list.

use abi::call::LoadedEntry;
use abi::input::{AccountHeader, FIRST_OCCURRENCE};
use abi::status::SUCCESS;
use abi::{ProgramError, Pubkey};
use bytemuck::{bytes_of, pod_read_unaligned};

use super::Returned;
use super::call::Call;
use crate::invoke::guest::GuestMemory;

/// Writes header and data of an account of the host's into the program's memory, as in a read-only
/// entry of the input.
///
/// The program says how much memory there is. Without that, a longer account than it expects would
/// overwrite what lies behind.
pub(super) fn load_account<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let key = call.read(call.argument(0), 32)?;
    let key = Pubkey::new(pod_read_unaligned(&key));
    let place = call.read(call.argument(1), size_of::<LoadedEntry>() as u64)?;
    let place: LoadedEntry = pod_read_unaligned(&place);
    let Some(account) = call.syscalls.host.find_account(&key) else {
        return Ok(Some(ProgramError::UninitializedAccount.status()));
    };
    let length = (AccountHeader::DATA + account.data.len()) as u64;
    // The host has copied the account by now, whether or not there is memory for it.
    call.pay_for(length)?;
    let filled = LoadedEntry { length, ..place };
    call.pay_for(size_of::<LoadedEntry>() as u64)?;
    call.write(call.argument(1), bytes_of(&filled))?;
    if length > place.length {
        return Ok(Some(ProgramError::AccountDataTooSmall.status()));
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
    let entry = [bytes_of(&header), &account.data].concat();
    call.write(place.address, &entry)?;
    Ok(Some(SUCCESS))
}
