//! Accounts that an instruction does not list.

use abi::input::{AccountHeader, FIRST_OCCURRENCE, entry_length, rent_epoch_offset};
use abi::status::SUCCESS;
use abi::{ProgramError, Pubkey};
use bytemuck::bytes_of;

use super::Returned;
use super::call::Call;
use crate::invoke::guest::GuestMemory;

/// Writes an account of the host's as a read-only entry of the input.
pub(super) fn load_account<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let key = call.read(call.argument(0), 32)?;
    let key = Pubkey::new(bytemuck::pod_read_unaligned(&key));
    let account = call.syscalls.host.find_account(&key);
    let Some((account, length)) = account
        .and_then(|account| entry_length(account.data.len()).map(|length| (account, length)))
    else {
        return Ok(Some(ProgramError::UninitializedAccount.status()));
    };
    let address = call.argument(1);
    call.pay_for(length as u64)?;
    call.check_writable(address, length as u64)?;
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
    let mut entry = Vec::with_capacity(length);
    entry.extend_from_slice(bytes_of(&header));
    entry.extend_from_slice(&account.data);
    // The spare bytes are zero, whatever was there before.
    entry.resize(rent_epoch_offset(account.data.len()).unwrap_or(length), 0);
    entry.extend_from_slice(&account.rent_epoch.to_le_bytes());
    call.write(address, &entry)?;
    Ok(Some(SUCCESS))
}
