//! Work of the host's that a program causes, and accounts that it loads.

use std::sync::Arc;

use abi::imports::Import;
use abi::program_address::create_program_address;
use caller::Script;
use loader::{
    Account, Engine, Environment, Host, Invocation, LoadError, Loader, Outcome, Prices, Program,
    handler,
};
use polkavm_common::program::Reg::{A0, A1};
use polkavm_common::program::{InstructionSetKind, asm};
use polkavm_common::writer::ProgramBlobBuilder;
use tests::caller_guest::{A, B, account, call, calling, host, invocation, program};

/// Bytes of the account that a program loads.
const LONG: usize = 1 << 20;

/// A program that loads the account [`B`] into so many bytes of memory, and returns the status.
fn loading(length: u64) -> Program {
    // The start of a program's data on PolkaVM, if there is no read-only data.
    const BASE: u32 = 0x2_0000;
    let data = [
        B.as_bytes(),
        &u64::from(BASE + 64).to_le_bytes()[..],
        &length.to_le_bytes(),
    ]
    .concat();
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
    builder.set_rw_data(data);
    builder.set_rw_data_size(2 * LONG as u32);
    builder.set_stack_size(4_096);
    builder.add_export_by_basic_block(0, b"entrypoint");
    builder.add_import(Import::LoadAccount.symbol().as_bytes());
    let code = [
        asm::load_imm(A0, BASE as i32),
        asm::load_imm(A1, BASE as i32 + 32),
        asm::ecalli(0),
        asm::ret(),
    ];
    builder.set_code(&code, &[]);
    let loader = Loader::new(Engine::Interpreter).expect("the interpreter");
    let program = loader.load(&builder.to_vec().expect("a blob"));
    program.unwrap_or_else(|error| panic!("{error}"))
}

fn load_long_account(length: u64, gas: u64) -> Outcome {
    let account = Account {
        key: B,
        data: vec![7; LONG].into(),
        ..Account::default()
    };
    let host: Arc<dyn Host> = Arc::new(Environment::new().account(account));
    let outcome = loading(length).invoke_with(&host, &Invocation::new(A).gas(gas));
    outcome.unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn an_account_that_does_not_fit_is_paid_for() {
    let loaded = load_long_account(88 + LONG as u64, 1_000_000);
    assert_eq!(loaded.status, Some(0));
    let price = LONG as u64 / 8;
    assert!(loaded.gas_used > price);
    // The host has found the whole account, whether or not there is memory for it.
    for length in [0, 88, 87 + LONG as u64] {
        let refused = load_long_account(length, 1_000_000);
        let status = loader::ProgramError::AccountDataTooSmall.status();
        assert_eq!(refused.status, Some(status));
        assert!(refused.gas_used > price, "{}", refused.gas_used);
        let poor = load_long_account(length, price);
        assert_eq!(poor.failure.map(|failure| failure.kind()), Some("OutOfGas"));
    }
}

/// A module whose only fault is this part.
fn module(part: &str) -> Vec<u8> {
    let text = format!(
        r#"(module (memory (export "memory") 1)
        (func (export "alloc") (param i32) (result i32) i32.const 1024)
        (func $main (export "entrypoint") (param i32 i32) (result i64) i64.const 0)
        {part})"#
    );
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_module_of_which_there_is_no_instance_is_not_loaded() {
    let load = |part: &str| {
        let module = module(part);
        let handler = handler::Host::<()>::new().load(&module).map(drop);
        let loader = Loader::new(Engine::Wasm).expect("wasmi");
        let program = loader.load(&module).map(drop);
        assert_eq!(
            handler.map_err(|error| error.to_string()),
            program.as_ref().map_err(ToString::to_string).copied(),
            "{part}"
        );
        program
    };
    assert!(load("").is_ok());
    for part in [
        r#"(data (i32.const 65535) "two")"#,
        r#"(data (i32.const -1) "x")"#,
        "(table 1 funcref) (elem (i32.const 1) $main)",
        "(table 65537 funcref)",
    ] {
        // If it were loaded, its call would fail as if the engine had failed, and a program that
        // calls it would end without an outcome.
        let refused = load(part);
        assert!(
            matches!(refused, Err(LoadError::InvalidModule { .. })),
            "{part}: {refused:?}"
        );
    }
}

/// The gas of the guest `caller` when it calls this program once.
fn gas_of_a_call(callee: Program) -> u64 {
    let host: Arc<dyn Host> = Arc::new(Environment::new().program(B, callee));
    let script = calling(&call(B, 0, Script::new()));
    let outcome = program(Engine::Interpreter).invoke_with(&host, &invocation(script, []));
    let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(outcome.failure, None);
    outcome.gas_used
}

#[test]
fn a_call_pays_for_the_memory_of_the_callee() {
    let callee = |length: u32| {
        let mut builder = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
        builder.set_rw_data(vec![1; length as usize]);
        builder.set_rw_data_size(length);
        builder.set_stack_size(4_096);
        builder.add_export_by_basic_block(0, b"entrypoint");
        builder.set_code(&[asm::load_imm(A0, 0), asm::ret()], &[]);
        let loader = Loader::new(Engine::Interpreter).expect("the interpreter");
        let program = loader.load(&builder.to_vec().expect("a blob"));
        program.unwrap_or_else(|error| panic!("{error}"))
    };
    // The host copies 8 MiB for each call.
    let (small, large) = (gas_of_a_call(callee(4_096)), gas_of_a_call(callee(8 << 20)));
    // The base of the call pays for 256 KiB.
    let paid = (8 << 20) - (256 << 10);
    assert!(large >= small + paid / 64, "{small}, {large}");
}

#[test]
fn a_call_pays_for_the_callees_alloc() {
    let callee = |turns: u32| {
        let text = format!(
            r#"(module (memory (export "memory") 1)
            (func (export "alloc") (param i32) (result i32) (local $turns i32)
                (loop $again
                    (local.set $turns (i32.add (local.get $turns) (i32.const 1)))
                    (br_if $again (i32.lt_u (local.get $turns) (i32.const {turns}))))
                i32.const 1024)
            (func (export "entrypoint") (param i32 i32) (result i64) i64.const 0))"#
        );
        let module = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
        let program = Loader::new(Engine::Wasm).expect("wasmi").load(&module);
        program.unwrap_or_else(|error| panic!("{error}"))
    };
    let (short, long) = (gas_of_a_call(callee(1)), gas_of_a_call(callee(900_000)));
    assert!(long >= short + 900_000, "{short}, {long}");
}

#[test]
fn a_call_pays_for_the_addresses_of_its_signers() {
    let bump = (0..=u8::MAX).find(|bump| create_program_address(&[&[*bump]], &A).is_ok());
    let seeds = vec![vec![bump.expect("a bump")]];
    let host = host(Engine::Interpreter);
    let gas = |count: usize| {
        let mut call = call(B, 0, Script::new());
        call.signers = vec![seeds.clone(); count];
        let invocation = invocation(calling(&call), []);
        let outcome = program(Engine::Interpreter).invoke_with(&host, &invocation);
        let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(outcome.failure, None);
        outcome.gas_used
    };
    let derived = Prices::default().of(Import::CreateProgramAddress).base;
    let (none, most) = (gas(0), gas(16));
    assert!(most >= none + 16 * derived, "{none}, {most}");
}

#[test]
fn a_loaded_account_is_as_before_the_invocation() {
    // The program sets the kelvins of its account to 5, loads the account, and returns the kelvins
    // that it finds.
    let text = r#"(module
        (import "env" "rlo_load_account" (func $load (param i32 i32) (result i64)))
        (memory (export "memory") 2)
        (func (export "alloc") (param i32) (result i32) i32.const 65536)
        (data (i32.const 0)
            "\07\07\07\07\07\07\07\07\07\07\07\07\07\07\07\07"
            "\07\07\07\07\07\07\07\07\07\07\07\07\07\07\07\07"
            "\00\01\00\00\00\00\00\00\58\00\00\00\00\00\00\00")
        (func (export "entrypoint") (param i32 i32) (result i64)
            (i64.store offset=120 (local.get 0) (i64.const 5))
            (drop (call $load (i32.const 0) (i32.const 32)))
            (i64.load offset=328 (i32.const 0))))"#;
    let module = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
    let program = Loader::new(Engine::Wasm).expect("wasmi").load(&module);
    let program = program.unwrap_or_else(|error| panic!("{error}"));
    let listed = account(7, A, &[]);
    let host: Arc<dyn Host> = Arc::new(Environment::new().account(listed.account.clone()));
    let invocation = Invocation::new(A).account(listed);
    let outcome = program.invoke_with(&host, &invocation);
    let outcome = outcome.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(outcome.status, Some(100));
}
