//! Handmade blobs that no compiler emits: both engines reject or end each, without harm to the
//! host.

use loader::profile::{FrameKind, Profiled, Stack};
use loader::{Engine, Failure, Invocation, Limits, LoadError, Loader, Outcome, Pubkey};
use polkavm_common::program::Reg::{A0, A1, A2, RA, S0, S1, T0};
use polkavm_common::program::{Instruction, InstructionSetKind, asm};
use polkavm_common::writer::ProgramBlobBuilder;

/// The parts of a blob.
struct Blob {
    rw_data_size: u32,
    stack_size: u32,
    imports: &'static [&'static str],
    code: Vec<Instruction>,
    /// The block at each target of an indirect jump.
    jump_table: Vec<u32>,
    /// Number and bytes of sections that the blob builder has no function for.
    sections: Vec<(u8, Vec<u8>)>,
}

impl Blob {
    fn new(code: &[Instruction]) -> Self {
        Self {
            rw_data_size: 0,
            stack_size: 4_096,
            imports: &[],
            code: code.to_vec(),
            jump_table: Vec::new(),
            sections: Vec::new(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut builder = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
        builder.set_rw_data_size(self.rw_data_size);
        builder.set_stack_size(self.stack_size);
        builder.add_export_by_basic_block(0, b"entrypoint");
        for import in self.imports {
            builder.add_import(import.as_bytes());
        }
        builder.set_code(&self.code, &self.jump_table);
        for (number, bytes) in &self.sections {
            builder.add_custom_section(*number, bytes.clone());
        }
        builder.to_vec().expect("a blob")
    }
}

fn load(blob: &Blob, engine: Engine, limits: Limits) -> Result<loader::Program, LoadError> {
    Loader::new(engine)
        .unwrap()
        .limits(limits)
        .load(&blob.bytes())
}

/// The load error, which must be the same on both engines.
fn refusal(blob: &Blob) -> LoadError {
    let [interpreter, compiler] = tests::polkavm()
        .map(|engine| load(blob, engine, Limits::default()).expect_err("a hostile blob"));
    assert_eq!(interpreter, compiler);
    interpreter
}

/// The outcome, which must be the same on both engines.
fn run(blob: &Blob, limits: Limits, gas: u64) -> Outcome {
    let invocation = Invocation::new(Pubkey::new([1; 32])).gas(gas);
    let [interpreted, mut compiled] = tests::polkavm().map(|engine| {
        let program = load(blob, engine, limits).expect("a blob");
        program.invoke(&invocation).expect("an outcome")
    });
    let profiled = profile(blob, limits, &invocation);
    assert_eq!(profiled.outcome, interpreted);
    assert_eq!(profiled.gas.total(), interpreted.gas_used);
    compiled.engine = interpreted.engine;
    assert_eq!(interpreted, compiled);
    interpreted
}

fn profile(blob: &Blob, limits: Limits, invocation: &Invocation) -> Profiled {
    let program = load(blob, Engine::Interpreter, limits).expect("a blob");
    program.profile(invocation).expect("a profile")
}

/// Asserts that all gas is in stacks of a displayable depth, and returns the gas of the truncated
/// stacks.
fn check_bounded(profiled: &Profiled) -> u64 {
    assert_eq!(profiled.gas.total(), profiled.outcome.gas_used);
    let stacks: Vec<Stack<'_>> = profiled.gas.stacks().collect();
    assert!(stacks.len() <= 200_001, "{}", stacks.len());
    let deepest = stacks.iter().map(|stack| stack.frames.len()).max();
    assert!(deepest <= Some(130), "{deepest:?}");
    let is_truncated = |stack: &&Stack<'_>| {
        let last = stack.frames.last().map(|frame| frame.kind);
        last == Some(FrameKind::Truncated)
    };
    let truncated = stacks.iter().filter(is_truncated);
    truncated.map(|stack| stack.gas).sum()
}

#[test]
fn endless_calls_profile_in_bounded_memory() {
    // Two blocks that call each other, each in two ways, and never return.
    let call = |target| asm::load_imm_and_jump(RA, 2, target);
    let blob = Blob::new(&[
        asm::add_imm_64(T0, T0, 1),
        asm::and_imm(A0, T0, 3),
        asm::branch_eq_imm(A0, 1, 2),
        call(2),
        call(0),
        call(0),
    ]);
    let gas = 1_000_000;
    let invocation = Invocation::new(Pubkey::new([1; 32])).gas(gas);
    let profiled = profile(&blob, Limits::default(), &invocation);
    assert_eq!(profiled.outcome.gas_used, gas);
    let truncated = check_bounded(&profiled);
    assert!(truncated > gas * 9 / 10, "{truncated}");
}

/// Profiles a program of three functions. The first one calls the second one at 300 sites, and the
/// second one calls the third one at 300 sites, so 90,000 call paths lead to the third one. The
/// third one has `length` instructions.
fn many_call_paths(length: usize) -> Profiled {
    const SITES: u32 = 300;
    let return_address = |index: u32| (2 * (index + 1)) as i32;
    let (middle, last) = (SITES + 1, 2 * SITES + 2);
    let mut code = vec![asm::move_reg(S0, RA)];
    code.extend((0..SITES).map(|site| asm::load_imm_and_jump(RA, return_address(site), middle)));
    code.extend([asm::jump_indirect(S0, 0), asm::move_reg(S1, RA)]);
    let sites = SITES..2 * SITES;
    code.extend(sites.map(|site| asm::load_imm_and_jump(RA, return_address(site), last)));
    code.push(asm::jump_indirect(S1, 0));
    code.extend(vec![asm::load_imm(A0, 0); length - 1]);
    code.push(asm::ret());
    // After each call comes the block to which it returns.
    let after_calls = (1..=SITES).chain(middle + 1..=middle + SITES);
    let blob = Blob {
        jump_table: after_calls.collect(),
        ..Blob::new(&code)
    };
    let invocation = Invocation::new(Pubkey::new([1; 32]));
    let profiled = profile(&blob, Limits::default(), &invocation);
    assert_eq!(profiled.outcome.failure, None);
    let sites = u64::from(SITES);
    let gas = 2 + sites * (1 + 2 + sites * (1 + length as u64));
    assert_eq!(profiled.outcome.gas_used, gas);
    profiled
}

#[test]
fn many_call_paths_profile_in_bounded_memory() {
    // There are too many call paths: the profile merges the rest into the calling function.
    let profiled = many_call_paths(2);
    let merged = check_bounded(&profiled);
    let calls = [
        FrameKind::Function,
        FrameKind::Function,
        FrameKind::Truncated,
    ];
    let are_calls = |stack: Stack<'_>| stack.frames.iter().map(|frame| frame.kind).eq(calls);
    assert!(profiled.gas.stacks().any(are_calls));
    assert!(merged < profiled.outcome.gas_used / 2, "{merged}");
    // There are too many instructions with their call paths: the profile merges the rest at the
    // entry.
    let profiled = many_call_paths(6);
    let merged = check_bounded(&profiled);
    assert!(merged > profiled.outcome.gas_used / 2, "{merged}");
}

#[test]
fn the_smallest_program_costs_two() {
    let blob = Blob::new(&[asm::load_imm(A0, 0), asm::ret()]);
    assert_eq!(run(&blob, Limits::default(), 2).failure, None);
    assert_eq!(
        run(&blob, Limits::default(), 1).failure,
        Some(Failure::OutOfGas {
            limit: 1,
            program_counter: Some(0),
            function: None,
            location: None
        })
    );
}

#[test]
fn declared_memory_is_bounded_before_a_run() {
    let code = [asm::load_imm(A0, 0), asm::ret()];
    let limits = Limits::default();
    for size in [limits.program_data + 4_097, 3_500_000_000, 4_294_500_000] {
        let blob = Blob {
            rw_data_size: size,
            ..Blob::new(&code)
        };
        let LoadError::MemoryTooLarge {
            what: "data",
            limit,
            ..
        } = refusal(&blob)
        else {
            panic!("another error");
        };
        assert_eq!(limit, limits.program_data);
    }
    for size in [limits.stack + 4_096, 2_000_000_000, 3_500_000_000] {
        let blob = Blob {
            stack_size: size,
            ..Blob::new(&code)
        };
        let LoadError::MemoryTooLarge {
            what: "stack",
            limit,
            ..
        } = refusal(&blob)
        else {
            panic!("another error");
        };
        assert_eq!(limit, limits.stack);
    }
    let most = Blob {
        rw_data_size: 16 << 20,
        stack_size: limits.stack,
        ..Blob::new(&code)
    };
    assert_eq!(run(&most, limits, 2).failure, None);
}

#[test]
fn sbrk_is_rejected_by_name() {
    let blob = Blob::new(&[asm::load_imm(T0, 4_096), asm::sbrk(A0, T0), asm::ret()]);
    let error = refusal(&blob);
    assert_eq!(error.kind(), "ForbiddenInstruction");
    assert!(error.to_string().contains("`sbrk`"), "{error}");
}

#[test]
fn entry_without_code_is_rejected() {
    let blob = Blob::new(&[asm::load_imm64(A0, 0x1122_3344_5566_7788), asm::ret()]);
    let bytes = blob.bytes();
    // The file has the export's program counter directly before its name.
    let name = bytes
        .windows(10)
        .position(|window| window == b"entrypoint")
        .expect("the name");
    for counter in 1..=100 {
        let mut bytes = bytes.clone();
        bytes[name - 2] = counter;
        for engine in tests::polkavm() {
            let Ok(program) = Loader::new(engine).unwrap().load(&bytes) else {
                continue;
            };
            panic!("{engine} loads a program that starts at {counter}: {program:?}");
        }
    }
}

#[test]
fn empty_log_lines_count() {
    let code = [
        asm::load_imm(A0, 0x1_0000),
        asm::load_imm(A1, 0),
        asm::fallthrough(),
        asm::ecalli(0),
        asm::jump(1),
    ];
    let blob = Blob {
        imports: &["rlo_log_"],
        ..Blob::new(&code)
    };
    let outcome = run(&blob, Limits::default(), 10_000_000);
    assert_eq!(
        outcome.failure,
        Some(Failure::LogsTooLong { limit: 65_536 })
    );
    assert_eq!(outcome.logs.len(), 65_536);
}

#[test]
fn reading_return_data_costs_gas() {
    let length = 1 << 20;
    let code = [
        asm::load_imm(A0, 0x2_0000),
        asm::load_imm(A1, length),
        asm::ecalli(0),
        asm::load_imm(A0, 0x2_0000),
        asm::load_imm(A1, length),
        asm::load_imm(A2, 0x2_0000),
        asm::ecalli(1),
        asm::load_imm(A0, 0),
        asm::ret(),
    ];
    let blob = Blob {
        rw_data_size: 2 << 20,
        imports: &["rlo_set_return_data", "rlo_get_return_data"],
        ..Blob::new(&code)
    };
    let limits = Limits::default().return_data(1 << 20);
    let outcome = run(&blob, limits, 1_000_000);
    assert_eq!(outcome.failure, None);
    // Nine instructions, twice the data, and the id.
    assert_eq!(outcome.gas_used, 9 + 2 * (1 << 17) + 4);
}

#[test]
fn unknown_syscall_number_traps() {
    let outcome = run(
        &Blob::new(&[asm::ecalli(77), asm::ret()]),
        Limits::default(),
        100,
    );
    assert_eq!(
        outcome.failure.map(|failure| failure.kind()),
        Some("Trapped")
    );
}

#[test]
fn invalid_debug_information_is_harmless() {
    // A line program that sets the line to the largest number and adds one.
    let mut lines = vec![1_u8, 8];
    lines.extend([0xf0, 0xff, 0xff, 0xff, 0xff]);
    lines.extend([11, 10, 1, 14, 0]);
    let ranges = [0_u32, 100, 1].map(u32::to_le_bytes).concat();
    let sections = vec![(128, vec![0]), (129, lines), (130, ranges)];
    let blob = Blob {
        sections,
        ..Blob::new(&[asm::trap()])
    };
    let outcome = run(&blob, Limits::default(), 100);
    assert_eq!(
        outcome.failure.map(|failure| failure.kind()),
        Some("Trapped")
    );
}

#[test]
fn code_has_a_maximum_length() {
    let code = vec![asm::trap(); (4 << 20) + 1];
    let LoadError::MemoryTooLarge { what, limit, .. } = refusal(&Blob::new(&code)) else {
        panic!("another error");
    };
    assert_eq!((what, limit), ("code", 4 << 20));
}

#[test]
fn names_are_cut_and_escaped() {
    let blob = Blob {
        imports: &["x\n\u{1b}[2Jstatus    0 (success)"],
        ..Blob::new(&[asm::ecalli(0)])
    };
    let text = refusal(&blob).to_string();
    assert!(text.contains(r"`x\n\u{1b}[2Jstatus"), "{text}");
    let long: &'static str = "x".repeat(65).leak();
    for (name, shown) in [
        (&long[..64], long[..64].to_owned()),
        (long, format!("{}…", &long[..64])),
    ] {
        let blob = Blob {
            imports: Box::leak(Box::new([name])),
            ..Blob::new(&[asm::ecalli(0)])
        };
        let text = refusal(&blob).to_string();
        assert!(text.contains(&format!("`{shown}`")), "{text}");
    }
}
