//! The log lines of the runtime, for each way in which programs end.

use std::sync::Arc;

use abi::ids::SYSTEM_PROGRAM;
use caller::{Call, Listed, Script, Step};
use loader::{
    AccountInput, Engine, Invocation, Limits, LogStyle, Outcome, Program, Pubkey, Runtime,
    SystemProgram,
};
use polkavm_common::program::Reg::A0;
use polkavm_common::program::asm;
use tests::caller_guest::{self, A, B, account, call, calling, invocation, step};
use tests::inspection::latest;

fn program(engine: Engine, limits: Limits) -> Program {
    let loader = caller_guest::loader(engine).limits(limits);
    let loader = loader.log_style(LogStyle::Runtime);
    let file = caller_guest::file(engine.target());
    loader.load(&file).expect("a program")
}

/// Runs `A` with the log lines of the runtime.
fn run_under(engine: Engine, limits: Limits, invocation: &Invocation) -> Outcome {
    let program = program(engine, limits);
    let host = caller_guest::environment([engine; 3]).builtin(SYSTEM_PROGRAM, SystemProgram);
    let outcome = program.invoke_with(&(Arc::new(host) as _), invocation);
    outcome.expect("an outcome")
}

fn run(invocation: &Invocation) -> Outcome {
    run_under(Engine::Interpreter, Limits::default(), invocation)
}

/// The lines without the gas that programs have used.
fn without_gas(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.logs.iter().map(|line| {
        let Some((program, figures)) = line.split_once(" consumed ") else {
            return line.clone();
        };
        let (used, rest) = figures.split_once(" of ").expect("two figures");
        let limit = rest.strip_suffix(" compute units").expect("the unit");
        let [used, limit] = [used, limit].map(|figure| figure.parse::<u64>().expect("a figure"));
        assert!(used <= limit, "{line}");
        format!("{program} consumed")
    });
    lines.collect()
}

#[test]
fn lines_of_a_called_program_are_between_those_of_its_caller() {
    let inner = step(Step::LogDepth, []).with_bytes(Step::SetReturnData, &[1, 2, 3]);
    let script = Script::new()
        .with_bytes(Step::Log, b"before")
        .call(&call(B, 1, inner))
        .step(Step::LogDepth, []);
    let invocation = invocation(script, [account(1, B, &[])]);
    let outcome = run(&invocation);
    assert_eq!(outcome.failure, None);
    assert_eq!(
        without_gas(&outcome),
        [
            format!("Program {A} invoke [1]"),
            "Program log: before".to_owned(),
            format!("Program {B} invoke [2]"),
            "Program log: depth 2".to_owned(),
            format!("Program {B} consumed"),
            format!("Program return: {B} AQID"),
            format!("Program {B} success"),
            "Program log: depth 1".to_owned(),
            format!("Program {A} consumed"),
            // The return data is that of the called program, and still there.
            format!("Program return: {A} AQID"),
            format!("Program {A} success"),
        ]
    );
    let used = outcome.gas_used;
    let line = format!(
        "Program {A} consumed {used} of {} compute units",
        invocation.gas
    );
    assert!(outcome.logs.contains(&line), "{:?}", outcome.logs);
    let inner = &outcome.calls[0];
    let start = format!("Program {B} consumed {} of ", inner.gas_used);
    assert!(outcome.logs.iter().any(|line| line.starts_with(&start)));
}

#[test]
fn a_failure_ends_all_callers_with_the_same_reason() {
    let custom = |code: u64| step(Step::Return, [code]);
    let b = |script| calling(&call(B, 2, script));
    let listed = |listed: Listed| {
        calling(&Call {
            listed: vec![listed],
            ..call(B, 2, Script::new())
        })
    };
    let outside = Pubkey::new([9; 32]);
    let third = Pubkey::new([3; 32]);
    let last = |script: Script| {
        let accounts = [
            account(1, A, &[7]),
            account(2, B, &[8]),
            AccountInput::new(third).owner(B).kelvins(100).data([9]),
        ];
        let outcome = run(&invocation(script, accounts));
        let lines = without_gas(&outcome);
        let line = lines.last().expect("a line");
        let reason = line.strip_prefix(&format!("Program {A} failed: "));
        let reason = reason.unwrap_or_else(|| panic!("{lines:?}")).to_owned();
        // The called program has failed with the same reason, if it was called.
        let inner = lines
            .iter()
            .find(|line| line.starts_with(&format!("Program {B} failed: ")));
        if let Some(inner) = inner {
            assert_eq!(*inner, format!("Program {B} failed: {reason}"));
        }
        (reason, lines)
    };
    for (script, expected) in [
        (custom(7), "custom program error: 0x7"),
        (custom(1 << 32), "custom program error: 0x0"),
        (b(custom(0xbeef)), "custom program error: 0xbeef"),
        (b(custom(6 << 32)), "insufficient funds for instruction"),
        (step(Step::Panic, []), "Program failed to complete"),
        (b(step(Step::Panic, [])), "Program failed to complete"),
        (
            b(step(Step::Burn, [u64::MAX])),
            "Computational budget exceeded",
        ),
        (
            step(Step::SetData, [1, 0, 1]),
            "instruction modified data of an account it does not own",
        ),
        (
            b(step(Step::SetKelvins, [0, 99])),
            "instruction spent from the balance of an account it does not own",
        ),
        (
            step(Step::SetKelvins, [0, 99]),
            "sum of account balances before and after instruction do not match",
        ),
        (
            step(Step::SetKelvins, [0, 99]).call(&call(B, 1, Script::new())),
            "sum of account balances before and after instruction do not match",
        ),
        (
            Script::new().assign(1, &A),
            "instruction illegally modified the program id of an account",
        ),
        (
            calling(&call(
                A,
                1,
                calling(&call(B, 1, calling(&call(A, 1, Script::new())))),
            )),
            "Cross-program invocation reentrancy not allowed for this instruction",
        ),
        (
            calling(&call(outside, 1, Script::new())),
            "An account required by the instruction is missing",
        ),
        (
            listed(Listed::at(2).writable()),
            "An account required by the instruction is missing",
        ),
        (
            listed(Listed::at(1).signer()),
            "Cross-program invocation with unauthorized signer or writable account",
        ),
    ] {
        let (reason, lines) = last(script);
        assert_eq!(reason, expected, "{lines:#?}");
    }
    let (_, lines) = last(listed(Listed::at(1).signer()));
    let key = Pubkey::new([2; 32]);
    assert_eq!(lines[1], format!("{key}'s signer privilege escalated"));
    let (_, lines) = last(calling(&call(outside, 1, Script::new())));
    assert_eq!(lines[1], format!("Unknown program {outside}"));
}

#[test]
fn the_depth_is_limited_with_the_runtimes_words() {
    let script = (0..5).fold(Script::new(), |inner, _| calling(&call(A, 0, inner)));
    let outcome = run(&invocation(script, []));
    let invoked = outcome
        .logs
        .iter()
        .filter(|line| line.contains(" invoke ["));
    assert_eq!(invoked.count(), 5);
    let reason = format!("Program {A} failed: Cross-program invocation call depth too deep");
    let failed = outcome.logs.iter().filter(|line| **line == reason);
    assert_eq!(failed.count(), 5);
}

#[test]
fn a_program_of_the_host_has_no_gas_and_no_prefix() {
    let transfer = [2_u32.to_le_bytes().as_slice(), &200_u64.to_le_bytes()].concat();
    let from = AccountInput::new(Pubkey::new([1; 32]))
        .owner(SYSTEM_PROGRAM)
        .kelvins(100);
    let to = AccountInput::new(Pubkey::new([2; 32])).owner(SYSTEM_PROGRAM);
    let call = Call {
        program_id: SYSTEM_PROGRAM,
        listed: vec![Listed::at(0).signer().writable(), Listed::at(1).writable()],
        passed: vec![0, 1],
        signers: Vec::new(),
        data: transfer,
    };
    let accounts = [from.signer().writable(), to.writable()];
    let outcome = run(&invocation(calling(&call), accounts));
    assert_eq!(
        without_gas(&outcome),
        [
            format!("Program {A} invoke [1]"),
            format!("Program {SYSTEM_PROGRAM} invoke [2]"),
            outcome.logs[2].clone(),
            format!("Program {SYSTEM_PROGRAM} failed: custom program error: 0x1"),
            format!("Program {A} consumed"),
            format!("Program {A} failed: custom program error: 0x1"),
        ]
    );
    assert!(
        !outcome.logs[2].starts_with("Program"),
        "{:?}",
        outcome.logs
    );
}

#[test]
fn lines_beyond_the_limit_are_left_out_and_the_program_continues() {
    let text = [b'x'; 100];
    let script = (0..120).fold(Script::new(), |script, _| {
        script.with_bytes(Step::Log, &text)
    });
    let script = script
        .with_bytes(Step::Log, b"short")
        .step(Step::SetData, [0, 0, 1]);
    let call = invocation(script, [account(1, A, &[0])]);
    let outcome = run_under(Engine::Interpreter, Limits::rialo().gas(u64::MAX), &call);
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.accounts[0].data, [1]);
    // `Program log: ` and 100 bytes each; the first line is the one of the program's begin.
    let first = outcome.logs[0].len();
    let fitting = (9_999 - first) / 113;
    let longest = format!("Program log: {}", "x".repeat(100));
    assert_eq!(outcome.logs[1..=fitting], vec![longest; fitting]);
    assert_eq!(outcome.logs[fitting + 1], "Log truncated");
    let bytes: usize = outcome.logs.iter().map(String::len).sum();
    assert!(bytes - "Log truncated".len() < 10_000);
    // A short line after it fits, as on the runtime.
    let rest = outcome.logs[fitting + 2..].iter();
    let rest: Vec<&str> = rest.map(|line| &line[..12]).collect();
    assert_eq!(rest[0], "Program log:");
    assert!(outcome.logs.iter().all(|line| line != "Program log: x"));
    // The same program fails in the plain style.
    let plain = caller_guest::load(Engine::Interpreter, Limits::default().logs(10_000));
    let outcome = plain.invoke(&call).expect("an outcome");
    assert_eq!(outcome.failure.expect("a failure").kind(), "LogsTooLong");
}

#[test]
fn engines_log_the_same_lines() {
    let inner = step(Step::LogDepth, []).with_bytes(Step::SetReturnData, b"data");
    for inner in [inner, step(Step::Return, [3]), step(Step::Panic, [])] {
        let script = calling(&call(B, 1, inner));
        let invocation = invocation(script, [account(1, B, &[])]);
        let expected = run(&invocation);
        for engine in tests::everywhere_guest::engines() {
            let outcome = run_under(engine, Limits::default(), &invocation);
            assert_eq!(without_gas(&outcome), without_gas(&expected), "{engine}");
            assert_eq!(expected.differences(&outcome), [""; 0]);
        }
    }
}

#[test]
fn a_status_that_is_neither_success_nor_an_error_is_invalid() {
    for (status, reason) in [
        (7 << 32 | 1, "program returned invalid error code"),
        (27 << 32, "program returned invalid error code"),
        (u64::MAX, "program returned invalid error code"),
        (26 << 32, "Incorrect authority provided"),
        (u64::from(u32::MAX), "custom program error: 0xffffffff"),
    ] {
        let blob = latest(&[asm::load_imm64(A0, status), asm::ret()])
            .entrypoint()
            .bytes();
        for engine in tests::polkavm() {
            let loader = loader::Loader::new(engine)
                .expect("a loader")
                .as_on(Runtime::Rialo);
            let program = loader.load(&blob).expect("a program");
            let call = Invocation::as_on(Runtime::Rialo, A);
            let outcome = program.invoke(&call).expect("an outcome");
            assert_eq!(outcome.status, Some(status));
            let last = outcome.logs.last().expect("a line");
            assert_eq!(*last, format!("Program {A} failed: {reason}"));
        }
    }
}

#[test]
fn sweeps_leave_the_lines_of_the_runtime_aside() {
    let inner = step(Step::LogDepth, []).step(Step::SetData, [0, 0, 9]);
    let script = step(Step::LogDepth, []).call(&call(B, 1, inner));
    let invocation = invocation(script, [account(1, B, &[1])]);
    let program = program(Engine::Interpreter, Limits::default());
    let host = caller_guest::host(Engine::Interpreter);
    let sweep = loader::sweep::Sweep::new().dense(300).stride(97);
    let report = sweep.gas_with(&host, &program, &invocation);
    report.unwrap_or_else(|error| panic!("{error}"));
}
