//! The WebAssembly engine as a boundary, with handwritten modules: addresses outside the memory,
//! gas, traps, and syscalls.

use abi::imports::Import;
use loader::{
    AccountInput, Engine, Failure, Invocation, InvocationError, Limits, LoadError, Loader, Outcome,
    Program, Pubkey,
};
use tests::PROGRAM_ID;

/// The exports of a module that a test does not replace.
pub(super) const MEMORY: &str = r#"(memory (export "memory") 1)"#;
pub(super) const ALLOC: &str = r#"(func (export "alloc") (param i32) (result i32) i32.const 1024)"#;

/// A program with this code as its entry.
pub(super) fn program(imports: &str, code: &str) -> String {
    format!(
        r#"(module {imports} {MEMORY} {ALLOC}
        (func (export "entrypoint") (param i32 i32) (result i64) {code}))"#
    )
}

pub(super) fn load(text: &str, limits: Limits) -> Result<Program, LoadError> {
    let module = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
    let loader = Loader::new(Engine::Wasm).unwrap().limits(limits);
    loader.load(&module)
}

pub(super) fn refusal(text: &str) -> LoadError {
    match load(text, Limits::default()) {
        Ok(_) => panic!("the module was loaded: {text}"),
        Err(error) => error,
    }
}

pub(super) fn call() -> Invocation {
    Invocation::new(PROGRAM_ID)
}

pub(super) fn run(text: &str, invocation: &Invocation) -> Outcome {
    let program = load(text, Limits::default()).unwrap_or_else(|error| panic!("{error}"));
    program
        .invoke(invocation)
        .unwrap_or_else(|error| panic!("{error}"))
}

pub(super) fn failure(text: &str, invocation: &Invocation) -> Failure {
    run(text, invocation).failure.expect("a failure")
}

pub(super) fn kind(text: &str) -> &'static str {
    failure(text, &call()).kind()
}

#[test]
fn smallest_program_returns_its_status() {
    let outcome = run(&program("", "i64.const 0"), &call());
    assert!(outcome.is_success());
    assert_eq!((outcome.engine, outcome.status), (Engine::Wasm, Some(0)));
    assert_eq!(outcome.heap.used, None);
    let outcome = run(&program("", "i64.const 7"), &call());
    assert_eq!(outcome.status, Some(7));
    assert_eq!(outcome.failure.expect("a failure").kind(), "ProgramError");
}

#[test]
fn program_gets_its_input_in_its_memory() {
    // The status is the first byte of the program id, after eight bytes for the length of no data.
    let code = "local.get 0 i64.load8_u offset=8";
    let outcome = run(&program("", code), &call());
    assert_eq!(outcome.status, Some(PROGRAM_ID.to_bytes()[0].into()));
    let length = run(&program("", "local.get 1 i64.extend_i32_u"), &call());
    assert_eq!(length.status, Some(48));
}

#[test]
fn wrong_target_is_reported() {
    let wasm = Loader::new(Engine::Wasm).unwrap();
    let polkavm = Loader::new(Engine::Interpreter).unwrap();
    let module = wat::parse_str(program("", "i64.const 0")).unwrap();
    let error = polkavm.load(&module).unwrap_err();
    assert_eq!(
        error.to_string(),
        "this is a program for wasm32; the interpreter engine runs programs for riscv64"
    );
    assert_eq!(polkavm.inspect(&module).unwrap_err(), error);
    // Only PolkaVM's engines inspect, and the error does not depend on the bytes.
    for bytes in [&module[..], b"", b"PVM\0\x02", b"rubbish"] {
        let error = wasm.inspect(bytes).unwrap_err();
        assert_eq!(error.kind(), "NotOnThisEngine", "{bytes:?}: {error}");
    }
    let error = Loader::new(Engine::Native).unwrap_err();
    assert_eq!(error.kind(), "EngineNeedsRunner", "{error}");
    assert_eq!(wasm.load(b"PVM\0\x02").unwrap_err().kind(), "WrongTarget");
    assert_eq!(wasm.load(b"\x7fELF").unwrap_err().kind(), "WrongTarget");
    for garbage in [&b""[..], b"(module)", b"\0asm", b"\0asm\x01\0\0\0\xff"] {
        let error = wasm.load(garbage).unwrap_err();
        assert_eq!(error.kind(), "InvalidModule", "{garbage:?}: {error}");
    }
}

#[test]
fn every_damaged_module_loads_or_is_an_error() {
    let module = wat::parse_str(program(
        r#"(import "env" "rlo_log_" (func $log (param i32 i64)))"#,
        "i32.const 0 i64.const 4 call $log i64.const 0",
    ))
    .unwrap();
    let loader = Loader::new(Engine::Wasm).unwrap();
    let try_it = |bytes: &[u8]| {
        if let Ok(program) = loader.load(bytes) {
            let _ = program.invoke(&call().gas(10_000));
        }
    };
    for length in 0..module.len() {
        try_it(&module[..length]);
    }
    for bit in 0..module.len() * 8 {
        let mut bytes = module.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        try_it(&bytes);
    }
}

#[test]
fn memory_grows_by_heap_and_one_page() {
    // The status is the number of pages that the program could add one by one.
    let code = "(local i64)
        (loop
            (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1))
                (then (local.set 2 (i64.add (local.get 2) (i64.const 1))) br 1)))
        local.get 2";
    for (heap, pages) in [(32 << 10, 1), (64 << 10, 1), (1 << 20, 16)] {
        let outcome = run(&program("", code), &call().heap_size(heap));
        assert_eq!(outcome.status, Some(pages + 1), "{heap}");
    }
    let many = "(memory.grow (i32.const 0x7fff)) i64.extend_i32_s i64.const 1 i64.add";
    assert!(run(&program("", many), &call()).is_success());
}

#[test]
fn loader_placed_heap_is_announced_first() {
    // The status has the base and the size of the heap; `alloc` traps before the announcement.
    let text = r#"(module
        (memory (export "memory") 1)
        (global $heap (mut i64) (i64.const 0))
        (func (export "entrypoint_heap") (param i32 i32)
            (global.set $heap (i64.or
                (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32))
                (i64.extend_i32_u (local.get 1)))))
        (func (export "alloc") (param i32) (result i32)
            (if (i64.eqz (global.get $heap)) (then unreachable))
            i32.const 1024)
        (func (export "entrypoint_heap_bump"))
        (func (export "entrypoint") (param i32 i32) (result i64)
            (i32.store (i32.wrap_i64 (i64.shr_u (global.get $heap) (i64.const 32))) (i32.const 40))
            (global.get $heap)))"#;
    let outcome = run(text, &call().heap_size(100_000));
    assert_eq!(outcome.status, Some(65_536 << 32 | 100_000));
    assert_eq!(outcome.heap.limit, 100_000);
    assert_eq!((outcome.heap.used, outcome.heap.peak), (Some(40), Some(40)));
}

#[test]
fn invalid_scratch_is_not_written() {
    let with = |address_code: &str| {
        let text = program("", "i64.const 0");
        text.replace("i32.const 1024", address_code)
    };
    let invoke = |address_code: &str| {
        let program = load(&with(address_code), Limits::default()).unwrap();
        program.invoke(&call()).unwrap_err()
    };
    for (address_code, address) in [
        ("i32.const 1025", 1_025),
        ("i32.const 65536", 65_536),
        ("i32.const 65496", 65_496),
        ("i32.const -8", 0xffff_fff8),
        ("i32.const -1", 0xffff_ffff),
    ] {
        assert_eq!(
            invoke(address_code),
            InvocationError::InvalidAllocation {
                address,
                length: 48
            }
        );
    }
    assert!(matches!(
        invoke("i32.const 0"),
        InvocationError::DoesNotFit { input: 48, .. }
    ));
    // The last valid address.
    let program = load(&with("i32.const 65488"), Limits::default()).unwrap();
    assert!(program.invoke(&call()).unwrap().is_success());
}

#[test]
fn failing_alloc_is_an_invocation_error() {
    for (code, expected) in [
        ("unreachable", "unreachable"),
        ("(loop br 0) unreachable", "fuel"),
    ] {
        let text = program("", "i64.const 0").replace("i32.const 1024", code);
        let program = load(&text, Limits::default()).unwrap();
        let error = program.invoke(&call()).unwrap_err();
        assert_eq!(error.kind(), "SetupFailed");
        let error = error.to_string();
        assert!(
            error.contains("`alloc` failed") && error.contains(expected),
            "{error}"
        );
    }
    let text = program(
        r#"(import "env" "rlo_log_" (func $log (param i32 i64)))"#,
        "i64.const 0",
    );
    let text = text.replace(
        "i32.const 1024",
        "i32.const 0 i64.const 4 call $log i32.const 1024",
    );
    let program = load(&text, Limits::default()).unwrap();
    let error = program.invoke(&call()).unwrap_err().to_string();
    assert!(error.contains("before the entry"), "{error}");
}

#[test]
fn endless_loop_runs_out_of_any_gas() {
    let text = program("", "(loop br 0) i64.const 0");
    for gas in [0, 1, 1_000, 1_000_000] {
        let outcome = run(&text, &call().gas(gas));
        assert_eq!(outcome.gas_used, gas);
        assert_eq!(outcome.failure.expect("a failure").kind(), "OutOfGas");
    }
}

#[test]
fn exactly_the_used_gas_suffices() {
    let text = program(
        r#"(import "env" "rlo_log_" (func $log (param i32 i64)))"#,
        "i32.const 0 i64.const 100 call $log i64.const 0",
    );
    let enough = run(&text, &call()).gas_used;
    // A hundred bytes cost 13 units.
    assert!(enough > 13, "{enough}");
    let outcome = run(&text, &call().gas(enough));
    assert!(outcome.is_success());
    assert_eq!(outcome.gas_used, enough);
    for gas in 0..enough {
        let outcome = run(&text, &call().gas(gas));
        assert_eq!(
            outcome.failure.expect("too little").kind(),
            "OutOfGas",
            "{gas}"
        );
    }
}

#[test]
fn endless_recursion_overflows_the_stack() {
    let text = format!(
        r#"(module {MEMORY} {ALLOC} (func $again (call $again))
        (func (export "entrypoint") (param i32 i32) (result i64) call $again i64.const 0))"#
    );
    assert_eq!(kind(&text), "StackOverflow");
}

#[test]
fn forbidden_operation_traps_with_its_name() {
    for (code, expected) in [
        ("unreachable", "unreachable"),
        ("i32.const -1 i64.load", "out of bounds"),
        ("i64.const 1 i64.const 0 i64.div_u", "divide"),
    ] {
        let failure = failure(&program("", code), &call());
        assert_eq!(failure.kind(), "Trapped");
        let text = failure.to_string();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn each_instance_has_fresh_memory() {
    let code = "(i64.load (i32.const 512)) (i64.store (i32.const 512) (i64.const 9))";
    let program = load(&program("", code), Limits::default()).unwrap();
    for _ in 0..3 {
        assert_eq!(program.invoke(&call()).unwrap().status, Some(0));
    }
}

#[test]
fn every_syscall_checks_every_pointer() {
    let wild: [i64; 9] = [0, 1, 4, 65_535, 65_536, 65_537, -1, -8, 1 << 31];
    let lengths: [i64; 8] = [0, 1, 32, 65_536, 65_537, 1 << 32, i64::MAX, -1];
    for import in Import::ALL {
        let types: Vec<&str> = import
            .parameters()
            .iter()
            .map(|(_, type_)| if *type_ == "u64" { "i64" } else { "i32" })
            .collect();
        let returns = import.return_type() != "()";
        let declared = format!(
            r#"(import "env" "{}" (func $call (param {}) {}))"#,
            import.symbol(),
            types.join(" "),
            if returns { "(result i64)" } else { "" },
        );
        let drop = if returns { "drop" } else { "" };
        for pointer in wild {
            for length in lengths {
                let arguments: Vec<String> = import
                    .parameters()
                    .iter()
                    .zip(&types)
                    .map(|((name, _), type_)| match (*name, *type_) {
                        (_, "i64") => format!("i64.const {length}"),
                        ("value", _) => "i32.const 7".to_owned(),
                        _ => format!("i32.const {}", pointer as i32),
                    })
                    .collect();
                let code = format!("{} call $call {drop} i64.const 0", arguments.join(" "));
                let outcome = run(&program(&declared, &code), &call());
                let kinds = [
                    "OutOfGas",
                    "InvalidPointer",
                    "LogsTooLong",
                    "ReturnDataTooLong",
                    "Aborted",
                    // Of a call whose structures are zeroes.
                    "UnknownProgram",
                    "TooManyPassedAccounts",
                    "TooManySigners",
                ];
                if let Some(failure) = &outcome.failure {
                    assert!(kinds.contains(&failure.kind()), "{import:?}: {failure}");
                }
                let end = u64::from(pointer as u32).checked_add(length as u64);
                let is_in_memory = end.is_some_and(|end| end <= 65_536);
                if *import == Import::Memset {
                    assert_eq!(
                        outcome.is_success(),
                        is_in_memory || length == 0,
                        "{pointer} {length}"
                    );
                }
            }
        }
    }
}

#[test]
fn account_rules_are_the_same() {
    // Write to the first account's data, which starts after 48 bytes and a header of 88 bytes.
    let code = "(i64.store8 offset=136 (local.get 0) (i64.const 9)) i64.const 0";
    let account = |owner: Pubkey| {
        AccountInput::new(Pubkey::new([2; 32]))
            .owner(owner)
            .data([1])
            .writable()
    };
    let room = program("", code).replace(
        r#"(memory (export "memory") 1)"#,
        r#"(memory (export "memory") 2)"#,
    );
    let own = run(&room, &call().account(account(PROGRAM_ID)));
    assert!(own.is_success(), "{:?}", own.failure);
    assert_eq!(own.accounts[0].data, [9]);
    let foreign = run(&room, &call().account(account(Pubkey::new([7; 32]))));
    assert_eq!(
        foreign.failure.expect("a failure").kind(),
        "DataChangedByNonOwner"
    );
    assert_eq!(foreign.accounts[0].data, [1]);
}
