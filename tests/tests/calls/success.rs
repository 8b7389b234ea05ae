//! Calls that succeed: what the callee gets, and what the caller sees after it.

use caller::{Script, Step};
use loader::{AccountInput, Engine};
use tests::caller_guest::{A, B, account, call, calling, invocation, run, step};
use tests::everywhere_guest::engines;

#[test]
fn caller_sees_the_changes_of_the_callee() {
    let inner = step(Step::LogDepth, [])
        .step(Step::LogAccount, [0])
        .step(Step::SetData, [0, 1, 9])
        .step(Step::SetKelvins, [0, 90])
        .step(Step::SetKelvins, [1, 110])
        .step(Step::Resize, [0, 5]);
    let script = step(Step::LogDepth, [])
        .call(&call(B, 2, inner))
        .step(Step::LogAccount, [0])
        .step(Step::LogAccount, [1]);
    let invocation = invocation(script, [account(1, B, &[1, 2]), account(2, A, &[])]);
    let outcome = run(Engine::Interpreter, &invocation);
    assert_eq!(outcome.failure, None);
    assert_eq!(
        outcome.logs,
        [
            "depth 1",
            "depth 2",
            "kelvins 100, 2 bytes, sum 3, owner 11, writable",
            "kelvins 90, 5 bytes, sum 10, owner 11, writable",
            "kelvins 110, 0 bytes, sum 0, owner 10, writable",
        ]
    );
    assert_eq!(outcome.accounts[0].data, [1, 9, 0, 0, 0]);
    assert_eq!(outcome.accounts[0].kelvins, 90);
    assert_eq!(outcome.accounts[1].kelvins, 110);
    assert_eq!(outcome.calls.len(), 1);
    assert_eq!(outcome.calls[0].program_id, B);
    assert_eq!(outcome.calls[0].depth, 2);
    assert!(outcome.calls[0].gas_used > 0 && outcome.calls[0].gas_used < outcome.gas_used);
}

#[test]
fn a_call_without_accounts_works() {
    let script = calling(&call(B, 0, Script::new().with_bytes(Step::Log, b"hello")));
    let outcome = run(Engine::Interpreter, &invocation(script, []));
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.logs, ["hello"]);
}

/// As on the runtime, which finds the program in the transaction or loads it (decision 22).
#[test]
fn a_called_program_need_not_be_listed() {
    let script = || calling(&call(B, 0, Script::new().with_bytes(Step::Log, b"hello")));
    let listed = invocation(script(), [AccountInput::new(B)]);
    for invocation in [invocation(script(), []), listed] {
        for engine in engines() {
            let outcome = run(engine, &invocation);
            assert_eq!(outcome.failure, None, "{engine}");
            assert_eq!(outcome.logs, ["hello"], "{engine}");
        }
    }
}
