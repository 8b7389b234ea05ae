//! One transaction: what is kept of it, what it costs, and what its programs see.

use ledger::{
    Account, AccountMeta, DeployError, Fee, Instruction, Ledger, Pubkey, StorageError, Transaction,
    TransactionError,
};
use loader::sysvars::Rent;
use loader::{Builtin, BuiltinCall, Failure, InvocationError, ProgramError, ids};
use tests::project;

const PROGRAM: Pubkey = Pubkey::new([0x40; 32]);
const ALICE: Pubkey = Pubkey::new([1; 32]);
const BOB: Pubkey = Pubkey::new([2; 32]);
const OWNED: Pubkey = Pubkey::new([3; 32]);

/// A program of the host's that is a closure.
struct Run<F>(F);

impl<F> Builtin for Run<F>
where
    F: Fn(&mut BuiltinCall<'_>) -> Result<(), Failure> + Send + Sync + 'static,
{
    fn call(&self, call: &mut BuiltinCall<'_>) -> Result<(), Failure> {
        (self.0)(call)
    }
}

/// A ledger with this program, Alice with a billion kelvins, and an account of the program with 8
/// bytes.
fn with_program(
    run: impl Fn(&mut BuiltinCall<'_>) -> Result<(), Failure> + Send + Sync + 'static,
) -> Ledger {
    let mut ledger = Ledger::new().builtin(PROGRAM, Run(run));
    ledger.airdrop(ALICE, 1_000_000_000).unwrap();
    ledger
        .set_account(Account {
            key: OWNED,
            owner: PROGRAM,
            kelvins: 1_000_000,
            data: vec![0; 8].into(),
            ..Account::default()
        })
        .unwrap();
    ledger
}

/// Adds its first byte of instruction data to the first byte of its first account; 0 fails.
fn add(call: &mut BuiltinCall<'_>) -> Result<(), Failure> {
    let number = call.data()[0];
    call.use_gas(100)?;
    call.account_mut(0)?.data[0] += number;
    call.log(format!("added {number}"))?;
    match number {
        0 => Err(ProgramError::Custom(7).into()),
        _ => Ok(()),
    }
}

fn adding(number: u8) -> Instruction {
    Instruction::new(PROGRAM)
        .account(AccountMeta::writable(OWNED))
        .data([number])
}

fn transfer(from: Pubkey, to: Pubkey, kelvins: u64) -> Instruction {
    let data = [2_u32.to_le_bytes().as_slice(), &kelvins.to_le_bytes()].concat();
    Instruction::new(ids::SYSTEM_PROGRAM)
        .account(AccountMeta::writable_signer(from))
        .account(AccountMeta::writable(to))
        .data(data)
}

fn contents(ledger: &Ledger) -> Vec<Account> {
    ledger
        .accounts()
        .map(|account| Account::clone(account))
        .collect()
}

#[test]
fn all_instructions_or_none() {
    let mut ledger = with_program(add);
    let before = contents(&ledger);
    let outcome = ledger.send([
        adding(3),
        transfer(ALICE, BOB, 1_000_000),
        adding(0),
        adding(5),
    ]);
    let Some(TransactionError::InstructionFailed {
        index: 2,
        program_id: PROGRAM,
        failure,
    }) = &outcome.error
    else {
        panic!("{:?}", outcome.error);
    };
    assert_eq!(**failure, Failure::from(ProgramError::Custom(7)));
    // The outcome has what ran, and no account changes.
    assert_eq!(outcome.instructions.len(), 3);
    assert_eq!(outcome.texts().collect::<Vec<_>>(), ["added 3", "added 0"]);
    assert_eq!(outcome.changes().count(), 0);
    assert_eq!(contents(&ledger), before);

    // Each instruction sees what those before it did.
    let outcome = ledger.send([adding(3), transfer(ALICE, BOB, 1_000_000), adding(5)]);
    assert!(outcome.is_success());
    assert_eq!(ledger.account(&OWNED).unwrap().data[0], 8);
    assert_eq!(ledger.kelvins(&BOB), 1_000_000);
    let changed: Vec<_> = outcome.changes().map(|change| change.key).collect();
    assert_eq!(changed, [OWNED, ALICE, BOB]);
}

#[test]
fn a_failed_transaction_pays_its_fee() {
    let mut ledger = with_program(add).fee(Fee {
        base: 100,
        per_signer: 10,
    });
    let outcome = ledger.send(Transaction::new([adding(4), adding(0)]).payer(ALICE));
    assert_eq!((outcome.fee, outcome.is_success()), (110, false));
    assert_eq!(ledger.kelvins(&ALICE), 999_999_890);
    assert_eq!(ledger.account(&OWNED).unwrap().data[0], 0);
    assert_eq!(outcome.accounts[0].after, ledger.account(&ALICE));

    // Two signers, and the program sees the payer after the fee.
    ledger.airdrop(BOB, 500).unwrap();
    let paid = Transaction::new([transfer(ALICE, BOB, 890_880)]).payer(BOB);
    let outcome = ledger.send(paid);
    assert_eq!((outcome.fee, &outcome.error), (120, &None));
    assert_eq!(ledger.kelvins(&BOB), 500 - 120 + 890_880);

    // The last kelvins are enough for a fee; the account is gone then.
    ledger
        .set_account(Account {
            key: BOB,
            kelvins: 110,
            ..Account::default()
        })
        .unwrap();
    let outcome = ledger.send(Transaction::new([adding(0)]).payer(BOB));
    assert_eq!((outcome.fee, ledger.account(&BOB)), (110, None));
}

#[test]
fn a_payer_that_cannot_pay() {
    let mut ledger = with_program(add).fee(Fee {
        base: 100,
        per_signer: 0,
    });
    ledger.airdrop(BOB, 99).unwrap();
    let before = contents(&ledger);
    let mut error_of = |payer| {
        let outcome = ledger.send(Transaction::new([adding(1)]).payer(payer));
        assert_eq!((outcome.fee, outcome.instructions.len()), (0, 0));
        assert_eq!(contents(&ledger), before);
        outcome.error.unwrap()
    };
    assert_eq!(
        error_of(BOB),
        TransactionError::InsufficientFundsForFee {
            payer: BOB,
            kelvins: 99,
            fee: 100
        }
    );
    assert_eq!(
        error_of(OWNED),
        TransactionError::InvalidPayer {
            payer: OWNED,
            owner: PROGRAM,
            length: 8
        }
    );
}

#[test]
fn what_rent_asks_of_an_account() {
    let mut ledger = with_program(add);
    let minimum = Rent::default().minimum_balance(0);
    // Too few for a new account.
    let outcome = ledger.send([transfer(ALICE, BOB, minimum - 1)]);
    let error = TransactionError::InsufficientFundsForRent {
        key: BOB,
        kelvins: minimum - 1,
        minimum,
        length: 0,
    };
    assert_eq!(outcome.error, Some(error));
    assert_eq!(ledger.account(&BOB), None);
    // Too few for the rest of an old one, and enough for both.
    assert!(ledger.send([transfer(ALICE, BOB, minimum)]).is_success());
    assert!(!ledger.send([transfer(BOB, ALICE, 1)]).is_success());
    // One that has too few already may have less, but not more, unless that is enough.
    ledger
        .set_account(Account {
            key: BOB,
            kelvins: 50,
            ..Account::default()
        })
        .unwrap();
    assert!(ledger.send([transfer(BOB, ALICE, 1)]).is_success());
    assert!(!ledger.send([transfer(ALICE, BOB, 1)]).is_success());
    assert!(ledger.send([transfer(ALICE, BOB, minimum)]).is_success());
    // What counts is the end of the transaction.
    let there_and_back = [transfer(BOB, ALICE, 100), transfer(ALICE, BOB, 100)];
    assert!(ledger.send(there_and_back).is_success());
}

#[test]
fn an_account_without_kelvins_is_removed() {
    let mut ledger = with_program(|call| {
        let kelvins = std::mem::take(&mut call.account_mut(0)?.kelvins);
        call.account_mut(1)?.kelvins += kelvins;
        Ok(())
    });
    let drain = Instruction::new(PROGRAM)
        .account(AccountMeta::writable(OWNED))
        .account(AccountMeta::writable(ALICE));
    let outcome = ledger.send([drain]);
    assert!(outcome.is_success());
    // It is gone with its data and its owner.
    assert_eq!(
        (ledger.account(&OWNED), ledger.accounts().count()),
        (None, 1)
    );
    assert_eq!(outcome.accounts[0].after, None);
    assert!(outcome.accounts[0].is_changed());
    // An account that does not exist is an empty one of the system program, and stays that.
    let outcome = ledger.send([transfer(ALICE, OWNED, 0)]);
    assert!(outcome.is_success());
    assert_eq!(
        (ledger.account(&OWNED), outcome.changes().count()),
        (None, 0)
    );
}

#[test]
fn flags_of_all_instructions_together() {
    let mut ledger = with_program(|call| {
        let flags = (0..call.account_count()).map(|at| {
            let input = call.account(at)?;
            Ok(match (input.is_signer, input.is_writable) {
                (true, true) => "sw",
                (true, false) => "s",
                (false, true) => "w",
                (false, false) => "-",
            })
        });
        let flags: Result<Vec<_>, Failure> = flags.collect();
        let flags = flags?.join(" ");
        call.log(flags)
    });
    let counter = project().join("examples/counter");
    let guest = Pubkey::new([9; 32]);
    ledger.deploy(guest, &program_test::build(counter)).unwrap();
    let first = Instruction::new(PROGRAM)
        .account(AccountMeta::readonly(ALICE))
        .account(AccountMeta::readonly(BOB))
        .account(AccountMeta::readonly(OWNED))
        // Nothing can change these.
        .account(AccountMeta::writable(ids::CLOCK))
        .account(AccountMeta::writable(guest))
        .account(AccountMeta::writable(PROGRAM))
        .account(AccountMeta::writable(ids::SYSTEM_PROGRAM));
    let second = Instruction::new(PROGRAM)
        .account(AccountMeta::writable(BOB))
        .account(AccountMeta::readonly_signer(BOB));
    let outcome = ledger.send(Transaction::new([first, second]).payer(ALICE));
    let logs: Vec<_> = outcome.texts().collect();
    assert_eq!(logs, ["sw sw - - - - -", "sw sw"], "{:?}", outcome.error);
}

#[test]
fn instructions_share_the_gas() {
    let mut ledger = with_program(add);
    let outcome = ledger.send(Transaction::new([adding(1), adding(1)]).gas(200));
    assert_eq!(
        (outcome.is_success(), outcome.gas_used, outcome.gas_limit),
        (true, 200, 200)
    );
    let outcome = ledger.send(Transaction::new([adding(1), adding(1)]).gas(199));
    let failure = outcome
        .error
        .as_ref()
        .and_then(TransactionError::failure)
        .unwrap();
    assert!(matches!(failure, Failure::OutOfGas { .. }), "{failure:?}");
    assert_eq!(outcome.gas_used, 199);
    assert_eq!(ledger.account(&OWNED).unwrap().data[0], 2);

    let limit_of = |count: u8| {
        let instructions = (0..count).map(|_| adding(1));
        ledger.simulate(Transaction::new(instructions)).gas_limit
    };
    assert_eq!(
        [1, 2, 7, 8].map(limit_of),
        [200_000, 400_000, 1_400_000, 1_400_000]
    );
    let outcome = ledger.simulate(Transaction::new([adding(1)]).gas(1_400_001));
    let error = TransactionError::GasTooLarge {
        gas: 1_400_001,
        limit: 1_400_000,
    };
    assert_eq!(outcome.error, Some(error));
}

#[test]
fn instructions_that_are_not_run() {
    let mut ledger = with_program(add).fee(Fee {
        base: 100,
        per_signer: 0,
    });
    let before = ledger.account(&OWNED);
    let outcome = ledger.send(Transaction::new([adding(1), Instruction::new(BOB)]).payer(ALICE));
    let error = TransactionError::UnknownProgram {
        index: 1,
        program_id: BOB,
    };
    assert_eq!((outcome.error, outcome.fee), (Some(error), 100));
    assert_eq!(ledger.account(&OWNED), before);
    // An account without a program is not one either.
    let outcome = ledger.send(Transaction::new([Instruction::new(OWNED)]));
    let error = TransactionError::UnknownProgram {
        index: 0,
        program_id: OWNED,
    };
    assert_eq!(outcome.error, Some(error));

    let many = (0..=255).map(|byte| AccountMeta::readonly(Pubkey::new([byte; 32])));
    let outcome = ledger.send([adding(1), Instruction::new(PROGRAM).accounts(many)]);
    let error = TransactionError::InvalidInstruction {
        index: 1,
        error: InvocationError::TooManyEntries {
            count: 256,
            limit: 255,
        },
    };
    assert_eq!(outcome.error, Some(error));
    assert_eq!(ledger.account(&OWNED), before);
    let outcome = ledger.send(Transaction::new([]).payer(ALICE));
    assert_eq!(
        (outcome.error, outcome.fee),
        (Some(TransactionError::NoInstructions), 0)
    );
}

#[test]
fn deployed_and_deployed_again() {
    let mut ledger = with_program(add);
    let build = |name: &str| program_test::build(project().join("examples").join(name));
    let (counter, hello) = (build("counter"), build("hello"));
    let program_id = Pubkey::new([9; 32]);
    let number = |ledger: &Ledger| ledger.account(&BOB).unwrap().data[0];
    let deployment = ledger.deploy(program_id, &counter).unwrap();
    assert_eq!(
        (deployment.program_id, deployment.length),
        (program_id, counter.len())
    );
    assert_eq!(ledger.kelvins(&program_id), deployment.rent);
    ledger
        .set_account(Account {
            key: BOB,
            owner: program_id,
            kelvins: 1_000_000,
            data: vec![0; 8].into(),
            ..Account::default()
        })
        .unwrap();
    let call = Instruction::new(program_id).account(AccountMeta::writable(BOB));
    assert!(ledger.send([call.clone()]).is_success());
    assert_eq!(number(&ledger), 1);

    // A file that is not a program changes nothing.
    let error = ledger.deploy(program_id, b"PVM\0?").unwrap_err();
    assert!(matches!(error, DeployError::InvalidProgram(_)), "{error:?}");
    assert!(ledger.send([call.clone()]).is_success());
    assert_eq!(number(&ledger), 2);

    let before = ledger.snapshot();
    ledger.deploy(program_id, &hello).unwrap();
    let outcome = ledger.send([call.clone()]);
    assert_eq!((outcome.is_success(), number(&ledger)), (true, 2));
    assert!(outcome.texts().count() > 0);
    // The first program is back with the accounts.
    ledger.restore(&before).unwrap();
    assert!(ledger.send([call]).is_success());
    assert_eq!(number(&ledger), 3);

    for program_id in [OWNED, ALICE] {
        let error = ledger.deploy(program_id, &hello).unwrap_err();
        assert_eq!(error, DeployError::AddressInUse { program_id });
    }
}

#[test]
fn snapshots_and_simulations() {
    let mut ledger = with_program(add);
    ledger.warp_to(10_000).unwrap();
    let before = (contents(&ledger), ledger.sysvars().clone());
    let snapshot = ledger.snapshot();

    let outcome = ledger.simulate([adding(3), transfer(ALICE, BOB, 1_000_000)]);
    assert!(outcome.is_success());
    assert_eq!(outcome.changes().count(), 3);
    assert_eq!((contents(&ledger), ledger.sysvars().clone()), before);
    assert_eq!(ledger.history(10).unwrap(), []);
    // What is simulated is what is sent.
    assert_eq!(
        ledger.send([adding(3), transfer(ALICE, BOB, 1_000_000)]),
        outcome
    );

    ledger.warp_to(20_000).unwrap();
    let later = ledger.snapshot();
    ledger.restore(&snapshot).unwrap();
    assert_eq!((contents(&ledger), ledger.sysvars().clone()), before);
    ledger.restore(&later).unwrap();
    assert_eq!(
        (ledger.kelvins(&BOB), ledger.sysvars().clock.slot),
        (1_000_000, 50)
    );
    // A clone goes its own way.
    let mut clone = ledger.clone();
    assert!(clone.send([adding(3)]).is_success());
    let number = |ledger: &Ledger| ledger.account(&OWNED).unwrap().data[0];
    assert_eq!((number(&ledger), number(&clone)), (3, 6));
}

#[test]
fn the_system_program_allocates_up_to_ten_mebibytes() {
    let mut ledger = with_program(add);
    ledger.airdrop(ALICE, 1_000_000_000_000).unwrap();
    let create = |space: u64| {
        let kelvins = Rent::default().minimum_balance(space as usize);
        let data = [
            0_u32.to_le_bytes().as_slice(),
            &kelvins.to_le_bytes(),
            &space.to_le_bytes(),
            PROGRAM.as_bytes(),
        ]
        .concat();
        Instruction::new(ids::SYSTEM_PROGRAM)
            .account(AccountMeta::writable_signer(ALICE))
            .account(AccountMeta::writable_signer(BOB))
            .data(data)
    };
    for space in [0, 10_240, 10_241, 1 << 20, 10 << 20] {
        let mut ledger = ledger.clone();
        let outcome = ledger.send([create(space)]);
        assert_eq!(outcome.error, None, "{space} bytes");
        let account = ledger.account(&BOB).unwrap();
        assert_eq!((account.data.len() as u64, account.owner), (space, PROGRAM));
    }
    let outcome = ledger.send([create((10 << 20) + 1)]);
    assert!(!outcome.is_success());
    assert_eq!(ledger.account(&BOB), None);
}

#[test]
fn accounts_that_are_not_listed() {
    // It logs the first byte of an account that it does not list.
    let mut ledger = with_program(|call| match call.data() {
        [] => {
            let found = call.host().find_account(&OWNED);
            let byte = found.map(|account| account.data[0]);
            call.log(format!("{byte:?}"))
        }
        _ => add(call),
    });
    let look = Instruction::new(PROGRAM);
    let outcome = ledger.send([look.clone(), adding(4), look.clone()]);
    // It sees what earlier instructions of the same transaction did.
    let logs: Vec<_> = outcome.texts().collect();
    assert_eq!(logs, ["Some(0)", "added 4", "Some(4)"]);
    ledger
        .set_account(Account {
            key: OWNED,
            ..Account::default()
        })
        .unwrap();
    // Another instruction of the transaction may list it.
    for instructions in [vec![look.clone()], vec![look, transfer(ALICE, OWNED, 0)]] {
        let outcome = ledger.send(instructions);
        assert!(outcome.is_success());
        assert_eq!(outcome.texts().collect::<Vec<_>>(), ["None"]);
    }
}

#[test]
fn the_ledger_makes_accounts_of_sysvars_and_built_in_programs_itself() {
    let mut ledger = with_program(add);
    let before = contents(&ledger);
    let clock = loader::sysvars::Clock::ID;
    for key in [clock, ids::INSTRUCTIONS, ids::SYSTEM_PROGRAM, PROGRAM] {
        let reserved = StorageError::ReservedAddress { key };
        assert_eq!(ledger.airdrop(key, 5), Err(reserved.clone()));
        let account = Account {
            key,
            kelvins: 5,
            ..Account::default()
        };
        assert_eq!(ledger.set_account(account), Err(reserved.clone()));
        let deployed = ledger.deploy(key, b"anything");
        assert_eq!(deployed, Err(reserved.into()));
    }
    assert_eq!(contents(&ledger), before);
    // A transaction that lists the instructions leaves no account behind.
    let list = adding(1).account(AccountMeta::writable(ids::INSTRUCTIONS));
    let outcome = ledger.send([list]);
    assert_eq!(outcome.error, None);
    let listed = outcome.accounts.iter();
    let mut changed = listed.filter(|account| account.is_changed());
    assert!(changed.all(|account| account.key != ids::INSTRUCTIONS));
    assert_eq!(ledger.account(&ids::INSTRUCTIONS), None);
}

#[test]
fn a_transaction_has_at_most_64_instructions() {
    let mut ledger = with_program(add);
    let many = |count| Transaction::new((0..count).map(|_| adding(1)));
    assert_eq!(ledger.send(many(64)).error, None);
    let error = TransactionError::TooManyInstructions {
        count: 65,
        limit: 64,
    };
    assert_eq!(ledger.send(many(65)).error, Some(error));
}

#[test]
fn a_fee_does_not_make_a_payer_owe_rent() {
    let mut ledger = with_program(add).fee(Fee {
        base: 5_000,
        per_signer: 0,
    });
    let payer = Pubkey::new([9; 32]);
    let minimum = ledger.sysvars().rent.minimum_balance(0);
    ledger.airdrop(payer, minimum + 4_999).unwrap();
    for _ in 0..2 {
        let outcome = ledger.send(Transaction::new([adding(1)]).payer(payer));
        let error = TransactionError::InsufficientFundsForRent {
            key: payer,
            kelvins: minimum - 1,
            minimum,
            length: 0,
        };
        assert_eq!((outcome.error, outcome.fee), (Some(error), 0));
        assert_eq!(ledger.kelvins(&payer), minimum + 4_999);
    }
    ledger.airdrop(payer, 1).unwrap();
    let outcome = ledger.send(Transaction::new([adding(1)]).payer(payer));
    assert_eq!((outcome.error, outcome.fee), (None, 5_000));
}
