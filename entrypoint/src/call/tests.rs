//! Calls, on the host of unit tests. The guest `asks` makes the same under a loader.

use core::mem::offset_of;
use std::vec::Vec;
use std::{format, vec};

use abi::call::{CAccount, CInstruction};
use abi::input::{AccountHeader, MAX_PERMITTED_DATA_INCREASE};
use abi::{ProgramError, ProgramResult, Pubkey};

use super::{
    AccountMeta, Instruction, MAX_SLICE_ACCOUNTS, Seed, Signer, invoke, invoke_signed,
    invoke_through,
};
use crate::AccountInfo;
use crate::account::Description;
use crate::testing::{AccountInput, Host, Invocation, Outcome, Record, Sysvars};

const CALLER: Pubkey = Pubkey::new([1; 32]);
const CALLEE: Pubkey = Pubkey::new([2; 32]);

fn key(byte: u8) -> Pubkey {
    Pubkey::new([byte; 32])
}

/// Two writable accounts and a read-only one, each with four bytes of data.
fn invocation() -> Invocation {
    let account = |byte| AccountInput::new(key(byte)).data([byte; 4]).kelvins(10);
    Invocation::new(CALLER)
        .account(account(10).writable().signer())
        .account(account(11).writable())
        .account(account(12))
}

/// Runs a function whose callee is another.
fn run(
    callee: impl for<'a> Fn(&'a Pubkey, &'a [AccountInfo<'a>], &'a [u8]) -> ProgramResult + 'static,
    caller: impl FnOnce(&[AccountInfo<'_>]) -> ProgramResult,
) -> (Outcome, Record) {
    let host = Host::new().program(CALLEE, callee);
    host.run(|| invocation().run(|_, accounts, _| caller(accounts)))
}

fn nothing(_: &Pubkey, _: &[AccountInfo<'_>], _: &[u8]) -> ProgramResult {
    Ok(())
}

fn instruction<'a>(accounts: &'a [AccountMeta<'a>]) -> Instruction<'a> {
    Instruction {
        program_id: &CALLEE,
        accounts,
        data: b"data",
    }
}

#[test]
fn host_gets_the_structures_of_the_contract() {
    let mut bytes = invocation().input();
    let input = crate::input::read(&mut bytes).unwrap();
    let [first, second, third] = &input.accounts[..] else {
        panic!("three accounts");
    };
    let metas = [
        AccountMeta::writable_signer(first.key()),
        AccountMeta::readonly(third.key()),
    ];
    let instruction = instruction(&metas);
    let mut seen = None;
    let syscall = |call: &CInstruction, accounts: &[Description]| {
        seen = Some((*call, accounts.to_vec()));
        0
    };
    // In another order than the instruction's, and with one that it does not list.
    assert_eq!(
        invoke_through(&instruction, &[third, second, first], syscall),
        Ok(())
    );
    let (call, accounts) = seen.unwrap();

    assert_eq!(
        call.program_id,
        core::ptr::from_ref(instruction.program_id).addr() as u64
    );
    assert_eq!(call.accounts.address, metas.as_ptr().addr() as u64);
    assert_eq!((call.accounts.length, call.data.length), (2, 4));
    assert_eq!(call.data.address, instruction.data.as_ptr().addr() as u64);
    for (view, account) in [third, second, first].into_iter().zip(&accounts) {
        let entry = view.address();
        assert_eq!(account.key, entry + AccountHeader::KEY as u64);
        assert_eq!(account.kelvins, entry + AccountHeader::KELVINS as u64);
        assert_eq!(account.data, entry + AccountHeader::DATA as u64);
        assert_eq!(account.length, 4);
        assert_eq!(account.owner, entry + AccountHeader::OWNER as u64);
        let flags = flags(account);
        assert_eq!(flags[0], view.is_signer().into());
        assert_eq!(flags[1], view.is_writable().into());
        assert_eq!(flags[2], 0);
    }
    assert_eq!(flags(&accounts[2]), [1, 1, 0]);
}

/// The flags of a description, where the contract has them.
fn flags(account: &Description) -> [u8; 3] {
    let first = core::ptr::from_ref(account).cast::<u8>();
    [
        offset_of!(CAccount, is_signer),
        offset_of!(CAccount, is_writable),
        offset_of!(CAccount, executable),
    ]
    .map(|offset| {
        // SAFETY: `account.rs` asserts that a description has the layout of a `CAccount`, and these
        // of its bytes are written.
        unsafe { first.wrapping_add(offset).read() }
    })
}

#[test]
fn status_of_the_host_is_the_error() {
    for error in [
        ProgramError::Custom(0),
        ProgramError::Custom(7),
        ProgramError::InsufficientFunds,
    ] {
        let found = invoke_through(&instruction(&[]), &[] as &[AccountInfo<'_>; 0], |_, _| {
            error.status()
        });
        assert_eq!(found, Err(error));
    }
}

#[test]
fn every_list_of_accounts_is_passed() {
    let (outcome, record) = run(nothing, |accounts| {
        let [first, second, _] = accounts else {
            panic!("three accounts");
        };
        let metas = [
            AccountMeta::readonly(first.key()),
            AccountMeta::readonly(second.key()),
        ];
        let instruction = instruction(&metas);
        invoke(&instruction, &[first, second])?;
        invoke(&instruction, &[*first, *second])?;
        invoke(&instruction, accounts)?;
        invoke(&instruction, &accounts.to_vec())?;
        invoke(&instruction, &accounts.iter().collect::<Vec<_>>()[..])
    });
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(record.calls.len(), 5);
    for call in &record.calls {
        assert_eq!((call.caller, call.program_id), (CALLER, CALLEE));
        assert_eq!(call.data, b"data");
        assert_eq!(call.accounts.len(), 2);
    }
}

#[test]
fn longer_slice_is_an_error_and_no_call() {
    let (outcome, record) = run(nothing, |accounts| {
        let most = vec![accounts[0]; MAX_SLICE_ACCOUNTS];
        invoke(&instruction(&[]), &most)?;
        let more = vec![accounts[0]; MAX_SLICE_ACCOUNTS + 1];
        assert_eq!(
            invoke(&instruction(&[]), &more),
            Err(ProgramError::InvalidArgument)
        );
        Ok(())
    });
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(record.calls.len(), 1);
    assert_eq!(
        record.logs,
        ["a call passes at most 128 accounts as a slice: pass only those that it needs"]
    );
}

/// How the caller holds the data of an account during a call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Held {
    Not,
    Shared,
    Mutably,
}

/// Whether a call is made that passes on all three accounts, of which the first is held so and
/// listed as these.
fn is_called(held: Held, through: usize, metas: &[AccountMeta<'_>]) -> bool {
    let (outcome, record) = run(nothing, |accounts| {
        let account = accounts[through];
        let shared = (held == Held::Shared).then(|| account.try_borrow_data());
        let mutable = (held == Held::Mutably).then(|| account.try_borrow_mut_data());
        let result = invoke(&instruction(metas), accounts);
        drop((shared, mutable));
        // The call has left the state of the borrows as it was.
        drop(account.try_borrow_mut_data()?);
        result
    });
    let (expected, lines) = match record.calls.len() {
        0 => (
            Err(ProgramError::AccountBorrowFailed),
            vec![format!(
                "a borrow of data prevents the call: account {through}"
            )],
        ),
        _ => (Ok(()), vec![]),
    };
    assert_eq!(outcome.result, expected);
    assert_eq!(record.logs, lines);
    record.calls.len() == 1
}

#[test]
fn borrow_of_an_account_that_the_call_may_change_prevents_it() {
    let (first, other) = (key(10), key(11));
    let writable = [AccountMeta::writable(&first)];
    let readonly = [AccountMeta::writable(&other), AccountMeta::readonly(&first)];
    let both = [AccountMeta::readonly(&first), AccountMeta::writable(&first)];
    let not_listed = [AccountMeta::writable(&other)];
    for (metas, shared, mutable) in [
        (&writable[..], false, false),
        (&readonly[..], true, false),
        // Listed twice, the rights add up.
        (&both[..], false, false),
        // Passed on, but not listed: the called program does not get it.
        (&not_listed[..], true, false),
    ] {
        assert!(is_called(Held::Not, 0, metas), "{metas:?}");
        assert_eq!(is_called(Held::Shared, 0, metas), shared, "{metas:?}");
        assert_eq!(is_called(Held::Mutably, 0, metas), mutable, "{metas:?}");
    }
    // A borrow of an account that the caller may only read.
    assert!(is_called(
        Held::Shared,
        2,
        &[AccountMeta::readonly(&key(12))]
    ));
}

#[test]
fn borrow_through_a_repeat_prevents_the_call() {
    let host = Host::new().program(CALLEE, nothing);
    let invocation = invocation().repeat(0);
    let (outcome, record) = host.run(|| {
        invocation.run(|_, accounts, _| {
            let _borrow = accounts[3].try_borrow_data()?;
            let metas = [AccountMeta::writable(accounts[0].key())];
            invoke(&instruction(&metas), &[accounts[0]])
        })
    });
    assert_eq!(outcome.result, Err(ProgramError::AccountBorrowFailed));
    assert_eq!(record.calls, []);
}

#[test]
fn account_that_is_not_passed_on_may_stay_borrowed() {
    let (outcome, record) = run(nothing, |accounts| {
        let mut borrow = accounts[0].try_borrow_mut_data()?;
        let metas = [AccountMeta::writable(accounts[1].key())];
        invoke(&instruction(&metas), &[accounts[1]])?;
        borrow[0] = 5;
        Ok(())
    });
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(outcome.accounts[0].data, [5, 10, 10, 10]);
    assert_eq!(record.calls.len(), 1);
}

#[test]
fn view_shows_what_the_called_program_has_changed() {
    let (outcome, _) = run(
        |_, accounts, _| {
            let [first] = accounts else {
                return Err(ProgramError::NotEnoughAccountKeys);
            };
            first.resize(9)?;
            first.try_borrow_mut_data()?[8] = 9;
            first.assign(&key(33));
            first.credit(5)?;
            crate::set_return_data(b"returned");
            Ok(())
        },
        |accounts| {
            let first = &accounts[0];
            let metas = [AccountMeta::writable(first.key())];
            invoke(&instruction(&metas), &[first])?;
            assert_eq!(first.data_len(), 9);
            assert_eq!(first.original_data_len(), 4);
            assert_eq!(*first.try_borrow_data()?, [10, 10, 10, 10, 0, 0, 0, 0, 9]);
            assert_eq!((first.owner(), first.kelvins()), (key(33), 15));
            let mut buffer = [0; 8];
            assert_eq!(crate::get_return_data(&mut buffer), Some((8, CALLEE)));
            assert_eq!(&buffer, b"returned");
            Ok(())
        },
    );
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(outcome.accounts[0].data.len(), 9);
}

/// The called program lets the data grow as far as possible. If the caller then took that for the
/// length with which it was entered, it could let the data grow over the next entry.
#[test]
fn data_that_a_called_program_grew_does_not_grow_further() {
    for length in [0, 4] {
        let account = AccountInput::new(key(10)).data(vec![7; length]).writable();
        let grow = move |_: &Pubkey, accounts: &[AccountInfo<'_>], _: &[u8]| {
            accounts[0].resize(length + MAX_PERMITTED_DATA_INCREASE)
        };
        let host = Host::new().program(CALLEE, grow);
        let (outcome, _) = host.run(|| {
            let invocation = Invocation::new(CALLER).account(account.rent_epoch(77));
            invocation.run(|_, accounts, _| {
                let account = &accounts[0];
                let metas = [AccountMeta::writable(account.key())];
                invoke(&instruction(&metas), &[account])?;
                let most = length + MAX_PERMITTED_DATA_INCREASE;
                assert_eq!(account.data_len(), most);
                assert_eq!(account.original_data_len(), length);
                assert_eq!(account.rent_epoch(), 77);
                assert_eq!(account.resize(most + 1), Err(ProgramError::InvalidRealloc));
                account.resize(most)?;
                account.resize(1)
            })
        });
        assert_eq!(outcome.result, Ok(()));
        assert_eq!(outcome.accounts[0].data.len(), 1);
    }
}

/// No one changes a read-only account during a call, so its length is as sent afterwards too.
#[test]
fn call_records_the_lengths_of_writable_accounts() {
    let (outcome, _) = run(nothing, |accounts| {
        let metas = [AccountMeta::writable(accounts[0].key())];
        invoke(&instruction(&metas), accounts)?;
        let recorded = |account: &AccountInfo<'_>| {
            let place = account.address() as usize + AccountHeader::ORIGINAL_DATA_LENGTH;
            let place = core::ptr::with_exposed_provenance::<u32>(place);
            // SAFETY: the view's entry is readable, and no reference to its fields exists.
            unsafe { place.read_unaligned() }
        };
        let found: Vec<_> = accounts.iter().map(recorded).collect();
        assert_eq!(found, [!4, !4, 0]);
        for account in accounts {
            assert_eq!(account.original_data_len(), 4);
            let most = 4 + MAX_PERMITTED_DATA_INCREASE;
            assert_eq!(account.resize(most + 1), Err(ProgramError::InvalidRealloc));
        }
        Ok(())
    });
    assert_eq!(outcome.result, Ok(()));
}

#[test]
fn length_that_a_resize_has_recorded_survives_a_call() {
    let (outcome, _) = run(
        |_, accounts, _| accounts[0].resize(3),
        |accounts| {
            let first = &accounts[0];
            first.resize(100)?;
            let metas = [AccountMeta::writable(first.key())];
            invoke(&instruction(&metas), &[first])?;
            assert_eq!((first.data_len(), first.original_data_len()), (3, 4));
            assert_eq!(
                first.resize(4 + MAX_PERMITTED_DATA_INCREASE + 1),
                Err(ProgramError::InvalidRealloc)
            );
            Ok(())
        },
    );
    assert_eq!(outcome.result, Ok(()));
}

#[test]
fn failure_of_the_called_program_changes_nothing() {
    let (outcome, record) = run(
        |_, accounts, _| {
            accounts[0].try_borrow_mut_data()?.fill(0);
            accounts[0].credit(1)?;
            Err(ProgramError::Custom(9))
        },
        |accounts| {
            let metas = [AccountMeta::writable(accounts[0].key())];
            let result = invoke(&instruction(&metas), accounts);
            assert_eq!(accounts[0].kelvins(), 10);
            assert_eq!(*accounts[0].try_borrow_data()?, [10; 4]);
            result
        },
    );
    assert_eq!(outcome.result, Err(ProgramError::Custom(9)));
    assert_eq!(record.calls.len(), 1);
}

#[test]
fn called_program_gets_only_the_rights_of_the_instruction() {
    let (outcome, _) = run(
        |program_id, accounts, data| {
            assert_eq!((*program_id, data), (CALLEE, &b"data"[..]));
            let rights: Vec<_> = accounts
                .iter()
                .map(|account| {
                    (
                        account.key().to_bytes()[0],
                        account.is_signer(),
                        account.is_writable(),
                    )
                })
                .collect();
            // A repeat has all the rights of its account.
            assert_eq!(
                rights,
                [(11, false, false), (10, true, true), (10, true, true)]
            );
            assert_eq!(accounts[1].address(), accounts[2].address());
            assert_eq!(crate::stack_height(), 2);
            Ok(())
        },
        |accounts| {
            assert_eq!(crate::stack_height(), 1);
            let metas = [
                AccountMeta::readonly(accounts[1].key()),
                AccountMeta::writable(accounts[0].key()),
                AccountMeta::readonly_signer(accounts[0].key()),
            ];
            invoke(&instruction(&metas), accounts)
        },
    );
    assert_eq!(outcome.result, Ok(()));
}

#[test]
fn derived_address_signs_for_its_program() {
    let (address, bump) = crate::find_program_address(&[Seed::from("vault")], &CALLER).unwrap();
    let host = Host::new().program(CALLEE, |_, accounts, _| {
        assert!(accounts[0].is_signer());
        Ok(())
    });
    let invocation = Invocation::new(CALLER).account(AccountInput::new(address));
    let (outcome, record) = host.run(|| {
        invocation.run(|_, accounts, _| {
            let metas = [AccountMeta::readonly_signer(accounts[0].key())];
            let seeds = [Seed::from("vault"), Seed::from(&bump)];
            invoke_signed(&instruction(&metas), accounts, &[Signer::from(&seeds)])
        })
    });
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(record.calls[0].signers, [address]);
}

fn call_with(metas: &[AccountMeta<'_>], passed: usize, signers: &[Signer<'_>]) {
    let _ = run(nothing, |accounts| {
        invoke_signed(&instruction(metas), &accounts[..passed], signers)
    });
}

#[test]
#[should_panic(expected = "lists the account")]
fn account_must_be_passed_on() {
    call_with(&[AccountMeta::readonly(&key(12))], 2, &[]);
}

#[test]
#[should_panic(expected = "which the caller may not change itself")]
fn read_only_account_is_not_writable_for_another() {
    call_with(&[AccountMeta::writable(&key(12))], 3, &[]);
}

#[test]
#[should_panic(expected = "which does not sign for the caller")]
fn account_does_not_sign_by_the_seeds_of_another() {
    let (_, bump) = crate::find_program_address(&[], &CALLER).unwrap();
    let seeds = [Seed::from(&bump)];
    call_with(
        &[AccountMeta::readonly_signer(&key(11))],
        3,
        &[Signer::new(&seeds)],
    );
}

#[test]
#[should_panic(expected = "a signer give no address: seed 0 has 33 bytes")]
fn seed_of_a_signer_must_be_short() {
    let seeds = [Seed::from(&[0; 33])];
    call_with(&[], 0, &[Signer::new(&seeds)]);
}

#[test]
#[should_panic(expected = "add it with `testing::Host::program`")]
fn unknown_program_panics() {
    let _ = invocation().run(|_, accounts, _| invoke(&instruction(&[]), accounts));
}

#[test]
#[should_panic(expected = "a call of depth 6")]
fn program_calls_itself_only_so_deep() {
    fn again(program_id: &Pubkey, accounts: &[AccountInfo<'_>], _: &[u8]) -> ProgramResult {
        let instruction = Instruction {
            program_id,
            accounts: &[],
            data: &[],
        };
        assert!(crate::stack_height() <= 5);
        invoke(&instruction, accounts)
    }
    let host = Host::new().program(CALLER, again);
    let _ = host.run(|| invocation().run(again));
}

#[test]
#[should_panic(expected = "which waits for it")]
fn called_program_does_not_call_back() {
    fn call(other: &Pubkey) -> ProgramResult {
        let instruction = Instruction {
            program_id: other,
            accounts: &[],
            data: &[],
        };
        invoke(&instruction, &[] as &[AccountInfo<'_>; 0])
    }
    let host = Host::new()
        .program(CALLEE, |_, _, _| call(&CALLER))
        .program(CALLER, |_, _, _| call(&CALLEE));
    let _ = host.run(|| Invocation::new(CALLER).run(|_, _, _| call(&CALLEE)));
}

#[test]
fn host_is_the_previous_one_after_a_panic() {
    let host = Host::new().sysvars(Sysvars::default().random_seed(5));
    let panicked = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| {
        host.run(|| {
            assert_eq!(crate::sysvar::random_seed(), Ok(5));
            panic!("as intended");
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(crate::sysvar::random_seed(), Ok(0));
}
