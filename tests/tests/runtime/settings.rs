//! The settings of the runtime: limits, prices, and what a fixture makes of them.

use caller::{Script, Step};
use loader::fixture::{ExpectedStatus, Fixture};
use loader::{Engine, Failure, Invocation, InvocationError, Limits, LogStyle, Prices, Runtime};
use tests::caller_guest::{self, A, account, call, calling, invocation, step};

#[test]
fn fixtures_ask_for_a_runtime() {
    let fixture = Fixture::parse("as = \"rialo\"").expect("a fixture");
    assert_eq!(fixture.runtime, Runtime::Rialo);
    assert_eq!(fixture.invocation.gas, 200_000);
    assert!(!fixture.invocation.account_table);
    let given = "as = \"rialo\"\ngas = 5\naccount_table = true";
    let fixture = Fixture::parse(given).expect("a fixture");
    assert_eq!(fixture.invocation.gas, 5);
    assert!(fixture.invocation.account_table);
    let fixture = Fixture::parse("as = \"own\"").expect("a fixture");
    assert_eq!(fixture, Fixture::parse("").expect("a fixture"));
    let error = Fixture::parse("as = \"mine\"").unwrap_err().to_string();
    let words = "\"mine\" is not the name of a runtime; write one of: own, rialo";
    assert!(error.contains(words), "{error}");
}

#[test]
fn another_runtime_leaves_gas_and_logs_of_an_expectation_aside() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.toml");
    let text = "[expect]\nstatus = 7\nlogs = []\ngas_used = 5";
    std::fs::write(&path, text).expect("a file");
    let read = |runtime| Fixture::read_as_on(&path, runtime).expect("a fixture");
    let own = read(None);
    assert_eq!(own, read(Some(Runtime::Own)));
    assert_eq!(own.expect.gas_used, Some(5));
    let other = read(Some(Runtime::Rialo));
    assert_eq!(other.runtime, Runtime::Rialo);
    assert_eq!((other.expect.gas_used, &other.expect.logs), (None, &None));
    assert_eq!(other.expect.status, Some(ExpectedStatus::Number(7)));
}

#[test]
fn heaps_cost_what_the_runtime_says() {
    let run = |heap: u32, prices: Prices| {
        let loader = caller_guest::loader(Engine::Interpreter).prices(prices);
        let file = caller_guest::file(loader::Target::Riscv64);
        let program = loader.load(&file).expect("a program");
        let host = caller_guest::environment([Engine::Interpreter; 3]).program(A, program.clone());
        let call = invocation(calling(&call(A, 0, Script::new())), []).heap_size(heap);
        let outcome = program.invoke_with(&(std::sync::Arc::new(host) as _), &call);
        let outcome = outcome.expect("an outcome");
        assert_eq!(outcome.failure, None);
        outcome.gas_used
    };
    let least = run(32 << 10, Prices::rialo());
    // The program and the one that it calls both pay.
    assert_eq!(run((32 << 10) + 1, Prices::rialo()), least + 2 * 8);
    assert_eq!(run(256 << 10, Prices::rialo()), least + 2 * 56);
}

#[test]
fn a_heap_that_gas_cannot_pay_is_out_of_gas() {
    let loader = caller_guest::loader(Engine::Interpreter).as_on(Runtime::Rialo);
    let file = caller_guest::file(loader::Target::Riscv64);
    let program = loader.load(&file).expect("a program");
    let call = Invocation::as_on(Runtime::Rialo, A);
    let outcome = program
        .invoke(&call.heap_size(256 << 10).gas(55))
        .expect("an outcome");
    assert_eq!(outcome.failure, Some(Failure::out_of_gas(55)));
    assert_eq!(outcome.gas_used, 55);
    assert_eq!(
        outcome.logs,
        [
            format!("Program {A} invoke [1]"),
            format!("Program {A} consumed 55 of 55 compute units"),
            format!("Program {A} failed: Computational budget exceeded"),
        ]
    );
}

#[test]
fn limits_of_the_runtime_reject_what_it_rejects() {
    let limits = Limits::rialo();
    let valid = Invocation::as_on(Runtime::Rialo, A);
    assert_eq!(valid.validate(&limits), Ok(()));
    let rejected = |invocation: Invocation| invocation.validate(&limits).unwrap_err();
    assert_eq!(
        rejected(valid.clone().gas(1_400_001)),
        InvocationError::GasTooLarge {
            gas: 1_400_001,
            limit: 1_400_000
        }
    );
    let size = (256 << 10) + 1;
    let limit = 256 << 10;
    assert_eq!(
        rejected(valid.clone().heap_size(size)),
        InvocationError::HeapTooLarge { size, limit }
    );
    let mut many = valid.account(account(1, A, &[]));
    for _ in 0..254 {
        many = many.repeat(0);
    }
    assert_eq!(many.validate(&limits), Ok(()));
    let (count, limit) = (256, 255);
    assert_eq!(
        rejected(many.repeat(0)),
        InvocationError::TooManyEntries { count, limit }
    );
    assert_eq!(Runtime::Rialo.log_style(), LogStyle::Runtime);
}

#[test]
fn growth_of_all_accounts_together_is_limited() {
    let run = |growth: u64| {
        let script = step(Step::Resize, [0, 1_002]).step(Step::Resize, [1, 999]);
        let accounts = [account(1, A, &[0; 2]), account(2, A, &[0; 9])];
        let program = caller_guest::load(Engine::Interpreter, Limits::default().growth(growth));
        let call = invocation(script, accounts);
        let outcome = program.invoke(&call).expect("an outcome");
        // Either all is kept or nothing.
        let lengths = outcome.accounts.iter().map(|account| account.data.len());
        let expected = match outcome.failure {
            None => [1_002, 999],
            Some(_) => [2, 9],
        };
        assert_eq!(lengths.collect::<Vec<_>>(), expected);
        outcome.failure
    };
    assert_eq!(run(1_990), None);
    let (growth, limit) = (1_990, 1_989);
    assert_eq!(run(limit), Some(Failure::GrewTooMuch { growth, limit }));
}
