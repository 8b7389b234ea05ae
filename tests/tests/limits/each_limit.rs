//! Every limit of the loader: a program at the limit runs, and a program one past the limit gets an
//! error that names limit and value.
//!
//! A program that would never end reaches one of these limits, with an exactly known gas.

use loader::{
    AccountInput, Engine, Failure, Invocation, InvocationError, Limits, LoadError, Loader, Outcome,
    Pubkey,
};
use polkavm_common::program::Reg::{A0, A1, RA, SP};
use polkavm_common::program::{Instruction, InstructionSetKind, asm};
use polkavm_common::writer::ProgramBlobBuilder;
use probe::Command;
use tests::{PROGRAM_ID, guest, probe_data};

/// A blob with this code that imports `rlo_log_` as its import 0.
fn blob(rw_data: u32, stack: u32, code: &[Instruction]) -> Vec<u8> {
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
    builder.set_rw_data_size(rw_data);
    builder.set_stack_size(stack);
    builder.add_import(b"rlo_log_");
    builder.add_export_by_basic_block(0, b"entrypoint");
    builder.set_code(code, &[]);
    builder.to_vec().expect("a blob")
}

/// A blob with this code, and this text at 0x10000.
fn logging(code: &[Instruction], text: &[u8]) -> Vec<u8> {
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
    builder.set_ro_data_size(text.len() as u32);
    builder.set_ro_data(text.to_vec());
    builder.add_import(b"rlo_log_");
    builder.add_export_by_basic_block(0, b"entrypoint");
    builder.set_code(code, &[]);
    builder.to_vec().expect("a blob")
}

/// A program that returns 0 at once.
fn small(rw_data: u32, stack: u32) -> Vec<u8> {
    blob(rw_data, stack, &[asm::load_imm(A0, 0), asm::ret()])
}

fn probe() -> Vec<u8> {
    program_test::build(guest("probe"))
}

fn call() -> Invocation {
    Invocation::new(PROGRAM_ID)
}

fn probe_call(command: Command, numbers: &[u64]) -> Invocation {
    call().data(probe_data(command, numbers))
}

/// How a call ends: success, a load error, an invocation error, or a failure of the program.
#[derive(Clone, Debug, PartialEq)]
enum End {
    Success,
    NotLoaded(LoadError),
    NotCalled(InvocationError),
    Failed(Failure),
}

/// How a call ends under these limits, which must be the same on both engines.
fn end(blob: &[u8], limits: Limits, call: &Invocation) -> End {
    let [interpreted, compiled] = tests::polkavm().map(|engine| {
        let loader = Loader::new(engine).unwrap().limits(limits);
        let program = match loader.load(blob) {
            Ok(program) => program,
            Err(error) => return End::NotLoaded(error),
        };
        match program.invoke(call) {
            Err(error) => End::NotCalled(error),
            Ok(outcome) => outcome.failure.map_or(End::Success, End::Failed),
        }
    });
    assert_eq!(interpreted, compiled, "the engines differ");
    interpreted
}

/// Checks that the call succeeds under `exact`, the smallest sufficient limits, and ends as `past`
/// under limits that are one less.
#[track_caller]
fn check(blob: &[u8], call: &Invocation, exact: Limits, one_less: Limits, past: End) {
    assert_eq!(end(blob, exact, call), End::Success, "at the limit");
    assert_eq!(end(blob, one_less, call), past, "one past the limit");
}

#[test]
fn blob_length_is_limited() {
    let blob = probe();
    let length = blob.len();
    let limits = |limit| Limits::default().blob(limit);
    let error = LoadError::BlobTooLong {
        length,
        limit: length - 1,
    };
    let call = probe_call(Command::Succeed, &[]);
    check(
        &blob,
        &call,
        limits(length),
        limits(length - 1),
        End::NotLoaded(error.clone()),
    );
    // The loader checks the length before it looks at the bytes, in `inspect` too.
    let garbage = vec![b'x'; length];
    let loader = Loader::new(Engine::Interpreter)
        .unwrap()
        .limits(limits(length - 1));
    assert_eq!(loader.load(&garbage).unwrap_err(), error);
    assert_eq!(loader.inspect(&garbage).unwrap_err(), error);
    assert_eq!(
        loader
            .limits(limits(length))
            .load(&garbage)
            .unwrap_err()
            .kind(),
        "InvalidBlob"
    );
}

#[test]
fn code_length_is_limited() {
    // The code of that program has four bytes.
    let blob = small(0, 0);
    let length = Loader::new(Engine::Interpreter)
        .unwrap()
        .inspect(&blob)
        .unwrap()
        .code
        .length;
    let limit = u32::try_from(length).unwrap();
    let limits = |limit| Limits::default().code(limit);
    let error = LoadError::MemoryTooLarge {
        what: "code",
        size: length,
        limit: limit - 1,
    };
    check(
        &blob,
        &call(),
        limits(limit),
        limits(limit - 1),
        End::NotLoaded(error),
    );
}

#[test]
fn program_data_is_limited() {
    let limits = |limit| Limits::default().program_data(limit);
    let error = LoadError::MemoryTooLarge {
        what: "data",
        size: 5_000,
        limit: 4_999,
    };
    check(
        &small(5_000, 0),
        &call(),
        limits(5_000),
        limits(4_999),
        End::NotLoaded(error),
    );
}

#[test]
fn stack_is_limited() {
    let limits = |limit| Limits::default().stack(limit);
    let error = LoadError::MemoryTooLarge {
        what: "stack",
        size: 8_192,
        limit: 8_191,
    };
    check(
        &small(0, 8_192),
        &call(),
        limits(8_192),
        limits(8_191),
        End::NotLoaded(error),
    );
}

#[test]
fn heap_is_limited() {
    let limits = |limit| Limits::default().heap(limit);
    let error = InvocationError::HeapTooLarge {
        size: 100_000,
        limit: 99_999,
    };
    let call = call().heap_size(100_000);
    check(
        &small(0, 0),
        &call,
        limits(100_000),
        limits(99_999),
        End::NotCalled(error),
    );
}

#[test]
fn gas_is_limited() {
    let limits = |limit| Limits::default().gas(limit);
    let error = InvocationError::GasTooLarge {
        gas: 5_000,
        limit: 4_999,
    };
    check(
        &small(0, 0),
        &call().gas(5_000),
        limits(5_000),
        limits(4_999),
        End::NotCalled(error),
    );
    // The VM's counter bounds the gas under any limit.
    let error = InvocationError::GasTooLarge {
        gas: 1 << 63,
        limit: i64::MAX as u64,
    };
    for limits in [Limits::default(), limits(u64::MAX)] {
        let most = call().gas(i64::MAX as u64);
        assert_eq!(end(&small(0, 0), limits, &most), End::Success);
        let past = call().gas(1 << 63);
        assert_eq!(
            end(&small(0, 0), limits, &past),
            End::NotCalled(error.clone())
        );
    }
}

#[test]
fn account_count_is_limited() {
    let limits = |limit| Limits::default().accounts(limit);
    let error = InvocationError::TooManyEntries { count: 3, limit: 2 };
    let call = call()
        .account(AccountInput::new(PROGRAM_ID))
        .repeat(0)
        .repeat(0);
    check(
        &small(0, 0),
        &call,
        limits(3),
        limits(2),
        End::NotCalled(error),
    );
}

#[test]
fn distinct_accounts_are_always_limited() {
    let with = |count: usize| {
        (0..count).fold(call(), |call, number| {
            let mut key = [7; 32];
            key[..8].copy_from_slice(&number.to_le_bytes());
            call.account(AccountInput::new(Pubkey::new(key)))
        })
    };
    let limits = Limits::default().accounts(usize::MAX);
    assert_eq!(
        end(&small(0, 0), limits, &with(255).repeat(254)),
        End::Success
    );
    let error = InvocationError::TooManyAccounts { count: 256 };
    assert_eq!(end(&small(0, 0), limits, &with(256)), End::NotCalled(error));
}

#[test]
fn input_length_is_limited() {
    // Two lengths, 5 bytes of data, the id, and 3 bytes of padding up to a multiple of 8.
    let length = 8 + 5 + 32 + 3 + 8;
    let limits = |limit| Limits::default().input(limit);
    let error = InvocationError::InputTooLong {
        length,
        limit: length - 1,
    };
    let call = call().data([0; 5]);
    check(
        &small(0, 0),
        &call,
        limits(length),
        limits(length - 1),
        End::NotCalled(error),
    );
}

#[test]
fn logs_are_limited() {
    let limits = |limit| Limits::default().logs(limit);
    let code = [
        asm::load_imm(A0, 0x1_0000),
        asm::load_imm(A1, 100),
        asm::ecalli(0),
        asm::load_imm(A0, 0),
        asm::ret(),
    ];
    let blob = logging(&code, &[b'x'; 100]);
    // The terminator of the line counts.
    let error = Failure::LogsTooLong { limit: 100 };
    check(&blob, &call(), limits(101), limits(100), End::Failed(error));
}

#[test]
fn return_data_is_limited() {
    let limits = |limit| Limits::default().return_data(limit);
    let error = Failure::ReturnDataTooLong {
        length: 100,
        limit: 99,
    };
    let call = probe_call(Command::ReturnData, &[100]);
    check(&probe(), &call, limits(100), limits(99), End::Failed(error));
}

#[test]
fn limits_are_set_one_by_one() {
    let limits = Limits::default()
        .blob(1)
        .code(2)
        .program_data(3)
        .stack(4)
        .heap(5)
        .gas(6)
        .growth(13)
        .accounts(7)
        .input(8)
        .logs(9)
        .return_data(10)
        .calls(11)
        .processor_seconds(12);
    assert_eq!(
        format!("{limits:?}"),
        "Limits { blob: 1, code: 2, program_data: 3, stack: 4, heap: 5, gas: 6, growth: 13, accounts: 7, input: 8, logs: 9, \
         return_data: 10, calls: 11, processor_seconds: 12 }"
    );
}

/// The outcome of a program that never ends by itself, which must be the same on both engines.
fn endless(blob: &[u8], call: &Invocation) -> Outcome {
    let [interpreted, mut compiled] = tests::polkavm().map(|engine| {
        let program = Loader::new(engine).unwrap().load(blob).unwrap();
        program.invoke(call).unwrap()
    });
    compiled.engine = interpreted.engine;
    assert_eq!(interpreted, compiled, "the engines differ");
    interpreted
}

#[test]
fn endless_loop_costs_all_gas() {
    let blob = blob(0, 0, &[asm::jump(0)]);
    for gas in [0, 1, 1_000_000] {
        let outcome = endless(&blob, &call().gas(gas));
        assert_eq!(
            outcome.failure.as_ref().map(Failure::kind),
            Some("OutOfGas")
        );
        assert_eq!(outcome.gas_used, gas);
    }
}

#[test]
fn recursion_costs_its_calls() {
    // Each call takes a frame of 16 bytes, stores its return address and calls itself: three units.
    let stack = 8_192;
    let code = [
        asm::add_imm_64(SP, SP, -16),
        asm::store_indirect_u64(RA, SP, 8),
        asm::load_imm_and_jump(RA, 2, 0),
    ];
    let outcome = endless(&blob(0, stack, &code), &call());
    let Some(Failure::StackOverflow { size, .. }) = outcome.failure else {
        panic!("{:?}", outcome.failure);
    };
    assert_eq!(size, Some(stack));
    // The calls are those whose frames fit into the stack, and a last one. The VM charges the whole
    // block of the last one.
    let calls = u64::from(stack) / 16;
    assert_eq!(outcome.gas_used, 3 * calls + 3);
}

#[test]
fn wild_pointer_is_not_a_stack_overflow() {
    // A store near address 0, and one right below the stack that does not use the stack pointer.
    for (address, offset) in [(0, 0), (0xfffd_0000_u32 as i32, -8)] {
        let code = [
            asm::load_imm(A1, address),
            asm::store_indirect_u64(A0, A1, offset),
            asm::ret(),
        ];
        let outcome = endless(&blob(0, 65_536, &code), &call());
        let Some(Failure::Trapped {
            address: accessed,
            cause: instruction,
            ..
        }) = outcome.failure
        else {
            panic!("{:?}", outcome.failure);
        };
        assert_eq!(accessed, Some((address as u32).wrapping_add_signed(offset)));
        let instruction = instruction.expect("the instruction");
        assert!(instruction.ends_with("= a0"), "{instruction}");
    }
}

#[test]
fn endless_logging_costs_its_lines() {
    // Two units set the arguments. Each line costs one for the call, one for its 8 bytes and one
    // for the jump back.
    let code = [
        asm::load_imm(A0, 0x1_0000),
        asm::load_imm(A1, 8),
        asm::fallthrough(),
        asm::ecalli(0),
        asm::jump(1),
    ];
    let outcome = endless(&logging(&code, b"8 bytes."), &call());
    assert_eq!(
        outcome.failure,
        Some(Failure::LogsTooLong { limit: 65_536 })
    );
    // Each line has 9 bytes with its terminator. The loader does not read the line that exceeds the
    // limit, so its bytes cost nothing.
    let lines = 65_536 / 9;
    assert_eq!(outcome.logs.len() as u64, lines);
    assert_eq!(outcome.gas_used, 3 + 3 * lines + 2);
}

#[test]
fn endless_allocation_ends_with_the_heap() {
    let outcome = endless(&probe(), &probe_call(Command::AllocateForEver, &[]));
    assert_eq!(
        outcome.failure.as_ref().map(Failure::kind),
        Some("OutOfMemory")
    );
    // Each block costs the same, so twice the heap costs twice the gas.
    let gas = |heap| {
        let call = probe_call(Command::AllocateForEver, &[]).heap_size(heap);
        endless(&probe(), &call).gas_used
    };
    let (one, two, three) = (gas(64 << 10), gas(128 << 10), gas(192 << 10));
    assert_eq!(two - one, three - two);
    assert!(
        outcome.gas_used < one && (two - one) % 1_024 == 0,
        "{one} {two}"
    );
}
