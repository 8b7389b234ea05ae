//! Views of accounts: borrows, lengths, balances, owners, and the bytes of the input.

use std::panic::{AssertUnwindSafe, catch_unwind};

use entrypoint::input::{Input, read};
use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, Ref, RefMut};
use proptest::prelude::*;

use tests::input::{inputs, read_checked, see, two_and_a_repeat, words};
use tests::model::{Model, operations};

// This entry lists the accounts on the stack; the tests of `readers` have the one with a list on
// the heap.
entrypoint::entrypoint_no_alloc!(pay, max_accounts = 6);

unsafe extern "C" {
    fn entrypoint(input: *mut u8) -> u64;
}

/// Moves one kelvin for each byte of instruction data from the first account to the last.
fn pay(_program_id: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    let [first, .., last] = accounts else {
        return Err(ProgramError::NotEnoughAccountKeys);
    };
    first.debit(data.len() as u64)?;
    last.credit(data.len() as u64)
}

const BORROWED: ProgramError = ProgramError::AccountBorrowFailed;

/// Passes three views to the test: two accounts, and a repeat of the first.
fn with_views(test: impl FnOnce([AccountInfo<'_>; 3])) {
    let mut bytes = two_and_a_repeat().bytes();
    let input: Input<'_> = read(&mut bytes).expect("a valid input");
    test(input.accounts.try_into().expect("three accounts"));
}

#[test]
fn mutable_borrow_excludes_a_mutable_borrow() {
    with_views(|[first, second, again]| {
        let mut data = first.try_borrow_mut_data().unwrap();
        assert_eq!(first.try_borrow_mut_data().unwrap_err(), BORROWED);
        assert_eq!(again.try_borrow_mut_data().unwrap_err(), BORROWED);
        let copy = again;
        assert_eq!(copy.try_borrow_mut_data().unwrap_err(), BORROWED);
        let mut other = second.try_borrow_mut_data().unwrap();
        data[0] = 1;
        other[0] = 2;
        drop(data);
        assert_eq!(again.try_borrow_mut_data().unwrap()[0], 1);
        assert_eq!(other[0], 2);
    });
}

#[test]
fn mutable_borrow_excludes_shared_borrows() {
    with_views(|[first, _, again]| {
        let data = first.try_borrow_mut_data().unwrap();
        assert_eq!(first.try_borrow_data().unwrap_err(), BORROWED);
        assert_eq!(again.try_borrow_data().unwrap_err(), BORROWED);
        drop(data);

        let one = first.try_borrow_data().unwrap();
        let two = again.try_borrow_data().unwrap();
        assert_eq!(*one, *two);
        drop(one);
        assert_eq!(first.try_borrow_mut_data().unwrap_err(), BORROWED);
        assert_eq!(again.try_borrow_mut_data().unwrap_err(), BORROWED);
        drop(two);
        assert!(again.try_borrow_mut_data().is_ok());
    });
}

#[test]
fn at_most_254_shared_borrows_live_at_once() {
    with_views(|[first, second, again]| {
        let views = [first, again].into_iter().cycle();
        let mut borrows: Vec<Ref<'_, [u8]>> = views
            .take(254)
            .map(|view| view.try_borrow_data().unwrap())
            .collect();
        assert_eq!(first.try_borrow_data().unwrap_err(), BORROWED);
        assert_eq!(again.try_borrow_mut_data().unwrap_err(), BORROWED);
        assert_eq!(second.try_borrow_data().unwrap()[..], *b"the second");
        borrows.pop();
        borrows.push(again.try_borrow_data().unwrap());
        assert_eq!(first.try_borrow_data().unwrap_err(), BORROWED);
        assert!(borrows.iter().all(|data| **data == *b"first"));
        drop(borrows);
        assert_eq!(first.try_borrow_mut_data().unwrap()[..], *b"first");
    });
}

#[test]
fn a_narrowed_borrow_is_the_same_borrow() {
    with_views(|[first, _, again]| {
        let part = Ref::map(first.try_borrow_data().unwrap(), |data| &data[1..3]);
        assert_eq!(*part, *b"ir");
        let byte = Ref::map(part, |part| &part[1]);
        assert_eq!(*byte, b'r');
        assert_eq!(again.try_borrow_mut_data().unwrap_err(), BORROWED);
        drop(byte);

        let mut part = RefMut::map(first.try_borrow_mut_data().unwrap(), |data| &mut data[1..3]);
        part.copy_from_slice(b"ae");
        assert_eq!(again.try_borrow_data().unwrap_err(), BORROWED);
        assert_eq!(again.try_borrow_mut_data().unwrap_err(), BORROWED);
        let mut byte = RefMut::map(part, |part| &mut part[0]);
        *byte = b'A';
        assert_eq!(again.try_borrow_data().unwrap_err(), BORROWED);
        drop(byte);
        assert_eq!(again.try_borrow_data().unwrap()[..], *b"fAest");
    });
}

#[test]
fn a_borrow_ends_if_narrowing_it_panics() {
    with_views(|[first, _, again]| {
        let shared = first.try_borrow_data().unwrap();
        let narrow = AssertUnwindSafe(|| drop(Ref::map(shared, |data| &data[9])));
        assert!(catch_unwind(narrow).is_err());
        let mutable = first.try_borrow_mut_data().unwrap();
        let narrow = AssertUnwindSafe(|| drop(RefMut::map(mutable, |data| &mut data[9])));
        assert!(catch_unwind(narrow).is_err());
        assert!(again.try_borrow_mut_data().is_ok());
    });
}

#[test]
fn empty_data_is_borrowed_like_any_other() {
    let mut expected = two_and_a_repeat();
    expected.account_mut(0).data.clear();
    let mut bytes = expected.bytes();
    let accounts = read(&mut bytes).unwrap().accounts;
    assert!(accounts[0].data_is_empty());
    let data = accounts[0].try_borrow_mut_data().unwrap();
    assert!(data.is_empty());
    assert_eq!(accounts[2].try_borrow_data().unwrap_err(), BORROWED);
    drop(data);
    assert!(accounts[2].try_borrow_data().unwrap().is_empty());
}

#[test]
fn data_grows_by_at_most_10_240_bytes() {
    for original in [0, 1, 5, 8] {
        let mut expected = two_and_a_repeat();
        expected.account_mut(0).data = vec![3; original];
        let mut bytes = expected.bytes();
        let [first, _, again] = read(&mut bytes).unwrap().accounts.try_into().unwrap();
        let most = original + 10_240;

        // Grow in one step, and in several steps: each counts from the length at the entry.
        let steps = [most, 5_000, 10_000, most, 0, most, original, 1];
        for (view, length) in [first, again].into_iter().cycle().zip(steps) {
            view.resize(length).unwrap();
            assert_eq!(first.data_len(), length);
            assert_eq!(again.data_len(), length);
            assert_eq!(first.original_data_len(), original);
            for too_long in [most + 1, most + 5_000, usize::MAX] {
                assert_eq!(first.resize(too_long), Err(ProgramError::InvalidRealloc));
                assert_eq!(again.resize(too_long), Err(ProgramError::InvalidRealloc));
            }
            assert_eq!(
                first.data_len(),
                length,
                "a rejected resize changes nothing"
            );
            assert_eq!(first.rent_epoch(), expected.account(0).rent_epoch);
        }
    }
}

#[test]
fn bytes_regained_by_a_resize_are_zero() {
    with_views(|[first, _, again]| {
        first.resize(5 + 10_240).unwrap();
        assert!(
            first.try_borrow_data().unwrap()[5..]
                .iter()
                .all(|byte| *byte == 0)
        );
        first.try_borrow_mut_data().unwrap().fill(0xEE);
        again.resize(2).unwrap();
        assert_eq!(first.try_borrow_data().unwrap()[..], [0xEE; 2]);
        first.resize(5 + 10_240).unwrap();
        let data = again.try_borrow_data().unwrap();
        assert_eq!(data[..2], [0xEE; 2]);
        assert!(data[2..].iter().all(|byte| *byte == 0));
    });
}

#[test]
fn data_is_not_resized_while_it_is_borrowed() {
    with_views(|[first, second, again]| {
        let shared = first.try_borrow_data().unwrap();
        assert_eq!(first.resize(4), Err(BORROWED));
        assert_eq!(again.resize(5), Err(BORROWED));
        drop(shared);
        let mutable = again.try_borrow_mut_data().unwrap();
        assert_eq!(first.resize(6), Err(BORROWED));
        assert_eq!(again.resize(usize::MAX), Err(BORROWED));
        second.resize(0).unwrap();
        drop(mutable);
        assert_eq!(first.data_len(), 5);
        first.resize(4).unwrap();
    });
}

#[test]
fn growth_leaves_other_accounts_unchanged() {
    let expected = two_and_a_repeat();
    let mut bytes = expected.bytes();
    let start = bytes.as_ptr().addr();
    let [first, second, _] = read(&mut bytes).unwrap().accounts.try_into().unwrap();
    let before = see(start, &second);
    first.resize(5 + 10_240).unwrap();
    first.try_borrow_mut_data().unwrap().fill(0xFF);
    assert_eq!(see(start, &second), before);
    assert_eq!(first.rent_epoch(), expected.account(0).rent_epoch);
    let before = see(start, &first);
    second.resize(10 + 10_240).unwrap();
    second.try_borrow_mut_data().unwrap().fill(0xFF);
    assert_eq!(see(start, &first), before);
    assert_eq!(second.rent_epoch(), expected.account(1).rent_epoch);
    assert_eq!(
        bytes[bytes.len() - 8..],
        [0; 8],
        "the repeat after the spare bytes"
    );
}

#[test]
fn balance_stays_within_its_bounds() {
    with_views(|[first, _, again]| {
        assert_eq!(
            first.credit(u64::MAX - 99),
            Err(ProgramError::ArithmeticOverflow)
        );
        assert_eq!(again.kelvins(), 100);
        assert_eq!(first.debit(101), Err(ProgramError::InsufficientFunds));
        assert_eq!(again.kelvins(), 100);
        again.debit(100).unwrap();
        assert_eq!(first.kelvins(), 0);
        first.credit(u64::MAX).unwrap();
        assert_eq!(again.credit(1), Err(ProgramError::ArithmeticOverflow));
        assert_eq!(again.kelvins(), u64::MAX);
    });
}

#[test]
fn account_is_owned_by_its_new_owner() {
    with_views(|[first, second, again]| {
        let [old, new] = [Pubkey::new([9; 32]), Pubkey::new([77; 32])];
        assert!(first.is_owned_by(&old));
        again.assign(&new);
        assert_eq!(first.owner(), new);
        assert!(first.is_owned_by(&new));
        assert!(!first.is_owned_by(&old));
        assert!(second.is_owned_by(&old));
        assert_eq!(first.key(), &Pubkey::new([1; 32]));
    });
}

#[test]
fn no_alloc_program_sees_the_same_bytes() {
    let mut expected = two_and_a_repeat();
    expected.entries.truncate(2);
    let mut input = words(&expected.bytes());
    // SAFETY: the words are aligned to 8 and contain a valid input.
    assert_eq!(unsafe { entrypoint(input.as_mut_ptr().cast()) }, 0);
    expected.account_mut(0).kelvins = 97;
    expected.account_mut(1).kelvins = 203;
    read_checked(bytemuck::cast_slice_mut(&mut input))
        .unwrap()
        .check(&expected);

    expected.account_mut(0).kelvins = 2;
    let mut input = words(&expected.bytes());
    // SAFETY: the words are aligned to 8 and contain a valid input.
    assert_eq!(unsafe { entrypoint(input.as_mut_ptr().cast()) }, 6 << 32);

    expected.entries.clear();
    let mut input = words(&expected.bytes());
    // SAFETY: the words are aligned to 8 and contain a valid input.
    assert_eq!(unsafe { entrypoint(input.as_mut_ptr().cast()) }, 11 << 32);
}

#[test]
fn invalid_key_text_is_rejected() {
    let refusal = |text: &str| text.parse::<Pubkey>().expect_err(text).to_string();
    let too_long = "the text stands for more than 32 bytes";
    assert_eq!(refusal(""), "the text stands for 0 bytes, a key has 32");
    assert_eq!(refusal("1111"), "the text stands for 4 bytes, a key has 32");
    assert_eq!(
        refusal(&"1".repeat(31)),
        "the text stands for 31 bytes, a key has 32"
    );
    assert_eq!(refusal(&"1".repeat(33)), too_long);
    assert_eq!(refusal(&"1".repeat(34)), too_long);
    assert_eq!(refusal(&"z".repeat(44)), too_long);
    assert_eq!(refusal(&"z".repeat(1_000)), too_long);
    assert_eq!(
        refusal("11l1"),
        "'l' at position 2 is not a base58 character"
    );
    assert_eq!(refusal("0"), "'0' at position 0 is not a base58 character");
    assert_eq!(
        refusal("1 1"),
        "' ' at position 1 is not a base58 character"
    );
    assert_eq!(refusal("11é1"), "the character at position 2 is not ASCII");
    assert_eq!("1".repeat(32).parse(), Ok(Pubkey::new([0; 32])));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn key_text_round_trips(bytes in any::<[u8; 32]>(), zeros in 0..=32_usize) {
        let mut bytes = bytes;
        bytes[..zeros].fill(0);
        let key = Pubkey::new(bytes);
        let text = key.to_string();
        prop_assert!(text.len() <= Pubkey::MAX_TEXT_LENGTH);
        prop_assert_eq!(text.parse(), Ok(key));
        prop_assert_eq!(format!("{key:?}"), format!("Pubkey({text})"));
        // The runtime's crate formats a key as the same text.
        prop_assert_eq!(rialo_s_pubkey::Pubkey::from(bytes).to_string(), text);
    }

    #[test]
    fn views_match_the_model(
        expected in inputs(), operations in operations(), restore in any::<bool>(),
    ) {
        let mut bytes = expected.bytes();
        Model::new(expected).run(&mut bytes, &operations, restore);
    }
}
