//! The rules by which a program's changes are kept.
//!
//! They are checked for the whole invocation before anything is kept; one change that is not allowed
//! refuses them all.
//!
//! Where several rules are broken, the refusal is that of the first account in the list, repeats included, and of the
//! first rule in this order: length, because nothing is read before it is known to be there; then what never changes, in
//! the order of the fields; then what a read-only account keeps; then what a foreign one keeps: owner, data, kelvins;
//! then the data of an account that is given away. The sum of the kelvins comes last of all: it is no account's.

use abi::Pubkey;
use abi::input::{
    AccountHeader, MAX_PERMITTED_DATA_INCREASE, MAX_PERMITTED_DATA_LENGTH, RepeatEntry,
};

use crate::account::{Account, AccountInput};
use crate::error::WriteBackError;

/// Checks how much data an account claims to have, before anybody reads it.
pub(crate) fn check_length(
    index: usize,
    before: &AccountInput,
    header: &AccountHeader,
) -> Result<usize, WriteBackError> {
    let key = before.account.key;
    let from = before.account.data.len() as u64;
    let to = header.data_length;
    if to > from + MAX_PERMITTED_DATA_INCREASE as u64 {
        return Err(WriteBackError::DataGrewTooMuch {
            index,
            key,
            from,
            to,
        });
    }
    if to > MAX_PERMITTED_DATA_LENGTH as u64 {
        return Err(WriteBackError::DataTooLong {
            index,
            key,
            length: to,
        });
    }
    // At most 10 MiB.
    Ok(to as usize)
}

/// Checks one account, and returns it as it is to be kept.
pub(crate) fn check_account(
    index: usize,
    program_id: &Pubkey,
    before: &AccountInput,
    header: &AccountHeader,
    data: Vec<u8>,
    rent_epoch: u64,
) -> Result<Account, WriteBackError> {
    let account = &before.account;
    let key = account.key;
    if header.key != key.to_bytes() {
        return Err(WriteBackError::KeyChanged { index, key });
    }
    if header.is_signer != u8::from(before.is_signer) {
        return Err(WriteBackError::SignerFlagChanged { index, key });
    }
    if header.is_writable != u8::from(before.is_writable) {
        return Err(WriteBackError::WritableFlagChanged { index, key });
    }
    if header.executable != u8::from(account.executable) {
        return Err(WriteBackError::ExecutableChanged { index, key });
    }
    if rent_epoch != account.rent_epoch {
        return Err(WriteBackError::RentEpochChanged { index, key });
    }

    let owner = Pubkey::new(header.owner);
    let data_changed = data != account.data;
    let reassigned = owner != account.owner;
    if !before.is_writable && (data_changed || reassigned || header.kelvins != account.kelvins) {
        return Err(WriteBackError::AccountNotWritable { index, key });
    }
    if account.owner != *program_id {
        if reassigned {
            return Err(WriteBackError::ReassignedByNonOwner { index, key });
        }
        if data_changed {
            return Err(WriteBackError::DataChangedByNonOwner { index, key });
        }
        if header.kelvins < account.kelvins {
            return Err(WriteBackError::DebitedByNonOwner { index, key });
        }
    }
    if reassigned && data.iter().any(|byte| *byte != 0) {
        return Err(WriteBackError::ReassignedWithData { index, key });
    }
    Ok(Account {
        key,
        owner,
        kelvins: header.kelvins,
        data,
        executable: account.executable,
        rent_epoch,
    })
}

/// Checks that a repeat still says what it said.
pub(crate) fn check_repeat(
    index: usize,
    first: usize,
    key: Pubkey,
    entry: &RepeatEntry,
) -> Result<(), WriteBackError> {
    if usize::from(entry.index) != first || entry.padding != [0; 7] {
        return Err(WriteBackError::RepeatChanged { index, key, first });
    }
    Ok(())
}

/// Checks that no kelvins were made or lost.
pub(crate) fn check_kelvins<'a>(
    before: impl Iterator<Item = &'a Account>,
    after: impl Iterator<Item = &'a Account>,
) -> Result<(), WriteBackError> {
    let before: u128 = before.map(|account| u128::from(account.kelvins)).sum();
    let after: u128 = after.map(|account| u128::from(account.kelvins)).sum();
    if before != after {
        return Err(WriteBackError::KelvinsNotConserved { before, after });
    }
    Ok(())
}
