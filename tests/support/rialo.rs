//! The readers of the Rialo runtime's own crate, compared with the expected contents of an input.

use std::mem::MaybeUninit;
use std::rc::Rc;

use crate::input::{Account, Expected, read_checked};

/// Checks that the Rialo runtime's own readers read an input, with an account table or without.
pub fn rialo_reads(bytes: &mut [u64], expected: &Expected) {
    // The runtime's readers check no bounds, so the checked reader validates the input first. It
    // also stores the original lengths.
    let checked = read_checked(bytemuck::cast_slice_mut(bytes));
    checked.expect("a valid input").check(expected);

    let input: *mut u8 = bytes.as_mut_ptr().cast();
    // SAFETY: the words are aligned to 8, and the checked reader has accepted them as an input.
    let (id, accounts, data) = unsafe { rialo_s_program_entrypoint::deserialize(input) };
    check_rialo(id, &accounts, data, expected);
    drop(accounts);

    let mut list = [const { MaybeUninit::uninit() }; 64];
    // SAFETY: the words are aligned to 8 and a valid input, and the first reader's views are gone.
    let (id, count, data) =
        unsafe { rialo_s_program_entrypoint::deserialize_into(input, &mut list) };
    let accounts: Vec<RialoAccount<'_>> = list[..count]
        .iter()
        // SAFETY: the reader has written the first `count` elements, and each is moved out once.
        .map(|account| unsafe { account.assume_init_read() })
        .collect();
    check_rialo(id, &accounts, data, expected);
}

/// A view of an account in the Rialo runtime's crate.
pub type RialoAccount<'a> = rialo_s_account_info::AccountInfo<'a>;

fn check_rialo(
    program_id: &rialo_s_pubkey::Pubkey,
    accounts: &[RialoAccount<'_>],
    instruction_data: &[u8],
    expected: &Expected,
) {
    assert_eq!(program_id.to_bytes(), expected.program_id);
    assert_eq!(instruction_data, expected.instruction_data);
    let seen = accounts.iter().map(|account| Account {
        is_signer: account.is_signer,
        is_writable: account.is_writable,
        executable: account.executable,
        key: account.key.to_bytes(),
        owner: account.owner.to_bytes(),
        kelvins: account.kelvins(),
        data: account.data.borrow().to_vec(),
        rent_epoch: account.rent_epoch,
    });
    assert_eq!(seen.collect::<Vec<_>>(), expected.accounts());
    for (position, account) in accounts.iter().enumerate() {
        for (other_position, other) in accounts.iter().enumerate() {
            let same = expected.first(position) == expected.first(other_position);
            assert_eq!(Rc::ptr_eq(&account.data, &other.data), same);
            assert_eq!(Rc::ptr_eq(&account.kelvins, &other.kelvins), same);
        }
    }
}
