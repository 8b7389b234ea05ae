//! Reads the accounts back from the input of a program that has returned.

use abi::Pubkey;
use abi::input::{AccountHeader, RepeatEntry, rent_epoch_offset};

use crate::account::Data;
use crate::error::Failure;
use crate::invoke::guest::{GuestMemory, Inaccessible, read_pod};
use crate::invoke::write_back::{AccountAfter, most_data};

/// Reads the account in the entry at an address, which was sent with data of this length. `before`
/// is the data as the host knows it.
#[inline]
pub(crate) fn account(
    guest: &mut impl GuestMemory,
    address: u64,
    sent_length: usize,
    before: &Data,
) -> Result<AccountAfter, Failure> {
    let header: AccountHeader = value(guest, address)?;
    // The length is the program's, so it is checked before so much memory is allocated.
    let data = if header.data_length <= most_data(sent_length) {
        guest
            .read_data(
                address + AccountHeader::DATA as u64,
                header.data_length,
                before,
            )
            .map_err(|Inaccessible| input_is_gone())?
    } else {
        Data::new()
    };
    // It stays where it was when the data becomes longer.
    let rent_epoch = rent_epoch_offset(sent_length).unwrap_or(usize::MAX);
    Ok(AccountAfter {
        key: Pubkey::new(header.key),
        owner: Pubkey::new(header.owner),
        kelvins: header.kelvins,
        is_signer: header.is_signer,
        is_writable: header.is_writable,
        executable: header.executable,
        rent_epoch: value(guest, address + rent_epoch as u64)?,
        data_length: header.data_length,
        data,
    })
}

/// Reads the index that the repeat at an address refers to; `None` if the entry is not a repeat any
/// more.
pub(crate) fn repeat(guest: &mut impl GuestMemory, address: u64) -> Result<Option<usize>, Failure> {
    let entry: RepeatEntry = value(guest, address)?;
    Ok((entry.padding == [0; 7]).then_some(entry.index.into()))
}

fn value<T: bytemuck::Pod>(guest: &mut impl GuestMemory, address: u64) -> Result<T, Failure> {
    read_pod(guest, address).map_err(|Inaccessible| input_is_gone())
}

/// Only a native program can unmap memory that the loader mapped.
pub(crate) fn input_is_gone() -> Failure {
    Failure::trapped_because("the program unmapped the memory of the input")
}
