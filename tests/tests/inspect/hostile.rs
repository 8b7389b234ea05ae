//! Inspections of blobs that no linker makes: handwritten debug information, handwritten code and
//! damaged blobs. None does harm, and each inspection agrees with the VM.

use std::sync::OnceLock;

use polkavm::program::Instruction;
use polkavm_common::program::Reg::{A0, A2, RA};
use polkavm_common::program::{InstructionSetKind, asm};
use proptest::prelude::*;
use proptest::sample::Index;
use tests::inspection::{
    Blob, assert_consistent, inspect, latest, loader, programs, set_length, vm_blob,
};

#[test]
fn invalid_bytes_are_rejected() {
    for bytes in [
        &b""[..],
        b"PVM\0",
        b"#!/bin/sh",
        b"PVM\0\x02\x0e\0\0\0\0\0\0\0\0",
    ] {
        let error = loader().inspect(bytes).expect_err("no blob");
        assert_eq!(error.kind(), "InvalidBlob");
    }
    // Programs for other targets.
    for bytes in [&b"\x7fELF"[..], b"\0asm\x01\0\0\0"] {
        let error = loader().inspect(bytes).expect_err("no blob");
        assert_eq!(error.kind(), "WrongTarget");
    }
}

#[test]
fn invalid_debug_information_names_nothing() {
    let ranges =
        |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|word| word.to_le_bytes()).collect() };
    // A line program that sets the line to the largest number and adds one.
    let mut lines = vec![1_u8, 8];
    lines.extend([0xf0, 0xff, 0xff, 0xff, 0xff]);
    lines.extend([11, 10, 1, 14, 0]);
    for ranges in [
        ranges(&[0, 100, 1]),
        ranges(&[0, u32::MAX, 1]),
        ranges(&[5, 2, 1]),
        ranges(&[0, 1, u32::MAX]),
        ranges(&[0, 1, 1, 0, 1, 1, 0, 1, 1]),
        vec![1, 2, 3],
    ] {
        let mut blob = latest(&[asm::trap(), asm::trap()]).entrypoint();
        blob.builder.add_custom_section(128, vec![0]);
        blob.builder.add_custom_section(129, lines.clone());
        blob.builder.add_custom_section(130, ranges);
        let bytes = blob.bytes();
        let inspection = inspect(&bytes);
        assert_consistent(&bytes, &inspection);
        let names = inspection
            .functions
            .list
            .iter()
            .filter_map(|one| one.name.as_deref());
        assert!(
            names.into_iter().all(str::is_empty),
            "{:?}",
            inspection.functions
        );
    }
}

/// Handwritten debug information in the VM's format.
struct Lines {
    strings: Vec<u8>,
    programs: Vec<u8>,
    ranges: Vec<u8>,
}

impl Lines {
    fn new() -> Self {
        Self {
            // The name at offset 0 means that there is no name.
            strings: vec![0],
            programs: vec![1],
            ranges: Vec::new(),
        }
    }

    fn string(&mut self, text: &str) -> u8 {
        let offset = self.strings.len() as u8;
        self.strings.push(text.len() as u8);
        self.strings.extend(text.as_bytes());
        offset
    }

    /// Adds debug information for a function: the program counters where each of its lines starts,
    /// in the file `f.rs`.
    fn function(&mut self, namespace: &str, name: &str, starts_and_lines: &[(u32, u8)], end: u32) {
        let [namespace, name, file] = [namespace, name, "f.rs"].map(|text| self.string(text));
        let start = starts_and_lines[0].0;
        for word in [start, end, self.programs.len() as u32] {
            self.ranges.extend(word.to_le_bytes());
        }
        // One frame names the function, and the other one the line.
        self.programs
            .extend([10, 2, 1, 0, 2, 5, namespace, 6, name, 1, 1, 4, 7, file]);
        for (index, (from, line)) in starts_and_lines.iter().enumerate() {
            let to = starts_and_lines.get(index + 1).map_or(end, |next| next.0);
            self.programs.extend([8, *line, 15, (to - from) as u8]);
        }
        self.programs.push(0);
    }

    fn inspect(self, mut blob: Blob) -> Vec<(u32, Option<String>, Option<u32>)> {
        blob.builder.add_custom_section(128, self.strings);
        blob.builder.add_custom_section(129, self.programs);
        blob.builder.add_custom_section(130, self.ranges);
        let bytes = blob.bytes();
        let inspection = inspect(&bytes);
        assert_consistent(&bytes, &inspection);
        let functions = inspection.functions.list.into_iter();
        let mut functions: Vec<_> = functions
            .map(|function| {
                let line = function.location.map(|location| location.line);
                (function.program_counter, function.name, line)
            })
            .collect();
        functions.sort();
        functions
    }
}

#[test]
fn same_named_neighbours_split_at_call_targets() {
    // There are blocks 0 to 3, and block 0 calls block 2.
    let code = [
        asm::load_imm_and_jump(RA, 2, 2),
        asm::ret(),
        asm::ret(),
        asm::ret(),
    ];
    let at: Vec<u32> = vm_blob(&latest(&code).bytes())
        .instructions()
        .map(|instruction| instruction.offset.0)
        .collect();
    let end = at[3] + (at[3] - at[2]);
    let named = |place: usize, name: &str, line| (at[place], Some(name.to_owned()), Some(line));

    let mut lines = Lines::new();
    lines.function("", "f", &[(at[0], 10), (at[2], 20), (at[3], 30)], end);
    let functions = lines.inspect(latest(&code));
    assert_eq!(functions, [named(0, "f", 10), named(2, "f", 20)]);

    // Code without a line in the middle of a function does not split it, unless a call goes to the
    // second part.
    let mut lines = Lines::new();
    lines.function("", "f", &[(at[0], 10)], at[1]);
    lines.function("", "f", &[(at[2], 20)], at[3]);
    lines.function("", "f", &[(at[3], 30)], end);
    let functions = lines.inspect(latest(&code));
    let unnamed = (at[1], None, None);
    assert_eq!(functions, [named(0, "f", 10), unnamed, named(2, "f", 20)]);

    let mut lines = Lines::new();
    lines.function("", "f", &[(at[0], 10)], at[1]);
    lines.function("", "g", &[(at[1], 20)], end);
    let functions = lines.inspect(latest(&code));
    let expected = [named(0, "f", 10), named(1, "g", 20), named(2, "g", 20)];
    assert_eq!(functions, expected);
}

#[test]
fn truncated_names_are_joined_or_marked() {
    let hash = "0123456789abcdef";
    for (namespace, function, name) in [
        ("a::b", "c", "a::b::c"),
        ("core[0123", "6789abcdef]::fmt::write", "core::fmt::write"),
        ("probe", "6789abcdef]::recurse", "probe::recurse"),
        ("core", "[u8]::len", "core::[u8]::len"),
        (
            &format!("<a[{hash}]::B as c"),
            &format!("e[{hash}]::fmt::D>::fmt"),
            "<a::B as c…e::fmt::D>::fmt",
        ),
    ] {
        let mut lines = Lines::new();
        lines.function(namespace, function, &[(0, 1)], 1);
        let functions = lines.inspect(latest(&[asm::trap()]));
        assert_eq!(functions, [(0, Some(name.to_owned()), Some(1))]);
    }
}

/// A blob with exactly these bytes of code.
fn blob_of_code(code: &[u8]) -> Vec<u8> {
    let mut length = [0; 5];
    let width = polkavm_common::varint::write_varint(code.len() as u32 + 2, &mut length);
    let mut bytes = b"PVM\0\x02\0\0\0\0\0\0\0\0\x06".to_vec();
    bytes.extend(&length[..width]);
    // An empty jump table.
    bytes.extend([0, 0]);
    bytes.extend(code);
    bytes.push(0);
    set_length(&mut bytes);
    bytes
}

#[test]
fn unusual_code_is_counted_as_the_vm_runs_it() {
    let one = vm_blob(&latest(&[asm::move_reg(A0, A2), asm::ret()]).bytes());
    let mut instructions = one.instructions();
    let length = instructions.nth(1).expect("two instructions").offset.0 as usize;
    let move_reg = &one.code()[..length];
    assert_eq!(move_reg.len(), 2);

    // The VM cuts code into chunks, and a block ends at the end of each chunk. A linker ends the
    // block itself; in this code the VM replaces an instruction with an invalid one.
    let bytes = blob_of_code(&move_reg.repeat(5_000));
    let inspection = inspect(&bytes);
    assert_consistent(&bytes, &inspection);
    assert_eq!(inspection.code.basic_blocks, 10_000_u32.div_ceil(1_024));

    let bytes = blob_of_code(&[0xff; 6]);
    let inspection = inspect(&bytes);
    assert_consistent(&bytes, &inspection);
    let blob = vm_blob(&bytes);
    let invalid = blob
        .instructions()
        .filter(|instruction| instruction.kind == Instruction::invalid);
    let mut mnemonics = inspection.code.mnemonics.iter();
    let counted = mnemonics.find(|mnemonic| mnemonic.name == "invalid");
    assert_eq!(
        counted.expect("one at least").count as usize,
        invalid.count()
    );
}

#[test]
fn every_instruction_set_is_read() {
    for (isa, refusals) in [
        (InstructionSetKind::ReviveV1, 0),
        (InstructionSetKind::JamV1, 0),
        (InstructionSetKind::Latest32, 1),
        (InstructionSetKind::Latest64, 0),
    ] {
        // Code long enough for several chunks in the newest instruction sets.
        let mut code = vec![asm::add_imm_32(A0, A0, 1); 2_000];
        code.push(asm::ret());
        let bytes = Blob::new(isa, &code).entrypoint().bytes();
        let inspection = inspect(&bytes);
        assert_consistent(&bytes, &inspection);
        assert_eq!(inspection.instruction_set, isa.name());
        let found = &inspection.refusals;
        assert_eq!(found.len(), refusals, "{found:?}");
        let bitmask = vm_blob(&bytes).bitmask().len() as u64;
        assert_eq!(inspection.code.bitmask_length, bitmask);

        // The VM adds a trap after code without an end. The blob does not contain that instruction.
        code.pop();
        let bytes = Blob::new(isa, &code).entrypoint().bytes();
        assert_consistent(&bytes, &inspect(&bytes));
    }
}

/// Valid blobs for the damage test: real ones, and one for each instruction set.
fn valid_blobs() -> &'static [Vec<u8>] {
    static SOUND: OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
    SOUND.get_or_init(|| {
        let code = [asm::load_imm_and_jump(RA, 2, 1), asm::ecalli(0), asm::ret()];
        let small = [
            InstructionSetKind::ReviveV1,
            InstructionSetKind::JamV1,
            InstructionSetKind::Latest32,
            InstructionSetKind::Latest64,
        ]
        .map(|isa| {
            let mut blob = Blob::new(isa, &code).entrypoint();
            blob.builder.add_import(b"rlo_log_");
            blob.bytes()
        });
        let real = programs()
            .iter()
            .flat_map(|built| [built.kept.clone(), built.stripped.clone()]);
        real.chain(small).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn damaged_blobs_are_inspected_or_rejected(
        which: Index,
        cut: Option<Index>,
        damage in prop::collection::vec((any::<Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = which.get(valid_blobs()).clone();
        if let Some(cut) = cut.filter(|_| damage.len() > 5) {
            bytes.truncate(1 + cut.index(bytes.len()));
        }
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        set_length(&mut bytes);
        match loader().inspect(&bytes) {
            Ok(inspection) => {
                assert_consistent(&bytes, &inspection);
                let loaded = loader().load(&bytes);
                prop_assert_eq!(loaded.err(), inspection.refusals.first().cloned());
            }
            Err(error) => prop_assert_eq!(loader().load(&bytes).err(), Some(error)),
        }
    }
}
