//! Where an instruction of the blob is in the ELF file that gdb reads.
//!
//! PolkaVM's linker removes instructions of the ELF file, among them many first instructions of
//! source lines. gdb sets breakpoints on these, and does not stop in the middle of a line. So an
//! instruction stands for the removed ones right before it: its place is the start of its line, if
//! all of the line before it was removed, or the breakpoint that was set there.

use std::collections::BTreeSet;
use std::ops::{Bound, Range};
use std::path::Path;

use addr2line::gimli::{self, EndianSlice, LittleEndian};
use anyhow::{Context, Result};
use loader::debug::CallSite;
use object::{Object, ObjectSection, SectionFlags, SectionKind};
use program_build::guest::{Addresses, IMAGE_BASE};

/// The bits of the first byte of an instruction that tell its length.
const LENGTH_BITS: u8 = 0b11;

/// The opcode of `auipc`, the first of the two instructions of a far call.
const AUIPC: u8 = 0b001_0111;

/// The ELF file, and the addresses of the blob's instructions in it.
#[derive(Debug)]
pub struct Places {
    addresses: Addresses,
    /// The addresses of all instructions of the blob.
    kept: BTreeSet<u64>,
    /// The addresses at which a source line starts.
    lines: BTreeSet<u64>,
    /// The ranges of the functions.
    functions: Vec<Range<u64>>,
    /// Code and read-only data.
    read_only: Vec<(u64, Vec<u8>)>,
}

impl Places {
    /// Reads the ELF file of a build for a debugger.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or its debug information.
    pub fn read(elf: &Path, addresses: Addresses) -> Result<Self> {
        let bytes = std::fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
        let file = object::File::parse(&*bytes).context("not an ELF file")?;
        let mut functions = Vec::new();
        let mut read_only = Vec::new();
        for section in file.sections() {
            let range = section.address()..section.address() + section.size();
            if section.kind() == SectionKind::Text {
                functions.push(range.clone());
            }
            if is_read_only(&section) {
                read_only.push((range.start, section.data()?.to_vec()));
            }
        }
        Ok(Self {
            kept: addresses
                .iter()
                .map(|(_, address)| address + IMAGE_BASE)
                .collect(),
            lines: line_starts(&file).context("the debug information cannot be read")?,
            addresses,
            functions,
            read_only,
        })
    }

    /// The ELF address of an instruction.
    pub fn address(&self, program_counter: u32) -> u64 {
        self.addresses.get(program_counter).unwrap_or(0) + IMAGE_BASE
    }

    /// The place that an instruction stands for: its own address, or that of removed instructions
    /// right before it.
    pub fn place(&self, program_counter: u32, breakpoints: &BTreeSet<u64>) -> u64 {
        let address = self.address(program_counter);
        let range = self.removed_before(address);
        let last = |of: &BTreeSet<u64>| of.range(range).next_back().copied();
        last(breakpoints)
            .or_else(|| last(&self.lines))
            .unwrap_or(address)
    }

    /// An address, and the removed instructions right before it in the same function.
    fn removed_before(&self, address: u64) -> (Bound<u64>, Bound<u64>) {
        let end = Bound::Included(address);
        let functions = self.functions.iter();
        let mut function = functions.filter(|function| function.contains(&address));
        let Some(function) = function.next() else {
            return (Bound::Included(address), end);
        };
        let before = self.kept.range(function.start..address).next_back();
        let start = before.map_or(Bound::Included(function.start), |kept| {
            Bound::Excluded(*kept)
        });
        (start, end)
    }

    /// The ELF address to which a call returns: that of the next instruction of the compiler's.
    pub fn after_call(&self, call: &CallSite) -> u64 {
        let address = self.address(call.caller);
        address + self.length_of_call(address)
    }

    /// The length of the instructions that call.
    fn length_of_call(&self, address: u64) -> u64 {
        let mut first = [0];
        self.read_elf(address, &mut first);
        match first[0] {
            first if first & LENGTH_BITS != LENGTH_BITS => 2,
            first if first & 0x7f == AUIPC => 8,
            _ => 4,
        }
    }

    /// Reads code and read-only data of the ELF file. Returns how many bytes it has read.
    pub fn read_elf(&self, address: u64, buffer: &mut [u8]) -> usize {
        for (start, bytes) in &self.read_only {
            let offset = address.checked_sub(*start);
            let offset = offset.and_then(|offset| usize::try_from(offset).ok());
            let found = offset.and_then(|offset| bytes.get(offset..));
            if let Some(found) = found.filter(|found| !found.is_empty()) {
                let length = found.len().min(buffer.len());
                buffer[..length].copy_from_slice(&found[..length]);
                return length;
            }
        }
        0
    }
}

/// Whether a section is in memory and never changes.
fn is_read_only<'a>(section: &impl ObjectSection<'a>) -> bool {
    let SectionFlags::Elf { sh_flags } = section.flags() else {
        return false;
    };
    sh_flags & u64::from(object::elf::SHF_ALLOC | object::elf::SHF_WRITE)
        == u64::from(object::elf::SHF_ALLOC)
}

/// The addresses at which a line of the source starts.
fn line_starts(file: &object::File<'_>) -> Result<BTreeSet<u64>> {
    let load = |id: gimli::SectionId| -> Result<EndianSlice<'_, LittleEndian>, gimli::Error> {
        let section = file.section_by_name(id.name());
        let data = section.and_then(|section| section.data().ok());
        Ok(EndianSlice::new(data.unwrap_or_default(), LittleEndian))
    };
    let dwarf = gimli::Dwarf::load(load)?;
    let mut starts = BTreeSet::new();
    let mut units = dwarf.units();
    while let Some(header) = units.next()? {
        let unit = dwarf.unit(header)?;
        let Some(program) = unit.line_program.clone() else {
            continue;
        };
        let mut rows = program.rows();
        while let Some((_, row)) = rows.next_row()? {
            if row.is_stmt() && !row.end_sequence() && row.line().is_some() {
                starts.insert(row.address());
            }
        }
    }
    Ok(starts)
}
