//! Keeps the inlined functions, and whole names, in a blob's debug information.
//!
//! PolkaVM's linker keeps all functions that are inlined into a function directly. Of those that
//! are inlined into an inlined function it keeps only the first, so most instructions lose the
//! functions that they are in. The linker orders inlined functions by their addresses, so it needs
//! no tree. This module makes a list of the tree in the ELF file's debug information: each inlined
//! function becomes an entry of the compiled function.
//!
//! In DWARF, whether an entry has children is written in the table of abbreviations, and a zero
//! byte ends the children. So an inlined function loses its children if its abbreviation says so,
//! and the zero byte becomes an empty entry.
//!
//! Of an inlined function's name the linker keeps the last part, such as `fmt`. So a function's
//! symbol takes the place of its name: in the table of abbreviations the two change their places.
//! The symbol has the whole path, and the loader reads it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use gimli::constants::{
    DW_AT_linkage_name, DW_AT_name, DW_CHILDREN_no, DW_FORM_implicit_const,
    DW_TAG_inlined_subroutine, DW_TAG_lexical_block, DW_TAG_subprogram,
};
use gimli::{DebugAbbrev, DebugInfo, EndianSlice, Format, LittleEndian, Reader, UnitHeader};
use object::endian::Endianness;
use object::read::elf::{ElfFile64, FileHeader};
use object::{Object, ObjectSection};

type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// Returns the ELF file with every inlined function as an entry of the compiled function.
///
/// # Errors
///
/// If the debug information cannot be read.
pub(super) fn flatten(elf: &[u8]) -> Result<Vec<u8>> {
    let file = ElfFile64::<Endianness>::parse(elf).context("not an ELF file")?;
    let section = |name: &str| -> Result<(usize, &[u8], usize)> {
        let section = file
            .section_by_name(name)
            .with_context(|| format!("the ELF file has no `{name}`"))?;
        let (start, _) = section.file_range().context("a section without bytes")?;
        Ok((usize::try_from(start)?, section.data()?, section.index().0))
    };
    let (info_start, info, _) = section(".debug_info")?;
    let (_, abbreviations, abbreviations_index) = section(".debug_abbrev")?;

    let mut flat = elf.to_vec();
    let mut tables = Tables {
        old: abbreviations,
        new: Vec::new(),
        known: BTreeMap::new(),
    };
    let mut units = DebugInfo::new(info, LittleEndian).units();
    while let Some(unit) = units.next()? {
        let start = info_start + unit.offset().as_debug_info_offset().context("a unit")?.0;
        let (table, empty) = tables.flat(unit.debug_abbrev_offset().0)?;
        let place = start + abbreviation_offset_in(&unit)?;
        write(&mut flat, place, &u32::try_from(table)?.to_le_bytes())?;
        for end in ends_of_inlined(&unit, abbreviations)? {
            write(&mut flat, start + end, &[empty])?;
        }
    }

    // The table has grown, so it moves to the end of the file.
    let headers = file.elf_header().e_shoff(Endianness::Little);
    let header_size = file.elf_header().e_shentsize(Endianness::Little);
    let header = usize::try_from(headers)? + abbreviations_index * usize::from(header_size);
    let moved = u64::try_from(flat.len())?;
    flat.extend(&tables.new);
    write(&mut flat, header + OFFSET_IN_HEADER, &moved.to_le_bytes())?;
    let size = u64::try_from(tables.new.len())?;
    write(&mut flat, header + SIZE_IN_HEADER, &size.to_le_bytes())?;
    Ok(flat)
}

/// Where an ELF section header has the section's offset in the file.
const OFFSET_IN_HEADER: usize = 0x18;

/// Where an ELF section header has the section's length.
const SIZE_IN_HEADER: usize = 0x20;

fn write(bytes: &mut [u8], start: usize, new: &[u8]) -> Result<()> {
    let place = bytes.get_mut(start..start + new.len());
    place.context("outside of the file")?.copy_from_slice(new);
    Ok(())
}

/// Where a unit's header has the offset of its table of abbreviations.
fn abbreviation_offset_in(unit: &UnitHeader<Slice<'_>>) -> Result<usize> {
    match (unit.format(), unit.version()) {
        // After the length and the version.
        (Format::Dwarf32, 2..=4) => Ok(6),
        // After these, the kind of unit and the size of an address.
        (Format::Dwarf32, 5) => Ok(8),
        (format, version) => bail!("DWARF {version} of the format {format:?}"),
    }
}

/// The offsets in a unit of the zero bytes that end the children of inlined functions.
fn ends_of_inlined(unit: &UnitHeader<Slice<'_>>, abbreviations: &[u8]) -> Result<Vec<usize>> {
    let abbreviations = unit.abbreviations(&DebugAbbrev::new(abbreviations, LittleEndian))?;
    let mut entries = unit.entries_raw(&abbreviations, None)?;
    let mut ends = Vec::new();
    // For each entry around the next one, whether it is an inlined function.
    let mut around = Vec::new();
    while !entries.is_empty() {
        let offset = entries.next_offset().0;
        match entries.read_abbreviation()? {
            Some(abbreviation) => {
                if abbreviation.has_children() {
                    around.push(abbreviation.tag() == DW_TAG_inlined_subroutine);
                }
                entries.skip_attributes(abbreviation.attributes())?;
            }
            None if around.pop() == Some(true) => ends.push(offset),
            None => {}
        }
    }
    Ok(ends)
}

/// The tables of abbreviations, rewritten.
struct Tables<'a> {
    old: &'a [u8],
    new: Vec<u8>,
    /// The rewritten tables, by the offset of the old one: the offset, and the empty entry.
    known: BTreeMap<usize, (usize, u8)>,
}

impl Tables<'_> {
    /// The offset of the rewritten table, in which inlined functions have no children, and its
    /// abbreviation of an empty entry.
    fn flat(&mut self, offset: usize) -> Result<(usize, u8)> {
        if let Some(known) = self.known.get(&offset) {
            return Ok(*known);
        }
        let old = self
            .old
            .get(offset..)
            .context("no table of abbreviations")?;
        let start = self.new.len();
        let mut rest = EndianSlice::new(old, LittleEndian);
        let mut codes = Vec::new();
        loop {
            let entry = rest;
            let code = rest.read_uleb128()?;
            if code == 0 {
                break;
            }
            codes.push(code);
            let tag = rest.read_uleb128()?;
            let children = rest.offset_from(entry);
            let _ = rest.read_u8()?;
            let mut names = Vec::new();
            loop {
                let start = rest.offset_from(entry);
                match read_attribute(&mut rest)? {
                    END_OF_ATTRIBUTES => break,
                    (name, _) if NAMES.contains(&name) => names.push(start),
                    _ => {}
                }
            }
            let mut entry = entry.slice()[..rest.offset_from(entry)].to_vec();
            if let ([one, other], true) = (&names[..], tag == u64::from(DW_TAG_subprogram.0)) {
                entry.swap(*one, *other);
            }
            if tag == u64::from(DW_TAG_inlined_subroutine.0) {
                entry[children] = DW_CHILDREN_no.0;
            }
            self.new.extend(entry);
        }
        // A code of one byte, as long as the zero that it replaces.
        let empty = (1..0x80).find(|code| !codes.contains(&u64::from(*code)));
        let empty = empty.context("a table without a free code")?;
        let tag = u8::try_from(DW_TAG_lexical_block.0)?;
        // Two zeroes end its attributes, one the table.
        self.new.extend([empty, tag, DW_CHILDREN_no.0, 0, 0, 0]);
        self.known.insert(offset, (start, empty));
        Ok((start, empty))
    }
}

/// The attributes with the two names of a function. The codes have one byte each.
const NAMES: [u64; 2] = [DW_AT_name.0 as u64, DW_AT_linkage_name.0 as u64];

const END_OF_ATTRIBUTES: (u64, u64) = (0, 0);

/// Reads the name and the form of an attribute of an abbreviation.
fn read_attribute(table: &mut Slice<'_>) -> Result<(u64, u64)> {
    let (name, form) = (table.read_uleb128()?, table.read_uleb128()?);
    if form == u64::from(DW_FORM_implicit_const.0) {
        let _ = table.read_sleb128()?;
    }
    Ok((name, form))
}
