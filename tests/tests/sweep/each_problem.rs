//! Sweeps every fixture of every example, and some commands of the probe, over limits of gas and
//! heap. Each outcome is complete, or a failure that changes nothing.

use loader::sweep::{self, Problem, Sweep, SweepFailed};
use loader::{AccountInput, Engine, Failure, Invocation, InvocationError, Pubkey};
use probe::Command;
use program_build::package::ProgramPackage;
use program_test::{Swept, sweep_fixture, sweep_fixture_with};
use tests::{PROGRAM_ID, call, example, probe};

/// Sweeps all fixtures of an example, and checks the rules for every sweep.
fn sweep_all(name: &str, heap: Sweep) -> Vec<Swept> {
    let folder = example(name);
    let package = ProgramPackage::in_folder(&folder).unwrap_or_else(|error| panic!("{error:?}"));
    let fixtures = package.fixtures().expect("a folder").into_iter();
    let all: Vec<Swept> = fixtures
        .map(|fixture| {
            let swept = sweep_fixture_with(&folder, &fixture, &Sweep::new(), &heap);
            // The test harness shows this if the test fails.
            println!("{name}/{fixture}: {}; {}", swept.gas, swept.heap);
            swept
        })
        .collect();
    for swept in &all {
        let gas = &swept.gas;
        let kinds: Vec<_> = gas.failures.keys().copied().collect();
        assert_eq!(kinds, ["OutOfGas"]);
        assert_eq!(gas.complete + gas.failures["OutOfGas"], gas.limits);
        assert!(
            gas.limits > gas.enough.min(2_000),
            "a sweep tries each of the lowest limits"
        );
    }
    all
}

#[test]
fn hello() {
    for swept in sweep_all("hello", Sweep::new()) {
        assert_eq!(swept.heap.enough, u64::from(sweep::LEAST_HEAP));
    }
}

#[test]
fn counter() {
    for swept in sweep_all("counter", Sweep::new()) {
        assert!(swept.heap.failures.is_empty(), "{}", swept.heap);
    }
}

#[test]
fn vault() {
    assert_eq!(sweep_all("vault", Sweep::new()).len(), 4);
}

#[test]
fn no_alloc() {
    assert_eq!(sweep_all("no_alloc", Sweep::new()).len(), 3);
}

#[test]
fn custom_heap() {
    for swept in sweep_all("custom_heap", Sweep::new()) {
        assert!(swept.heap.failures["OutOfMemory"] > 50, "{}", swept.heap);
    }
}

#[test]
fn heap_state() {
    // The program panics if the heap is too small for its state, eight bytes after the header.
    let heap = Sweep::new().start(8 + 3 + 8);
    for swept in sweep_all("heap_state", heap) {
        assert!(swept.heap.failures["OutOfMemory"] > 10, "{}", swept.heap);
    }
}

#[test]
fn segregated_heap() {
    for swept in sweep_all("segregated_heap", Sweep::new()) {
        // The header takes 8 bytes, and the peak is 352.
        assert_eq!(swept.heap.enough, 360);
        assert_eq!(swept.heap.failures["OutOfMemory"], 351);
    }
}

#[test]
fn arena() {
    assert_eq!(sweep_all("arena", Sweep::new()).len(), 2);
}

#[test]
fn scratch() {
    let swept = sweep_all("scratch", Sweep::new());
    let enough = swept.iter().map(|swept| swept.heap.enough);
    // The header and the arena of 120 bytes, or no heap if the program rejects the accounts.
    let arena = 8 + 120;
    let none = u64::from(sweep::LEAST_HEAP);
    assert!(enough.eq([arena, arena, none, arena, arena]));
}

/// Sweeps a call of the probe on the interpreter.
fn sweep_probe(
    sweep: Sweep,
    run: fn(&Sweep, &loader::Program, &Invocation) -> Result<sweep::Report, SweepFailed>,
    invocation: &Invocation,
) -> Result<sweep::Report, SweepFailed> {
    run(&sweep, &probe(Engine::Interpreter), invocation)
}

#[test]
fn failing_program_fails_under_every_limit() {
    for (command, arguments, failure) in [
        (Command::Panic, &[7][..], "Panicked"),
        (Command::Fail, &[7], "ProgramError"),
        (Command::Abort, &[0, 0], "Aborted"),
        (Command::Peek, &[0], "Trapped"),
        (Command::Allocate, &[100_000], "OutOfMemory"),
    ] {
        let invocation = call(command, arguments);
        let outcome = probe(Engine::Interpreter).invoke(&invocation).unwrap();
        assert_eq!(outcome.failure.unwrap().kind(), failure);
        let report = sweep_probe(Sweep::new(), Sweep::gas, &invocation).unwrap();
        assert_eq!(report.enough, outcome.gas_used);
        assert_eq!(report.failures["OutOfGas"], outcome.gas_used, "{failure}");
    }
}

#[test]
fn kelvins_move_completely_or_not_at_all() {
    let account = |number| AccountInput::new(Pubkey::new([number; 32])).owner(PROGRAM_ID);
    let invocation = call(Command::SetKelvins, &[0, 5])
        .account(account(2).kelvins(5).data([1; 100]).writable())
        .account(account(3).kelvins(7));
    let report = sweep_probe(Sweep::new(), Sweep::gas, &invocation).unwrap();
    assert_eq!(report.failures["OutOfGas"], report.enough);
}

#[test]
fn program_logging_gas_is_a_difference() {
    let invocation = call(Command::Imports, &[]).gas(100_000);
    let SweepFailed::Outcome {
        limit,
        problem,
        outcome,
        ..
    } = sweep_probe(Sweep::new(), Sweep::gas, &invocation).unwrap_err()
    else {
        panic!("no outcome");
    };
    let complete = probe(Engine::Interpreter).invoke(&invocation).unwrap();
    // The program writes this line before its gas ends. Another line of it is the same under each
    // limit.
    assert!(limit < complete.gas_used);
    assert_eq!(problem, Problem::Logs);
    assert_ne!(outcome.logs[3], complete.logs[3]);
    assert_ne!(
        outcome.logs[2], complete.logs[2],
        "the loader's own line may differ"
    );
    assert_eq!(outcome.logs.len(), 4);

    let report = sweep_probe(
        Sweep::new().allow(|outcome| outcome.is_success() || outcome.logs.len() == 4),
        Sweep::gas,
        &invocation,
    )
    .unwrap();
    assert!(report.allowed > 10, "{report}");
}

#[test]
fn success_after_a_failed_allocation_must_be_allowed() {
    let invocation = call(Command::TryReserve, &[1_000]);
    let error = sweep_probe(Sweep::new(), Sweep::heap, &invocation).unwrap_err();
    assert_eq!(
        error.to_string(),
        "with a heap limit of 9: the program succeeded with a different result (logs: [\"refused\"])"
    );
    let allowed = Sweep::new().allow(|outcome| outcome.logs == ["refused"]);
    let report = sweep_probe(allowed, Sweep::heap, &invocation).unwrap();
    assert_eq!((report.enough, report.allowed), (1_008, 999));
    let text = report.to_string();
    assert!(
        text.starts_with("1008 bytes of heap are enough; of 10"),
        "{text}"
    );
    assert!(text.ends_with(", 999 allowed"), "{text}");
}

#[test]
fn every_byte_of_a_heap_counts() {
    let invocation = call(Command::Boxes, &[4_000]).heap_size(64 << 10);
    // Eight bytes of header, and eight bytes for each number.
    let report = sweep_probe(Sweep::new(), Sweep::heap, &invocation).unwrap();
    assert_eq!(report.enough, 8 + 8 * 4_000);
    assert_eq!(Vec::from_iter(report.failures.keys()), [&"OutOfMemory"]);
    let every = Sweep::new().stride(1).dense(0);
    let report = sweep_probe(every.start(30_000), Sweep::heap, &invocation).unwrap();
    assert_eq!(report.failures["OutOfMemory"], 2_008);
}

#[test]
fn invocation_without_a_result_is_not_swept() {
    let not_enough = |error| match error {
        Err(SweepFailed::NotEnough { outcome }) => outcome.failure.unwrap().kind(),
        other => panic!("{other:?}"),
    };
    let forever = call(Command::Loop, &[]);
    for run in [Sweep::gas, Sweep::heap] {
        assert_eq!(
            not_enough(sweep_probe(Sweep::new(), run, &forever)),
            "OutOfGas"
        );
    }
    let too_much = call(Command::Allocate, &[32 << 10]);
    assert_eq!(
        not_enough(sweep_probe(Sweep::new(), Sweep::heap, &too_much)),
        "OutOfMemory"
    );
    assert!(matches!(
        sweep_probe(Sweep::new(), Sweep::gas, &forever.heap_size(5)),
        Err(SweepFailed::NotCalled(InvocationError::HeapTooSmall { .. }))
    ));
}

#[test]
fn unrelated_failure_is_named() {
    // The commands that use collections would panic if the heap did not report a failed allocation
    // first.
    let never = Sweep::new().allow(|outcome| {
        assert!(!matches!(outcome.failure, Some(Failure::Panicked { .. })));
        false
    });
    let report = sweep_probe(never, Sweep::heap, &call(Command::Collections, &[])).unwrap();
    assert!(report.failures["OutOfMemory"] > 100);
}

#[test]
fn fixture_has_a_default_sweep() {
    let swept = sweep_fixture(example("counter"), "default");
    assert_eq!(swept.gas.enough, swept.gas.failures["OutOfGas"]);
}
