//! The same calls on every engine, and between engines.

use std::sync::Arc;

use caller::{Call, Listed, Script, Step};
use loader::{Engine, Host, Invocation};
use tests::caller_guest::{
    A, B, C, account, call, calling, environment, invocation, program, run, step,
};
use tests::everywhere_guest::engines;

/// Invocations whose outcomes do not depend on the engine.
fn scenarios() -> Vec<Invocation> {
    let changes = step(Step::LogDepth, [])
        .step(Step::SetKelvins, [0, 95])
        .step(Step::SetKelvins, [1, 105])
        .step(Step::Resize, [0, 40])
        .step(Step::SetData, [0, 39, 1])
        .with_bytes(Step::SetReturnData, b"inner");
    let deep = (0..3).fold(step(Step::LogDepth, []), |inner, _| {
        step(Step::LogDepth, []).call(&call(C, 2, inner))
    });
    let doubled = Call {
        listed: vec![Listed::at(0).writable(), Listed::at(1), Listed::at(0)],
        ..call(B, 2, step(Step::SetData, [2, 0, 5]))
    };
    let unlisted = Call {
        listed: vec![Listed::at(0).signer()],
        ..call(B, 2, Script::new())
    };
    let scripts = vec![
        calling(&call(B, 2, changes.clone()))
            .step(Step::LogReturnData, [])
            .step(Step::LogAccount, [0])
            .step(Step::LogAccount, [1])
            .step(Step::SetKelvins, [1, 100])
            .step(Step::SetKelvins, [0, 100]),
        calling(&call(
            B,
            2,
            changes.call(&call(C, 1, step(Step::LogAccount, [0]))),
        )),
        calling(&call(C, 2, deep.clone())),
        calling(&call(
            B,
            2,
            step(Step::LogDepth, []).call(&call(C, 2, deep)),
        )),
        calling(&doubled).step(Step::LogAccount, [0]),
        calling(&unlisted),
        calling(&call(B, 1, step(Step::Resize, [0, 0]))).step(Step::LogAccount, [0]),
        calling(&call(B, 1, step(Step::Return, [7]))),
        calling(&call(B, 1, step(Step::Panic, []))),
        calling(&call(B, 1, step(Step::Allocate, [1 << 26]))),
        calling(&call(B, 2, calling(&call(A, 2, Script::new())))),
        calling(&call(B, 2, step(Step::SetData, [1, 0, 1]))),
        step(Step::SetData, [0, 0, 9]).call(&call(B, 2, Script::new())),
        calling(&call(loader::Pubkey::new([1; 32]), 0, Script::new())),
    ];
    let accounts = || [account(1, B, &[1, 2]), account(2, A, &[3])];
    scripts
        .into_iter()
        .map(|script| invocation(script, accounts()).gas(100_000_000))
        .collect()
}

#[test]
fn every_engine_agrees() {
    for invocation in scenarios() {
        let expected = run(Engine::Interpreter, &invocation);
        for engine in engines() {
            let outcome = run(engine, &invocation);
            let differences = expected.differences(&outcome);
            assert!(
                differences.is_empty(),
                "{}\n{expected:?}",
                differences.join("\n")
            );
        }
    }
}

#[test]
fn programs_on_different_engines_call_each_other() {
    let engines = engines();
    for (index, invocation) in scenarios().into_iter().enumerate() {
        let expected = run(Engine::Interpreter, &invocation);
        for turn in 0..engines.len() {
            let engine = |place: usize| engines[(index + turn + place * 2) % engines.len()];
            let [a, b, c] = [engine(0), engine(1), engine(2)];
            let host: Arc<dyn Host> = Arc::new(environment([a, b, c]));
            let outcome = program(a).invoke_with(&host, &invocation).unwrap();
            let differences = expected.differences(&outcome);
            assert!(
                differences.is_empty(),
                "{a} {b} {c}: {}",
                differences.join("\n")
            );
        }
    }
}
