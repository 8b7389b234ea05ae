//! Inspections of handmade blobs, one for each rule.

use loader::inspect::{Inspection, MAX_NAME_LENGTH, RegionKind, SectionKind};
use loader::{Invocation, Limits, LoadError};
use polkavm::ProgramCounter;
use polkavm_common::program::Reg::{A0, A1, A2, RA, SP, T0};
use polkavm_common::program::{InstructionSetKind, asm};
use tests::PROGRAM_ID;
use tests::inspection::{
    Blob, assert_consistent, inspect, latest, loader, section, set_length, vm_blob,
};

#[test]
fn memory_map_matches_the_program() {
    for rw_data_size in [0, 1, 16, 4_095, 4_096, 70_001] {
        // Each blob returns an address as its status.
        let run = |register| {
            let mut blob = latest(&[asm::move_reg(A0, register), asm::ret()]).entrypoint();
            blob.builder.set_rw_data_size(rw_data_size);
            let bytes = blob.bytes();
            let program = loader().load(&bytes).expect("a program");
            let outcome = program
                .invoke(&Invocation::new(PROGRAM_ID))
                .expect("a call");
            (outcome.status.expect("a status"), inspect(&bytes))
        };
        let at = |inspection: &Inspection, kind| {
            let memory = inspection.memory.as_ref().expect("a memory");
            let mut regions = memory.regions.iter();
            *regions
                .find(|region| region.kind == kind)
                .expect("a region")
        };
        let (heap, inspection) = run(A2);
        assert_eq!(heap, u64::from(at(&inspection, RegionKind::Heap).address));
        let (input, inspection) = run(A0);
        assert_eq!(input, u64::from(at(&inspection, RegionKind::Input).address));
        let (stack, inspection) = run(SP);
        let region = at(&inspection, RegionKind::Stack);
        assert_eq!(stack, u64::from(region.address) + u64::from(region.length));

        let memory = inspection.memory.expect("a memory");
        // An input without accounts has 48 bytes.
        let input = rw_data_size.next_multiple_of(4_096);
        let heap = rw_data_size + (input + 48 - rw_data_size).next_multiple_of(4_096);
        let above = u64::from(heap + 32_768).next_multiple_of(4_096);
        assert_eq!(memory.mapped, above + 4_096);
    }
}

#[test]
fn input_length_is_that_of_an_empty_call() {
    // The program returns its second argument, the length of its input.
    let blob = latest(&[asm::move_reg(A0, A1), asm::ret()]);
    let bytes = blob.entrypoint().bytes();
    let program = loader().load(&bytes).expect("a program");
    let outcome = program
        .invoke(&Invocation::new(PROGRAM_ID))
        .expect("a call");
    let memory = inspect(&bytes).memory.expect("a memory");
    let input = memory
        .regions
        .iter()
        .find(|region| region.kind == RegionKind::Input);
    assert_eq!(
        outcome.status.expect("a status"),
        u64::from(input.expect("an input").length)
    );
}

#[test]
fn every_broken_rule_is_named() {
    let mut blob = latest(&[
        asm::load_imm(T0, 4_096),
        asm::sbrk(A0, T0),
        asm::ecalli(0),
        asm::ecalli(2),
        asm::ecalli(2),
        asm::ecalli(3),
    ]);
    let limits = Limits::default();
    blob.builder.set_rw_data_size(limits.program_data + 1);
    blob.builder.set_stack_size(limits.stack + 4_096);
    for import in ["steam", "rlo_log_", "coal"] {
        blob.builder.add_import(import.as_bytes());
    }
    let bytes = blob.bytes();
    let inspection = inspect(&bytes);
    let kinds: Vec<&str> = inspection.refusals.iter().map(LoadError::kind).collect();
    assert_eq!(
        kinds,
        [
            "MissingEntrypoint",
            "MemoryTooLarge",
            "MemoryTooLarge",
            "ForbiddenInstruction",
            "UnknownImport",
            "UnknownImport",
        ]
    );
    assert!(!inspection.is_accepted());
    assert_eq!(loader().load(&bytes).unwrap_err(), inspection.refusals[0]);

    let imports: Vec<(&str, Option<&str>, u32)> = inspection
        .imports
        .iter()
        .map(|import| {
            let symbol = import.symbol.as_str();
            (symbol, import.signature.as_deref(), import.call_sites)
        })
        .collect();
    assert_eq!(
        imports,
        [
            ("steam", None, 1),
            ("rlo_log_", Some("(message: *const u8, length: u64)"), 0),
            ("coal", None, 2),
        ]
    );
    assert_eq!(inspection.code.calls_of_no_import, 1);
    let passed: Vec<&str> = inspection
        .requirements
        .limits
        .iter()
        .filter(|used| used.is_exceeded())
        .map(|used| used.what)
        .collect();
    assert_eq!(passed, ["data", "stack"]);
    assert_eq!(
        inspection.requirements.least_memory,
        inspection.memory.map(|memory| memory.mapped)
    );
}

#[test]
fn rejections_of_the_vm_are_named_too() {
    // The blob breaks no rule of the loader, but the address space is too small for its data.
    let limits = Limits::default().program_data(u32::MAX).stack(u32::MAX);
    let mut blob = latest(&[asm::ret()]).entrypoint();
    blob.builder.set_rw_data_size(u32::MAX);
    let inspection = loader()
        .limits(limits)
        .inspect(&blob.bytes())
        .expect("a blob");
    assert_eq!(inspection.memory, None);
    assert_eq!(inspection.requirements.least_memory, None);
    assert!(
        matches!(inspection.refusals[..], [LoadError::InvalidBlob { .. }]),
        "{:?}",
        inspection.refusals
    );

    // Five gaps and the stack, of 64 KiB each, leave exactly this much, and nothing for a heap.
    let mut blob = latest(&[asm::ret()]).entrypoint();
    blob.builder.set_rw_data_size(u32::MAX - 6 * 65_536 + 1);
    let inspection = loader().limits(limits).inspect(&blob.bytes());
    let inspection = inspection.expect("a blob");
    assert_eq!((inspection.refusals.len(), inspection.memory), (0, None));
}

#[test]
fn a_limit_is_near_from_three_quarters_on() {
    let used = |stack: u32| {
        let mut blob = latest(&[asm::ret()]).entrypoint();
        blob.builder.set_stack_size(stack);
        let limits = Limits::default().stack(65_536);
        let inspection = loader()
            .limits(limits)
            .inspect(&blob.bytes())
            .expect("a blob");
        let mut limits = inspection.requirements.limits.into_iter();
        let used = limits.find(|used| used.what == "stack").expect("a stack");
        assert_eq!((used.size, used.limit), (stack.into(), 65_536));
        (used.is_near(), used.is_exceeded())
    };
    assert_eq!(used(45_056), (false, false));
    assert_eq!(used(49_152), (true, false));
    assert_eq!(used(65_536), (true, false));
    assert_eq!(used(69_632), (false, true));
}

#[test]
fn calls_go_to_function_starts() {
    let code = [
        // Block 0 calls block 2 and jumps to block 3. The jump stores its return address in a
        // register that is not a return address register.
        asm::load_imm_and_jump(RA, 2, 2),
        asm::load_imm_and_jump(T0, 2, 3),
        asm::ret(),
        asm::ret(),
    ];
    let bytes = Blob::new(InstructionSetKind::Latest64, &code)
        .entrypoint()
        .bytes();
    let offsets: Vec<u32> = vm_blob(&bytes)
        .instructions()
        .map(|one| one.offset.0)
        .collect();
    let inspection = inspect(&bytes);
    let mut starts: Vec<(u32, Option<&str>, u32)> = inspection
        .functions
        .list
        .iter()
        .map(|function| {
            let export = function.export.as_deref();
            (function.program_counter, export, function.instructions)
        })
        .collect();
    starts.sort_unstable();
    assert_eq!(starts, [(0, Some("entrypoint"), 2), (offsets[2], None, 2)]);
}

#[test]
fn unknown_sections_are_named_by_number() {
    let mut blob = latest(&[asm::ret()]).entrypoint();
    blob.builder.add_custom_section(131, vec![7; 32]);
    blob.builder.add_custom_section(200, vec![7; 300]);
    let mut bytes = blob.bytes();
    bytes.extend([1, 2, 3]);
    set_length(&mut bytes);
    let inspection = inspect(&bytes);
    assert_consistent(&bytes, &inspection);
    assert_eq!(section(&inspection, SectionKind::MetadataHash).content, 32);
    let unknown = section(&inspection, SectionKind::Unknown);
    assert_eq!((unknown.number, unknown.content), (Some(200), 300));
    // Number, a length field of two bytes, content.
    assert_eq!(unknown.length, 1 + 2 + 300);
    assert_eq!(section(&inspection, SectionKind::Trailing).length, 3);
    assert_eq!(inspection.stripped_length, inspection.file_length);
}

#[test]
fn names_have_a_maximum_length() {
    let mut blob = latest(&[asm::ret()]);
    let long = "é".repeat(MAX_NAME_LENGTH);
    blob.builder.add_import(long.as_bytes());
    blob.builder.add_export_by_basic_block(0, long.as_bytes());
    blob.builder.add_import(&[b'a'; MAX_NAME_LENGTH]);
    let inspection = inspect(&blob.bytes());
    let cut = format!("{}…", "é".repeat(MAX_NAME_LENGTH / 2));
    assert_eq!(inspection.imports[0].symbol, cut);
    assert_eq!(inspection.exports[0].symbol, cut);
    assert_eq!(inspection.imports[1].symbol, "a".repeat(MAX_NAME_LENGTH));
}

#[test]
fn entry_is_at_a_code_start() {
    // Write an export by hand, in the middle of the first instruction.
    let mut bytes = latest(&[asm::load_imm64(A0, 0x1122_3344_5566_7788), asm::ret()])
        .entrypoint()
        .bytes();
    let name = bytes.windows(10).position(|window| window == b"entrypoint");
    bytes[name.expect("the name") - 2] = 3;
    let inspection = inspect(&bytes);
    assert_eq!(inspection.exports[0].program_counter, 3);
    let text = inspection.refusals[0].to_string();
    assert!(
        text.contains("`entrypoint` is at 0x3, where no code starts"),
        "{text}"
    );
    assert!(
        !vm_blob(&bytes).scan_is_jump_target_valid(InstructionSetKind::Latest64, ProgramCounter(3))
    );
}
