//! Accounts, through every method of their view.

use core::mem;

use alloc::vec::Vec;

use entrypoint::{AccountInfo, ProgramError, ProgramResult, Ref, RefMut, msg};

use crate::Call;

pub fn describe(call: &Call) {
    msg!(
        "program {}, {} accounts",
        call.program_id,
        call.accounts.len()
    );
    for account in call.accounts {
        msg!("{account:?}");
        msg!(
            "{}{}{} {} {} {} {} {}",
            u8::from(account.is_signer()),
            u8::from(account.is_writable()),
            u8::from(account.executable()),
            u8::from(account.is_owned_by(call.program_id)),
            u8::from(account.data_is_empty()),
            account.data_len(),
            account.original_data_len(),
            account.rent_epoch()
        );
        match account.try_borrow_data() {
            Ok(data) => msg!(
                "sum {}",
                data.iter()
                    .fold(0_u64, |sum, byte| sum * 31 % 65_521 + u64::from(*byte))
            ),
            Err(error) => msg!("{error}"),
        }
    }
}

pub fn set_data(account: &AccountInfo, offset: u64, byte: u64) -> ProgramResult {
    let mut data = account.try_borrow_mut_data()?;
    let offset = usize::try_from(offset).map_err(|_| ProgramError::AccountDataTooSmall)?;
    *data
        .get_mut(offset)
        .ok_or(ProgramError::AccountDataTooSmall)? = byte as u8;
    Ok(())
}

pub fn turn_data(account: &AccountInfo, by: u64, how: u64) -> ProgramResult {
    let mut data = account.try_borrow_mut_data()?;
    let length = data.len();
    if length == 0 {
        return Err(ProgramError::AccountDataTooSmall);
    }
    let by = (by % length as u64) as usize;
    match how % 5 {
        0 => data.rotate_left(by),
        1 => data.reverse(),
        2 => data.copy_within(..by, length - by),
        3 => data[by..].fill(how as u8),
        _ => data.sort_unstable(),
    }
    // A part of the data, by a mapped borrow.
    let part = RefMut::map(data, |data| &mut data[by..]);
    msg!("{} left, the first {}", part.len(), part[0]);
    Ok(())
}

pub fn transfer(from: &AccountInfo, to: &AccountInfo, kelvins: u64) -> ProgramResult {
    from.debit(kelvins)?;
    to.credit(kelvins)
}

pub fn resize(account: &AccountInfo, length: u64) -> ProgramResult {
    // `resize` checks the borrow before the length. So a length that does not fit in a `usize` must
    // reach it too.
    account.resize(usize::try_from(length).unwrap_or(usize::MAX))
}

pub fn borrow_two(first: &AccountInfo, second: &AccountInfo, how: u64) {
    fn both<A, B>(
        first: Result<A, ProgramError>,
        second: impl FnOnce() -> Result<B, ProgramError>,
    ) {
        let second = second();
        msg!("{:?} {:?}", first.as_ref().err(), second.as_ref().err());
    }
    match how % 5 {
        0 => both(first.try_borrow_data(), || second.try_borrow_data()),
        1 => both(first.try_borrow_mut_data(), || second.try_borrow_data()),
        2 => both(first.try_borrow_data(), || second.try_borrow_mut_data()),
        3 => both(first.try_borrow_mut_data(), || second.try_borrow_mut_data()),
        _ => both(first.try_borrow_data(), || second.resize(1)),
    }
}

pub fn borrow_often(account: &AccountInfo, times: u64) {
    let mut borrows: Vec<Ref<[u8]>> = Vec::new();
    for _ in 0..times % 300 {
        match account.try_borrow_data() {
            Ok(borrow) => borrows.push(borrow),
            Err(error) => {
                msg!("{error} at {}", borrows.len());
                return;
            }
        }
    }
    msg!("{} borrows", borrows.len());
}

pub fn leak_borrow(account: &AccountInfo, how: u64) -> ProgramResult {
    if how % 2 == 1 {
        mem::forget(account.try_borrow_mut_data()?);
    } else {
        mem::forget(account.try_borrow_data()?);
    }
    Ok(())
}
