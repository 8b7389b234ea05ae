//! What a program asks the host for through the safe functions of `entrypoint`: the guest `asks`
//! gets the same on every engine, and in a unit test on the host.

use std::collections::HashMap;
use std::slice;
use std::sync::{Arc, Mutex, PoisonError};

use abi::sysvar::{Clock, EpochRewards, EpochSchedule, Fees, Rent};
use asks::{Asked, Command, ID, VAULT};
use entrypoint::{Event, testing};
use loader::fixture::Fixture;
use loader::sysvars::Sysvars;
use loader::{
    Account, AccountEntry, AccountInput, AccountMeta, Engine, Environment, Failure, Host,
    InvalidCall, Invocation, Outcome, ProcessedInstruction, Program, ProgramError, Pubkey,
    SystemProgram,
};
use program_build::guest::{self, DebugInfo};
use program_build::machine::Machine;
use program_build::package::ProgramPackage;
use sha2::{Digest, Sha256};
use tests::everywhere_guest::engines;

const PAYER: Pubkey = Pubkey::new([7; 32]);
const OTHER: Pubkey = Pubkey::new([8; 32]);
const LOADED: Pubkey = Pubkey::new([9; 32]);

/// The guest on an engine.
fn program(engine: Engine) -> Program {
    static PROGRAMS: Mutex<Option<HashMap<Engine, Program>>> = Mutex::new(None);
    let mut programs = PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner);
    let programs = programs.get_or_insert_default();
    let load = || {
        let package = ProgramPackage::in_folder(&tests::guest("asks"))?;
        let file = guest::build_for(&package, engine.target(), &[], DebugInfo::Strip)?;
        let loader = Machine::new(engine).loader(&package.target_folder)?;
        anyhow::Ok(loader.load(&file)?)
    };
    let program = programs
        .entry(engine)
        .or_insert_with(|| load().unwrap_or_else(|error| panic!("{engine}: {error:?}")));
    program.clone()
}

fn sysvars() -> Sysvars {
    Sysvars::default()
        .clock(Clock {
            slot: 11,
            epoch_start_timestamp_ms: -12,
            unix_timestamp_ms: 1_700_000_000_123,
        })
        .rent(Rent {
            kelvins_per_byte_year: 99,
            burn_percent: 13,
            ..Rent::default()
        })
        .epoch_schedule(EpochSchedule {
            slots_per_epoch: 14,
            ..EpochSchedule::default()
        })
        .fees(Fees {
            kelvins_per_signature: 15,
        })
        .epoch_rewards(EpochRewards {
            total_points: 16 << 70,
            active: 1,
            ..EpochRewards::default()
        })
        .last_restart_slot(17)
        .random_seed(18)
}

fn loaded() -> Account {
    Account {
        key: LOADED,
        owner: OTHER,
        kelvins: 5,
        data: b"loaded".into(),
        ..Account::default()
    }
}

fn environment(engine: Engine) -> Arc<dyn Host> {
    let base = Environment::new()
        .sysvars(sysvars())
        .account(loaded())
        .builtin(entrypoint::system::ID, SystemProgram)
        .program(ID, program(engine));
    let environment = transaction().into_iter().take(2);
    let environment = environment.fold(base, Environment::processed);
    Arc::new(environment)
}

/// The instructions of the transaction. The first two are processed before the invocation.
fn transaction() -> [ProcessedInstruction; 3] {
    let instruction = |byte, accounts: &[AccountMeta], data: &[u8]| ProcessedInstruction {
        program_id: Pubkey::new([byte; 32]),
        accounts: accounts.to_vec(),
        data: data.to_vec(),
    };
    let accounts = [
        AccountMeta::readonly(&PAYER),
        AccountMeta::writable_signer(&OTHER),
    ];
    [
        instruction(1, &accounts, b"first"),
        instruction(2, &[], b""),
        instruction(3, &accounts[1..], b"third"),
    ]
}

/// What the guest returns of an instruction.
fn bytes_of(instruction: &ProcessedInstruction) -> Vec<u8> {
    let accounts = bytemuck::cast_slice(&instruction.accounts);
    let id = instruction.program_id.as_ref();
    [id, &instruction.data, accounts].concat()
}

/// The host of a unit test that has the same.
fn test_host() -> testing::Host {
    let before = transaction().into_iter().take(2);
    before
        .fold(testing::Host::new(), testing::Host::processed)
        .sysvars(sysvars())
        .account(loaded())
        .program(ID, asks::process_instruction)
}

/// Makes a call on every engine, and in a unit test if it succeeds. Returns the outcome, which is
/// the same on all.
#[track_caller]
fn call(command: Command, rest: &[u8], accounts: &[AccountInput]) -> Outcome {
    let (invocation, outcome) = call_on_engines(command, rest, accounts);
    if outcome.failure.is_none() {
        assert_same_in_a_unit_test(&outcome, &invocation, accounts);
    }
    outcome
}

#[track_caller]
fn call_on_engines(
    command: Command,
    rest: &[u8],
    accounts: &[AccountInput],
) -> (Invocation, Outcome) {
    let invocation = accounts.iter().fold(
        Invocation::new(ID).data(command.data(rest)).gas(50_000_000),
        |invocation, account| invocation.account(account.clone()),
    );
    let mut outcomes: Vec<Outcome> = Vec::new();
    for engine in engines() {
        let outcome = program(engine).invoke_with(&environment(engine), &invocation);
        let outcome = outcome.unwrap_or_else(|error| panic!("{engine}: {error}"));
        if let Some(first) = outcomes.first() {
            assert_eq!(outcome.failure, first.failure, "{engine}");
            assert_eq!(outcome.accounts, first.accounts, "{engine}");
            assert_eq!(outcome.return_data, first.return_data, "{engine}");
            assert_eq!(outcome.logs, first.logs, "{engine}");
        }
        outcomes.push(outcome);
    }
    (invocation, outcomes.swap_remove(0))
}

#[track_caller]
fn assert_same_in_a_unit_test(
    outcome: &Outcome,
    invocation: &Invocation,
    accounts: &[AccountInput],
) {
    let unit_test = accounts.iter().fold(
        testing::Invocation::new(ID).data(invocation.data.clone()),
        |invocation, account| {
            invocation.account(testing::AccountInput {
                account: testing_account(&account.account),
                is_signer: account.is_signer,
                is_writable: account.is_writable,
            })
        },
    );
    let (found, record) = test_host().run(|| unit_test.run(asks::process_instruction));
    assert_eq!(found.result, Ok(()));
    assert_eq!(found.return_data, outcome.return_data);
    let expected: Vec<_> = outcome.accounts.iter().map(testing_account).collect();
    assert_eq!(found.accounts, expected);
    assert_eq!(record.calls.len(), outcome.calls.len());
}

fn testing_account(account: &Account) -> testing::Account {
    testing::Account {
        key: account.key,
        owner: account.owner,
        kelvins: account.kelvins,
        data: account.data.clone(),
        executable: account.executable,
        rent_epoch: account.rent_epoch,
    }
}

#[track_caller]
fn succeed(command: Command, rest: &[u8], accounts: &[AccountInput]) -> Outcome {
    let outcome = call(command, rest, accounts);
    assert_eq!(outcome.failure, None);
    outcome
}

fn own(key: Pubkey, data: &[u8]) -> AccountInput {
    let account = AccountInput::new(key).owner(ID).kelvins(100).writable();
    account.data(data.to_vec())
}

#[test]
fn sysvars_are_those_of_the_host() {
    let outcome = succeed(Command::Sysvars, &[], &[]);
    let sysvars = sysvars();
    let expected = [
        &sysvars.clock.to_data()[..],
        &sysvars.rent.to_data(),
        &sysvars.epoch_schedule.to_data(),
        &sysvars.fees.to_data(),
        &sysvars.epoch_rewards.to_data(),
        &sysvars.last_restart_slot.to_data(),
        &18_u64.to_le_bytes(),
        &(99_u64 * 1_128 * 2).to_le_bytes(),
    ];
    assert_eq!(outcome.return_data, expected.concat());
}

#[test]
fn hashes_are_those_of_the_parts_together() {
    for length in [0, 1, 55, 64, 300] {
        let bytes: Vec<u8> = (0..length).map(|index| index as u8).collect();
        let outcome = succeed(Command::Hashes, &bytes, &[]);
        let [sha256, keccak256, blake3, empty] = outcome.return_data.as_chunks::<32>().0 else {
            panic!("four hashes");
        };
        assert_eq!(sha256[..], Sha256::digest(&bytes)[..]);
        assert_eq!(empty[..], Sha256::digest([])[..]);
        if bytes.is_empty() {
            assert_eq!(keccak256[..4], [0xC5, 0xD2, 0x46, 0x01]);
            assert_eq!(blake3[..4], [0xAF, 0x13, 0x49, 0xB9]);
        }
    }
}

#[test]
fn derived_addresses_are_those_of_the_compiler() {
    let outcome = succeed(Command::Derived, &[], &[]);
    let (address, valid) = outcome.return_data.split_at(33);
    assert_eq!(address, [VAULT.0.as_ref(), &[VAULT.1]].concat());
    for (bit, is_valid) in (0..32_u8).map(|bit| (bit, valid[usize::from(bit / 8)] >> (bit % 8) & 1))
    {
        let known = entrypoint::const_create_program_address(&[&[bit]], &ID);
        assert_eq!(known.is_ok(), is_valid == 1, "{bit}");
    }
}

#[test]
fn account_is_loaded_with_owner_kelvins_and_data() {
    let outcome = succeed(Command::Load, LOADED.as_bytes(), &[]);
    let expected = [OTHER.as_ref(), &5_u64.to_le_bytes(), b"loaded"].concat();
    assert_eq!(outcome.return_data, expected);
    let outcome = call(Command::Load, OTHER.as_bytes(), &[]);
    let error = ProgramError::UninitializedAccount;
    assert_eq!(outcome.failure, Some(Failure::ProgramError { error }));
}

#[test]
fn events_are_lines_of_base64() {
    let outcome = succeed(Command::Events, b"x", &[]);
    assert_eq!(outcome.logs.len(), 3);
    assert_eq!(outcome.logs[0], "Program data: b25l  eA==");
    assert_eq!(outcome.logs[1], "Program data: ");
    // The discriminator, the id, the number.
    let event = [&Asked::DISCRIMINATOR[..], ID.as_ref(), &7_u64.to_le_bytes()].concat();
    let (_, record) = testing::Host::new().run(|| entrypoint::log_data(&[&event]));
    assert_eq!(record.events[0], [event]);
    let hash = Sha256::digest(b"event:Asked");
    assert_eq!(Asked::DISCRIMINATOR, hash[..8]);
    assert!(outcome.logs[2].starts_with("Program data: "));
}

#[test]
fn program_creates_an_account_at_its_derived_address() {
    let payer = AccountInput::new(PAYER).owner(entrypoint::system::ID);
    let payer = payer.kelvins(1_000_000).writable().signer();
    let vault = AccountInput::new(VAULT.0)
        .owner(entrypoint::system::ID)
        .writable();
    let outcome = succeed(Command::CreateVault, &[], &[payer.clone(), vault]);
    let [payer_after, vault] = &outcome.accounts[..] else {
        panic!("two accounts");
    };
    let kelvins = 99 * (128 + 16) * 2;
    assert_eq!((vault.owner, vault.kelvins), (ID, kelvins + 1));
    assert_eq!(vault.data, [&[1][..], &[0; 15]].concat());
    assert_eq!(payer_after.kelvins, 1_000_000 - kelvins - 1);

    let vault = AccountInput::new(VAULT.0)
        .owner(entrypoint::system::ID)
        .writable();
    let vault = vault.kelvins(50);
    let payee = AccountInput::new(OTHER).writable();
    let outcome = succeed(
        Command::PayFromVault,
        &20_u64.to_le_bytes(),
        &[vault, payee],
    );
    assert_eq!(outcome.accounts[0].kelvins, 30);
    assert_eq!(outcome.accounts[1].kelvins, 20);

    // Not the address of the seeds.
    let other = AccountInput::new(OTHER)
        .owner(entrypoint::system::ID)
        .writable();
    let outcome = call(Command::CreateVault, &[], &[payer, other]);
    let failure = outcome.failure.expect("a failure");
    let escalated = InvalidCall::SignerEscalated {
        index: 1,
        key: OTHER,
    };
    assert_eq!(failure, Failure::InvalidCall(escalated));
}

#[test]
fn view_shows_what_a_called_program_has_changed() {
    for (before, after) in [
        (0, 0),
        (0, 10_240),
        (5, 5 + 10_240),
        (40, 3),
        (7, 0),
        (7, 7),
    ] {
        let mut account = own(OTHER, &vec![1; before]);
        account.account.rent_epoch = 0x0102_0304;
        let rest = (after as u64).to_le_bytes();
        let outcome = succeed(Command::CallItself, &rest, &[account]);
        assert_eq!(outcome.accounts[0].data, vec![7; after]);
        assert_eq!(outcome.return_data, 0x0102_0304_u64.to_le_bytes());
    }
}

#[test]
fn call_is_not_made_while_a_borrow_forbids_it() {
    let outcome = succeed(Command::Borrows, &[], &[own(PAYER, &[3]), own(OTHER, &[])]);
    assert_eq!(outcome.calls.len(), 2);
    let lines = outcome
        .logs
        .iter()
        .filter(|line| line.starts_with("a borrow"));
    assert_eq!(
        lines.collect::<Vec<_>>(),
        [
            "a borrow of data prevents the call: account 0",
            "a borrow of data prevents the call: account 1",
        ]
    );
}

#[test]
fn calls_are_five_deep() {
    for depth in 1..=5_u64 {
        let outcome = succeed(Command::Deep, &depth.to_le_bytes(), &[own(OTHER, &[])]);
        assert_eq!(outcome.return_data, depth.to_le_bytes());
        assert_eq!(outcome.calls.len() as u64, depth - 1);
    }
    let outcome = call(Command::Deep, &6_u64.to_le_bytes(), &[]);
    assert!(outcome.failure.is_some());
}

#[test]
fn failure_of_a_called_program_ends_the_caller() {
    let outcome = call(Command::CallAndFail, &3_u64.to_le_bytes(), &[]);
    assert!(outcome.failure.is_some());
    assert_eq!(outcome.logs, [] as [&str; 0]);
}

#[test]
fn siblings_of_a_program_of_the_host_are_the_instructions_before_it() {
    let [first, second, _] = transaction();
    for (index, expected) in [
        (0, bytes_of(&second)),
        (1, bytes_of(&first)),
        (2, Vec::new()),
        (u64::MAX - 1, Vec::new()),
        (u64::MAX, Vec::new()),
    ] {
        let outcome = succeed(Command::Sibling, &u64::to_le_bytes(index), &[]);
        assert_eq!(outcome.return_data, expected, "{index}");
    }
}

#[test]
fn siblings_of_a_called_program_are_the_calls_before_it() {
    let accounts = [own(PAYER, &[]), AccountInput::new(OTHER)];
    let outcome = succeed(Command::Siblings, &[], &accounts);
    // Each account is listed twice, and each time has the rights of both.
    let metas = [true, true, false, false]
        .into_iter()
        .zip([PAYER, PAYER, OTHER, OTHER]);
    let metas = metas.map(|(is_writable, key)| AccountMeta::new(&key, false, is_writable));
    let call = |index: u64| ProcessedInstruction {
        program_id: ID,
        accounts: metas.clone().collect(),
        data: Command::Sibling.data(&index.to_le_bytes()),
    };
    // The calls have the indices 0, 0, 1, 0. The first has no sibling, the third the first one.
    let expected = [
        vec![0],
        vec![1],
        bytes_of(&call(0)),
        vec![2],
        bytes_of(&call(0)),
        vec![3],
        bytes_of(&call(1)),
        bytes_of(&transaction()[1]),
    ];
    assert_eq!(outcome.return_data, expected.concat());
    assert_eq!(outcome.calls.len(), 4);
}

#[test]
fn instructions_sysvar_has_the_whole_transaction() {
    let transaction = transaction();
    let account = ProcessedInstruction::sysvar(&transaction, 2).expect("a short transaction");
    let sysvar = AccountInput {
        account,
        ..AccountInput::default()
    };
    for (distance, expected) in [(-2, 0), (-1, 1), (0, 2)] {
        let outcome = succeed(
            Command::Introspect,
            &i64::to_le_bytes(distance),
            slice::from_ref(&sysvar),
        );
        let found = &transaction[expected];
        let accounts: Vec<u8> = found
            .accounts
            .iter()
            .flat_map(|meta| {
                let flags = meta.is_signer | meta.is_writable << 1;
                [&[flags], meta.key.as_ref()].concat()
            })
            .collect();
        let id = found.program_id.as_ref();
        let expected = [&[3, 0, 2, 0], id, &found.data, &accounts].concat();
        assert_eq!(outcome.return_data, expected);
    }
    for (key, distance, error) in [
        (sysvar.account.key, 1, ProgramError::InvalidArgument),
        (sysvar.account.key, -3, ProgramError::InvalidArgument),
        (OTHER, 0, ProgramError::UnsupportedSysvar),
    ] {
        let mut sysvar = sysvar.clone();
        sysvar.account.key = key;
        let distance = i64::to_le_bytes(distance);
        let outcome = call(Command::Introspect, &distance, &[sysvar]);
        assert_eq!(outcome.failure, Some(Failure::ProgramError { error }));
    }
}

/// A fixture has the instructions that were processed before, and the sysvar with all of them.
#[test]
fn fixture_has_the_transaction() {
    let [first, second, _] = transaction();
    let text = |data: &str| {
        format!(
            "program_id = \"{ID}\"\ndata = \"{data}\"\n
             [[accounts]]\nkey = \"Sysvar1nstructions1111111111111111111111111\"\n
             [[processed]]\nprogram = \"{}\"\ndata = \"{}\"
             accounts = [{{ key = \"{PAYER}\" }}, {{ key = \"{OTHER}\", signer = true, writable = true }}]
             [[processed]]\nprogram = \"{}\"\n",
            first.program_id,
            hex(b"first"),
            second.program_id,
        )
    };
    let run = |command: Command, number: u64| {
        let data = command.data(&number.to_le_bytes());
        let fixture = Fixture::parse(&text(&hex(&data))).expect("a fixture");
        let host: Arc<dyn Host> = Arc::new(fixture.surroundings.environment());
        let outcome = program(Engine::Interpreter).invoke_with(&host, &fixture.invocation);
        let outcome = outcome.expect("an outcome");
        assert_eq!(outcome.failure, None);
        assert_eq!(outcome.accounts[0].owner, abi::ids::SYSVAR_OWNER);
        outcome.return_data
    };
    assert_eq!(run(Command::Sibling, 1), bytes_of(&first));
    // The current one is the invocation, which lists the sysvar.
    let data = Command::Introspect.data(&[0; 8]);
    let sysvar = abi::ids::INSTRUCTIONS;
    let expected = [&[3, 0, 2, 0], ID.as_ref(), &data, &[0], sysvar.as_ref()].concat();
    assert_eq!(run(Command::Introspect, 0), expected);
    // Data in the fixture stays.
    let with_data = text("00").replacen("1111\"\n", "1111\"\ndata = \"0102\"\n", 1);
    let fixture = Fixture::parse(&with_data).expect("a fixture");
    let AccountEntry::First(input) = &fixture.invocation.accounts[0] else {
        panic!("an account")
    };
    assert_eq!(input.account.data, [1, 2]);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The signature is the example of Ethereum's precompile on evm.codes.
#[test]
fn signatures_and_curves() {
    let signed = [
        "01",
        "456e9aea5e197a1f1af7a3e85a3212fa4049a3ba34c2289b4c860fc0b0c64ef3",
        "9242685bf161793cc25603c231bc2f568eb630ea16aa137d2664ac8038825608",
        "4f8ae3bd7535248d0bd448298cc2e2071e56992d0774dc340c368ae950852ada",
    ];
    let signed = signed.concat();
    let bytes = signed.as_bytes().chunks(2);
    let bytes = bytes.map(|digits| std::str::from_utf8(digits).expect("digits"));
    let bytes: Vec<u8> = bytes
        .map(|digits| u8::from_str_radix(digits, 16).expect("digits"))
        .collect();
    let (_, outcome) = call_on_engines(Command::Crypto, &bytes, &[]);
    assert_eq!(outcome.failure, None);
    let (key, rest) = outcome.return_data.split_at(64);
    let address = entrypoint::hash::keccak256(&[key])[12..].to_vec();
    assert_eq!(address[..4], [0x71, 0x56, 0x52, 0x6F]);
    // Twice the generator of G1.
    assert_eq!(rest[..4], [0x03, 0x06, 0x44, 0xE7]);
    // Poseidon of the number 1, as circom has it.
    assert_eq!(rest[64..68], [0x29, 0x17, 0x61, 0x00]);
}
