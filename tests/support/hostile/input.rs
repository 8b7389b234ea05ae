//! Any bytes as a serialized input: every reader sees the same in what the checked one accepts.

use std::cell::RefCell;
use std::ops::Range;

use entrypoint::__private::{enter, enter_lazily, enter_no_alloc};
use entrypoint::input::{LazyAccount, LazyAccounts, read, read_lazily};
use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey};

/// This byte stands for as many zeroes as the next two bytes say, because an account has 10,240 of
/// them.
const ZEROES: u8 = 0xFD;

/// The longest input that is made.
const MAX_LENGTH: usize = 1 << 17;

/// Most entries with which the trusted readers are called: one without a heap has to have a limit,
/// and one with a heap keeps its list for ever, which a fuzzer would feel.
const MAX_ACCOUNTS: usize = 300;

/// What was seen of an input. Places are distances from its start.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    program_id: ([u8; 32], usize),
    data: (Vec<u8>, Range<usize>),
    accounts: Vec<SeenAccount>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct SeenAccount {
    key: ([u8; 32], usize),
    owner: [u8; 32],
    numbers: [u64; 2],
    flags: [bool; 3],
    data: (Vec<u8>, Range<usize>),
}

thread_local! {
    static START: RefCell<usize> = const { RefCell::new(0) };
    static SEEN: RefCell<Option<Seen>> = const { RefCell::new(None) };
}

fn place(start: usize, bytes: &[u8]) -> Range<usize> {
    let at = bytes.as_ptr().addr().wrapping_sub(start);
    at..at.wrapping_add(bytes.len())
}

fn see(start: usize, id: &Pubkey, accounts: &[AccountInfo<'_>], data: &[u8]) -> Seen {
    let account = |view: &AccountInfo<'_>| {
        let data = view.try_borrow_data().expect("nothing is borrowed");
        SeenAccount {
            key: (
                view.key().to_bytes(),
                place(start, view.key().as_bytes()).start,
            ),
            owner: view.owner().to_bytes(),
            numbers: [view.kelvins(), view.rent_epoch()],
            flags: [view.is_signer(), view.is_writable(), view.executable()],
            data: (data.to_vec(), place(start, &data)),
        }
    };
    Seen {
        program_id: (id.to_bytes(), place(start, id.as_bytes()).start),
        data: (data.to_vec(), place(start, data)),
        accounts: accounts.iter().map(account).collect(),
    }
}

fn record(id: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    let start = START.with_borrow(|start| *start);
    SEEN.set(Some(see(start, id, accounts, data)));
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

/// The input that a corpus file stands for.
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

/// The file of a corpus that stands for an input.
pub fn compress(input: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for run in input.chunk_by(|left, right| *left == 0 && *right == 0) {
        // A byte that would be taken for the sign stands in no input that is compressed.
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

/// Reads an input by every reader. Answers whether the checked ones accept it.
pub fn check(bytes: &[u8]) -> bool {
    // Readers other than the checked ones want an input aligned to 8.
    let mut words = vec![0_u64; bytes.len().div_ceil(8)];
    let buffer: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    buffer[..bytes.len()].copy_from_slice(bytes);
    let start = buffer.as_ptr().addr();

    let checked = read(&mut buffer[..bytes.len()]).map(|input| {
        see(
            start,
            input.program_id,
            &input.accounts,
            input.instruction_data,
        )
    });
    let lazy = read_lazily(&mut buffer[..bytes.len()])
        .map(|(id, entries, data)| see(start, id, &list(entries), data));
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
    // Whoever calls with a length vouches for the account table at the end of it, which these bytes
    // may only look like.
    let mut lengths = vec![None];
    if bytes.len() < 16 || !has_table(bytes) {
        lengths.push(Some(bytes.len()));
    }
    if checked.accounts.len() > MAX_ACCOUNTS {
        lengths.clear();
    }
    for length in lengths {
        // SAFETY: the words are aligned to 8, the checked reader has walked over these very bytes
        // without leaving them, they do not end like an account table if the length is given, and
        // no view of them lives any more.
        let status = unsafe { enter::<false>(input, length, record) };
        expect(&checked, status);
        // SAFETY: as above.
        let status = unsafe { enter_no_alloc::<MAX_ACCOUNTS, false>(input, length, record) };
        expect(&checked, status);
    }
    // SAFETY: as above.
    let status = unsafe { enter_lazily(input, None, record_lazily) };
    expect(&checked, status);
    true
}

fn has_table(bytes: &[u8]) -> bool {
    bytes.ends_with(&abi::input::ACCOUNT_TABLE_MAGIC.to_le_bytes())
}

fn expect(checked: &Seen, status: u64) {
    assert_eq!(status, 77);
    assert_eq!(SEEN.take().as_ref(), Some(checked));
}

fn slices(seen: &Seen) -> Vec<Range<usize>> {
    let id = seen.program_id.1;
    let mut slices = vec![id..id.saturating_add(32), seen.data.1.clone()];
    for account in &seen.accounts {
        slices.extend([
            account.key.1..account.key.1.saturating_add(32),
            account.data.1.clone(),
        ]);
    }
    slices
}

/// Any bytes as an input.
pub fn check_bytes(bytes: &[u8]) {
    check(&expand(bytes));
}
