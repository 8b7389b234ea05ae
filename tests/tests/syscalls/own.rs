//! Syscalls of an embedder's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use loader::Parameter::{Pointer, U64};
use loader::{Engine, Environment, Failure, Host, LoadError, Loader, Price, Program, Signature};
use program_build::guest::Target;
use raw_calls::{OWN_FILL, OWN_SUM};

use crate::guest::{Script, engines, file, limits};

/// A loader with both syscalls of the guest.
fn loader(engine: Engine) -> Result<Loader, LoadError> {
    Loader::new(engine)?
        .limits(limits())
        .syscall(
            "own_sum",
            Signature::new([U64, U64]),
            Price::fixed(7),
            |call| {
                let sum = call.argument(0).checked_add(call.argument(1));
                sum.ok_or_else(|| call.failure("the sum is too large"))
            },
        )?
        .syscall(
            "own_fill",
            Signature::new([Pointer, U64]).without_result(),
            Price::fixed(100).bytes(1, 4),
            |call| {
                let (address, length) = (call.argument(0), call.argument(1));
                call.check_writable(address, length)?;
                call.write(address, &vec![0xab; length as usize])?;
                Ok(0)
            },
        )
}

fn programs() -> Vec<Program> {
    let program = |engine: Engine| {
        let loader = loader(engine).expect("a loader");
        let program = loader.load(file(engine.target(), true));
        program.unwrap_or_else(|error| panic!("{engine}: {error}"))
    };
    engines().into_iter().map(program).collect()
}

/// A call of a syscall of the embedder's, by the guest's number.
fn script(syscall: u64) -> Script {
    Script::numbered(syscall)
}

#[test]
fn a_program_calls_them_on_each_engine() {
    let host: Arc<dyn Host> = Arc::new(Environment::new());
    for program in programs() {
        let engine = program.engine();
        let sum = |a: u64, b: u64| script(OWN_SUM).number(a).number(b).invoke(&program, &host);
        let outcome = sum(1 << 40, 5);
        assert_eq!(outcome.failure, None, "{engine}");
        assert_eq!(
            outcome.return_data,
            ((1_u64 << 40) + 5).to_le_bytes(),
            "{engine}"
        );
        let failed = Failure::SyscallFailed {
            symbol: "own_sum".to_owned(),
            reason: "the sum is too large".to_owned(),
        };
        assert_eq!(sum(u64::MAX, 1).failure, Some(failed), "{engine}");

        let fill = |length: u64| {
            script(OWN_FILL)
                .output(16)
                .number(length)
                .invoke(&program, &host)
        };
        let mut expected = [0; 24];
        expected[8..18].fill(0xab);
        let outcome = fill(10);
        assert_eq!(
            (outcome.failure.as_ref(), &outcome.return_data[..]),
            (None, &expected[..])
        );
        // 3 more bytes are one more unit.
        assert_eq!(fill(13).gas_used, outcome.gas_used + 1, "{engine}");
        for length in [1 << 31, u64::MAX] {
            let failure = fill(length).failure.expect("a failure");
            assert_eq!(failure.kind(), "SyscallFailed", "{engine}: {failure}");
        }
        let wild = script(OWN_FILL)
            .number(0xffff_0000)
            .number(1)
            .invoke(&program, &host);
        let failure = wild.failure.expect("a failure").to_string();
        let expected = "`own_fill` failed: the program may not write 1 bytes at 0xffff0000";
        assert_eq!(failure, expected, "{engine}");
    }
}

#[test]
fn the_price_of_a_call_is_that_of_the_embedder() {
    let host: Arc<dyn Host> = Arc::new(Environment::new());
    for engine in engines() {
        let gas_with = |base: u64| {
            let loader = Loader::new(engine).expect("an engine").limits(limits());
            let sum = Signature::new([U64, U64]);
            let fill = Signature::new([Pointer, U64]).without_result();
            let loader = loader.syscall("own_sum", sum, Price::fixed(base), |_| Ok(0));
            let loader = loader
                .and_then(|loader| loader.syscall("own_fill", fill, Price::fixed(0), |_| Ok(0)));
            let file = file(engine.target(), true);
            let program = loader
                .and_then(|loader| loader.load(file))
                .expect("a program");
            script(OWN_SUM).number(1).number(2).invoke(&program, &host)
        };
        let free = gas_with(0);
        assert_eq!(gas_with(1_000).gas_used, free.gas_used + 1_000, "{engine}");
        let outcome = gas_with(u64::MAX);
        assert_eq!(
            outcome.failure.expect("a failure").kind(),
            "OutOfGas",
            "{engine}"
        );
    }
}

#[test]
fn a_panic_goes_on_in_the_thread_of_the_caller() {
    let host: Arc<dyn Host> = Arc::new(Environment::new());
    for engine in engines() {
        let loader = Loader::new(engine).expect("an engine").limits(limits());
        let (sum, fill) = (Signature::new([U64, U64]), Signature::new([Pointer, U64]));
        let loader = loader
            .syscall("own_sum", sum, Price::fixed(0), |_| panic!("no sum"))
            .and_then(|loader| {
                let fill = fill.without_result();
                loader.syscall("own_fill", fill, Price::fixed(0), |_| Ok(0))
            });
        let file = file(engine.target(), true);
        let program = loader
            .and_then(|loader| loader.load(file))
            .expect("a program");
        let call = AssertUnwindSafe(|| script(OWN_SUM).invoke(&program, &host));
        let panic = catch_unwind(call).expect_err("a panic");
        assert_eq!(panic.downcast_ref(), Some(&"no sum"), "{engine}");
        // The program can be called again.
        let outcome = script(OWN_FILL).invoke(&program, &host);
        assert_eq!(outcome.failure, None, "{engine}");
    }
}

#[test]
fn a_loader_without_them_names_the_first() {
    for engine in engines() {
        let loader = Loader::new(engine).expect("an engine");
        let error = loader
            .load(file(engine.target(), true))
            .expect_err("an error");
        let LoadError::UnknownImport { symbol } = error else {
            panic!("{engine}: {error}");
        };
        assert!(symbol.starts_with("own_"), "{engine}: {symbol}");
    }
}

#[test]
fn a_module_with_another_type_is_rejected() {
    let loader = Loader::new(Engine::Wasm).expect("wasm");
    let loader = loader.syscall("own_sum", Signature::new([U64]), Price::fixed(0), |_| Ok(0));
    let loader = loader.and_then(|loader| {
        let fill = Signature::new([Pointer, U64]).without_result();
        loader.syscall("own_fill", fill, Price::fixed(0), |_| Ok(0))
    });
    let loader = loader.expect("a loader");
    let error = loader
        .load(file(Target::Wasm32, true))
        .expect_err("an error");
    assert!(
        error
            .to_string()
            .contains("`own_sum` is not a function of the type"),
        "{error}"
    );
}

#[test]
fn names_must_be_new() {
    let add = |loader: Loader, name: &str, parameters: usize| {
        let signature = Signature::new(std::iter::repeat_n(U64, parameters));
        loader.syscall(name, signature, Price::fixed(0), |_| Ok(0))
    };
    let loader = loader(Engine::Interpreter).expect("a loader");
    for (name, parameters) in [("rlo_log_", 0), ("own_sum", 2), ("long", 6)] {
        let error = add(loader.clone(), name, parameters).expect_err("an error");
        assert_eq!(error.kind(), "InvalidSyscall", "{error}");
    }
    assert!(add(loader, "short", 5).is_ok());
    let native = add(Loader::native(["runner".into()]), "short", 0);
    assert_eq!(native.expect_err("an error").kind(), "NotOnThisEngine");
}

#[test]
fn a_syscall_that_no_loader_has_is_refused_with_the_reason() {
    let module = br#"(module
        (import "env" "rlo_curve_pairing_map" (func (param i64 i32 i32) (result i64)))
        (memory (export "memory") 1)
        (func (export "alloc") (param i32) (result i32) i32.const 0)
        (func (export "entrypoint") (param i32 i32) (result i64) i64.const 0))"#;
    let module = wat::parse_bytes(module).expect("a module");
    let loader = Loader::new(Engine::Wasm).expect("wasm");
    let error = loader.load(&module).expect_err("an error");
    assert_eq!(error.kind(), "UnsupportedSyscall", "{error}");
    let text = error.to_string();
    assert!(
        text.starts_with("the program imports `rlo_curve_pairing_map`, which"),
        "{text}"
    );
}
