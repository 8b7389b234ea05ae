//! The source lines of a blob's instructions.
//!
//! An instruction of the blob has an address in the ELF file that the blob is made of, and the
//! debug information there has the functions at this address: the compiled one, and those that are
//! inlined into it, each with a line.

use std::collections::BTreeMap;

use addr2line::gimli::{self, EndianSlice, LittleEndian};
use anyhow::{Context as _, Result};
use loader::coverage::{CodeInstruction, Counts, instructions};
use object::{Object, ObjectSection};
use program_build::guest::MappedBuild;

type Dwarf<'a> = addr2line::Context<EndianSlice<'a, LittleEndian>>;

/// An instruction, with the functions that it is in.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The instruction.
    pub code: CodeInstruction,
    /// Its address in the ELF file; `None` if PolkaVM's linker has added it.
    pub address: Option<u64>,
    /// How often it ran.
    pub times: u64,
    /// How often it jumped, if it is a conditional branch.
    pub taken: u64,
    /// The functions, from the compiled one inwards; none if they are unknown.
    pub chain: Vec<Frame>,
}

/// A function that an instruction is in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Frame {
    /// The compiler's name of the function, which differs for each instance of a generic one.
    pub symbol: String,
    /// The place in the function; `None` if the compiler has merged code of several places.
    pub place: Option<Place>,
}

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file, by its name in the debug information.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1; 0 if it is unknown.
    pub column: u32,
}

/// The instructions of a blob by their offsets, with what was counted of them.
///
/// # Errors
///
/// If the blob or its debug information cannot be read.
pub fn placed(build: &MappedBuild, counts: &Counts) -> Result<BTreeMap<u32, Placed>> {
    let file = object::File::parse(&*build.elf).context("not an ELF file")?;
    let load = |id: gimli::SectionId| -> Result<EndianSlice<'_, LittleEndian>, gimli::Error> {
        let section = file.section_by_name(id.name());
        let data = section.and_then(|section| section.data().ok());
        Ok(EndianSlice::new(data.unwrap_or_default(), LittleEndian))
    };
    let dwarf = Dwarf::from_dwarf(gimli::Dwarf::load(load)?)?;
    let addresses: BTreeMap<u32, u64> = build.addresses.iter().collect();
    let mut placed = BTreeMap::new();
    for code in instructions(&build.blob)? {
        let address = addresses.get(&code.offset).copied();
        let count = counts.executed.get(&code.offset);
        let count = count.copied().unwrap_or_default();
        placed.insert(
            code.offset,
            Placed {
                code,
                address,
                times: count.times,
                taken: count.taken,
                chain: address
                    .and_then(|address| chain(&dwarf, address))
                    .unwrap_or_default(),
            },
        );
    }
    Ok(placed)
}

/// The functions at an address, from the compiled one inwards.
fn chain(dwarf: &Dwarf<'_>, address: u64) -> Option<Vec<Frame>> {
    let mut found = dwarf.find_frames(address).skip_all_loads().ok()?;
    let mut chain = Vec::new();
    while let Ok(Some(frame)) = found.next() {
        let symbol = frame
            .function
            .and_then(|function| Some(function.raw_name().ok()?.into_owned()));
        let place = frame.location.and_then(|location| {
            Some(Place {
                file: location.file?.to_owned(),
                line: location.line.filter(|line| *line > 0)?,
                column: location.column.unwrap_or(0),
            })
        });
        chain.push(Frame {
            symbol: symbol.unwrap_or_default(),
            place,
        });
    }
    chain.reverse();
    (!chain.is_empty()).then_some(chain)
}
