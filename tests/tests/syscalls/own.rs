//! Syscalls of an embedder's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use loader::Parameter::{Pointer, U32, U64};
use loader::{Engine, Environment, Failure, Host, LoadError, Loader, Price, Program, Signature};
use program_build::guest::Target;
use program_build::machine::Machine;
use program_build::package::ProgramPackage;
use raw_calls::{OWN_FILL, OWN_MIX, OWN_SUM};

use crate::syscalls::guest::{self, Script, file, limits};

/// The engines that run the guest: on the native one too.
fn engines() -> Vec<Engine> {
    let mut engines = guest::engines();
    if program_build::guest::RUNS_NATIVELY {
        engines.push(Engine::Native);
    }
    engines
}

/// A loader without syscalls of the embedder's.
fn plain(engine: Engine) -> Loader {
    let folder = tests::guest("raw_calls");
    let package = ProgramPackage::in_folder(&folder).expect("the guest");
    let loader = Machine::new(engine).loader(&package.target_folder);
    loader
        .unwrap_or_else(|error| panic!("{engine}: {error:?}"))
        .limits(limits())
}

/// Adds the guest's third syscall, which sums its arguments.
fn with_mix(loader: Loader) -> Result<Loader, LoadError> {
    let mix = Signature::new([U32, Pointer, U64, U32, U64]);
    loader.syscall("own_mix", mix, Price::fixed(0), |call| {
        let byte = call.read(call.argument(1), 1)?[0];
        let [a, c, d, e] = [0, 2, 3, 4].map(|index| call.argument(index));
        Ok([a, byte.into(), c, d, e]
            .into_iter()
            .fold(0, |sum, next| 100 * sum + next))
    })
}

/// A loader with the syscalls of the guest.
fn loader(engine: Engine) -> Result<Loader, LoadError> {
    with_mix(plain(engine))?
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
            let loader = with_mix(plain(engine)).expect("a loader");
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
        let loader = with_mix(plain(engine)).expect("a loader");
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
    for engine in guest::engines() {
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
    let loader = with_mix(plain(Engine::Wasm)).expect("a loader");
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
    let long = "x".repeat(256);
    for (name, parameters) in [("rlo_log_", 0), ("own_sum", 2), ("long", 6), (&*long, 0)] {
        let error = add(loader.clone(), name, parameters).expect_err("an error");
        assert_eq!(error.kind(), "InvalidSyscall", "{error}");
    }
    assert!(add(loader.clone(), "short", 5).is_ok());
    assert!(add(loader, &long[1..], 5).is_ok());
}

#[test]
fn numbers_have_the_width_of_their_parameters() {
    let host: Arc<dyn Host> = Arc::new(Environment::new());
    for program in programs() {
        let engine = program.engine();
        let outcome = script(OWN_MIX)
            // The guest passes the low half, as the parameter says.
            .number(1 << 32 | 1)
            .bytes(&[2])
            .number(3)
            .number(u64::MAX << 32 | 4)
            .number(5)
            .invoke(&program, &host);
        assert_eq!(outcome.failure, None, "{engine}");
        let expected = 102_030_405_u64;
        assert_eq!(outcome.return_data[..8], expected.to_le_bytes(), "{engine}");
    }
}

/// A native library does not list its syscalls.
#[test]
fn a_native_program_ends_with_a_call_of_an_unknown_syscall() {
    if !program_build::guest::RUNS_NATIVELY {
        return;
    }
    let host: Arc<dyn Host> = Arc::new(Environment::new());
    let file = file(Target::Native, true);
    let program = with_mix(plain(Engine::Native)).and_then(|loader| loader.load(file));
    let outcome = script(OWN_SUM).invoke(&program.expect("a program"), &host);
    let failed = Failure::SyscallFailed {
        symbol: "own_sum".to_owned(),
        reason: "the loader has no syscall of this name".to_owned(),
    };
    assert_eq!(outcome.failure, Some(failed));
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
