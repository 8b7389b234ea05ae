//! The address in the ELF file of each instruction in a blob.
//!
//! PolkaVM's linker moves, merges and removes instructions, and does not tell where in the ELF file
//! an instruction comes from. But it keeps the name of the function that an instruction is in. So
//! this module makes a copy of the ELF file in which every address is a function of its own, named
//! by the address. The names in the blob of the copy are the addresses. The blob must have the same
//! code as that of the file itself, because the linker reads names only for the debug information.

use std::collections::BTreeMap;

use abi::entry::ENTRYPOINT_EXPORT;
use anyhow::{Context, Result, bail, ensure};
use object::elf::{SHT_SYMTAB, STT_FUNC};
use object::{Object, ObjectSection, SectionKind};
use polkavm_common::program::{ProgramBlob, ProgramCounter};

use super::DebugInfo;
use super::riscv64::link_blob;

/// Length of the shortest instruction in bytes.
const STEP: u64 = 2;

/// The ELF addresses of a blob's instructions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    by_counter: BTreeMap<u32, u64>,
}

impl Addresses {
    /// Finds the addresses of the instructions of `blob`, which was made of `elf` with this stack.
    ///
    /// # Errors
    ///
    /// If the bytes are not an ELF file, or PolkaVM's linker makes another blob of it.
    pub(super) fn of(elf: &[u8], stack: u32, blob: &[u8]) -> Result<Self> {
        let numbered = link_blob(&numbered(elf)?, stack, DebugInfo::Keep)?;
        let (blob, numbered) = (parse(blob)?, parse(&numbered)?);
        ensure!(
            blob.code() == numbered.code() && blob.jump_table().iter().eq(numbered.jump_table()),
            "PolkaVM's linker made other code of the same ELF file, so a debugger cannot know where \
             an instruction comes from"
        );
        let counters = numbered
            .instructions()
            .map(|instruction| instruction.offset);
        let by_counter = counters
            .filter_map(|counter| Some((counter.0, address_of(&numbered, counter)?)))
            .collect();
        Ok(Self { by_counter })
    }

    /// The ELF address of the instruction at a program counter. An instruction that the linker has
    /// added has the address of the one before it. `None` if no instruction before it has any.
    #[must_use]
    pub fn get(&self, program_counter: u32) -> Option<u64> {
        let before = self.by_counter.range(..=program_counter);
        before.map(|(_, address)| *address).next_back()
    }

    /// The ELF address of the program's entry in a blob; `None` if the blob has no entry.
    pub(super) fn entry_of(&self, blob: &[u8]) -> Result<Option<u64>> {
        let blob = parse(blob)?;
        let mut exports = blob.exports();
        let entry =
            exports.find(|export| export.symbol().as_bytes() == ENTRYPOINT_EXPORT.as_bytes());
        Ok(entry.and_then(|entry| self.get(entry.program_counter().0)))
    }

    /// All instructions with an address of their own: their program counters and addresses.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        let pairs = self.by_counter.iter();
        pairs.map(|(counter, address)| (*counter, *address))
    }
}

fn parse(blob: &[u8]) -> Result<ProgramBlob> {
    ProgramBlob::parse(blob.into()).map_err(|error| anyhow::anyhow!("invalid blob: {error}"))
}

/// The address that is the name of the innermost function at an instruction.
fn address_of(blob: &ProgramBlob, counter: ProgramCounter) -> Option<u64> {
    let mut lines = blob.get_debug_line_program_at(counter).ok()??;
    while let Ok(Some(region)) = lines.run() {
        if region.instruction_range().contains(&counter) {
            let innermost = region.frames().last()?;
            let name = innermost.function_name_without_namespace().ok()??;
            return u64::from_str_radix(name, 16).ok();
        }
    }
    None
}

/// Where the header of an ELF file has the place of the section headers, their length and number,
/// and the index of the section with their names.
const SECTION_HEADERS: usize = 0x28;
const SECTION_HEADER_LENGTH: usize = 0x3a;
const SECTION_COUNT: usize = 0x3c;

/// Where a section header has its fields.
const NAME: usize = 0;
const TYPE: usize = 0x04;
const OFFSET: usize = 0x18;
const SIZE: usize = 0x20;
const LINK: usize = 0x28;

/// Length of a symbol in bytes.
const SYMBOL: usize = 24;

/// Where a symbol has its type.
const SYMBOL_INFO: usize = 4;

/// The ELF file without debug information, with a function at every address of its code.
fn numbered(elf: &[u8]) -> Result<Vec<u8>> {
    let file = object::File::parse(elf).context("not an ELF file")?;
    let mut symbols = Vec::new();
    let mut names = Vec::new();
    let headers = usize::try_from(number::<8>(elf, SECTION_HEADERS)?)?;
    let length = usize::try_from(number::<2>(elf, SECTION_HEADER_LENGTH)?)?;
    let count = usize::try_from(number::<2>(elf, SECTION_COUNT)?)?;
    let header = |index: usize| headers + index * length;
    let table = (0..count)
        .map(header)
        .find(|header| number::<4>(elf, header + TYPE).ok() == Some(SHT_SYMTAB.into()))
        .context("the ELF file has no symbols")?;
    let strings = header(usize::try_from(number::<4>(elf, table + LINK)?)?);

    symbols.extend(contents(elf, table)?);
    names.extend(contents(elf, strings)?);
    // The file's own functions would name the instructions.
    for symbol in symbols.chunks_exact_mut(SYMBOL) {
        if symbol[SYMBOL_INFO] & 0xf == STT_FUNC {
            symbol[SYMBOL_INFO] &= 0xf0;
        }
    }
    for section in file.sections() {
        if section.kind() != SectionKind::Text {
            continue;
        }
        let index = u16::try_from(section.index().0)?;
        for offset in (0..section.size()).step_by(usize::try_from(STEP)?) {
            let address = section.address() + offset;
            symbols.extend(u32::try_from(names.len())?.to_le_bytes());
            symbols.extend([STT_FUNC, 0]);
            symbols.extend(index.to_le_bytes());
            symbols.extend(address.to_le_bytes());
            symbols.extend(STEP.to_le_bytes());
            names.extend(format!("{address:x}\0").bytes());
        }
    }

    let mut copy = elf.to_vec();
    for (header, contents) in [(table, symbols), (strings, names)] {
        // Both have grown, so they move to the end of the file.
        let place = u64::try_from(copy.len().next_multiple_of(8))?;
        copy.resize(usize::try_from(place)?, 0);
        write(&mut copy, header + OFFSET, &place.to_le_bytes())?;
        let size = u64::try_from(contents.len())?;
        write(&mut copy, header + SIZE, &size.to_le_bytes())?;
        copy.extend(contents);
    }
    without_debug_info(&copy)
}

/// The ELF file without debug information, as far as the linker looks: it finds that by its name.
pub(super) fn without_debug_info(elf: &[u8]) -> Result<Vec<u8>> {
    let file = object::File::parse(elf).context("not an ELF file")?;
    let headers = usize::try_from(number::<8>(elf, SECTION_HEADERS)?)?;
    let length = usize::try_from(number::<2>(elf, SECTION_HEADER_LENGTH)?)?;
    let mut copy = elf.to_vec();
    // The compiler's own runtime, which has been linked before, has sections of its own.
    for section in file.sections() {
        if section.name() != Ok(".debug_info") {
            continue;
        }
        let header = headers + section.index().0 * length;
        write(&mut copy, header + NAME, &0_u32.to_le_bytes())?;
    }
    Ok(copy)
}

/// The bytes of a section, by the place of its header.
fn contents(elf: &[u8], header: usize) -> Result<&[u8]> {
    let start = usize::try_from(number::<8>(elf, header + OFFSET)?)?;
    let size = usize::try_from(number::<8>(elf, header + SIZE)?)?;
    let end = start.checked_add(size);
    let bytes = end.and_then(|end| elf.get(start..end));
    bytes.context("a section outside of the file")
}

/// A little-endian number of some bytes.
fn number<const LENGTH: usize>(bytes: &[u8], start: usize) -> Result<u64> {
    let Some(found) = bytes.get(start..start + LENGTH) else {
        bail!("the ELF file ends early");
    };
    let mut number = [0; 8];
    number[..LENGTH].copy_from_slice(found);
    Ok(u64::from_le_bytes(number))
}

fn write(bytes: &mut [u8], start: usize, new: &[u8]) -> Result<()> {
    let place = bytes.get_mut(start..start + new.len());
    place.context("outside of the file")?.copy_from_slice(new);
    Ok(())
}
