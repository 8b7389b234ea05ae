//! Gas, logs and return data across calls, and the sweeps of limits.

use std::sync::Arc;

use abi::imports::Import;
use caller::{Script, Step};
use loader::profile::FrameKind;
use loader::sweep::Sweep;
use loader::{Engine, Host, Limits, Price, Prices, Target};
use tests::caller_guest::{
    A, B, C, account, call, calling, environment, file, host, invocation, load, loader, program,
    run, step,
};

/// An invocation that calls two programs, one inside of the other, and changes accounts at each
/// level.
fn scenario() -> loader::Invocation {
    let deep = step(Step::SetKelvins, [0, 91]).step(Step::SetKelvins, [1, 109]);
    let inner = step(Step::SetKelvins, [0, 95])
        .step(Step::SetKelvins, [1, 105])
        .step(Step::Allocate, [64])
        .with_bytes(Step::Log, b"two")
        .with_bytes(Step::SetReturnData, b"inner");
    let script = Script::new()
        .with_bytes(Step::Log, b"one")
        .step(Step::Resize, [2, 9])
        .call(&call(B, 3, inner))
        .step(Step::LogReturnData, [])
        .step(Step::Allocate, [32])
        .step(Step::SetData, [2, 8, 1])
        .call(&call(
            B,
            3,
            deep.call(&call(C, 0, step(Step::LogDepth, []))),
        ));
    invocation(
        script,
        [
            account(1, B, &[1, 2, 3]),
            account(2, A, &[]),
            account(3, A, &[5]),
        ],
    )
    .gas(1_000_000)
}

#[test]
fn gas_is_one_meter() {
    let burn = |turns| step(Step::Burn, [turns]);
    let gas = |script: Script| {
        let outcome = run(Engine::Interpreter, &invocation(script, []));
        assert_eq!(outcome.failure, None);
        (outcome.gas_used, outcome.calls)
    };
    let (little, calls) = gas(calling(&call(B, 0, burn(1))));
    let inner_little = calls[0].gas_used;
    let (much, calls) = gas(calling(&call(B, 0, burn(1_001))));
    let inner_much = calls[0].gas_used;
    // What the callee uses more, the caller uses more, to the unit.
    assert!(inner_much - inner_little >= 1_000);
    assert_eq!(much - little, inner_much - inner_little);
    // And a deeper one too.
    let deep = |turns| gas(calling(&call(B, 0, calling(&call(C, 0, burn(turns))))));
    let ((little, few), (much, many)) = (deep(1), deep(1_001));
    assert_eq!(much - little, inner_much - inner_little);
    assert_eq!(
        many[0].gas_used - few[0].gas_used,
        inner_much - inner_little
    );
    assert_eq!(
        many[1].gas_used - few[1].gas_used,
        inner_much - inner_little
    );
    assert_eq!(few[1].gas_used, inner_little);
}

#[test]
fn the_price_of_a_call_is_that_of_its_bytes() {
    // The same caller's script, but for numbers: more instruction data, and more account data.
    let gas = |data: usize, account_data: usize| {
        let mut call = call(B, 1, Script::new().with_bytes(Step::Log, &[b'x'; 8]));
        // Bytes that the callee does not read, after a step that ends it.
        call.data = step(Step::Return, [0]).0;
        call.data.resize(16 + data, 0);
        let account = account(1, B, &vec![0; account_data]);
        let outcome = run(Engine::Interpreter, &invocation(calling(&call), [account]));
        assert_eq!(outcome.failure.map(|failure| failure.to_string()), None);
        outcome.gas_used
    };
    // The data is read once, and written once as a part of the callee's input.
    assert_eq!(gas(80, 0) - gas(0, 0), 2 * 10);
    assert_eq!(gas(0, 80) - gas(0, 0), 2 * 10);
}

#[test]
fn a_call_has_a_price_for_its_instance_and_for_each_account() {
    // The same call under other prices.
    let gas = |accounts: u64, change: fn(&mut Prices)| {
        let mut prices = Prices::default();
        change(&mut prices);
        let loader = loader(Engine::Interpreter).prices(prices);
        let program = loader.load(&file(Target::Riscv64)).expect("a program");
        let listed = [account(1, A, &[1; 8]), account(2, A, &[])];
        let call = call(B, accounts, step(Step::Return, [0]));
        let host = host(Engine::Interpreter);
        let outcome = program.invoke_with(&host, &invocation(calling(&call), listed));
        let outcome = outcome.expect("an outcome");
        assert_eq!(outcome.failure, None);
        outcome.gas_used
    };
    for accounts in 0..=2 {
        let usual = gas(accounts, |_| {});
        let dearer = gas(accounts, |prices| prices.call_account += 1_000);
        assert_eq!(dearer - usual, 1_000 * accounts);
        let free = gas(accounts, |prices| prices.call_account = 0);
        assert_eq!(usual - free, 40 * accounts);
        let free = gas(accounts, |prices| {
            prices.set(Import::InvokeSignedC, Price::fixed(0).bytes(1, 8));
        });
        assert_eq!(usual - free, 250);
    }
    // The 10,240 spare bytes of an account would cost 1,280 units at the price of copied bytes. The
    // guest's own work for an account is in this figure too.
    let one = gas(1, |_| {}) - gas(0, |_| {});
    assert!(one < 1_280, "{one}");
}

#[test]
fn gas_may_end_at_every_unit() {
    let host = host(Engine::Interpreter);
    let report = Sweep::new()
        .dense(20_000)
        .gas_with(&host, &program(Engine::Interpreter), &scenario())
        .unwrap_or_else(|failed| panic!("{failed}"));
    assert!(report.failures["OutOfGas"] > 4_000, "{report}");
    assert!(report.complete > 0);
}

#[test]
fn gas_may_end_anywhere_on_webassembly_and_between_engines() {
    let [own, other] = [Engine::Interpreter, Engine::Wasm];
    for (engine, callees) in [(other, other), (own, other), (other, own)] {
        let host: Arc<dyn Host> = Arc::new(environment([engine, callees, callees]));
        let report = Sweep::new()
            .dense(0)
            .stride(37)
            .gas_with(&host, &program(engine), &scenario())
            .unwrap_or_else(|failed| panic!("{engine}, {callees}: {failed}"));
        assert!(report.failures["OutOfGas"] > 100, "{report}");
        assert!(report.complete > 0);
    }
}

#[test]
fn heap_may_end_at_every_byte() {
    let host = host(Engine::Interpreter);
    let report = Sweep::new()
        .heap_with(&host, &program(Engine::Interpreter), &scenario())
        .unwrap_or_else(|failed| panic!("{failed}"));
    assert!(report.failures["OutOfMemory"] > 100, "{report}");
    assert!(report.complete > 0);
}

#[test]
fn logs_are_in_order_and_share_the_limit() {
    let line = |text: &[u8]| Script::new().with_bytes(Step::Log, text);
    let inner = line(b"two")
        .call(&call(C, 0, line(b"three")))
        .with_bytes(Step::Log, b"four");
    let script = line(b"one")
        .call(&call(B, 0, inner))
        .with_bytes(Step::Log, b"five");
    let invocation = invocation(script, []);
    let outcome = run(Engine::Interpreter, &invocation);
    assert_eq!(outcome.logs, ["one", "two", "three", "four", "five"]);
    // 4 + 4 + 6 + 5 + 5 bytes, with the ends of the lines.
    let host = host(Engine::Interpreter);
    for (limit, failure, lines) in [
        (24, None, 5),
        (23, Some("LogsTooLong"), 4),
        (13, Some("LogsTooLong"), 2),
    ] {
        let program = load(Engine::Interpreter, Limits::default().logs(limit));
        let outcome = program.invoke_with(&host, &invocation).unwrap();
        assert_eq!(
            outcome.failure.as_ref().map(loader::Failure::kind),
            failure,
            "{limit}"
        );
        assert_eq!(outcome.logs.len(), lines);
    }
}

#[test]
fn return_data_has_the_id_of_its_program() {
    let set = |text: &[u8]| Script::new().with_bytes(Step::SetReturnData, text);
    let show = |script: Script| script.step(Step::LogReturnData, []);
    // It is empty when a call begins, and stays when it ends.
    let silent = show(Script::new());
    let inner = show(set(b"b").call(&call(C, 0, show(set(b"cc"))))).step(Step::LogReturnData, []);
    let script = show(show(show(set(b"a")).call(&call(B, 0, inner))).call(&call(B, 0, silent)));
    let outcome = run(Engine::Interpreter, &invocation(script, []));
    assert_eq!(outcome.failure, None);
    let cc = format!("[99, 99] of {C}");
    assert_eq!(
        outcome.logs,
        [
            &*format!("[97] of {A}"),
            &cc,
            &cc,
            &cc,
            &cc,
            "no return data",
            "no return data",
        ]
    );
    assert!(outcome.return_data.is_empty());
    let script = set(b"a").call(&call(B, 0, set(b"bb")));
    let outcome = run(Engine::Interpreter, &invocation(script, []));
    assert_eq!(outcome.return_data, b"bb");
}

#[test]
fn a_profile_has_the_gas_of_callees() {
    let host = host(Engine::Interpreter);
    let program = program(Engine::Interpreter);
    let invocation = scenario();
    let profiled = program.profile_with(&host, &invocation).unwrap();
    assert_eq!(
        profiled.outcome,
        program.invoke_with(&host, &invocation).unwrap()
    );
    assert_eq!(profiled.gas.total(), profiled.outcome.gas_used);
    let called: u64 = profiled
        .gas
        .stacks()
        .filter(|stack| {
            let last = stack.frames.last().expect("a frame");
            assert!(last.kind != FrameKind::Called || last.function == format!("call of {B}"));
            last.kind == FrameKind::Called
        })
        .map(|stack| stack.gas)
        .sum();
    let calls = profiled.outcome.calls.iter().filter(|call| call.depth == 2);
    assert_eq!(called, calls.map(|call| call.gas_used).sum::<u64>());
}
