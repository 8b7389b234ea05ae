//! All readers agree on every input that the checked one accepts: the checked reader itself, the
//! lazy one, and those of the macros, with and without an account table.

use std::cell::{Cell, RefCell};
use std::ptr;

use abi::input::ACCOUNT_TABLE_MAGIC;
use entrypoint::__private::{AccountTable, enter, enter_lazily, enter_no_alloc};
use entrypoint::input::{Field, InputError, LazyAccounts, read};
use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey};
use proptest::prelude::*;
use proptest::sample::Index;

use tests::input::{
    Entry, Expected, Seen, Span, inputs, list, read_all_lazily, read_checked, two_and_a_repeat,
    words,
};

entrypoint::entrypoint!(record);

unsafe extern "C" {
    fn entrypoint(input: *mut u8) -> u64;
}

thread_local! {
    static INPUT: Cell<usize> = const { Cell::new(0) };
    static SEEN: RefCell<Option<Seen>> = const { RefCell::new(None) };
    static RESULT: Cell<ProgramResult> = const { Cell::new(Ok(())) };
}

fn record(program_id: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    SEEN.set(Some(Seen::new(INPUT.get(), program_id, accounts, data)));
    RESULT.get()
}

fn record_lazily(program_id: &Pubkey, accounts: LazyAccounts, data: &[u8]) -> ProgramResult {
    record(program_id, &list(accounts), data)
}

/// The most entries in an input of these tests.
const MAX_ACCOUNTS: usize = 301;

/// What a program reads, which must be the same with every entry macro, and its status. The checked
/// reader must have accepted the first `length` bytes of `input`. An input that ends like one with
/// an account table must have one.
fn read_trusted(input: &mut [u64], length: usize) -> (Seen, u64) {
    let footer: Option<&[u64; 2]> = input.last_chunk();
    let table = match footer {
        Some([count, ACCOUNT_TABLE_MAGIC]) if *count != 0 => {
            Some(size_of_val(input) - 16 - 8 * *count as usize)
        }
        _ => None,
    };
    let input: *mut u8 = input.as_mut_ptr().cast();
    let announced = table.map_or(ptr::null_mut(), |offset| input.wrapping_add(offset));
    INPUT.set(input.addr());
    let mut results = Vec::new();
    let mut keep = |status| results.push((SEEN.take().expect("the program was called"), status));
    // SAFETY: the words are aligned to 8. The checked reader has accepted these bytes, so they are
    // a valid input. No view of an account exists any more.
    keep(unsafe { entrypoint(input) });
    for table in [
        AccountTable::NotKnown,
        AccountTable::AtEndOf(length),
        AccountTable::At(ptr::null()),
        AccountTable::At(announced),
    ] {
        // SAFETY: the words are aligned to 8 and a valid input of `length` bytes. A table is where
        // the loader would announce it. No view exists.
        keep(unsafe { enter::<false>(input, table, record) });
        // SAFETY: the words are aligned to 8 and a valid input of `length` bytes. A table is where
        // the loader would announce it. No view exists.
        keep(unsafe { enter_no_alloc::<MAX_ACCOUNTS, false>(input, table, record) });
    }
    // SAFETY: the words are aligned to 8 and a valid input, and no view of an account exists.
    keep(unsafe { enter_lazily(input, AccountTable::NotKnown, record_lazily) });
    for result in &results {
        assert_eq!(result, &results[0]);
    }
    results.swap_remove(0)
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// An input with an account table, which holds the addresses of the entries in this vector.
fn with_table(expected: &Expected, bytes: &[u8], spans: &[Span]) -> Vec<u64> {
    let with_table = |address| {
        let mut bytes = bytes.to_vec();
        expected.append_table(&mut bytes, spans, address);
        words(&bytes)
    };
    let mut input = with_table(0);
    let address = input.as_ptr().addr() as u64;
    input.copy_from_slice(&with_table(address));
    input
}

/// A change to the bytes of a valid input.
#[derive(Clone, Debug)]
enum Mutation {
    Flip(Place, u8),
    Word(Place, u64),
    Truncate(Place),
    Extend(Vec<u8>),
}

/// Most bytes of an input are data or spare bytes, so a uniformly random place rarely hits a field.
#[derive(Clone, Debug)]
enum Place {
    Anywhere(Index),
    InField(Index, Index),
}

impl Place {
    fn find(&self, length: usize, spans: &[Span]) -> usize {
        match self {
            Self::Anywhere(place) => place.index(length),
            Self::InField(span, place) => {
                let bytes = &spans[span.index(spans.len())].bytes;
                let first_bytes = bytes.len().clamp(1, 8);
                (bytes.start + place.index(first_bytes)).min(length - 1)
            }
        }
    }
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>, spans: &[Span]) {
        if let Self::Extend(more) = self {
            return bytes.extend(more);
        }
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Flip(place, bits) => {
                let place = place.find(bytes.len(), spans);
                bytes[place] ^= bits;
            }
            Self::Word(place, word) => {
                let place = place.find(bytes.len(), spans) / 8 * 8;
                if let Some(chunk) = bytes[place..].first_chunk_mut::<8>() {
                    *chunk = word.to_le_bytes();
                }
            }
            Self::Truncate(place) => bytes.truncate(place.find(bytes.len(), spans)),
            Self::Extend(_) => {}
        }
    }
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let place = prop_oneof![
        1 => any::<Index>().prop_map(Place::Anywhere),
        3 => any::<(Index, Index)>().prop_map(|(span, place)| Place::InField(span, place)),
    ];
    let word = prop_oneof![
        any::<u64>(),
        0..300_u64,
        10_000..30_000_u64,
        (0..20_u64).prop_map(|less| u64::MAX - less),
        10_485_759..10_485_762_u64,
        Just(u64::from(u32::MAX)),
    ];
    let mutation = prop_oneof![
        (place.clone(), 1..=255_u8).prop_map(|(place, bits)| Mutation::Flip(place, bits)),
        (place.clone(), word).prop_map(|(place, word)| Mutation::Word(place, word)),
        place.prop_map(Mutation::Truncate),
        prop::collection::vec(any::<u8>(), 1..100).prop_map(Mutation::Extend),
    ];
    prop::collection::vec(mutation, 1..4)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn written_input_is_read_by_all(
        expected in inputs(),
        result in prop::option::of(prop::sample::select(ProgramError::BUILTIN)),
    ) {
        let (bytes, spans) = expected.write();
        let mut input = words(&bytes);
        let checked = read_checked(bytemuck::cast_slice_mut(&mut input)).unwrap();
        checked.check(&expected);
        let lazy = read_all_lazily(bytemuck::cast_slice_mut(&mut input)).unwrap();
        prop_assert_eq!(&lazy, &checked);

        RESULT.set(result.map_or(Ok(()), Err));
        let (trusted, status) = read_trusted(&mut input, bytes.len());
        prop_assert_eq!(&trusted, &checked);
        prop_assert_eq!(status, result.map_or(0, |error| error.status()));
        prop_assert_eq!(words(&bytes), input, "reading does not change an input");

        // All readers find the same with a table.
        let mut input = with_table(&expected, &bytes, &spans);
        let length = size_of_val(&input[..]);
        let as_written = input.clone();
        prop_assert_eq!(&read_checked(bytemuck::cast_slice_mut(&mut input)).unwrap(), &checked);
        prop_assert_eq!(&read_all_lazily(bytemuck::cast_slice_mut(&mut input)).unwrap(), &checked);
        prop_assert_eq!(&read_trusted(&mut input, length).0, &checked);
        prop_assert_eq!(as_written, input, "reading does not change an input");

        // Offsets count from the start of the input, at any address.
        let mut unaligned = [&[0; 3], &bytes[..]].concat();
        prop_assert_eq!(&read_checked(&mut unaligned[3..]).unwrap(), &checked);
        prop_assert_eq!(&read_all_lazily(&mut unaligned[3..]).unwrap(), &checked);
    }

    #[test]
    fn random_bytes_are_read_by_all_or_none(
        expected in inputs(), mutations in mutations(),
    ) {
        let (mut bytes, spans) = expected.write();
        for mutation in &mutations {
            mutation.apply(&mut bytes, &spans);
        }
        let checked = read_checked(&mut bytes.clone());
        let lazy = read_all_lazily(&mut bytes.clone());
        prop_assert_eq!(&checked, &lazy);
        let Ok(checked) = checked else {
            return Ok(());
        };
        for slice in checked.slices() {
            prop_assert!(slice.start <= slice.end && slice.end <= bytes.len(), "{slice:?}");
        }
        if bytes.ends_with(&ACCOUNT_TABLE_MAGIC.to_le_bytes()) {
            // The trusted readers rely on this magic number, which a loader writes only after a
            // table.
            return Ok(());
        }
        let mut input = words(&bytes);
        // If a mutation has changed an original data length, reading resets it.
        read(bytemuck::cast_slice_mut(&mut input)).unwrap();
        RESULT.set(Ok(()));
        let (trusted, status) = read_trusted(&mut input, bytes.len());
        prop_assert_eq!(&trusted, &checked);
        prop_assert_eq!(status, 0);
    }

    #[test]
    fn custom_statuses_are_returned(code in any::<u32>()) {
        let bytes = two_and_a_repeat().bytes();
        let mut input = words(&bytes);
        read(bytemuck::cast_slice_mut(&mut input)).unwrap();
        RESULT.set(Err(ProgramError::Custom(code)));
        let expected = if code == 0 { 1 << 32 } else { u64::from(code) };
        prop_assert_eq!(read_trusted(&mut input, bytes.len()).1, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..config() })]

    #[test]
    fn every_prefix_error_names_the_last_field(expected in inputs()) {
        let (mut bytes, spans) = expected.write();
        let count = expected.entries.len();
        let entries = spans.iter().find(|span| span.field == Field::AccountCount).unwrap();
        let entries = entries.bytes.end;
        for length in 0..bytes.len() {
            let span = spans.iter().find(|span| span.bytes.end > length).unwrap();
            let room = length.saturating_sub(entries) / 8;
            let error = if length >= entries && count > room {
                InputError::TooManyAccounts { count: count as u64, room }
            } else {
                InputError::Truncated {
                    field: span.field,
                    account: span.account,
                    offset: span.bytes.start,
                    length: span.bytes.len() as u64,
                    available: length - span.bytes.start,
                }
            };
            prop_assert_eq!(read_checked(&mut bytes[..length]), Err(error));
            prop_assert_eq!(read_all_lazily(&mut bytes[..length]), Err(error));
            if let InputError::Truncated { field, .. } = error {
                let start = format!("the input ends inside the {field}");
                prop_assert!(error.to_string().starts_with(&start));
            }
        }
    }
}

/// The error of the checked reader and of the lazy reader, which must be the same.
#[track_caller]
fn refusal(bytes: &[u8]) -> String {
    let checked = read_checked(&mut bytes.to_vec()).expect_err("an invalid input");
    assert_eq!(read_all_lazily(&mut bytes.to_vec()), Err(checked));
    checked.to_string()
}

/// Two accounts and a repeat, with eight bytes of a field replaced.
fn with_word(field: Field, account: Option<usize>, word: u64) -> Vec<u8> {
    let (mut bytes, spans) = two_and_a_repeat().write();
    let mut spans = spans.iter();
    let span = spans.find(|span| span.field == field && span.account == account);
    let start = span.expect("the field").bytes.start;
    bytes[start..start + 8].copy_from_slice(&word.to_le_bytes());
    bytes
}

#[test]
fn empty_input_is_rejected() {
    assert_eq!(
        refusal(&[]),
        "the input ends inside the instruction data length: it takes 8 bytes from offset 0 on, and there \
         are 0",
    );
}

#[test]
fn truncated_input_is_rejected() {
    let bytes = two_and_a_repeat().bytes();
    assert_eq!(
        refusal(&bytes[..bytes.len() - 1]),
        "the input ends inside the entry of account 2: it takes 8 bytes from offset 20752 on, and there \
         are 7",
    );
    assert_eq!(
        refusal(&bytes[..56 + 88 + 5 + 10_239]),
        "the input ends inside the spare bytes of account 0: it takes 10240 bytes from offset 149 on, and \
         there are 10239",
    );
}

#[test]
fn overrunning_instruction_data_is_rejected() {
    assert_eq!(
        refusal(&with_word(Field::InstructionDataLength, None, 30_000)),
        "the input ends inside the instruction data: it takes 30000 bytes from offset 8 on, and there are \
         20752",
    );
    // The sum with the offset would overflow.
    assert_eq!(
        refusal(&with_word(Field::InstructionDataLength, None, u64::MAX)),
        "the input ends inside the instruction data: it takes 18446744073709551615 bytes from offset 8 \
         on, and there are 20752",
    );
}

#[test]
fn overrunning_account_data_is_rejected() {
    assert_eq!(
        refusal(&with_word(Field::DataLength, Some(1), 10_485_760)),
        "the input ends inside the account data of account 1: it takes 10485760 bytes from offset 10488 \
         on, and there are 10272",
    );
}

#[test]
fn account_data_above_the_limit_is_rejected() {
    for length in [10_485_761, u64::MAX] {
        assert_eq!(
            refusal(&with_word(Field::DataLength, Some(1), length)),
            format!("account 1 claims {length} bytes of data, the most allowed is 10485760"),
        );
    }
}

#[test]
fn account_data_at_the_limit_is_read() {
    let mut expected = two_and_a_repeat();
    expected.account_mut(0).data = vec![7; 10 * 1024 * 1024];
    read_checked(&mut expected.bytes())
        .unwrap()
        .check(&expected);
}

#[test]
fn repeat_of_a_later_account_is_rejected() {
    // A later entry, the entry itself, and a position outside the input.
    for (account, refers_to) in [(1, 2), (1, 1), (0, 0), (2, 3), (1, 254), (2, 254)] {
        let mut expected = two_and_a_repeat();
        expected.entries[account] = Entry::Repeat(refers_to);
        expected.entries.truncate(3);
        assert_eq!(
            refusal(&expected.bytes()),
            format!("account {account} repeats account {refers_to}, which does not come before it"),
        );
    }
}

#[test]
fn account_count_beyond_the_bytes_is_rejected() {
    assert_eq!(
        refusal(&with_word(Field::AccountCount, None, u64::MAX)),
        "the input announces 18446744073709551615 accounts, but has room for 2588 at most",
    );
    assert_eq!(
        refusal(&with_word(Field::AccountCount, None, 4)),
        "the input ends inside the entry of account 3: it takes 8 bytes from offset 20760 on, and there \
         are 0",
    );
}

#[test]
fn the_last_position_that_can_repeat_is_254() {
    let first = two_and_a_repeat().entries.swap_remove(0);
    let mut expected = Expected {
        entries: vec![first; 300],
        ..two_and_a_repeat()
    };
    expected.entries.push(Entry::Repeat(254));
    for position in 0..300 {
        expected.account_mut(position).kelvins = position as u64;
    }
    let (bytes, spans) = expected.write();
    for mut input in [words(&bytes), with_table(&expected, &bytes, &spans)] {
        let checked = read_checked(bytemuck::cast_slice_mut(&mut input)).unwrap();
        checked.check(&expected);
        assert_eq!(
            read_all_lazily(bytemuck::cast_slice_mut(&mut input)),
            Ok(checked.clone())
        );
        RESULT.set(Ok(()));
        let length = size_of_val(&input[..]);
        assert_eq!(read_trusted(&mut input, length), (checked, 0));
    }
}
