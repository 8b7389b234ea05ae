//! Inspections of real programs agree with the VM's own reader, with the linker, and with a running
//! program.

use std::collections::BTreeMap;

use loader::Invocation;
use loader::display::function_name;
use loader::inspect::{FunctionSource, Inspection, RegionKind, SectionKind};
use polkavm::program::Instruction;
use polkavm::{Config, Module, ModuleConfig, ProgramParts};
use tests::PROGRAM_ID;
use tests::inspection::{Built, assert_consistent, inspect, loader, programs, vm_blob};

fn program(name: &str) -> &'static Built {
    let mut programs = programs().iter();
    programs
        .find(|built| built.name == name)
        .expect("a program")
}

fn content(inspection: &Inspection, kind: SectionKind) -> u64 {
    let sections = inspection.sections.iter();
    sections
        .filter(|section| section.kind == kind)
        .map(|section| section.content)
        .sum()
}

#[test]
fn real_programs_match_the_vm() {
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
        assert_eq!(inspection.instruction_set, "revive_v1");
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
        assert_eq!(
            (data.stack, inspection.requirements.stack),
            (65_536, 65_536)
        );
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
            assert!(calls > 0, "{name} imports an uncalled function");
        }

        let module = Module::from_blob(&vm, &ModuleConfig::new(), blob).expect("a module");
        let map = module.memory_map();
        let memory = inspection.memory.as_ref().expect("a memory");
        let at = |kind| {
            let regions = memory.regions.iter();
            let mut found = regions.filter(|region| region.kind == kind);
            found.next().expect("a region").address
        };
        assert_eq!(at(RegionKind::ReadOnlyData), map.ro_data_address());
        assert_eq!(at(RegionKind::ReadWriteData), map.rw_data_address());
        let data_end = map.heap_base();
        assert_eq!(at(RegionKind::Input), data_end.next_multiple_of(4_096));
        // The heap is whole pages above the data, as few as the input needs: two lengths and the
        // program id.
        let input_end = at(RegionKind::Input) + 8 + 32 + 8;
        let pages = (input_end - data_end).div_ceil(4_096);
        assert_eq!(at(RegionKind::Heap), data_end + pages * 4_096);
        assert_eq!(memory.heap_base, at(RegionKind::Heap));
        assert_eq!(at(RegionKind::Stack), map.stack_address_low());
        assert!(memory.regions.is_sorted_by_key(|region| region.address));
    }
}

#[test]
fn stripping_removes_only_names() {
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

/// The number of instructions in functions of each name, according to the VM.
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
                let namespace = frame.namespace().expect("a namespace");
                let text = frame.function_name_without_namespace().expect("a name");
                name = match text {
                    Some(symbol) if symbol.starts_with("_R") => function_name(symbol),
                    _ => {
                        let path = namespace.into_iter().chain(text);
                        path.collect::<Vec<_>>().join("::")
                    }
                };
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
            assert!(!name.contains("_R"), "{program}: {name}");
            *counts.entry(name).or_insert(0) += function.instructions;
        }
        // The linker truncates names of functions without debug information of their own: inside a
        // crate's hash, or inside a type. The VM reports the truncated names.
        for (name, count) in instructions_by_name(kept) {
            let is_whole = name.matches('<').count() == name.matches('>').count();
            if is_whole && !name.contains('[') && !name.contains("]::") {
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
    let location = named("probe::recurse").location.as_ref().expect("a place");
    assert!(location.file.ends_with("probe/src/lib.rs"), "{location:?}");
    assert_eq!(named("compiler_builtins::mem::memmove").location, None);
    let fmt = inspection.functions.list.iter();
    let fmt = fmt.filter(|function| {
        function
            .name
            .as_deref()
            .is_some_and(|name| name.ends_with("::fmt"))
    });
    assert!(
        fmt.count() > 2,
        "functions of one name are listed separately"
    );
}

#[test]
fn heap_header_is_declared_in_the_blob() {
    for Built { name, kept, .. } in programs() {
        let keeps = inspect(kept).requirements.has_heap_header;
        let called = loader().load(kept).expect("a program");
        let outcome = called
            .invoke(&Invocation::new(PROGRAM_ID))
            .expect("an outcome");
        assert_eq!(keeps, outcome.heap.used.is_some(), "{name}");
        assert_eq!(keeps, name != "custom_heap", "{name}");
    }
}
