//! How deep calls go, and who may call whom.

use caller::{Script, Step};
use loader::{Engine, Failure, Limits, Pubkey};
use tests::caller_guest::{
    A, B, C, account, call, calling, environment, host, invocation, load, program, run, step,
};

/// Calls `ids` one inside of the other, each with the account; the last one runs `inner`.
fn nested(ids: &[Pubkey], inner: Script) -> Script {
    ids.iter().rev().fold(inner, |inner, id| {
        step(Step::LogDepth, [])
            .call(&call(*id, 1, inner))
            .step(Step::LogAccount, [0])
    })
}

#[test]
fn a_program_calls_itself_to_the_limit() {
    let ids = [A; 4];
    let script = nested(
        &ids,
        step(Step::LogDepth, []).step(Step::SetData, [0, 0, 9]),
    );
    let outcome = run(
        Engine::Interpreter,
        &invocation(script, [account(1, A, &[1])]),
    );
    assert_eq!(outcome.failure, None);
    let depths = [1, 2, 3, 4, 5].map(|depth| format!("depth {depth}"));
    let lines = ["kelvins 100, 1 bytes, sum 9, owner 10, writable"; 4].map(str::to_owned);
    assert_eq!(outcome.logs, [&depths[..], &lines[..]].concat());
    assert_eq!(outcome.accounts[0].data, [9]);
    let depths: Vec<u64> = outcome.calls.iter().map(|call| call.depth).collect();
    assert_eq!(depths, [2, 3, 4, 5]);
    // What a program used includes what those that it called used.
    let gas: Vec<u64> = outcome.calls.iter().map(|call| call.gas_used).collect();
    assert!(gas.windows(2).all(|pair| pair[0] > pair[1]), "{gas:?}");
}

#[test]
fn one_call_more_is_refused() {
    for ids in [&[A; 5][..], &[A, B, B, C, C]] {
        let script = nested(ids, Script::new());
        let outcome = run(
            Engine::Interpreter,
            &invocation(script, [account(1, A, &[1])]),
        );
        let Some(Failure::Called {
            program_id,
            depth: 5,
            failure,
        }) = &outcome.failure
        else {
            panic!("{outcome:?}");
        };
        assert_eq!(*program_id, ids[3]);
        assert_eq!(failure.kind(), "CallTooDeep");
    }
}

#[test]
fn a_program_that_waits_is_called_by_itself_only() {
    for (ids, expected) in [
        (&[B, A][..], Some("Reentered")),
        (&[B, C, A], Some("Reentered")),
        (&[B, C, B], Some("Reentered")),
        (&[A, A, B, A], Some("Reentered")),
        (&[B, B, C, C], None),
        (&[A, B, B, C], None),
    ] {
        let script = nested(ids, Script::new());
        let outcome = run(
            Engine::Interpreter,
            &invocation(script, [account(1, A, &[1])]),
        );
        assert_eq!(
            outcome.failure.as_ref().map(Failure::kind),
            expected,
            "{ids:?}"
        );
    }
    // One after the other is no re-entry.
    let script = calling(&call(B, 0, Script::new()))
        .call(&call(C, 0, calling(&call(B, 0, Script::new()))))
        .call(&call(B, 0, Script::new()));
    let outcome = run(Engine::Interpreter, &invocation(script, []));
    assert_eq!(outcome.failure, None);
    let calls = outcome
        .calls
        .iter()
        .map(|call| (call.program_id, call.depth));
    assert_eq!(calls.collect::<Vec<_>>(), [(B, 2), (C, 2), (B, 3), (B, 2)]);
}

#[test]
fn an_invocation_makes_so_many_calls() {
    let inner = calling(&call(C, 0, Script::new()));
    let script = |calls| {
        (0..calls).fold(Script::new(), |script, _| {
            script.call(&call(B, 0, inner.clone()))
        })
    };
    let limited = load(Engine::Interpreter, Limits::default().calls(6));
    let host = host(Engine::Interpreter);
    let outcome = limited
        .invoke_with(&host, &invocation(script(3), []))
        .unwrap();
    assert_eq!((outcome.failure, outcome.calls.len()), (None, 6));
    let outcome = limited
        .invoke_with(&host, &invocation(script(4), []))
        .unwrap();
    assert_eq!(
        outcome.failure.map(|failure| failure.to_string()),
        Some("the invocation makes more than 6 calls between programs".to_owned())
    );
    // By default 64, at every depth.
    for (calls, failure) in [(32, None), (33, Some("TooManyCalls"))] {
        let outcome = run(Engine::Interpreter, &invocation(script(calls), []));
        assert_eq!(outcome.failure.as_ref().map(Failure::kind), failure);
    }
}

#[test]
fn idle_instances_serve_every_depth() {
    let program = program(Engine::Interpreter);
    let host = std::sync::Arc::new(environment([Engine::Interpreter; 3])) as std::sync::Arc<_>;
    let script = nested(
        &[A; 4],
        step(Step::SetData, [0, 0, 9]).step(Step::Allocate, [100]),
    );
    let invocation = invocation(script, [account(1, A, &[1])]);
    let first = program.invoke_with(&host, &invocation).unwrap();
    assert_eq!(first.failure, None);
    let many = vec![invocation; 20];
    for outcome in program.run_batch_with(&host, &many) {
        assert_eq!(outcome.unwrap(), first);
    }
}
