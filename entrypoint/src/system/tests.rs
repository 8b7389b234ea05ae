//! Each instruction, through the system program of unit tests.

use std::vec::Vec;

use abi::program_address::create_with_seed;
use abi::{ProgramError, ProgramResult, Pubkey};

use super::ID;
use crate::AccountInfo;
use crate::testing::{AccountInput, Host, Invocation, Outcome, RecordedCall};

const CALLER: Pubkey = Pubkey::new([1; 32]);
const OWNER: Pubkey = Pubkey::new([2; 32]);
const BASE: Pubkey = Pubkey::new([3; 32]);
const PAYEE: Pubkey = Pubkey::new([4; 32]);

/// Runs a function with: a base that signs and has 1,000 kelvins; an account at the address of the
/// base, the seed `savings` and the owner; and a payee.
fn run(
    kelvins: u64,
    function: impl FnOnce(&[AccountInfo<'_>]) -> ProgramResult,
) -> (Outcome, Vec<RecordedCall>) {
    let derived = create_with_seed(&BASE, "savings", &OWNER).unwrap();
    let base = AccountInput::new(BASE).kelvins(1_000).writable().signer();
    let invocation = Invocation::new(CALLER)
        .account(base)
        .account(AccountInput::new(derived).kelvins(kelvins).writable())
        .account(AccountInput::new(PAYEE).writable());
    let (outcome, record) = Host::new().run(|| invocation.run(|_, all, _| function(all)));
    (outcome, record.calls)
}

/// The instruction data of the only call.
fn data(calls: &[RecordedCall]) -> &[u8] {
    let [call] = calls else {
        panic!("one call");
    };
    assert_eq!(call.program_id, ID);
    &call.data
}

fn seed() -> Vec<u8> {
    [&7_u64.to_le_bytes()[..], b"savings"].concat()
}

#[test]
fn instructions_without_seed_have_the_runtimes_layout() {
    let (_, calls) = run(0, |all| {
        let created = super::create_account(&all[0], &all[2], 0x0102, 0x0304, &OWNER);
        assert_eq!(created.accounts()[1].key(), &PAYEE);
        let instruction = created.instruction();
        assert_eq!(instruction.program_id, &ID);
        let rights: Vec<_> = instruction.accounts.iter().collect();
        assert!(
            rights
                .iter()
                .all(|meta| (meta.is_signer, meta.is_writable) == (1, 1))
        );
        let expected = [
            &0_u32.to_le_bytes()[..],
            &0x0102_u64.to_le_bytes(),
            &0x0304_u64.to_le_bytes(),
            OWNER.as_ref(),
        ];
        assert_eq!(instruction.data, expected.concat());
        super::transfer(&all[0], &all[2], 0x0506).invoke()
    });
    assert_eq!(data(&calls), [2, 0, 0, 0, 6, 5, 0, 0, 0, 0, 0, 0]);
    let (_, calls) = run(0, |all| super::assign(&all[0], &OWNER).invoke());
    assert_eq!(data(&calls), [&[1, 0, 0, 0], OWNER.as_ref()].concat());
    let (_, calls) = run(0, |all| super::allocate(&all[0], 9).invoke());
    assert_eq!(data(&calls), [8, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn account_is_created_with_a_seed() {
    let (outcome, calls) = run(0, |all| {
        super::create_account_with_seed(&all[0], &all[1], &all[0], "savings", 70, 5, &OWNER)?
            .invoke()
    });
    assert_eq!(outcome.result, Ok(()));
    let account = &outcome.accounts[1];
    assert_eq!((account.owner, account.kelvins), (OWNER, 70));
    assert_eq!(account.data, [0; 5]);
    assert_eq!(outcome.accounts[0].kelvins, 930);
    let expected = [
        &[3, 0, 0, 0],
        BASE.as_ref(),
        &seed(),
        &70_u64.to_le_bytes(),
        &5_u64.to_le_bytes(),
        OWNER.as_ref(),
    ];
    assert_eq!(data(&calls), expected.concat());
}

#[test]
fn account_is_allocated_and_assigned_with_a_seed() {
    let (outcome, calls) = run(0, |all| {
        super::allocate_with_seed(&all[1], &all[0], "savings", 6, &OWNER)?.invoke()
    });
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(outcome.accounts[1].data, [0; 6]);
    assert_eq!(outcome.accounts[1].owner, OWNER);
    let expected = [
        &[9, 0, 0, 0],
        BASE.as_ref(),
        &seed(),
        &6_u64.to_le_bytes(),
        OWNER.as_ref(),
    ];
    assert_eq!(data(&calls), expected.concat());

    let (outcome, calls) = run(0, |all| {
        super::assign_with_seed(&all[1], &all[0], "savings", &OWNER)?.invoke()
    });
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(outcome.accounts[1].owner, OWNER);
    let expected = [&[10, 0, 0, 0], BASE.as_ref(), &seed(), OWNER.as_ref()];
    assert_eq!(data(&calls), expected.concat());
}

#[test]
fn kelvins_are_moved_with_a_seed() {
    let (outcome, calls) = run(50, |all| {
        super::transfer_with_seed(&all[1], &all[0], "savings", &OWNER, &all[2], 20)?.invoke()
    });
    assert_eq!(outcome.result, Ok(()));
    assert_eq!(outcome.accounts[1].kelvins, 30);
    assert_eq!(outcome.accounts[2].kelvins, 20);
    let expected = [
        &[11, 0, 0, 0][..],
        &20_u64.to_le_bytes(),
        &seed(),
        OWNER.as_ref(),
    ];
    assert_eq!(data(&calls), expected.concat());
}

#[test]
fn seed_has_at_most_32_bytes() {
    let (outcome, calls) = run(0, |all| {
        let most = "0123456789abcdef0123456789abcdef";
        let _ = super::assign_with_seed(&all[1], &all[0], most, &OWNER)?;
        let long = "0123456789abcdef0123456789abcdef0";
        let rejected = super::assign_with_seed(&all[1], &all[0], long, &OWNER);
        rejected.map(|_| ())
    });
    assert_eq!(outcome.result, Err(ProgramError::MaxSeedLengthExceeded));
    assert_eq!(calls, []);
}

#[test]
fn system_program_of_unit_tests_refuses_what_the_runtimes_refuses() {
    let fails = |function: fn(&[AccountInfo<'_>]) -> ProgramResult| run(50, function).0.result;
    // In use, by its kelvins.
    let used = fails(|all| {
        super::create_account_with_seed(&all[0], &all[1], &all[0], "savings", 1, 1, &OWNER)?
            .invoke()
    });
    assert_eq!(used, Err(ProgramError::Custom(0)));
    let poor = fails(|all| super::transfer(&all[0], &all[2], 1_001).invoke());
    assert_eq!(poor, Err(ProgramError::Custom(1)));
    let other_seed = fails(|all| {
        super::transfer_with_seed(&all[1], &all[0], "other", &OWNER, &all[2], 1)?.invoke()
    });
    assert_eq!(other_seed, Err(ProgramError::Custom(5)));
    let twice = fails(|all| {
        super::allocate(&all[0], 1).invoke()?;
        super::allocate(&all[0], 2).invoke()
    });
    assert_eq!(twice, Err(ProgramError::Custom(0)));
}
