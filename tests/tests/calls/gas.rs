//! Gas, logs and return data across calls, and the sweeps of limits.

use std::sync::Arc;

use abi::imports::Import;
use caller::{Script, Step};
use loader::profile::{Frame, FrameKind};
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

/// The loader copies an account as it was sent when the program calls with it first, also if the
/// program has taken the data away by then. It pays before that.
#[test]
fn data_that_the_caller_has_removed_is_paid_for_once() {
    const LENGTH: usize = 80_000;
    // The difference that the price of bytes makes.
    let paid = |length: usize, calls: usize| {
        let gas = |price: Price| {
            let mut prices = Prices::default();
            prices.set(Import::InvokeSignedC, price);
            let loader = loader(Engine::Interpreter).prices(prices);
            let program = loader.load(&file(Target::Riscv64)).expect("a program");
            let script = step(Step::Resize, [0, 0]);
            let call = call(B, 1, step(Step::Return, [0]));
            let script = (0..calls).fold(script, |script, _| script.call(&call));
            let invocation = invocation(script, [account(1, A, &vec![0; length])]);
            let outcome = program.invoke_with(&host(Engine::Interpreter), &invocation);
            let outcome = outcome.expect("an outcome");
            assert_eq!(outcome.failure, None);
            outcome.gas_used
        };
        gas(Price::fixed(250).bytes(1, 8)) - gas(Price::fixed(250))
    };
    let of_copy = |calls| paid(LENGTH, calls) - paid(0, calls);
    assert_eq!(of_copy(1), (LENGTH / 8) as u64);
    assert_eq!(of_copy(2), (LENGTH / 8) as u64);
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
    let stacks: Vec<_> = profiled.gas.stacks().collect();
    let is_call = |frame: &&Frame| frame.kind == FrameKind::Called;
    for depth in 2..=3 {
        let of_depth = profiled.outcome.calls.iter();
        let of_depth = of_depth.filter(|call| call.depth == depth);
        let expected: u64 = of_depth.map(|call| call.gas_used).sum();
        assert!(expected > 0);
        let called = stacks.iter().filter(|stack| {
            let calls = stack.frames.iter().copied().filter(is_call);
            calls.count() as u64 + 1 >= depth
        });
        assert_eq!(called.map(|stack| stack.gas).sum::<u64>(), expected);
    }
    for (index, stack) in stacks.iter().enumerate() {
        assert!(stack.gas > 0);
        let mut before = stacks[..index].iter();
        assert!(!before.any(|other| other.frames == stack.frames));
        for (position, frame) in stack.frames.iter().enumerate() {
            assert_eq!(frame.program_id.is_some(), is_call(frame));
            if let Some(program_id) = frame.program_id {
                assert_eq!(frame.function, format!("call of {program_id}"));
                // The syscall is around it, and the program's entry inside of it.
                let syscall = Import::InvokeSignedC.symbol();
                assert_eq!(stack.frames[position - 1].function, syscall);
                assert_eq!(stack.frames[position + 1].kind, FrameKind::Function);
            }
        }
    }
    // No gas is in the frame of a call itself.
    let in_callee = stacks
        .iter()
        .filter(|stack| is_call(&stack.frames[stack.frames.len() - 1]));
    assert_eq!(in_callee.count(), 0);
}

/// A program that is not one for RISC-V has no stacks, nor has one of the host's; and a program
/// between two of RISC-V does not take the stacks of what it calls for its own.
#[test]
fn a_profile_has_one_frame_for_a_program_without_stacks() {
    let engines = [Engine::Interpreter, Engine::Wasm, Engine::Interpreter];
    let host: Arc<dyn Host> = Arc::new(environment(engines));
    let burn = || step(Step::Burn, [9]);
    let inner = burn().call(&call(C, 0, burn()));
    let script = calling(&call(B, 0, inner)).call(&call(C, 0, burn()));
    let invocation = invocation(script, []);
    let profiled = program(Engine::Interpreter)
        .profile_with(&host, &invocation)
        .unwrap();
    assert_eq!(profiled.outcome.failure, None);
    assert_eq!(profiled.gas.total(), profiled.outcome.gas_used);
    let mut in_b = 0;
    let mut in_c = 0;
    for stack in profiled.gas.stacks() {
        let mut frames = stack.frames.iter();
        match frames.position(|frame| frame.kind == FrameKind::Called) {
            Some(position) if stack.frames[position].program_id == Some(B) => {
                assert_eq!(position + 1, stack.frames.len());
                in_b += stack.gas;
            }
            Some(position) => {
                assert!(position + 1 < stack.frames.len());
                in_c += stack.gas;
            }
            None => {}
        }
    }
    let gas: Vec<_> = profiled
        .outcome
        .calls
        .iter()
        .map(|call| call.gas_used)
        .collect();
    assert_eq!(profiled.outcome.calls.len(), 3);
    assert_eq!((in_b, in_c), (gas[0], gas[2]));
}

/// However much gas there is: callees that ran out of gas too.
#[test]
fn a_profile_of_any_gas_limit_is_accounted_for() {
    let host = host(Engine::Interpreter);
    let program = program(Engine::Interpreter);
    let all = program.invoke_with(&host, &scenario()).unwrap().gas_used;
    for part in 0..=24 {
        let invocation = scenario().gas(all * part / 24);
        let profiled = program.profile_with(&host, &invocation).unwrap();
        let outcome = program.invoke_with(&host, &invocation).unwrap();
        assert_eq!(profiled.outcome, outcome);
        assert_eq!(profiled.gas.total(), outcome.gas_used);
        let sum: u64 = profiled.gas.stacks().map(|stack| stack.gas).sum();
        assert_eq!(sum, outcome.gas_used);
    }
}
