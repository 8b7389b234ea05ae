//! An invocation survives serialization, and an outcome has the form that `cargo entrypoint run
//! --json` prints.

use loader::{Account, AccountInput, Invocation, Pubkey};
use probe::Command;
use serde_json::{Value, from_value, to_value};
use tests::{PROGRAM_ID, call, run};

#[test]
fn an_invocation_survives_serialization() {
    let invocation = Invocation::new(PROGRAM_ID)
        .account(
            AccountInput::new(Pubkey::new([7; 32]))
                .owner(PROGRAM_ID)
                .kelvins(u64::MAX)
                .data([0, 255])
                .signer()
                .writable(),
        )
        .repeat(0)
        .data([1, 2, 3])
        .heap_size(1 << 20)
        .gas(77)
        .account_table(false);
    let written = to_value(&invocation).expect("JSON");
    assert_eq!(written["data"], "010203");
    assert_eq!(
        written["accounts"][0]["first"]["key"],
        Pubkey::new([7; 32]).to_string()
    );
    assert_eq!(written["accounts"][1]["repeat"], 0);
    let mut prefixed = written.clone();
    prefixed["data"] = "0x010203".into();
    assert_eq!(
        from_value::<Invocation>(prefixed).expect("an invocation"),
        invocation
    );
    assert_eq!(
        from_value::<Invocation>(written).expect("an invocation"),
        invocation
    );
}

#[test]
fn invalid_invocation_is_rejected_by_name() {
    let good = to_value(Invocation::new(PROGRAM_ID)).expect("JSON");
    for (field, value, expected) in [
        ("program_id", "0", "'0'"),
        ("data", "0", "Odd number of digits"),
        ("gas", "many", "invalid type"),
    ] {
        let mut bad = good.clone();
        bad[field] = value.into();
        let error = from_value::<Invocation>(bad).expect_err(field).to_string();
        assert!(error.contains(expected), "{field}: {error}");
    }
}

#[test]
fn an_account_survives_serialization() {
    let account = Account {
        key: Pubkey::new([1; 32]),
        owner: Pubkey::new([2; 32]),
        kelvins: 3,
        data: [4, 5].into(),
        executable: true,
        rent_epoch: u64::MAX,
    };
    let written = to_value(&account).expect("JSON");
    assert_eq!(from_value::<Account>(written).expect("an account"), account);
}

#[test]
fn outcome_has_kind_and_description() {
    let own = AccountInput::new(Pubkey::new([9; 32])).owner(PROGRAM_ID);
    for invocation in [
        call(Command::Succeed, &[]),
        call(Command::Fail, &[7]),
        call(Command::Panic, &[1]),
        call(Command::Peek, &[0]),
        call(Command::Allocate, &[1 << 20]),
        call(Command::LogAt, &[0, 1]),
        call(Command::Loop, &[]).gas(1_000),
        call(Command::SetKelvins, &[0, 1]).account(own),
    ] {
        let outcome = run(&invocation);
        let written = to_value(&outcome).expect("JSON");
        assert_eq!(written["gas_used"], outcome.gas_used);
        let error = &written["error"];
        match &outcome.failure {
            None => assert_eq!(error, &Value::Null),
            Some(failure) => {
                assert_eq!(error["kind"], failure.kind());
                assert_eq!(error["description"], failure.to_string());
            }
        }
    }
}
