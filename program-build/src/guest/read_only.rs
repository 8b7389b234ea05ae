//! Finds read-only data that PolkaVM's linker would read too early.
//!
//! The linker replaces a load from a read-only section at a constant address by the bytes that the
//! ELF file has there. It does so also where a relocation changes these bytes later, such as those
//! of a jump table: the program then works with offsets of the ELF file (docs/decisions/0019).
//! Guests are compiled so that they have no such section. This module checks it.

use std::fmt;

use anyhow::{Context, Result};
use object::elf::{SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE};
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionFlags};

/// Sections that the linker itself reads, and from which no instruction loads.
const METADATA: [&str; 2] = [".polkavm_exports", ".polkavm_metadata"];

/// Bytes of a read-only section that a relocation changes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Relocated {
    /// The section's name.
    section: String,
    /// The address of the bytes in the ELF file.
    address: u64,
    /// The function that the relocation refers to, if it refers to one.
    function: Option<String>,
}

impl fmt::Display for Relocated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            section,
            address,
            function,
        } = self;
        write!(formatter, "`{section}` at {address:#x}")?;
        match function {
            Some(function) => write!(formatter, " (an address in `{function}`)"),
            None => Ok(()),
        }
    }
}

/// Returns the first relocated bytes of the read-only sections, or `None` if there are none.
///
/// # Errors
///
/// If the bytes are not an object file.
pub(super) fn find_relocated(elf: &[u8]) -> Result<Option<Relocated>> {
    let file = object::File::parse(elf).context("not an ELF file")?;
    for section in file.sections().filter(is_read_only_data) {
        let name = section.name()?;
        if METADATA.contains(&name) {
            continue;
        }
        if let Some((offset, relocation)) = section.relocations().next() {
            return Ok(Some(Relocated {
                section: name.to_owned(),
                // In a linked file the offset is an address already.
                address: offset,
                function: function_of(&file, relocation.target()),
            }));
        }
    }
    Ok(None)
}

fn is_read_only_data<'a>(section: &impl ObjectSection<'a>) -> bool {
    let SectionFlags::Elf { sh_flags } = section.flags() else {
        return false;
    };
    sh_flags & u64::from(SHF_ALLOC | SHF_WRITE | SHF_EXECINSTR) == u64::from(SHF_ALLOC)
}

/// Returns the function that a relocation's target is in.
fn function_of(file: &object::File<'_>, target: RelocationTarget) -> Option<String> {
    let RelocationTarget::Symbol(index) = target else {
        return None;
    };
    let address = file.symbol_by_index(index).ok()?.address();
    let name = file
        .symbols()
        // The compiler's labels begin with a point, and mean nothing to an author.
        .filter(|symbol| symbol.kind() == object::SymbolKind::Text)
        // Assembly may give a function any size, or none.
        .filter(|symbol| {
            let offset = address.checked_sub(symbol.address());
            offset.is_some_and(|offset| offset < symbol.size().max(1))
        })
        .find_map(|symbol| symbol.name().ok().map(str::to_owned))?;
    Some(format!("{:#}", rustc_demangle::demangle(&name)))
}
