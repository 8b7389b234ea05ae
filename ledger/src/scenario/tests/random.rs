//! Random scenarios are read as they were written.

use std::time::Duration;

use loader::fixture::Value;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::super::*;

/// Keys, of which some have a name and one derives from seeds.
fn key() -> impl Strategy<Value = Pubkey> {
    prop_oneof![
        prop_oneof![
            Just("alice"),
            Just("bob"),
            Just("vault"),
            Just("token"),
            Just("fixed")
        ]
        .prop_map(|name| scenario().names.key(name).expect("a name")),
        any::<[u8; 32]>().prop_map(Pubkey::new),
        Just(Pubkey::default()),
    ]
}

/// A scenario with all kinds of names.
fn scenario() -> Scenario {
    let mut scenario = Scenario::new()
        .program("token", key_of("token"), "../token")
        .program("other", Pubkey::new([8; 32]), "a \"path\"")
        .name("alice", key_of("alice"))
        .name("bob", key_of("bob"))
        .name("fixed", Pubkey::new([9; 32]));
    let seeds = vec![Value::Text("vault".to_owned()), Value::Key(key_of("alice"))];
    let program_id = key_of("token");
    let bytes: Vec<Vec<u8>> = seeds.iter().map(Value::bytes).collect();
    let bytes: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
    let found = abi::program_address::find_program_address(&bytes, &program_id);
    let (key, bump) = found.expect("the seeds have an address");
    let seeds = seeds.into();
    scenario.names.add_derived(
        "vault",
        Derived {
            key,
            seeds,
            program_id,
            bump,
        },
    );
    scenario
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u8>().prop_map(Value::U8),
        any::<u64>().prop_map(Value::U64),
        any::<u128>().prop_map(Value::U128),
        any::<i16>().prop_map(Value::I16),
        any::<i128>().prop_map(Value::I128),
        any::<f32>().prop_map(Value::F32),
        any::<f64>().prop_map(Value::F64),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Time),
        (0..4_000_000_000_000_i64).prop_map(Value::Time),
        key().prop_map(Value::Key),
        any::<String>().prop_map(Value::Text),
        vec(any::<u8>(), 0..80).prop_map(Value::Hex),
        (0..100_usize, any::<u8>()).prop_map(|(length, byte)| Value::Fill { length, byte }),
    ]
}

fn fields() -> impl Strategy<Value = Fields> {
    prop_oneof![
        vec((option::of(any::<String>()), value()), 0..6).prop_map(|fields| {
            let fields = fields.into_iter();
            let fields = fields.map(|(name, value)| Field {
                name,
                value,
                is_any: false,
            });
            Fields(fields.collect())
        }),
        vec(any::<u8>(), 0..80).prop_map(Fields::from),
    ]
}

fn state() -> impl Strategy<Value = AccountState> {
    (key(), key(), option::of(any::<u64>()), fields()).prop_map(|(key, owner, kelvins, data)| {
        AccountState {
            key,
            owner,
            kelvins,
            data,
        }
    })
}

/// Accounts, each with its own address: a table has each key once.
fn states(least: usize) -> impl Strategy<Value = Vec<AccountState>> {
    vec(state(), least..4).prop_map(|mut states| {
        states.sort_by_key(|state| state.key);
        states.dedup_by_key(|state| state.key);
        states
    })
}

fn instruction() -> impl Strategy<Value = ScenarioInstruction> {
    let meta = (key(), any::<bool>(), any::<bool>());
    let meta = meta
        .prop_map(|(key, is_signer, is_writable)| AccountMeta::new(key, is_signer, is_writable));
    (key(), vec(meta, 0..5), fields()).prop_map(|(program_id, accounts, data)| {
        ScenarioInstruction {
            program_id,
            accounts,
            data,
        }
    })
}

fn action() -> impl Strategy<Value = Action> {
    let transaction = (
        vec(instruction(), 1..3),
        option::of(key()),
        option::of(any::<u64>()),
        option::of(any::<u32>()),
    );
    prop_oneof![
        4 => transaction.prop_map(|(instructions, payer, gas, heap)| {
            Action::Transaction(ScenarioTransaction { instructions, payer, gas, heap })
        }),
        1 => any::<u32>().prop_map(|time| Action::Warp(Duration::from_millis(time.into()))),
        1 => any::<i64>().prop_map(Action::WarpTo),
        1 => (key(), any::<u64>()).prop_map(|airdrop| Action::Airdrop(vec![airdrop])),
        1 => states(1).prop_map(Action::Set),
        1 => key().prop_map(|key| Action::Deploy(vec![(key, "../x".into())])),
    ]
}

fn expect() -> impl Strategy<Value = Expect> {
    let kelvins = prop_oneof![
        any::<u64>().prop_map(ExpectedKelvins::Exactly),
        any::<u64>().prop_map(ExpectedKelvins::More),
        any::<u64>().prop_map(ExpectedKelvins::Less),
    ];
    let account = (
        key(),
        option::of(key()),
        option::of(kelvins),
        option::of(fields()),
    );
    let account = account.prop_map(|(key, owner, kelvins, data)| ExpectedState {
        key,
        is_gone: false,
        owner,
        kelvins,
        data,
    });
    let error = prop_oneof![
        any::<u64>().prop_map(ExpectedStatus::Number),
        "[A-Z][a-z:]*".prop_map(ExpectedStatus::Name),
    ];
    let logs = || vec(any::<String>(), 0..3);
    (
        option::of(error),
        option::of(logs()),
        logs(),
        option::of(fields()),
        option::of(any::<u64>()),
        option::of(account),
    )
        .prop_map(
            |(error, logs, logs_contain, return_data, gas_used, account)| Expect {
                success: None,
                error,
                logs,
                logs_contain,
                return_data,
                gas_used,
                accounts: account.into_iter().collect(),
            },
        )
}

fn step() -> impl Strategy<Value = Step> {
    (any::<String>(), action(), option::of(expect())).prop_map(|(title, action, mut expect)| {
        // Only a transaction has more to expect than accounts.
        if let (Some(expect), false) = (&mut expect, matches!(action, Action::Transaction(_))) {
            let accounts = std::mem::take(&mut expect.accounts);
            *expect = Expect {
                accounts,
                ..Expect::default()
            };
        }
        Step {
            title,
            action,
            expect,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_scenario_is_read_as_it_was_written(
        title in any::<String>(),
        time in any::<i64>(),
        slot in any::<u64>(),
        seed in any::<u64>(),
        base in any::<u64>(),
        accounts in states(0),
        steps in vec(step(), 1..5),
    ) {
        let mut scenario = scenario().title(title);
        scenario.clock.unix_timestamp_ms = time;
        scenario.clock.slot = slot;
        scenario.random_seed = seed;
        scenario.fee.base = base;
        // A program has its account from the start.
        let is_program = |key| scenario.programs.iter().any(|program| program.id == key);
        let accounts = accounts.into_iter().filter(|account| !is_program(account.key));
        scenario.accounts = accounts.collect();
        scenario.steps = steps;
        let text = scenario.to_toml();
        let again = Scenario::parse(&text);
        let again = again.unwrap_or_else(|error| panic!("{error}\n{text}"));
        prop_assert_eq!(&again, &scenario);
        prop_assert_eq!(again.to_toml(), text);
    }
}
