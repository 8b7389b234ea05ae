//! Any bytes as a serialized input: all readers agree on every input that the checked one accepts.

use std::cell::RefCell;
use std::ops::Range;

use entrypoint::__private::{AccountTable, enter, enter_lazily, enter_no_alloc};
use entrypoint::input::{LazyAccount, LazyAccounts, read, read_lazily};
use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey};

/// Compresses zeros: this byte is followed by their number in two bytes. Each account has 10,240
/// spare bytes.
const ZEROES: u8 = 0xFD;

/// The longest input.
const MAX_LENGTH: usize = 1 << 17;

/// The most entries for the trusted readers. The one without a heap needs a limit. The one with a
/// heap leaks its list, which would fill the memory of a fuzzer.
const MAX_ACCOUNTS: usize = 300;

/// What a reader found in an input. Places are offsets from its start.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    program_id: ([u8; 32], usize),
    data: (Vec<u8>, Range<usize>),
    accounts: Vec<FoundAccount>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FoundAccount {
    key: ([u8; 32], usize),
    owner: [u8; 32],
    numbers: [u64; 2],
    flags: [bool; 3],
    data: (Vec<u8>, Range<usize>),
}

thread_local! {
    static START: RefCell<usize> = const { RefCell::new(0) };
    static FOUND: RefCell<Option<Found>> = const { RefCell::new(None) };
}

fn offsets(start: usize, bytes: &[u8]) -> Range<usize> {
    let at = bytes.as_ptr().addr().wrapping_sub(start);
    at..at.wrapping_add(bytes.len())
}

fn find(start: usize, id: &Pubkey, accounts: &[AccountInfo<'_>], data: &[u8]) -> Found {
    let account = |view: &AccountInfo<'_>| {
        let data = view.try_borrow_data().expect("nothing is borrowed");
        FoundAccount {
            key: (
                view.key().to_bytes(),
                offsets(start, view.key().as_bytes()).start,
            ),
            owner: view.owner().to_bytes(),
            numbers: [view.kelvins(), view.rent_epoch()],
            flags: [view.is_signer(), view.is_writable(), view.executable()],
            data: (data.to_vec(), offsets(start, &data)),
        }
    };
    Found {
        program_id: (id.to_bytes(), offsets(start, id.as_bytes()).start),
        data: (data.to_vec(), offsets(start, data)),
        accounts: accounts.iter().map(account).collect(),
    }
}

fn record(id: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    let start = START.with_borrow(|start| *start);
    FOUND.set(Some(find(start, id, accounts, data)));
    Err(ProgramError::Custom(77))
}

fn record_lazily(id: &Pubkey, accounts: LazyAccounts, data: &[u8]) -> ProgramResult {
    record(id, &list(accounts), data)
}

fn list(entries: LazyAccounts<'_>) -> Vec<AccountInfo<'_>> {
    let announced = entries.len();
    let mut accounts: Vec<AccountInfo<'_>> = Vec::new();
    for entry in entries {
        accounts.push(match entry {
            LazyAccount::First(account) => account,
            LazyAccount::Repeat(index) => accounts[index],
        });
    }
    assert_eq!(accounts.len(), announced);
    accounts
}

/// Expands a corpus file to the input.
pub fn expand(bytes: &[u8]) -> Vec<u8> {
    let mut input = Vec::new();
    let mut rest = bytes.iter().copied();
    while let Some(byte) = rest.next() {
        if byte == ZEROES {
            let count = [rest.next().unwrap_or(0), rest.next().unwrap_or(0)];
            input.resize(input.len() + usize::from(u16::from_le_bytes(count)), 0);
        } else {
            input.push(byte);
        }
        input.truncate(MAX_LENGTH);
    }
    input
}

/// Compresses an input to a corpus file.
pub fn compress(input: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for run in input.chunk_by(|left, right| *left == 0 && *right == 0) {
        // The compressed form cannot represent an input that contains the marker byte itself.
        assert!(!run.contains(&ZEROES));
        if run.len() < 4 {
            bytes.extend(run);
            continue;
        }
        for part in run.chunks(usize::from(u16::MAX)) {
            bytes.push(ZEROES);
            bytes.extend((part.len() as u16).to_le_bytes());
        }
    }
    bytes
}

/// Reads an input with every reader. Returns whether the checked readers accept it.
pub fn check(bytes: &[u8]) -> bool {
    // The trusted readers need an input that is aligned to 8.
    let mut words = vec![0_u64; bytes.len().div_ceil(8)];
    let buffer: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    buffer[..bytes.len()].copy_from_slice(bytes);
    let start = buffer.as_ptr().addr();

    let checked = read(&mut buffer[..bytes.len()]).map(|input| {
        find(
            start,
            input.program_id,
            &input.accounts,
            input.instruction_data,
        )
    });
    let lazy = read_lazily(&mut buffer[..bytes.len()])
        .map(|(id, entries, data)| find(start, id, &list(entries), data));
    assert_eq!(checked, lazy);
    let Ok(checked) = checked else {
        return false;
    };
    for slice in slices(&checked) {
        assert!(
            slice.start <= slice.end && slice.end <= bytes.len(),
            "{slice:?}"
        );
    }

    START.set(start);
    let input: *mut u8 = words.as_mut_ptr().cast();
    // A caller that passes a length promises a valid account table at the end, and these bytes may
    // only look like one.
    let mut tables = vec![AccountTable::NotKnown, AccountTable::At(std::ptr::null())];
    if bytes.len() < 16 || !has_table(bytes) {
        tables.push(AccountTable::AtEndOf(bytes.len()));
    }
    if checked.accounts.len() > MAX_ACCOUNTS {
        tables.clear();
    }
    for table in tables {
        // SAFETY: the words are aligned to 8. The checked reader has accepted these bytes, so they
        // are a valid input. If the length is given, they do not end like an account table. No view
        // exists.
        let status = unsafe { enter::<false>(input, table, record) };
        expect(&checked, status);
        // SAFETY: the words are aligned to 8 and a valid input, without what looks like a table if
        // the length is given, and no view exists.
        let status = unsafe { enter_no_alloc::<MAX_ACCOUNTS, false>(input, table, record) };
        expect(&checked, status);
    }
    // SAFETY: the words are aligned to 8 and a valid input, and no view of an account exists.
    let status = unsafe { enter_lazily(input, AccountTable::NotKnown, record_lazily) };
    expect(&checked, status);
    true
}

fn has_table(bytes: &[u8]) -> bool {
    bytes.ends_with(&abi::input::ACCOUNT_TABLE_MAGIC.to_le_bytes())
}

fn expect(checked: &Found, status: u64) {
    assert_eq!(status, 77);
    assert_eq!(FOUND.take().as_ref(), Some(checked));
}

fn slices(found: &Found) -> Vec<Range<usize>> {
    let id = found.program_id.1;
    let mut slices = vec![id..id.saturating_add(32), found.data.1.clone()];
    for account in &found.accounts {
        slices.extend([
            account.key.1..account.key.1.saturating_add(32),
            account.data.1.clone(),
        ]);
    }
    slices
}

/// Checks the input that a corpus file expands to.
pub fn check_bytes(bytes: &[u8]) {
    check(&expand(bytes));
}
