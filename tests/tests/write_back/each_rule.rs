//! The loader discards a change that a program may not make, and the error names the rule and the
//! account.

use loader::{Account, AccountInput, Failure, Invocation, Pubkey, WriteBackError};
use probe::Command;
use tests::{PROGRAM_ID, call, run};

const OTHER: Pubkey = Pubkey::new([9; 32]);
const FIRST: Pubkey = Pubkey::new([10; 32]);
const SECOND: Pubkey = Pubkey::new([11; 32]);

/// Offsets in an account entry, from `docs/abi.md`.
const MARKER: u64 = 0;
const IS_SIGNER: u64 = 1;
const IS_WRITABLE: u64 = 2;
const EXECUTABLE: u64 = 3;
const KEY: u64 = 8;
const OWNER: u64 = 40;
const KELVINS: u64 = 72;
const DATA_LENGTH: u64 = 80;

fn own(key: Pubkey) -> AccountInput {
    AccountInput::new(key)
        .owner(PROGRAM_ID)
        .kelvins(100)
        .data([0; 4])
        .writable()
}

fn foreign(key: Pubkey) -> AccountInput {
    own(key).owner(OTHER)
}

/// The accounts before the call.
fn before(invocation: &Invocation) -> Vec<Account> {
    let first = |entry: &loader::AccountEntry| match entry {
        loader::AccountEntry::First(input) => Some(input.account.clone()),
        loader::AccountEntry::Repeat(_) => None,
    };
    invocation.accounts.iter().filter_map(first).collect()
}

/// The write-back error of a call, which must leave the accounts unchanged.
fn refusal(invocation: &Invocation) -> WriteBackError {
    let outcome = run(invocation);
    assert_eq!(outcome.status, Some(0), "the program itself returns 0");
    assert_eq!(
        outcome.accounts,
        before(invocation),
        "the accounts are unchanged"
    );
    match outcome.failure {
        Some(Failure::WriteBack(refusal)) => refusal,
        other => panic!("no write-back error: {other:?}"),
    }
}

/// The accounts after a successful call.
fn accounts_after(invocation: &Invocation) -> Vec<Account> {
    let outcome = run(invocation);
    assert_eq!(outcome.failure, None);
    outcome.accounts
}

#[test]
fn owner_may_change_everything_allowed() {
    let changed = accounts_after(&call(Command::SetData, &[0, 3, 7]).account(own(FIRST)));
    assert_eq!(changed[0].data, [0, 0, 0, 7]);
    let grown = accounts_after(&call(Command::Resize, &[0, 10_244]).account(own(FIRST)));
    assert_eq!(grown[0].data, [0; 10_244]);
    let shrunk = accounts_after(&call(Command::Resize, &[0, 0]).account(own(FIRST)));
    assert!(shrunk[0].data.is_empty());
    let given = accounts_after(&call(Command::Assign, &[0, 9]).account(own(FIRST)));
    assert_eq!(given[0].owner, OTHER);
}

#[test]
fn read_only_account_stays_unchanged() {
    let read_only = AccountInput {
        is_writable: false,
        ..own(FIRST)
    };
    for invocation in [
        call(Command::SetData, &[0, 0, 1]),
        call(Command::Resize, &[0, 5]),
        call(Command::SetKelvins, &[0, 99]),
        call(Command::Assign, &[0, 9]),
    ] {
        assert_eq!(
            refusal(&invocation.account(read_only.clone())),
            WriteBackError::AccountNotWritable {
                index: 0,
                key: FIRST
            }
        );
    }
}

#[test]
fn foreign_account_keeps_data_kelvins_and_owner() {
    let with = |invocation: Invocation| invocation.account(own(SECOND)).account(foreign(FIRST));
    let (index, key) = (1, FIRST);
    assert_eq!(
        refusal(&with(call(Command::SetData, &[1, 0, 1]))),
        WriteBackError::DataChangedByNonOwner { index, key }
    );
    assert_eq!(
        refusal(&with(call(Command::Resize, &[1, 5]))),
        WriteBackError::DataChangedByNonOwner { index, key }
    );
    assert_eq!(
        refusal(&with(call(Command::SetKelvins, &[1, 99]))),
        WriteBackError::DebitedByNonOwner { index, key }
    );
    assert_eq!(
        refusal(&with(call(Command::Assign, &[1, 1]))),
        WriteBackError::ReassignedByNonOwner { index, key }
    );
}

#[test]
fn kelvins_are_conserved() {
    for (kelvins, after) in [(101, 201), (0, 100), (u64::MAX, u128::from(u64::MAX) + 100)] {
        let invocation = call(Command::SetKelvins, &[0, kelvins])
            .account(own(FIRST))
            .account(foreign(SECOND));
        assert_eq!(
            refusal(&invocation),
            WriteBackError::KelvinsNotConserved { before: 200, after }
        );
    }
}

#[test]
fn account_with_data_is_not_reassigned() {
    let invocation = call(Command::Assign, &[0, 9]).account(own(FIRST).data([0, 1]));
    assert_eq!(
        refusal(&invocation),
        WriteBackError::ReassignedWithData {
            index: 0,
            key: FIRST
        }
    );
}

#[test]
fn loader_checks_the_growth_limit_too() {
    // The maximum is 4 + 10,240 = 0x2804. Safe code cannot exceed it, raw code can.
    let poke = |byte, value| call(Command::PokeEntry, &[0, DATA_LENGTH + byte, value]);
    let at_limit = accounts_after(&call(Command::Resize, &[0, 0x2804]).account(own(FIRST)));
    assert_eq!(at_limit[0].data.len(), 0x2804);
    assert_eq!(
        refusal(&poke(1, 0x29).account(own(FIRST))),
        WriteBackError::DataGrewTooMuch {
            index: 0,
            key: FIRST,
            from: 4,
            to: 0x2904
        }
    );
    assert_eq!(
        refusal(&poke(7, 0xff).account(own(FIRST))),
        WriteBackError::DataGrewTooMuch {
            index: 0,
            key: FIRST,
            from: 4,
            to: 0xff00_0000_0000_0004
        }
    );
}

#[test]
fn fixed_fields_stay_fixed() {
    let (index, key) = (0, FIRST);
    for (offset, refused) in [
        (KEY, WriteBackError::KeyChanged { index, key }),
        (IS_SIGNER, WriteBackError::SignerFlagChanged { index, key }),
        (
            IS_WRITABLE,
            WriteBackError::WritableFlagChanged { index, key },
        ),
        (EXECUTABLE, WriteBackError::ExecutableChanged { index, key }),
        // The rent epoch is after the data, its spare bytes and the padding.
        (
            88 + 4 + 10_240 + 4,
            WriteBackError::RentEpochChanged { index, key },
        ),
    ] {
        let invocation = call(Command::PokeEntry, &[0, offset, 0x55]).account(own(FIRST));
        assert_eq!(refusal(&invocation), refused);
    }
}

#[test]
fn repeat_stays_a_repeat() {
    // The repeat is the eight bytes after the first account's entry.
    let repeat = 88 + 4 + 10_240 + 4 + 8;
    for byte in 0..8 {
        let invocation = call(Command::PokeEntry, &[0, repeat + byte, 0x55])
            .account(own(FIRST))
            .repeat(0);
        assert_eq!(
            refusal(&invocation),
            WriteBackError::RepeatChanged {
                index: 1,
                key: FIRST,
                first: 0
            }
        );
    }
}

#[test]
fn changes_beyond_safe_code_are_rejected() {
    assert_eq!(
        refusal(&call(Command::PokeEntry, &[0, OWNER, 0x55]).account(foreign(FIRST))),
        WriteBackError::ReassignedByNonOwner {
            index: 0,
            key: FIRST
        }
    );
    assert_eq!(
        refusal(&call(Command::PokeEntry, &[0, KELVINS, 0]).account(foreign(FIRST))),
        WriteBackError::DebitedByNonOwner {
            index: 0,
            key: FIRST
        }
    );
}

#[test]
fn leaked_borrow_is_ignored() {
    let accounts = accounts_after(&call(Command::LeakBorrow, &[0]).account(own(FIRST)));
    assert_eq!(accounts, [own(FIRST).account]);
    let accounts = accounts_after(&call(Command::PokeEntry, &[0, MARKER, 0]).account(own(FIRST)));
    assert_eq!(accounts, [own(FIRST).account]);
}

#[test]
fn failed_program_changes_nothing() {
    let invocation = call(Command::BorrowTwo, &[0, 1])
        .account(own(FIRST))
        .repeat(0);
    let outcome = run(&invocation);
    assert_eq!(
        outcome.failure.as_ref().map(Failure::kind),
        Some("ProgramError")
    );
    assert_eq!(outcome.accounts, before(&invocation));
}

#[test]
fn one_account_cannot_be_borrowed_twice() {
    let two = call(Command::BorrowTwo, &[0, 1])
        .account(own(FIRST))
        .account(own(SECOND));
    assert!(run(&two).is_success());
    for invocation in [
        call(Command::BorrowTwo, &[0, 0]).account(own(FIRST)),
        call(Command::BorrowTwo, &[0, 1])
            .account(own(FIRST))
            .repeat(0),
        call(Command::BorrowTwo, &[1, 2])
            .account(own(FIRST))
            .repeat(0)
            .repeat(0),
    ] {
        assert_eq!(
            run(&invocation).failure,
            Some(Failure::ProgramError {
                error: abi::ProgramError::AccountBorrowFailed
            })
        );
    }
}

#[test]
fn program_sees_the_hosts_accounts() {
    let mut signer = foreign(SECOND).kelvins(u64::MAX - 5).signer();
    signer.account.executable = true;
    signer.account.rent_epoch = u64::MAX;
    let invocation = call(Command::Describe, &[])
        .account(own(FIRST))
        .account(signer)
        .repeat(0)
        .repeat(1);
    let outcome = run(&invocation);
    let first = format!("{FIRST} {PROGRAM_ID} 100 4 010 0");
    let second = format!("{SECOND} {OTHER} {} 4 111 {}", u64::MAX - 5, u64::MAX);
    assert_eq!(
        outcome.logs,
        [
            format!("program {PROGRAM_ID}"),
            first.clone(),
            second.clone(),
            first,
            second
        ]
    );
}
