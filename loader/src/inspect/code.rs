//! The code, counted.

use std::collections::{BTreeMap, BTreeSet};

use polkavm::ProgramBlob;
use polkavm::program::Instruction;

use crate::backend::polkavm::control_flow::called_by;

/// A blob's code, counted. Lengths are in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Code {
    /// Length of the code itself.
    pub length: u64,
    /// Length of the jump table, with the figures before it that encode its length. Together with
    /// code and bitmask this is the content of the file's section.
    pub jump_table_length: u64,
    /// Entries of the jump table: places that are jumped to by a computed address, which are mostly
    /// those to which calls return.
    pub jump_table_entries: u32,
    /// Length of the bitmask of instruction starts; 0 if the instruction set needs none.
    pub bitmask_length: u64,
    /// Number of instructions.
    pub instructions: u32,
    /// Number of basic blocks: of places to which a jump may go.
    pub basic_blocks: u32,
    /// Instructions by name, the most frequent first.
    pub mnemonics: Vec<MnemonicUse>,
    /// Number of instructions that call an import of no number, which traps.
    pub calls_of_no_import: u32,
}

/// How often an instruction is in a blob's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct MnemonicUse {
    /// The VM's name of the instruction; `invalid` for what is none, which traps.
    pub name: &'static str,
    /// Number of such instructions.
    pub count: u32,
    /// Their length in bytes.
    pub bytes: u64,
}

/// The result of one pass over the code.
pub(super) struct CodeStats {
    pub code: Code,
    /// For each import, the number of instructions that call it.
    pub import_calls: Vec<u32>,
    /// The starts of functions that one instruction calls by address.
    pub called: BTreeSet<u32>,
}

/// An instruction of the blob, and where its bytes are.
#[derive(Clone, Copy)]
pub(super) struct Placed {
    pub kind: Instruction,
    pub offset: u32,
    pub length: u32,
}

/// The blob's instructions. The trap that the VM puts behind code that does not end is none of
/// them.
pub(super) fn instructions(blob: &ProgramBlob) -> impl Iterator<Item = Placed> {
    let end = u32::try_from(blob.code().len()).unwrap_or(u32::MAX);
    blob.instructions()
        .take_while(move |instruction| instruction.offset.0 < end)
        .map(move |instruction| Placed {
            kind: instruction.kind,
            offset: instruction.offset.0,
            length: (instruction.next_offset.0.min(end)).saturating_sub(instruction.offset.0),
        })
}

/// Counts the code of a blob. `section_content` is the length of its code section.
pub(super) fn count(blob: &ProgramBlob, section_content: u64) -> CodeStats {
    let mut uses: BTreeMap<&'static str, MnemonicUse> = BTreeMap::new();
    let mut import_calls = vec![0_u32; blob.imports().len() as usize];
    let mut called = BTreeSet::new();
    let (mut count, mut basic_blocks, mut calls_of_no_import) = (0, 0, 0);
    let mut ends_block = true;
    for instruction in instructions(blob) {
        count += 1;
        if ends_block {
            basic_blocks += 1;
        }
        ends_block = instruction.kind.starts_new_basic_block();
        let name = match instruction.kind {
            Instruction::invalid => "invalid",
            kind => kind.opcode().name(),
        };
        let entry = uses.entry(name).or_insert(MnemonicUse {
            name,
            count: 0,
            bytes: 0,
        });
        entry.count += 1;
        entry.bytes += u64::from(instruction.length);
        match instruction.kind {
            Instruction::ecalli(number) => match import_calls.get_mut(number as u32 as usize) {
                Some(calls) => *calls += 1,
                None => calls_of_no_import += 1,
            },
            kind => called.extend(called_by(kind)),
        }
    }
    let mut mnemonics: Vec<MnemonicUse> = uses.into_values().collect();
    // The sort is stable, so equal counts stay in the order of the names.
    mnemonics.sort_by_key(|mnemonic| std::cmp::Reverse(mnemonic.count));
    let length = blob.code().len() as u64;
    let bitmask_length = blob.bitmask().len() as u64;
    let code = Code {
        length,
        jump_table_length: section_content.saturating_sub(length + bitmask_length),
        jump_table_entries: blob.jump_table().len(),
        bitmask_length,
        instructions: count,
        basic_blocks,
        mnemonics,
        calls_of_no_import,
    };
    CodeStats {
        code,
        import_calls,
        called,
    }
}
