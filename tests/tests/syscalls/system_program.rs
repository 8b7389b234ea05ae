//! The system program, called by another program.

use std::sync::Arc;

use abi::ids::SYSTEM_PROGRAM;
use abi::program_address::{create_with_seed, find_program_address};
use abi::system::{Instruction as Number, SystemError};
use caller::{Call, Listed};
use entrypoint::{AccountMeta, Instruction, testing};
use loader::{
    AccountInput, Engine, Failure, Host, Limits, Outcome, Prices, ProgramError, Pubkey,
    SystemProgram,
};
use tests::caller_guest::{self, A, calling, environment, invocation};

const PAYER: Pubkey = Pubkey::new([1; 32]);
const NEW: Pubkey = Pubkey::new([2; 32]);
const BASE: Pubkey = Pubkey::new([3; 32]);
const OWNER: Pubkey = Pubkey::new([9; 32]);

/// Instruction data, as bincode writes them.
struct Data(Vec<u8>);

impl Data {
    fn new(instruction: Number) -> Self {
        Self((instruction as u32).to_le_bytes().to_vec())
    }

    fn number(mut self, number: u64) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn key(mut self, key: &Pubkey) -> Self {
        self.0.extend(key.as_bytes());
        self
    }

    fn text(self, text: &str) -> Self {
        let mut data = self.number(text.len() as u64);
        data.0.extend(text.as_bytes());
        data
    }
}

fn create(kelvins: u64, space: u64, owner: &Pubkey) -> Data {
    let data = Data::new(Number::CreateAccount).number(kelvins);
    data.number(space).key(owner)
}

fn transfer(kelvins: u64) -> Data {
    Data::new(Number::Transfer).number(kelvins)
}

/// The account with 100 kelvins, a writable signer.
fn payer() -> AccountInput {
    empty(PAYER).kelvins(100)
}

/// An account without anything, a writable signer.
fn empty(key: Pubkey) -> AccountInput {
    AccountInput::new(key).signer().writable()
}

/// The same account, which has not signed.
fn unsigned(account: AccountInput) -> AccountInput {
    AccountInput {
        is_signer: false,
        ..account
    }
}

fn host(engine: Engine) -> Arc<dyn Host> {
    Arc::new(environment([engine; 3]).builtin(SYSTEM_PROGRAM, SystemProgram))
}

/// Lets the guest pass all its accounts to the system program, with their flags and these seeds.
fn run_on(engine: Engine, data: &[u8], accounts: &[AccountInput], seeds: &[&[u8]]) -> Outcome {
    let signers = match seeds {
        [] => Vec::new(),
        seeds => vec![seeds.iter().map(|seed| seed.to_vec()).collect()],
    };
    let derived = abi::program_address::create_program_address(seeds, &A);
    let listed = accounts.iter().zip(0..).map(|(input, position)| Listed {
        is_signer: (input.is_signer || derived == Ok(input.account.key)).into(),
        is_writable: input.is_writable.into(),
        ..Listed::at(position)
    });
    let call = Call {
        program_id: SYSTEM_PROGRAM,
        listed: listed.collect(),
        passed: (0..accounts.len() as u64).collect(),
        signers,
        data: data.to_vec(),
    };
    let invocation = invocation(calling(&call), accounts.iter().cloned());
    let outcome = caller_guest::program(engine).invoke_with(&host(engine), &invocation);
    outcome.unwrap_or_else(|error| panic!("{engine}: {error}"))
}

/// Checks that the system program of unit tests does the same.
fn check_unit_test(data: &[u8], accounts: &[AccountInput], expected: &Outcome) {
    let invocation = accounts.iter().cloned();
    let invocation = invocation.fold(testing::Invocation::new(A), testing::Invocation::account);
    let (found, record) = testing::Host::new().run(|| {
        invocation.run(|_, views, _| {
            let metas = views
                .iter()
                .map(|view| AccountMeta::new(view.key(), view.is_signer(), view.is_writable()));
            let instruction = Instruction {
                program_id: &SYSTEM_PROGRAM,
                accounts: &metas.collect::<Vec<_>>(),
                data,
            };
            entrypoint::invoke(&instruction, views)
        })
    });
    match &expected.failure {
        None => assert_eq!(found.result, Ok(())),
        Some(failure) => match failure.cause() {
            Failure::ProgramError { error } => assert_eq!(found.result, Err(*error)),
            // What the loader rejects afterwards is an error there.
            _ => assert!(found.result.is_err(), "{failure}"),
        },
    }
    assert_eq!(found.accounts, expected.accounts);
    assert_eq!(record.logs, expected.logs);
}

/// Runs on two targets and in a unit test, and returns the one outcome of the interpreter.
fn run(data: &Data, accounts: &[AccountInput]) -> Outcome {
    let first = run_on(Engine::Interpreter, &data.0, accounts, &[]);
    let wasm = run_on(Engine::Wasm, &data.0, accounts, &[]);
    assert_eq!(first.failure, wasm.failure);
    assert_eq!(first.accounts, wasm.accounts);
    assert_eq!(first.logs, wasm.logs);
    check_unit_test(&data.0, accounts, &first);
    first
}

/// The balances after a success.
fn balances(data: &Data, accounts: &[AccountInput]) -> Vec<u64> {
    let outcome = run(data, accounts);
    assert_eq!(outcome.failure, None, "{:?}", outcome.logs);
    let accounts = outcome.accounts.iter();
    accounts.map(|account| account.kelvins).collect()
}

/// The error, and the line that explains it.
fn error(data: &Data, accounts: &[AccountInput]) -> (ProgramError, String) {
    let outcome = run(data, accounts);
    let failure = outcome.failure.expect("a failure");
    let Failure::ProgramError { error } = failure.cause() else {
        panic!("{failure}");
    };
    (*error, outcome.logs.join("\n"))
}

/// The kind of the failure if the loader rejects the changes.
fn rejected(data: &Data, accounts: &[AccountInput]) -> &'static str {
    run(data, accounts).failure.expect("a failure").kind()
}

#[test]
fn an_account_is_created() {
    let outcome = run(&create(60, 165, &OWNER), &[payer(), empty(NEW)]);
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.accounts[0].kelvins, 40);
    let new = &outcome.accounts[1];
    assert_eq!((new.kelvins, new.owner), (60, OWNER));
    assert_eq!(new.data, vec![0; 165]);
}

#[test]
fn an_account_at_a_derived_address_is_created() {
    let (vault, bump) = find_program_address(&[b"vault"], &A).expect("an address");
    let accounts = [payer(), unsigned(empty(vault))];
    let data = create(60, 10, &A).0;
    let outcome = run_on(Engine::Interpreter, &data, &accounts, &[b"vault", &[bump]]);
    assert_eq!(outcome.failure, None, "{:?}", outcome.logs);
    assert_eq!(outcome.accounts[1].owner, A);
    let outcome = run_on(Engine::Interpreter, &data, &accounts, &[]);
    let failure = outcome.failure.expect("a failure");
    assert_eq!(failure.kind(), "ProgramError", "{failure}");
}

#[test]
fn kelvins_are_transferred() {
    assert_eq!(
        balances(&transfer(30), &[payer(), unsigned(empty(NEW))]),
        [70, 30]
    );
    assert_eq!(balances(&transfer(100), &[payer(), empty(NEW)]), [0, 100]);
    assert_eq!(balances(&transfer(0), &[payer(), empty(NEW)]), [100, 0]);
    // The recipient may be another program's.
    assert_eq!(
        balances(&transfer(1), &[payer(), empty(NEW).owner(OWNER).data([7])]),
        [99, 1]
    );
}

#[test]
fn an_account_is_allocated_and_assigned() {
    let data = Data::new(Number::Allocate).number(12);
    let outcome = run(&data, &[payer()]);
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.accounts[0].data, [0; 12]);
    assert_eq!(outcome.accounts[0].owner, SYSTEM_PROGRAM);
    let data = Data::new(Number::Assign).key(&OWNER);
    let outcome = run(&data, &[payer()]);
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.accounts[0].owner, OWNER);
    // An owner that is the same already needs no signature.
    let data = Data::new(Number::Assign).key(&SYSTEM_PROGRAM);
    assert_eq!(run(&data, &[unsigned(payer())]).failure, None);
}

#[test]
fn a_base_signs_for_the_account_of_its_seed() {
    let derived = create_with_seed(&BASE, "seed", &OWNER).expect("an address");
    let base = AccountInput::new(BASE).signer();
    let account = || unsigned(empty(derived));

    let data = Data::new(Number::CreateAccountWithSeed)
        .key(&BASE)
        .text("seed");
    let data = data.number(60).number(4).key(&OWNER);
    let outcome = run(&data, &[payer(), account(), base.clone()]);
    assert_eq!(outcome.failure, None, "{:?}", outcome.logs);
    assert_eq!(outcome.accounts[1].owner, OWNER);
    assert_eq!(outcome.accounts[1].kelvins, 60);
    assert_eq!(outcome.accounts[1].data, [0; 4]);

    let data = Data::new(Number::AllocateWithSeed).key(&BASE).text("seed");
    let data = data.number(4).key(&OWNER);
    let outcome = run(&data, &[account(), base.clone()]);
    assert_eq!(outcome.failure, None, "{:?}", outcome.logs);
    assert_eq!(
        (outcome.accounts[0].owner, outcome.accounts[0].data.len()),
        (OWNER, 4)
    );

    let data = Data::new(Number::AssignWithSeed)
        .key(&BASE)
        .text("seed")
        .key(&OWNER);
    let outcome = run(&data, &[account(), base.clone()]);
    assert_eq!(outcome.failure, None, "{:?}", outcome.logs);
    assert_eq!(outcome.accounts[0].owner, OWNER);
    let without = run(&data, &[account(), AccountInput::new(BASE)]);
    assert_eq!(without.failure.expect("a failure").kind(), "ProgramError");

    let data = Data::new(Number::TransferWithSeed)
        .number(30)
        .text("seed")
        .key(&OWNER);
    let accounts = [account().kelvins(50), base.clone(), unsigned(empty(NEW))];
    assert_eq!(balances(&data, &accounts), [20, 0, 30]);
    let (failed, log) = error(&data, &[accounts[0].clone(), unsigned(base), empty(NEW)]);
    assert_eq!(failed, ProgramError::MissingRequiredSignature, "{log}");
    let other = [unsigned(payer()), accounts[1].clone(), empty(NEW)];
    let (failed, log) = error(&data, &other);
    assert_eq!(failed, SystemError::AddressWithSeedMismatch.into());
    assert!(
        log.contains(&format!("the account {PAYER} is not that of the base")),
        "{log}"
    );
}

#[test]
fn each_rule_has_its_error() {
    use ProgramError::{
        Custom, InvalidArgument, InvalidRealloc, MissingRequiredSignature, NotEnoughAccountKeys,
    };
    let custom = |error: SystemError| ProgramError::from(error);
    let mut marked = [5; 32];
    marked[11..].copy_from_slice(b"ProgramDerivedAddress");
    let marked = Pubkey::new(marked);
    let with_seed = |seed: &str, owner: &Pubkey| {
        Data::new(Number::AssignWithSeed)
            .key(&BASE)
            .text(seed)
            .key(owner)
    };
    let ok = || create(60, 10, &OWNER);
    let cases = [
        (ok(), vec![payer()], NotEnoughAccountKeys),
        (
            ok(),
            vec![payer(), empty(NEW).kelvins(1)],
            custom(SystemError::AccountAlreadyInUse),
        ),
        (
            ok(),
            vec![payer(), empty(NEW).data([0])],
            custom(SystemError::AccountAlreadyInUse),
        ),
        (
            ok(),
            vec![payer(), empty(NEW).owner(OWNER)],
            custom(SystemError::AccountAlreadyInUse),
        ),
        (
            ok(),
            vec![payer(), unsigned(empty(NEW))],
            MissingRequiredSignature,
        ),
        (
            ok(),
            vec![unsigned(payer()), empty(NEW)],
            MissingRequiredSignature,
        ),
        (ok(), vec![payer().data([1]), empty(NEW)], InvalidArgument),
        (
            create(101, 10, &OWNER),
            vec![payer(), empty(NEW)],
            custom(SystemError::ResultWithNegativeKelvins),
        ),
        (
            create(1, (10 << 20) + 1, &OWNER),
            vec![payer(), empty(NEW)],
            custom(SystemError::InvalidAccountDataLength),
        ),
        (
            create(1, 10_241, &OWNER),
            vec![payer(), empty(NEW)],
            InvalidRealloc,
        ),
        (
            create(1, u64::MAX, &OWNER),
            vec![payer(), empty(NEW)],
            custom(SystemError::InvalidAccountDataLength),
        ),
        (
            transfer(101),
            vec![payer(), empty(NEW)],
            custom(SystemError::ResultWithNegativeKelvins),
        ),
        (
            transfer(1),
            vec![unsigned(payer()), empty(NEW)],
            MissingRequiredSignature,
        ),
        (
            transfer(1),
            vec![payer().data([1]), empty(NEW)],
            InvalidArgument,
        ),
        (transfer(1), vec![payer()], NotEnoughAccountKeys),
        (
            with_seed(&"x".repeat(33), &OWNER),
            vec![payer()],
            // The numbers of the runtime's errors of keys.
            Custom(0),
        ),
        (with_seed("x", &marked), vec![payer()], Custom(2)),
        (
            with_seed("x", &OWNER),
            vec![payer()],
            custom(SystemError::AddressWithSeedMismatch),
        ),
    ];
    for (number, (data, accounts, expected)) in cases.into_iter().enumerate() {
        let (found, log) = error(&data, &accounts);
        assert_eq!(found, expected, "case {number}: {log}");
        assert!(!log.is_empty(), "case {number} has no reason");
    }
}

/// What the system program leaves to the loader's rules.
#[test]
fn the_loader_rejects_what_no_program_may_do() {
    let read_only = AccountInput {
        is_writable: false,
        ..empty(NEW)
    };
    assert_eq!(
        rejected(&transfer(1), &[payer(), read_only]),
        "AccountNotWritable"
    );
    let theirs = payer().owner(OWNER);
    assert_eq!(
        rejected(&transfer(1), &[theirs.clone(), empty(NEW)]),
        "DebitedByNonOwner"
    );
    let assign = Data::new(Number::Assign).key(&A);
    assert_eq!(rejected(&assign, &[theirs]), "ReassignedByNonOwner");
    assert_eq!(
        rejected(&assign, &[payer().data([1])]),
        "ReassignedWithData"
    );
}

#[test]
fn the_same_account_may_pay_itself() {
    let data = transfer(30).0;
    let call = Call {
        program_id: SYSTEM_PROGRAM,
        listed: vec![Listed::at(0).signer().writable(); 2],
        passed: vec![0],
        signers: Vec::new(),
        data,
    };
    let invocation = invocation(calling(&call), [payer()]);
    let engine = Engine::Interpreter;
    let outcome = caller_guest::program(engine).invoke_with(&host(engine), &invocation);
    let outcome = outcome.expect("a valid invocation");
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.accounts[0].kelvins, 100);
}

#[test]
fn nonce_accounts_are_refused_by_name() {
    for number in [4, 5, 6, 7, 12] {
        let instruction = Number::from_u32(number).expect("an instruction");
        let (found, log) = error(&Data::new(instruction), &[payer()]);
        assert_eq!(found, ProgramError::InvalidInstructionData);
        assert!(log.ends_with(instruction.name()), "{log}");
    }
}

#[test]
fn invalid_instruction_data_are_refused() {
    let seeded = Data::new(Number::AssignWithSeed).key(&BASE);
    let mut not_text = Data::new(Number::AssignWithSeed).key(&BASE).number(2);
    not_text.0.extend([0xff, 0xfe]);
    let cases = [
        Data(Vec::new()),
        Data(vec![2, 0, 0]),
        Data(13_u32.to_le_bytes().to_vec()),
        Data(u32::MAX.to_le_bytes().to_vec()),
        Data(create(1, 2, &OWNER).0[..51].to_vec()),
        seeded.number(u64::MAX).key(&OWNER),
        not_text.key(&OWNER),
    ];
    for data in cases {
        let (found, log) = error(&data, &[payer(), empty(NEW)]);
        assert_eq!(found, ProgramError::InvalidInstructionData, "{log}");
        assert!(!log.is_empty());
    }
    // Bytes after the fields are ignored.
    let longer = Data(transfer(30).number(0).0);
    assert_eq!(balances(&longer, &[payer(), empty(NEW)]), [70, 30]);
}

#[test]
fn an_instruction_costs_what_the_prices_say() {
    let gas = |system_program: u64| {
        let engine = Engine::Interpreter;
        let mut prices = Prices::default();
        prices.system_program = system_program;
        let loader = caller_guest::loader(engine)
            .limits(Limits::default())
            .prices(prices);
        let program = loader
            .load(&caller_guest::file(engine.target()))
            .expect("a program");
        let call = Call {
            program_id: SYSTEM_PROGRAM,
            listed: vec![Listed::at(0).signer().writable(); 2],
            passed: vec![0],
            signers: Vec::new(),
            data: transfer(0).0,
        };
        let outcome = program.invoke_with(&host(engine), &invocation(calling(&call), [payer()]));
        outcome.expect("a valid invocation").gas_used
    };
    assert_eq!(gas(1_150), gas(150) + 1_000);
    assert_eq!(Prices::rialo().system_program, 150);
}
