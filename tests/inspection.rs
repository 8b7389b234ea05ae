//! What an inspection says is so: the VM's own reader, the linker and a running program say the same.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use cargo_entrypoint::guest::{self, DebugInfo};
use cargo_entrypoint::package::ProgramPackage;
use loader::inspect::{FunctionSource, Inspection, MAX_NAME_LENGTH, RegionKind, SectionKind};
use loader::{Engine, Invocation, Limits, LoadError, Loader};
use polkavm::program::Instruction;
use polkavm::{Config, Module, ModuleConfig, ProgramBlob, ProgramCounter, ProgramParts};
use polkavm_common::program::Reg::{A0, A2, RA, SP, T0};
use polkavm_common::program::{InstructionSetKind, asm};
use polkavm_common::writer::ProgramBlobBuilder;
use proptest::prelude::*;
use proptest::sample::Index;
use tests::{PROGRAM_ID, example, guest as test_guest};

const EXAMPLES: [&str; 8] = [
    "arena",
    "counter",
    "custom_heap",
    "heap_state",
    "hello",
    "no_alloc",
    "segregated_heap",
    "vault",
];

fn loader() -> Loader {
    Loader::new(Engine::Interpreter).expect("the interpreter")
}

fn inspect(blob: &[u8]) -> Inspection {
    loader().inspect(blob).expect("a blob")
}

/// A program of the project.
struct Built {
    name: String,
    /// Its blob with debug information.
    kept: Vec<u8>,
    /// Its blob without.
    stripped: Vec<u8>,
}

/// The examples and the probe.
fn programs() -> &'static [Built] {
    static PROGRAMS: OnceLock<Vec<Built>> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let folders = EXAMPLES.iter().map(|name| example(name));
        folders
            .chain([test_guest("probe")])
            .map(|folder| {
                let package = ProgramPackage::in_folder(&folder).expect("a program");
                let build = |debug_info| guest::build(&package, debug_info).expect("a blob");
                Built {
                    kept: build(DebugInfo::Keep),
                    stripped: build(DebugInfo::Strip),
                    name: package.name,
                }
            })
            .collect()
    })
}

fn program(name: &str) -> &'static Built {
    let mut programs = programs().iter();
    programs
        .find(|built| built.name == name)
        .expect("a program")
}

fn vm_blob(bytes: &[u8]) -> ProgramBlob {
    ProgramBlob::parse(bytes.to_vec().into()).expect("a blob")
}

/// What holds for every blob, hostile ones included.
fn assert_consistent(bytes: &[u8], inspection: &Inspection) {
    let mut offset = 0;
    for section in &inspection.sections {
        assert_eq!(section.offset, offset);
        assert!(section.content <= section.length);
        offset += section.length;
    }
    assert_eq!(offset, bytes.len() as u64);
    assert_eq!(inspection.file_length, bytes.len() as u64);

    let blob = vm_blob(bytes);
    let code = &inspection.code;
    let code_length = blob.code().len();
    let ours = blob
        .instructions()
        .filter(|instruction| (instruction.offset.0 as usize) < code_length);
    assert_eq!(code.instructions as usize, ours.clone().count());
    let counts: u32 = code.mnemonics.iter().map(|mnemonic| mnemonic.count).sum();
    assert_eq!(counts, code.instructions);
    let section = section(inspection, SectionKind::Code);
    assert_eq!(
        section.content,
        code.length + code.jump_table_length + code.bitmask_length
    );
    let functions = &inspection.functions.list;
    let instructions: u32 = functions.iter().map(|function| function.instructions).sum();
    assert_eq!(instructions, code.instructions);
    let of_functions: u64 = functions.iter().map(|function| function.bytes).sum();
    let of_mnemonics: u64 = code.mnemonics.iter().map(|mnemonic| mnemonic.bytes).sum();
    assert_eq!(of_functions, of_mnemonics);
    let places = ours
        .filter(|instruction| blob.scan_is_jump_target_valid(blob.isa(), instruction.offset))
        .count();
    assert_eq!(code.basic_blocks as usize, places);
}

fn section(inspection: &Inspection, kind: SectionKind) -> loader::inspect::Section {
    *inspection
        .sections
        .iter()
        .find(|section| section.kind == kind)
        .unwrap_or_else(|| panic!("{kind:?} is not in {:?}", inspection.sections))
}

fn content(inspection: &Inspection, kind: SectionKind) -> u64 {
    let sections = inspection.sections.iter();
    sections
        .filter(|section| section.kind == kind)
        .map(|section| section.content)
        .sum()
}

#[test]
fn real_programs_are_what_the_vm_says() {
    let vm = polkavm::Engine::new(&Config::new()).expect("a VM");
    for Built {
        name,
        kept,
        stripped,
    } in programs()
    {
        let inspection = inspect(kept);
        assert_eq!(inspection.refusals, [], "{name}");
        assert!(inspection.is_accepted() && inspection.is_64_bit);
        assert_eq!(inspection.instruction_set, "latest64");
        assert_consistent(kept, &inspection);
        assert_eq!(inspection.stripped_length, stripped.len() as u64, "{name}");

        let parts = ProgramParts::from_bytes(kept.clone().into()).expect("a blob");
        for (kind, bytes) in [
            (SectionKind::ReadOnlyData, &parts.ro_data),
            (SectionKind::ReadWriteData, &parts.rw_data),
            (SectionKind::Exports, &parts.exports),
            (SectionKind::Code, &parts.code_and_jump_table),
            (SectionKind::DebugStrings, &parts.debug_strings),
            (SectionKind::DebugLinePrograms, &parts.debug_line_programs),
            (
                SectionKind::DebugLineProgramRanges,
                &parts.debug_line_program_ranges,
            ),
        ] {
            assert_eq!(content(&inspection, kind), bytes.len() as u64, "{name}");
        }
        assert!(content(&inspection, SectionKind::DebugStrings) > 0);

        let blob = vm_blob(kept);
        let data = inspection.data;
        assert_eq!(data.read_only, blob.ro_data_size());
        assert_eq!(data.read_only_in_file as usize, blob.ro_data().len());
        assert_eq!(data.read_write, blob.rw_data_size());
        assert_eq!(data.read_write_in_file as usize, blob.rw_data().len());
        assert_eq!((data.stack, inspection.needs.stack), (65_536, 65_536));
        assert_eq!(inspection.code.length, blob.code().len() as u64);
        assert_eq!(
            inspection.code.jump_table_entries as usize,
            blob.jump_table().iter().count()
        );
        let code_bytes: u64 = inspection
            .code
            .mnemonics
            .iter()
            .map(|use_| use_.bytes)
            .sum();
        assert_eq!(code_bytes, inspection.code.length);

        let exports: Vec<(String, u32)> = inspection
            .exports
            .iter()
            .map(|export| (format!("'{}'", export.symbol), export.program_counter))
            .collect();
        let vm_exports: Vec<(String, u32)> = blob
            .exports()
            .map(|export| (export.symbol().to_string(), export.program_counter().0))
            .collect();
        assert_eq!(exports, vm_exports);
        assert_eq!(inspection.imports.len(), blob.imports().len() as usize);
        for (number, import) in inspection.imports.iter().enumerate() {
            let number = number as u32;
            let symbol = blob.imports().get(number).expect("an import");
            assert_eq!(format!("'{}'", import.symbol), symbol.to_string());
            let calls = blob
                .instructions()
                .filter(|instruction| instruction.kind == Instruction::ecalli(number as i32))
                .count();
            assert_eq!(import.call_sites as usize, calls);
            assert!(calls > 0, "{name} imports what it does not call");
        }

        let module = Module::from_blob(&vm, &ModuleConfig::new(), blob).expect("a module");
        let map = module.memory_map();
        let memory = inspection.memory.as_ref().expect("a memory");
        assert_eq!(memory.heap_base, map.heap_base());
        let at = |kind| {
            let regions = memory.regions.iter();
            let mut found = regions.filter(|region| region.kind == kind);
            found.next().expect("a region").address
        };
        assert_eq!(at(RegionKind::ReadOnlyData), map.ro_data_address());
        assert_eq!(at(RegionKind::ReadWriteData), map.rw_data_address());
        assert_eq!(at(RegionKind::Heap), map.heap_base());
        assert_eq!(at(RegionKind::Stack), map.stack_address_low());
        assert!(memory.regions.is_sorted_by_key(|region| region.address));
    }
}

#[test]
fn stripping_takes_the_names_and_nothing_else() {
    for Built {
        name,
        kept,
        stripped,
    } in programs()
    {
        let (with, mut without) = (inspect(kept), inspect(stripped));
        assert_eq!(with.functions.source, FunctionSource::DebugInformation);
        assert_eq!(without.functions.source, FunctionSource::EntryPoints);
        assert_consistent(stripped, &without);
        assert!(
            without
                .functions
                .list
                .iter()
                .all(|function| function.name.is_none())
        );
        let exported = |inspection: &Inspection| {
            let functions = inspection.functions.list.iter();
            let mut exports: Vec<(String, u32)> = functions
                .filter_map(|function| Some((function.export.clone()?, function.program_counter)))
                .collect();
            exports.sort();
            exports
        };
        let mut exports: Vec<(String, u32)> = with
            .exports
            .iter()
            .map(|export| (export.symbol.clone(), export.program_counter))
            .collect();
        exports.sort();
        assert_eq!(exported(&with), exports, "{name}");
        assert_eq!(exported(&without), exports, "{name}");

        let kept_sections = with
            .sections
            .iter()
            .filter(|section| !section.kind.is_debug());
        let lengths: Vec<u64> = kept_sections.map(|section| section.length).collect();
        let all: Vec<u64> = without
            .sections
            .iter()
            .map(|section| section.length)
            .collect();
        assert_eq!(lengths, all);
        without.file_length = with.file_length;
        without.sections.clone_from(&with.sections);
        without.functions = with.functions.clone();
        assert_eq!(with, without);
    }
}

/// How many instructions are of functions of each name, asked of the VM for every instruction.
fn instructions_by_name(bytes: &[u8]) -> BTreeMap<String, u32> {
    let blob = vm_blob(bytes);
    let mut counts = BTreeMap::new();
    for instruction in blob.instructions() {
        let mut lines = blob
            .get_debug_line_program_at(instruction.offset)
            .expect("debug information");
        let mut name = String::new();
        while let Some(Ok(Some(region))) = lines.as_mut().map(|lines| lines.run()) {
            if region.instruction_range().contains(&instruction.offset) {
                let frame = region.frames().next().expect("a frame");
                let text = frame.function_name_without_namespace().expect("a name");
                name = text.unwrap_or_default().to_owned();
                break;
            }
        }
        *counts.entry(name).or_insert(0) += 1;
    }
    counts
}

#[test]
fn functions_are_those_of_the_debug_information() {
    for Built {
        name: program,
        kept,
        ..
    } in programs()
    {
        let inspection = inspect(kept);
        let functions = &inspection.functions.list;
        assert!(functions.is_sorted_by_key(|function| std::cmp::Reverse(function.bytes)));
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for function in functions {
            let name = function.name.clone().unwrap_or_default();
            assert!(!name.contains('['), "{program}: {name}");
            *counts.entry(name).or_insert(0) += function.instructions;
        }
        // The VM gives some of the names cut inside a crate's hash; they are those with a path.
        for (name, count) in instructions_by_name(kept) {
            if !name.contains("]::") {
                assert_eq!(counts.get(&name), Some(&count), "{program}: {name}");
            }
        }
    }
    let inspection = inspect(&program("probe").kept);
    let named = |name: &str| {
        let mut found = inspection.functions.list.iter();
        found
            .find(|function| function.name.as_deref() == Some(name))
            .unwrap_or_else(|| panic!("{name} is not in {:?}", inspection.functions.list))
    };
    let location = named("recurse").location.as_ref().expect("a place");
    assert!(location.file.ends_with("probe/src/lib.rs"), "{location:?}");
    assert_eq!(named("compiler_builtins::mem::memmove").location, None);
    let fmt = inspection.functions.list.iter();
    let fmt = fmt.filter(|function| function.name.as_deref() == Some("fmt"));
    assert!(fmt.count() > 2, "functions of one name are told apart");
}

/// A blob of some code; the first block is `entrypoint`.
struct Blob {
    isa: InstructionSetKind,
    builder: ProgramBlobBuilder,
}

impl Blob {
    fn new(isa: InstructionSetKind, code: &[Instruction]) -> Self {
        let mut builder = ProgramBlobBuilder::new(isa);
        builder.set_stack_size(4_096);
        builder.set_code(code, &[]);
        Self { isa, builder }
    }

    fn entrypoint(mut self) -> Self {
        self.builder.add_export_by_basic_block(0, b"entrypoint");
        self
    }

    fn bytes(self) -> Vec<u8> {
        let bytes = self.builder.to_vec().expect("a blob");
        assert_eq!(vm_blob(&bytes).isa(), self.isa);
        bytes
    }
}

fn latest(code: &[Instruction]) -> Blob {
    Blob::new(InstructionSetKind::Latest64, code)
}

#[test]
fn a_program_finds_everything_where_the_map_says() {
    for rw_data_size in [0, 1, 16, 4_095, 4_096, 70_001] {
        // Each returns an address as its status.
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
        let data_pages = u64::from(rw_data_size + 32_768).next_multiple_of(4_096) + 4_096;
        assert_eq!(memory.mapped, data_pages + 4_096);
    }
}

#[test]
fn the_inputs_length_is_that_of_an_empty_call() {
    // The second argument.
    let blob = latest(&[
        asm::move_reg(A0, polkavm_common::program::Reg::A1),
        asm::ret(),
    ]);
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
fn every_rule_that_refuses_is_named() {
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
        .needs
        .limits
        .iter()
        .filter(|used| used.is_passed())
        .map(|used| used.what)
        .collect();
    assert_eq!(passed, ["data", "stack"]);
    assert_eq!(
        inspection.needs.least_memory,
        inspection.memory.map(|memory| memory.mapped)
    );
}

#[test]
fn what_only_the_vm_can_refuse_is_named_too() {
    // Nothing of the loader's own rules is broken here, but there is no place for all of the data.
    let limits = Limits {
        program_data: u32::MAX,
        stack: u32::MAX,
        ..Limits::default()
    };
    let mut blob = latest(&[asm::ret()]).entrypoint();
    blob.builder.set_rw_data_size(u32::MAX);
    let inspection = loader()
        .limits(limits)
        .inspect(&blob.bytes())
        .expect("a blob");
    assert_eq!(inspection.memory, None);
    assert_eq!(inspection.needs.least_memory, None);
    assert!(
        matches!(inspection.refusals[..], [LoadError::InvalidBlob { .. }]),
        "{:?}",
        inspection.refusals
    );

    // Five gaps and the stack, of 64 KiB each, leave this much, and nothing for a heap.
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
        let limits = Limits {
            stack: 65_536,
            ..Limits::default()
        };
        let inspection = loader()
            .limits(limits)
            .inspect(&blob.bytes())
            .expect("a blob");
        let mut limits = inspection.needs.limits.into_iter();
        let used = limits.find(|used| used.what == "stack").expect("a stack");
        assert_eq!((used.size, used.limit), (stack.into(), 65_536));
        (used.is_near(), used.is_passed())
    };
    assert_eq!(used(45_056), (false, false));
    assert_eq!(used(49_152), (true, false));
    assert_eq!(used(65_536), (true, false));
    assert_eq!(used(69_632), (false, true));
}

#[test]
fn a_heap_that_says_its_use_is_known_before() {
    for Built { name, kept, .. } in programs() {
        let keeps = inspect(kept).needs.keeps_heap_header;
        let called = loader().load(kept).expect("a program");
        let outcome = called
            .invoke(&Invocation::new(PROGRAM_ID))
            .expect("an outcome");
        assert_eq!(keeps, outcome.heap.used.is_some(), "{name}");
        assert_eq!(keeps, name != "custom_heap", "{name}");
    }
}

#[test]
fn calls_are_where_functions_start() {
    let code = [
        // Block 0 calls block 2, and 3 is jumped to, whose address is kept in no register of returns.
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
fn sections_that_nobody_knows_are_named_by_number() {
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
    // Number, a length of two bytes, content.
    assert_eq!(unknown.length, 1 + 2 + 300);
    assert_eq!(section(&inspection, SectionKind::Trailing).length, 3);
    assert_eq!(inspection.stripped_length, inspection.file_length);
}

#[test]
fn a_name_has_a_greatest_length() {
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
fn bytes_that_are_no_blob_are_refused() {
    for bytes in [
        &b""[..],
        b"PVM\0",
        b"\x7fELF",
        b"PVM\0\x02\x0e\0\0\0\0\0\0\0\0",
    ] {
        let error = loader().inspect(bytes).expect_err("no blob");
        assert_eq!(error.kind(), "InvalidBlob");
    }
}

#[test]
fn debug_information_that_makes_no_sense_names_nothing() {
    let ranges =
        |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|word| word.to_le_bytes()).collect() };
    // A line program that sets the line to the greatest number and adds one to it.
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

/// Debug information of a hand that knows how the VM reads it.
struct Lines {
    strings: Vec<u8>,
    programs: Vec<u8>,
    ranges: Vec<u8>,
}

impl Lines {
    fn new() -> Self {
        Self {
            // The name at 0 stands for none.
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

    /// Says that the code of these program counters is of a function, and of what lines in the file `f.rs`.
    fn function(&mut self, namespace: &str, name: &str, starts_and_lines: &[(u32, u8)], end: u32) {
        let [namespace, name, file] = [namespace, name, "f.rs"].map(|text| self.string(text));
        let start = starts_and_lines[0].0;
        for word in [start, end, self.programs.len() as u32] {
            self.ranges.extend(word.to_le_bytes());
        }
        // A frame that says what function this is, and one that says where in it.
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
fn neighbours_of_one_name_are_told_apart_where_a_call_goes() {
    // Blocks 0 to 3; the first calls the third.
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

    // Code without a line in the middle of a function does not make two of it, if no call goes to the second part.
    let mut lines = Lines::new();
    lines.function("", "f", &[(at[0], 10)], at[1]);
    lines.function("", "f", &[(at[2], 20)], at[3]);
    lines.function("", "f", &[(at[3], 30)], end);
    let functions = lines.inspect(latest(&code));
    let nameless = (at[1], None, None);
    assert_eq!(functions, [named(0, "f", 10), nameless, named(2, "f", 20)]);

    let mut lines = Lines::new();
    lines.function("", "f", &[(at[0], 10)], at[1]);
    lines.function("", "g", &[(at[1], 20)], end);
    let functions = lines.inspect(latest(&code));
    let expected = [named(0, "f", 10), named(1, "g", 20), named(2, "g", 20)];
    assert_eq!(functions, expected);
}

#[test]
fn names_that_were_cut_are_mended_or_show_it() {
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

/// A blob of this code, byte for byte.
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
fn code_that_no_linker_wrote_is_counted_as_the_vm_runs_it() {
    let one = vm_blob(&latest(&[asm::move_reg(A0, A2), asm::ret()]).bytes());
    let mut instructions = one.instructions();
    let length = instructions.nth(1).expect("two instructions").offset.0 as usize;
    let move_reg = &one.code()[..length];
    assert_eq!(move_reg.len(), 2);

    // The VM cuts code into pieces, and a block ends where one does. A linker writes that down; here the VM makes
    // an instruction invalid for it.
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
        // Long enough for the pieces into which the newest instruction sets cut their code.
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

        // The VM puts a trap behind code that does not end, which is none of the blob's instructions.
        code.pop();
        let bytes = Blob::new(isa, &code).entrypoint().bytes();
        assert_consistent(&bytes, &inspect(&bytes));
    }
}

/// Makes the header's length that of the bytes.
fn set_length(bytes: &mut [u8]) {
    let length = bytes.len() as u64;
    if let Some(field) = bytes.get_mut(5..13) {
        field.copy_from_slice(&length.to_le_bytes());
    }
}

/// Blobs to be damaged: real ones, and one of every instruction set.
fn sound() -> &'static [Vec<u8>] {
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
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn damaged_blobs_are_inspected_or_refused(
        which: Index,
        cut: Option<Index>,
        damage in prop::collection::vec((any::<Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = which.get(sound()).clone();
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

#[test]
fn the_entry_is_where_code_starts() {
    // An export by hand: in the middle of the first instruction.
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
