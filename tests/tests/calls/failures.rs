//! Callees that fail: that ends their callers too, and nothing is kept.

use caller::{Script, Step};
use loader::{Engine, Failure, ProgramError};
use serde_json::json;
use tests::caller_guest::{A, B, C, account, call, calling, invocation, run, step};

/// Failing scripts, and the kind of the failure.
fn failing() -> Vec<(&'static str, Script)> {
    vec![
        ("ProgramError", step(Step::Return, [6 << 32])),
        ("ProgramError", step(Step::Return, [7])),
        ("Panicked", step(Step::Panic, [])),
        ("OutOfGas", step(Step::Burn, [u64::MAX])),
        ("OutOfMemory", step(Step::Allocate, [1 << 20])),
        ("KelvinsNotConserved", step(Step::SetKelvins, [0, 7])),
        (
            "UnknownProgram",
            calling(&call(loader::Pubkey::new([1; 32]), 0, Script::new())),
        ),
    ]
}

#[test]
fn a_failure_ends_every_caller_and_keeps_nothing() {
    for (kind, fails) in failing() {
        for (depth, script) in [
            (2, call(B, 1, fails.clone())),
            (3, call(B, 1, calling(&call(C, 1, fails.clone())))),
        ] {
            let deepest = if depth == 2 { B } else { C };
            let changes = step(Step::SetKelvins, [0, 50]).step(Step::SetKelvins, [1, 150]);
            let before = account(1, deepest, &[1]);
            let script = Script::new()
                .with_bytes(Step::SetReturnData, b"data")
                .with_bytes(Step::Log, b"before")
                .call(&call(
                    C,
                    2,
                    if depth == 3 { changes } else { Script::new() },
                ))
                .call(&script)
                .with_bytes(Step::Log, b"never");
            let invocation = invocation(script, [before.clone(), account(2, A, &[])]);
            let outcome = run(Engine::Interpreter, &invocation);
            let Some(Failure::Called {
                program_id,
                depth: found,
                failure,
            }) = &outcome.failure
            else {
                panic!("{outcome:?}");
            };
            assert_eq!((*program_id, *found), (deepest, depth), "{kind}");
            assert_eq!(failure.kind(), kind);
            assert_eq!(outcome.failure.as_ref().map(Failure::kind), Some(kind));
            let returned = match **failure {
                Failure::ProgramError { error } => Some(error.status()),
                _ => None,
            };
            assert_eq!(outcome.status, returned);
            assert_eq!(outcome.logs, ["before"]);
            assert_eq!(outcome.accounts[0], before.account);
            assert!(outcome.return_data.is_empty());
            assert_eq!(outcome.calls.len() as u64, depth);
            if kind == "OutOfGas" {
                assert_eq!(outcome.gas_used, invocation.gas);
                assert!(
                    matches!(**failure, Failure::OutOfGas { limit, .. } if limit == invocation.gas)
                );
            } else {
                assert!(outcome.gas_used < invocation.gas / 2);
            }
        }
    }
}

#[test]
fn a_failure_names_program_and_depth_in_text_and_json() {
    let script = calling(&call(B, 0, step(Step::Return, [6 << 32])));
    let outcome = run(Engine::Interpreter, &invocation(script, []));
    let failure = outcome.failure.clone().expect("a failure");
    assert_eq!(
        failure.to_string(),
        format!(
            "program {B}, called at depth 2, failed: the program returned InsufficientFunds: an \
             account does not hold enough kelvins"
        )
    );
    assert_eq!(
        failure.cause(),
        &Failure::ProgramError {
            error: ProgramError::InsufficientFunds
        }
    );
    let json = serde_json::to_value(&outcome).unwrap();
    assert_eq!(
        json["error"],
        json!({
            "failed_program": B.to_string(),
            "depth": 2,
            "kind": "ProgramError",
            "failure": { "kind": "ProgramError", "error": "InsufficientFunds" },
            "description": failure.to_string(),
        })
    );
    assert_eq!(json["status"], json!(6_u64 << 32));
    let gas_used = outcome.calls[0].gas_used;
    assert_eq!(
        json["calls"],
        json!([{ "program_id": B.to_string(), "depth": 2, "gas_used": gas_used }])
    );
}

#[test]
fn a_refused_call_is_named_in_json_too() {
    let unknown = loader::Pubkey::new([1; 32]);
    let script = calling(&call(B, 0, calling(&call(unknown, 0, Script::new()))));
    let outcome = run(Engine::Interpreter, &invocation(script, []));
    let json = serde_json::to_value(&outcome).unwrap();
    assert_eq!(
        json["error"],
        json!({
            "failed_program": B.to_string(),
            "depth": 2,
            "kind": "UnknownProgram",
            "failure": { "kind": "UnknownProgram", "program_id": unknown.to_string() },
            "description": format!(
                "program {B}, called at depth 2, failed: the host has no program {unknown}"
            ),
        })
    );
}

#[test]
fn help_is_that_of_the_cause() {
    let script = calling(&call(B, 0, step(Step::Allocate, [1 << 20])));
    let outcome = run(Engine::Interpreter, &invocation(script, []));
    let help = outcome.failure.and_then(|failure| failure.help());
    assert!(help.expect("help").starts_with("raise the heap size"));
    let script = calling(&call(loader::Pubkey::new([1; 32]), 0, Script::new()));
    let outcome = run(Engine::Interpreter, &invocation(script, []));
    let help = outcome.failure.and_then(|failure| failure.help());
    assert!(help.expect("help").contains("`Environment::program`"));
}
