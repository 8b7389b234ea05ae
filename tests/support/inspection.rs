//! Blobs for the tests of inspections, and checks that every inspection must pass.

use std::sync::OnceLock;

use crate::{EXAMPLES, example, guest as test_guest};
use loader::inspect::{Inspection, Section, SectionKind};
use loader::{Engine, Loader};
use polkavm::ProgramBlob;
use polkavm::program::Instruction;
use polkavm_common::program::InstructionSetKind;
use polkavm_common::writer::ProgramBlobBuilder;
use program_build::guest::{self, DebugInfo};
use program_build::package::ProgramPackage;

pub fn loader() -> Loader {
    Loader::new(Engine::Interpreter).expect("the interpreter")
}

pub fn inspect(blob: &[u8]) -> Inspection {
    loader().inspect(blob).expect("a blob")
}

/// A built program of the project.
pub struct Built {
    pub name: String,
    /// Its blob with debug information.
    pub kept: Vec<u8>,
    /// Its blob without debug information.
    pub stripped: Vec<u8>,
}

/// The examples and the guest `probe`.
pub fn programs() -> &'static [Built] {
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

pub fn vm_blob(bytes: &[u8]) -> ProgramBlob {
    ProgramBlob::parse(bytes.to_vec().into()).expect("a blob")
}

/// Checks an inspection of any blob, even a hostile one.
pub fn assert_consistent(bytes: &[u8], inspection: &Inspection) {
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

pub fn section(inspection: &Inspection, kind: SectionKind) -> Section {
    *inspection
        .sections
        .iter()
        .find(|section| section.kind == kind)
        .unwrap_or_else(|| panic!("{kind:?} is not in {:?}", inspection.sections))
}

/// A blob of this code, whose first block is `entrypoint`.
pub struct Blob {
    pub isa: InstructionSetKind,
    pub builder: ProgramBlobBuilder,
}

impl Blob {
    pub fn new(isa: InstructionSetKind, code: &[Instruction]) -> Self {
        let mut builder = ProgramBlobBuilder::new(isa);
        builder.set_stack_size(4_096);
        builder.set_code(code, &[]);
        Self { isa, builder }
    }

    pub fn entrypoint(mut self) -> Self {
        self.builder.add_export_by_basic_block(0, b"entrypoint");
        self
    }

    pub fn bytes(self) -> Vec<u8> {
        let bytes = self.builder.to_vec().expect("a blob");
        assert_eq!(vm_blob(&bytes).isa(), self.isa);
        bytes
    }
}

pub fn latest(code: &[Instruction]) -> Blob {
    Blob::new(InstructionSetKind::Latest64, code)
}

/// Sets the header's length to that of the bytes.
pub fn set_length(bytes: &mut [u8]) {
    let length = bytes.len() as u64;
    if let Some(field) = bytes.get_mut(5..13) {
        field.copy_from_slice(&length.to_le_bytes());
    }
}
