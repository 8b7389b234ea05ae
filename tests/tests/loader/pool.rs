//! A reused instance is like a new one: its memory and registers do not depend on earlier calls.
//!
//! The program here is handwritten, so that it reads and writes all guest memory and all registers.

use std::sync::Barrier;

use loader::{
    AccountInput, Engine, Failure, Invocation, InvocationError, Loader, Outcome, Program, Pubkey,
};
use polkavm::MemoryMapBuilder;
use polkavm_common::program::Reg::{A0, A1, A2, A3, A4, A5, RA, S0, S1, SP, T0, T1, T2};
use polkavm_common::program::{InstructionSetKind, asm};
use polkavm_common::writer::ProgramBlobBuilder;
use proptest::prelude::*;
use tests::PROGRAM_ID;

/// The value that a call leaves in memory and registers.
const SECRET: u64 = 0x5ec2_e75e_c2e7_5ec3;

/// The first bytes of the program's data; the rest of `DATA_SIZE` is zero.
const DATA: [u8; 100] = [0xDA; 100];
const DATA_SIZE: u32 = 5_000;
const STACK_SIZE: u32 = 16_384;

/// How a call of the spy ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Success,
    Trap,
    OutOfGas,
    /// Within a syscall.
    Abort,
    /// Within a syscall, because of a wild pointer.
    WildPointer,
    /// With a digest of all registers at the start and of all memory that the call reads.
    Digest,
}

impl Ending {
    const ALL: [Self; 6] = [
        Self::Success,
        Self::Trap,
        Self::OutOfGas,
        Self::Abort,
        Self::WildPointer,
        Self::Digest,
    ];
}

/// Reads ranges of memory, writes a value into each of their words (unless it is zero) and into the
/// registers, and ends as its instruction data says.
///
/// Instruction data: the value, the ending, pairs of start and end of a range, then zero.
fn spy() -> Vec<u8> {
    // Fold all registers into A5.
    let mut start = Vec::new();
    for register in [RA, SP, T0, T1, T2, S0, S1, A0, A1, A2, A3, A4] {
        start.push(asm::mul_imm_64(A5, A5, 31));
        start.push(asm::add_64(A5, A5, register));
    }
    start.extend([
        asm::load_indirect_u64(S1, A0, 8),
        asm::load_indirect_u64(T2, A0, 16),
        asm::add_imm_64(S0, A0, 24),
        asm::jump(1),
    ]);
    let branch_if = |ending: Ending, block| asm::branch_eq_imm(T2, ending as i32, block);
    let blocks = [
        start,
        // 1: take the next range.
        vec![
            asm::load_indirect_u64(T0, S0, 0),
            asm::load_indirect_u64(T1, S0, 8),
            asm::add_imm_64(S0, S0, 16),
            asm::branch_eq_imm(T0, 0, 6),
        ],
        // 2: read a word,
        vec![
            asm::load_indirect_u64(A4, T0, 0),
            asm::mul_imm_64(A5, A5, 31),
            asm::add_64(A5, A5, A4),
            asm::branch_eq_imm(S1, 0, 4),
        ],
        // 3: and write it.
        vec![asm::store_indirect_u64(S1, T0, 0), asm::jump(4)],
        // 4: go to the next word.
        vec![
            asm::add_imm_64(T0, T0, 8),
            asm::branch_less_unsigned(T0, T1, 2),
        ],
        vec![asm::jump(1)],
        // 6: write the value into the registers, and end.
        [T0, T1, S0, A1, A2, A3, A4]
            .map(|register| asm::move_reg(register, S1))
            .into_iter()
            .chain([branch_if(Ending::Digest, 12)])
            .collect(),
        vec![
            asm::move_reg(A5, S1),
            asm::move_reg(SP, S1),
            branch_if(Ending::Trap, 13),
        ],
        vec![branch_if(Ending::OutOfGas, 14)],
        vec![branch_if(Ending::Abort, 15)],
        vec![branch_if(Ending::WildPointer, 16)],
        // Blocks 11 to 16: the endings.
        vec![asm::load_imm(A0, 0), asm::ret()],
        vec![asm::move_reg(A0, A5), asm::ret()],
        vec![asm::trap()],
        vec![asm::jump(14)],
        vec![asm::ecalli(0), asm::ret()],
        vec![
            asm::load_imm(A0, 0),
            asm::load_imm(A1, 8),
            asm::ecalli(1),
            asm::ret(),
        ],
    ];
    let mut builder = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
    builder.set_rw_data(DATA.to_vec());
    builder.set_rw_data_size(DATA_SIZE);
    builder.set_stack_size(STACK_SIZE);
    builder.add_export_by_basic_block(0, b"entrypoint");
    builder.add_import(b"rlo_abort");
    builder.add_import(b"rlo_log_");
    builder.set_code(&blocks.concat(), &[]);
    builder.to_vec().expect("a blob")
}

/// The memory of a call: start and end of each part.
struct Parts {
    /// The program's data, and the bytes between it and the input.
    below_input: [u32; 2],
    /// The input and the heap, and the bytes between and after them.
    input: [u32; 2],
    /// The same without the instruction data, which holds the spy's commands.
    after_data: [u32; 2],
    stack: [u32; 2],
}

impl Parts {
    fn new(heap: u32, accounts: u8) -> Self {
        let mut map = MemoryMapBuilder::new(4_096);
        map.rw_data_size(DATA_SIZE).stack_size(STACK_SIZE);
        let map = map.build().expect("a small program");
        let data_end = map.heap_base();
        let input = data_end.next_multiple_of(4_096);
        let front = 8 + 8 * (2 + 3 * 2 + 1) + 32 + 8;
        let account = 88 + 100 + 10_240 + 4 + 8;
        let accounts = u32::from(accounts);
        let table = if accounts == 0 { 0 } else { 8 * accounts + 16 };
        let input_end = input + front + accounts * account + table;
        let heap_base = data_end + (input_end - data_end).next_multiple_of(4_096);
        let mapped = (heap_base + heap).next_multiple_of(4_096);
        Self {
            below_input: [map.rw_data_address(), input],
            input: [input, mapped],
            after_data: [input + front, mapped],
            stack: [map.stack_address_low(), map.stack_address_high()],
        }
    }
}

/// A call of the spy.
fn call(value: u64, ending: Ending, ranges: [[u32; 2]; 3], heap: u32, accounts: u8) -> Invocation {
    let ranges = ranges.concat().into_iter().map(u64::from);
    let words = [value, ending as u64].into_iter().chain(ranges).chain([0]);
    let data: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    let call = Invocation::new(PROGRAM_ID).heap_size(heap).gas(4_000_000);
    (0..accounts).fold(call.data(data), |call, index| {
        let key = Pubkey::new([100 + index; 32]);
        let account = AccountInput::new(key).owner(PROGRAM_ID).data([7; 100]);
        call.account(account.writable())
    })
}

/// A call that writes to all memory that it can reach.
fn write_everywhere(ending: Ending, heap: u32, accounts: u8) -> Invocation {
    let parts = Parts::new(heap, accounts);
    let ranges = [parts.below_input, parts.after_data, parts.stack];
    call(SECRET, ending, ranges, heap, accounts)
}

/// A call that reads all memory that it can reach.
fn read_everywhere(heap: u32, accounts: u8) -> Invocation {
    let parts = Parts::new(heap, accounts);
    let ranges = [parts.below_input, parts.input, parts.stack];
    call(0, Ending::Digest, ranges, heap, accounts)
}

fn program(engine: Engine, idle_instances: usize) -> Program {
    let loader = Loader::new(engine).unwrap().idle_instances(idle_instances);
    loader.load(&spy()).unwrap()
}

fn outcome(program: &Program, invocation: &Invocation) -> Outcome {
    program
        .invoke(invocation)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Checks how a call of `write_everywhere` ends. It overwrites the account headers, so it cannot
/// succeed if there are accounts.
fn check_written(ending: Ending, accounts: u8, outcome: &Outcome) {
    let failure = outcome.failure.as_ref().map(Failure::kind);
    let expected = match ending {
        Ending::Success if accounts > 0 => Some("DataGrewTooMuch"),
        Ending::Success => None,
        Ending::Trap => Some("Trapped"),
        Ending::OutOfGas => Some("OutOfGas"),
        Ending::Abort => Some("Aborted"),
        Ending::WildPointer => Some("InvalidPointer"),
        // The status is a hash, which may be any number.
        Ending::Digest => match failure {
            Some("InvalidStatus") => failure,
            _ => Some("ProgramError"),
        },
    };
    assert_eq!(failure, expected, "{ending:?}");
}

const HEAPS: [u32; 3] = [32 << 10, 50_000, 200 << 10];
const ACCOUNTS: [u8; 3] = [0, 1, 8];

#[test]
fn instance_keeps_nothing_of_an_invocation() {
    for engine in tests::polkavm() {
        let (pooled, new) = (program(engine, 1), program(engine, 0));
        for heap in HEAPS {
            for accounts in ACCOUNTS {
                let reading = read_everywhere(heap, accounts);
                let expected = outcome(&new, &reading);
                assert!(expected.status.is_some(), "{:?}", expected.failure);
                for ending in Ending::ALL {
                    for (written_heap, written_accounts) in
                        [(HEAPS[0], 0), (HEAPS[1], 1), (HEAPS[2], 8)]
                    {
                        let written = outcome(
                            &pooled,
                            &write_everywhere(ending, written_heap, written_accounts),
                        );
                        check_written(ending, written_accounts, &written);
                        let found = outcome(&pooled, &reading);
                        assert_eq!(
                            found, expected,
                            "{engine}: heap {heap}, {accounts} accounts, after {ending:?} with a heap of \
                             {written_heap} and {written_accounts} accounts"
                        );
                    }
                }
            }
        }
    }
}

/// A process keeps its pages if its length stays, or if it grows; otherwise it is another process,
/// or one that is reset. A heap of 600 KiB is always reset.
#[test]
fn kept_pages_are_cleared() {
    let engine = tests::polkavm()[1];
    let shapes = [(HEAPS[0], 0), (HEAPS[0], 8), (600 << 10, 1)];
    let new = program(engine, 0);
    for idle in [1, 4] {
        let pooled = program(engine, idle);
        for ending in Ending::ALL {
            for (heap, accounts) in shapes {
                let written = outcome(&pooled, &write_everywhere(ending, heap, accounts));
                check_written(ending, accounts, &written);
                for (heap, accounts) in shapes {
                    let reading = read_everywhere(heap, accounts);
                    assert_eq!(
                        outcome(&pooled, &reading),
                        outcome(&new, &reading),
                        "{idle} idle instances: heap {heap}, {accounts} accounts, {ending:?}"
                    );
                    let _ = outcome(&pooled, &write_everywhere(ending, heap, accounts));
                    assert_eq!(outcome(&pooled, &reading), outcome(&new, &reading));
                }
            }
        }
    }
}

/// The cores on which the calling thread may run.
#[cfg(target_os = "linux")]
fn cores() -> String {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("Cpus_allowed_list:"));
    line.expect("the kernel lists the cores").to_owned()
}

#[cfg(target_os = "linux")]
#[test]
fn calling_thread_is_not_bound_to_a_core() {
    for engine in tests::polkavm() {
        let before = cores();
        let loader = Loader::new(engine).unwrap();
        let program = loader.load(&spy()).unwrap();
        for accounts in [0, 1, 0] {
            let _ = outcome(&program, &read_everywhere(HEAPS[0], accounts));
            assert_eq!(cores(), before, "{engine}");
            // A thread starts with the cores of the thread that started it.
            assert_eq!(std::thread::spawn(cores).join().unwrap(), before);
        }
        drop(program);
        assert_eq!(cores(), before, "{engine}");
    }
}

/// Without this, the digest could miss a part of memory.
#[test]
fn spy_writes_and_reads_every_part_of_memory() {
    for engine in tests::polkavm() {
        let program = program(engine, 1);
        let parts = Parts::new(HEAPS[0], 2);
        for part in [parts.below_input, parts.after_data, parts.stack] {
            let ends = [[part[0], part[0] + 8], [part[1] - 8, part[1]]];
            for place in ends {
                // The call reads the words after it has written them.
                let digest = |value| {
                    let ranges = [place, place, place];
                    outcome(&program, &call(value, Ending::Digest, ranges, HEAPS[0], 2)).status
                };
                assert_ne!(digest(1), digest(SECRET), "{place:x?}");
            }
            // No memory follows the part.
            let behind = [part[1], part[1] + 8];
            let ranges = [behind, behind, behind];
            let beyond = outcome(&program, &call(0, Ending::Digest, ranges, HEAPS[0], 2));
            let is_last = part != parts.below_input;
            let is_trap = matches!(beyond.failure, Some(Failure::Trapped { .. }));
            assert_eq!(is_trap, is_last, "{part:x?}");
        }
    }
}

#[test]
fn reused_instance_costs_the_same() {
    for engine in tests::polkavm() {
        let program = program(engine, 1);
        let call = write_everywhere(Ending::Success, HEAPS[0], 0);
        let first = outcome(&program, &call);
        // First gas for a part of the call, then for all of it.
        let interrupted = outcome(&program, &call.clone().gas(first.gas_used / 2));
        assert_eq!(interrupted.gas_used, first.gas_used / 2);
        assert_eq!(outcome(&program, &call), first);
        let sufficient = outcome(&program, &call.clone().gas(first.gas_used));
        assert_eq!(sufficient, first);
        let one_less = outcome(&program, &call.gas(first.gas_used - 1));
        let failure = one_less.failure.as_ref().map(Failure::kind);
        assert_eq!(failure, Some("OutOfGas"));
    }
}

/// The calls above, and some that the loader rejects before they run.
fn calls() -> impl Strategy<Value = Vec<Invocation>> {
    let endings = prop::sample::select(&Ending::ALL[..]);
    let heaps = prop::sample::select(&HEAPS[..]);
    let call =
        (0..4, endings, heaps, 0..9_u8).prop_map(|(kind, ending, heap, accounts)| match kind {
            0 => write_everywhere(ending, heap, accounts),
            1 => write_everywhere(ending, heap, accounts).gas(50_000),
            2 => read_everywhere(heap, accounts),
            _ => read_everywhere(heap, accounts).heap_size(1),
        });
    prop::collection::vec(call, 0..24)
}

#[test]
fn batch_outcomes_match_single_calls_in_order() {
    let [interpreted, compiled] = tests::polkavm().map(|engine| program(engine, 3));
    let fresh = program(Engine::Interpreter, 0);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(8));
    let result = runner.run(&calls(), |calls| {
        let invoke = |call| fresh.invoke(call);
        let expected: Vec<Result<Outcome, InvocationError>> = calls.iter().map(invoke).collect();
        prop_assert_eq!(&interpreted.run_batch(&calls), &expected);
        let mut batch = compiled.run_batch(&calls);
        for outcome in batch.iter_mut().flatten() {
            outcome.engine = Engine::Interpreter;
        }
        prop_assert_eq!(&batch, &expected);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn threads_share_a_program_despite_a_panic() {
    const THREADS: usize = 8;
    let shared = program(Engine::Interpreter, 3);
    let expected = outcome(&shared, &read_everywhere(HEAPS[0], 1));
    let barrier = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let (program, barrier, expected) = (shared.clone(), &barrier, &expected);
                scope.spawn(move || {
                    barrier.wait();
                    for round in 0..20 {
                        let ending = Ending::ALL[(number + round) % Ending::ALL.len()];
                        let _ = outcome(&program, &write_everywhere(ending, HEAPS[round % 3], 1));
                        assert_eq!(&outcome(&program, &read_everywhere(HEAPS[0], 1)), expected);
                        assert!(number != 0 || round != 10, "the panic of this test");
                    }
                })
            })
            .collect();
        let panicked = threads.into_iter().map(|thread| thread.join().is_err());
        assert_eq!(panicked.filter(|panicked| *panicked).count(), 1);
    });
    assert_eq!(outcome(&shared, &read_everywhere(HEAPS[0], 1)), expected);
}

#[test]
fn idle_instances_of_many_programs_are_bounded() {
    for engine in tests::polkavm() {
        let loader = Loader::new(engine).unwrap().idle_instances(20);
        let calls = [
            write_everywhere(Ending::Success, HEAPS[0], 0),
            read_everywhere(HEAPS[0], 0),
        ];
        let mut programs = Vec::new();
        let mut expected = None;
        for _ in 0..50 {
            let program = loader.load(&spy()).unwrap();
            let outcomes = calls.each_ref().map(|call| outcome(&program, call));
            assert_eq!(expected.get_or_insert_with(|| outcomes.clone()), &outcomes);
            programs.push(program);
        }
        // Some of these programs still have an idle instance, and others have lost theirs. A
        // dropped program's instance is never reused.
        programs.rotate_left(45);
        programs.truncate(10);
        for program in &programs {
            let outcomes = calls.each_ref().map(|call| outcome(program, call));
            assert_eq!(expected.as_ref(), Some(&outcomes));
        }
    }
}
