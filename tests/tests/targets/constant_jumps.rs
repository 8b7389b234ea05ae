//! The loader rejects a blob that jumps to a constant address at which no code starts, and accepts
//! every other blob.

use std::cell::Cell;

use loader::{Engine, Failure, Invocation, LoadError, Loader, ProgramError};
use object::{Object, ObjectSection};
use polkavm_common::program::Reg::{A0, A1, A2, RA, S0, T0, T1};
use polkavm_common::program::{
    Instruction, InstructionSetKind, Instructions, ProgramCounter, Reg, asm,
};
use polkavm_common::writer::ProgramBlobBuilder;
use polkavm_linker::{OptLevel, TargetInstructionSet};
use program_build::guest::{self, DebugInfo, Target, elf_path};
use program_build::package::ProgramPackage;
use proptest::prelude::*;
use tests::{PROGRAM_ID, guest};

/// The 64-bit instruction sets. They encode code addresses in different ways.
const SETS: [InstructionSetKind; 3] = [
    InstructionSetKind::ReviveV1,
    InstructionSetKind::JamV1,
    InstructionSetKind::Latest64,
];

/// A blob of this code and this jump table, whose entry is the first block.
fn blob(code: &[Instruction], jump_table: &[u32]) -> Vec<u8> {
    blob_in(InstructionSetKind::ReviveV1, code, jump_table)
}

fn blob_in(set: InstructionSetKind, code: &[Instruction], jump_table: &[u32]) -> Vec<u8> {
    let mut builder = ProgramBlobBuilder::new(set);
    builder.set_stack_size(4_096);
    builder.add_export_by_basic_block(0, b"entrypoint");
    builder.set_code(code, jump_table);
    builder.to_vec().expect("a blob")
}

fn load(blob: &[u8]) -> Result<(), LoadError> {
    let [interpreter, compiler] = tests::polkavm().map(|engine| {
        let loader = Loader::new(engine).expect("an engine");
        loader.load(blob).map(drop)
    });
    assert_eq!(interpreter, compiler);
    interpreter
}

/// The target of the jump for which the loader rejects the code, in every instruction set.
#[track_caller]
fn rejected(code: &[Instruction], jump_table: &[u32]) -> u32 {
    let [target, others @ ..] = SETS.map(|set| {
        let blob = blob_in(set, code, jump_table);
        let inspected = Loader::new(Engine::Interpreter)
            .and_then(|loader| loader.inspect(&blob))
            .expect("an inspection");
        match load(&blob) {
            Err(error @ LoadError::InvalidJump { target, .. }) => {
                assert_eq!(inspected.refusals, [error]);
                target
            }
            other => panic!("{}: {other:?}", set.name()),
        }
    });
    assert_eq!(others, [target; 2]);
    target
}

#[track_caller]
fn accepted(code: &[Instruction], jump_table: &[u32]) {
    for set in SETS {
        let loaded = load(&blob_in(set, code, jump_table));
        assert_eq!(loaded, Ok(()), "{}", set.name());
    }
}

/// The address of an entry of the jump table.
fn address(index: i32) -> i32 {
    2 * (index + 1)
}

#[test]
fn address_outside_the_table_is_rejected() {
    let jump_to = |address: i32| {
        [
            asm::load_imm(A2, address),
            asm::add_imm_64(A0, A0, 1),
            asm::jump_indirect(A2, 0),
            asm::ret(),
        ]
    };
    let table = [0, 1];
    for valid in [address(0), address(1), 0xffff_0000_u32 as i32] {
        accepted(&jump_to(valid), &table);
    }
    for invalid in [0, 1, 3, address(2), 0x11_572, -2, i32::MIN] {
        assert_eq!(rejected(&jump_to(invalid), &table), invalid as u32);
    }
    // Without a jump table no address is valid.
    assert_eq!(rejected(&jump_to(address(0)), &[]), address(0) as u32);
}

#[test]
fn constants_are_followed_through_registers() {
    let end = asm::ret();
    let codes: [&[Instruction]; 8] = [
        &[
            asm::load_imm64(T0, 0x5_0000_0004),
            asm::jump_indirect(T0, 0),
            end,
        ],
        &[asm::load_imm(T0, 1), asm::jump_indirect(T0, 3), end],
        &[
            asm::load_imm(T0, 4),
            asm::move_reg(T1, T0),
            asm::jump_indirect(T1, 0),
            end,
        ],
        &[
            asm::load_imm(T0, 6),
            asm::add_imm_64(T1, T0, -2),
            asm::jump_indirect(T1, 0),
            end,
        ],
        &[
            asm::load_imm(T0, 6),
            asm::add_imm_32(T0, T0, -2),
            asm::jump_indirect(T0, 0),
            end,
        ],
        &[
            asm::load_imm(T0, 3),
            asm::load_imm(T1, 1),
            asm::add_64(T0, T0, T1),
            asm::jump_indirect(T0, 0),
            end,
        ],
        &[
            asm::load_imm(T0, 4),
            asm::load_imm_and_jump_indirect(RA, T0, 2, 0),
            end,
        ],
        // The jump reads its register before it writes it.
        &[
            asm::load_imm(RA, 4),
            asm::load_imm_and_jump_indirect(RA, RA, 2, 0),
            end,
        ],
    ];
    for code in codes {
        assert_eq!(rejected(code, &[1]), 4, "{code:?}");
        accepted(code, &[1, 1]);
    }
}

#[test]
fn constants_are_followed_from_block_to_block() {
    // A loop uses a constant that was set before it.
    let looped = |set_again: Instruction| {
        [
            asm::load_imm(S0, 4),
            asm::fallthrough(),
            asm::add_imm_64(A0, A0, 1),
            asm::branch_eq_imm(A0, 9, 3),
            asm::jump_indirect(S0, 0),
            set_again,
            asm::jump(1),
        ]
    };
    assert_eq!(rejected(&looped(asm::load_imm(A1, 7)), &[0]), 4);
    // Both predecessors of a block set the same constant.
    let joined = |first: i32, second: i32| {
        [
            asm::branch_eq_imm(A0, 0, 2),
            asm::load_imm(S0, first),
            asm::jump(3),
            asm::load_imm(S0, second),
            asm::fallthrough(),
            asm::jump_indirect(S0, 0),
        ]
    };
    assert_eq!(rejected(&joined(4, 4), &[0]), 4);
    // The same for any number of predecessors that set other registers to different constants.
    for arms in 1..=9_u32 {
        let others = [A0, A1, A2, T0, T1];
        let mut code = vec![asm::load_imm(S0, 4)];
        code.extend(others.map(|register| asm::load_imm(register, 1)));
        // The arms are the blocks after the branches.
        code.extend((0..arms).map(|arm| asm::branch_eq_imm(RA, arm as i32, arms + 1 + arm)));
        code.push(asm::jump(2 * arms + 1));
        for arm in 0..arms {
            let register = others[arm as usize % others.len()];
            code.push(asm::load_imm(register, 9 + arm as i32));
            code.push(asm::jump(2 * arms + 1));
        }
        code.push(asm::jump_indirect(S0, 0));
        assert_eq!(rejected(&code, &[0]), 4, "{arms}");
    }
    // The predecessors set different constants, and one of them is a valid target. The other path
    // may be impossible, so the target is unknown.
    accepted(&joined(2, 4), &[0]);
}

#[test]
fn unknown_jumps_are_accepted() {
    let end = asm::ret();
    // The target is an argument, a syscall's result, a loaded value or a computed value.
    for code in [
        vec![asm::jump_indirect(A0, 0), end],
        vec![
            asm::load_imm(A0, 4),
            asm::ecalli(0),
            asm::jump_indirect(A0, 0),
            end,
        ],
        vec![
            asm::load_imm(A1, 4),
            asm::load_u64(A1, 0x2_0000),
            asm::jump_indirect(A1, 0),
            end,
        ],
        vec![
            asm::load_imm(A1, 4),
            asm::add_64(A1, A1, A2),
            asm::jump_indirect(A1, 0),
            end,
        ],
    ] {
        let mut builder = ProgramBlobBuilder::new(InstructionSetKind::ReviveV1);
        builder.set_stack_size(4_096);
        builder.add_export_by_basic_block(0, b"entrypoint");
        builder.add_import(b"rlo_remaining_compute_units");
        builder.set_code(&code, &[0]);
        assert_eq!(load(&builder.to_vec().expect("a blob")), Ok(()), "{code:?}");
    }
    // The code is unreachable.
    accepted(
        &[asm::ret(), asm::load_imm(A0, 4), asm::jump_indirect(A0, 0)],
        &[0],
    );
    // A call returns through the jump table; the check assumes nothing about registers after it.
    let call = [
        asm::load_imm(S0, 4),
        asm::load_imm_and_jump(RA, 2, 2),
        asm::jump_indirect(S0, 0),
        asm::move_reg(S0, A0),
        asm::ret(),
    ];
    accepted(&call, &[1]);
}

#[test]
fn jump_into_a_block_is_rejected() {
    let bytes = blob(
        &[
            asm::branch_eq_imm(A0, 1, 2),
            asm::add_imm_64(A0, A0, 1),
            asm::ret(),
            asm::ret(),
        ],
        &[],
    );
    let parsed = polkavm::ProgramBlob::parse(bytes.clone().into()).expect("a blob");
    let code = parsed.code();
    let starts: Vec<u32> = parsed
        .instructions()
        .filter(|instruction| instruction.kind.starts_new_basic_block())
        .map(|instruction| instruction.next_offset.0)
        .filter(|offset| (*offset as usize) < code.len())
        .chain([0])
        .collect();
    assert_eq!(starts.len(), 3);
    let place = bytes
        .windows(code.len())
        .position(|window| window == code)
        .expect("the code is in the blob");
    // The last byte of the branch is the distance to its target.
    let length = parsed
        .instructions()
        .next()
        .expect("the branch")
        .next_offset
        .0;
    let distance = place + length as usize - 1;
    for target in 0..code.len() as u8 {
        let mut bytes = bytes.clone();
        bytes[distance] = target;
        let rejected = match load(&bytes) {
            Ok(()) => None,
            Err(LoadError::InvalidJump { target, .. }) => Some(target),
            Err(error) => panic!("{error}"),
        };
        let target = u32::from(target);
        assert_eq!(rejected, (!starts.contains(&target)).then_some(target));
    }
}

#[test]
fn miscompiled_program_is_rejected_by_name() {
    let package = ProgramPackage::in_folder(&guest("folded_table")).expect("a package");
    // The build rejects the table before it links.
    let error = guest::build_for(&package, Target::Riscv64, &[], DebugInfo::Strip)
        .expect_err("a table of addresses in read-only data");
    let error = format!("{error:#}");
    let elf = std::fs::read(elf_path(&package, &[])).expect("the ELF file of the build");
    let (_, address) = error.split_once("`.rodata` at 0x").expect("a section");
    let digits: String = address
        .chars()
        .take_while(char::is_ascii_hexdigit)
        .collect();
    let address = u64::from_str_radix(&digits, 16).expect("an address");
    let file = object::File::parse(&*elf).expect("an ELF file");
    let table = file
        .sections()
        .find(|section| section.relocations().next().is_some() && section.name() == Ok(".rodata"))
        .expect("the table");
    assert_eq!(address, table.address(), "{error}");
    assert!(
        error.contains("`second_entry`") && error.contains("`.data.rel.ro`"),
        "{error}"
    );
    let link = |level| {
        let mut config = polkavm_linker::Config::default();
        config.set_opt_level(level);
        polkavm_linker::program_from_elf(config, TargetInstructionSet::ReviveV1, &elf)
            .expect("a blob")
    };
    // The loader rejects the blob of PolkaVM's linker, and names the function.
    let folded = link(OptLevel::O2);
    let error = load(&folded).expect_err("a folded table");
    let text = error.to_string();
    let LoadError::InvalidJump {
        function, location, ..
    } = error
    else {
        panic!("{text}");
    };
    assert_eq!(function.as_deref(), Some("second_entry"), "{text}");
    let file = location.map(|location| location.file);
    assert!(
        file.is_some_and(|file| file.ends_with("folded_table/src/lib.rs")),
        "{text}"
    );
    // If the linker no longer folds the table, remove the flag in `guest/riscv64.rs`.
    let kept = link(OptLevel::O1);
    for engine in tests::polkavm() {
        let program = Loader::new(engine).and_then(|loader| loader.load(&kept));
        let outcome = program
            .expect("a program")
            .invoke(&Invocation::new(PROGRAM_ID));
        let error = ProgramError::Custom(2);
        assert_eq!(
            outcome.expect("a call").failure,
            Some(Failure::ProgramError { error })
        );
    }
}

/// Code with constants, all kinds of arithmetic and branches, which ends in an indirect jump.
fn random_code() -> impl Strategy<Value = Vec<Instruction>> {
    let arithmetic = any::<[u8; 12]>().prop_filter_map("not arithmetic", |mut bytes| {
        // Opcodes with three registers, with two registers and a number, and with two registers.
        bytes[0] = 100 + bytes[0] % 131;
        let isa = InstructionSetKind::ReviveV1;
        let kind = Instructions::new_bounded(isa, &bytes, &[1, 0b10], 0)
            .next()?
            .kind;
        is_arithmetic(kind).then_some(kind)
    });
    let register = || prop::sample::select(Reg::ALL.to_vec());
    let constant =
        (register(), 0..8_i32).prop_map(|(register, value)| asm::load_imm(register, value));
    let moved = (register(), register()).prop_map(|(to, from)| asm::move_reg(to, from));
    let added = (register(), register(), -2..3_i32)
        .prop_map(|(to, from, value)| asm::add_imm_64(to, from, value));
    let branch = (register(), 0..8_i32).prop_map(|(register, value)| (register, value));
    let plain = prop_oneof![4 => constant, 2 => moved, 2 => added, 3 => arithmetic];
    let blocks = prop::collection::vec((prop::collection::vec(plain, 0..12), branch), 1..6);
    (blocks, register(), -2..3_i32).prop_map(|(blocks, base, offset)| {
        let count = blocks.len() as u32;
        let mut code = Vec::new();
        for (index, (plain, (register, value))) in (0..).zip(blocks) {
            code.extend(plain);
            // Branch forwards only, so that the code ends.
            let target = (index + 1 + value as u32 % 3).min(count);
            code.push(asm::branch_eq_imm(register, value, target));
        }
        code.push(asm::jump_indirect(base, offset));
        code
    })
}

/// Whether an instruction only computes.
fn is_arithmetic(instruction: Instruction) -> bool {
    use Instruction as I;
    let name = match instruction {
        I::invalid => return false,
        other => other.opcode().name(),
    };
    ![
        "load",
        "store",
        "jump",
        "branch",
        "ecalli",
        "sbrk",
        "trap",
        "fallthrough",
    ]
    .iter()
    .any(|other| name.starts_with(other))
}

/// Runs code on the VM without the loader. If the code reaches the jump at `place`, returns the
/// jump's target and whether the run then trapped.
fn run(blob: &[u8], place: u32, base: Reg, offset: i32) -> Option<(u32, bool)> {
    use polkavm::{BackendKind, Config, InterruptKind, Module, ModuleConfig, ProgramBlob};
    let mut config = Config::new();
    config.set_backend(Some(BackendKind::Interpreter));
    let engine = polkavm::Engine::new(&config).expect("an engine");
    let mut module_config = ModuleConfig::new();
    module_config.set_step_tracing(true);
    let blob = ProgramBlob::parse(blob.to_vec().into()).expect("a blob");
    let module = Module::from_blob(&engine, &module_config, blob).expect("a module");
    let mut instance = module.instantiate().expect("an instance");
    instance.prepare_call_untyped(ProgramCounter(0), &[3, 5, 7, 11]);
    let mut target = None;
    for _ in 0..200 {
        match instance.run().expect("a run") {
            InterruptKind::Step => {
                if instance.program_counter() == Some(ProgramCounter(place)) {
                    target = Some((instance.reg(base) as u32).wrapping_add_signed(offset));
                }
            }
            end => return target.map(|target| (target, matches!(end, InterruptKind::Trap))),
        }
    }
    None
}

#[test]
fn error_names_the_jumps_target() {
    let config = ProptestConfig::with_cases(4_000);
    let reached = Cell::new(0);
    let loader = Loader::new(Engine::Interpreter).expect("an engine");
    proptest!(config, |(code in random_code())| {
        let bytes = blob(&code, &[0]);
        let Err(LoadError::InvalidJump { program_counter, target, .. }) =
            loader.load(&bytes).map(drop)
        else {
            return Ok(());
        };
        let Some(Instruction::jump_indirect(base, offset)) = code.last().copied() else {
            unreachable!("the code ends in an indirect jump");
        };
        if let Some((address, is_trap)) = run(&bytes, program_counter, base.get(), offset) {
            reached.set(reached.get() + 1);
            prop_assert_eq!(address, target);
            prop_assert!(is_trap);
        }
    });
    // Most constants are overwritten, and most paths do not reach the rejected jump.
    assert!(reached.get() > 200, "{}", reached.get());
}
