//! The parts of a blob that its program does not read: the [contract](abi::contract), and the
//! [names of errors](abi::error_names). PolkaVM's linker keeps none of their sections.

use abi::{contract, error_names};
use anyhow::{Context, Result};
use object::elf::FileHeader64;
use object::read::archive::ArchiveFile;
use object::read::elf::ElfFile;
use object::{LittleEndian, Object, ObjectSection};

use crate::guest::DebugInfo;

/// Returns the blob of a static library with the library's records. A stripped blob has no names of
/// errors.
///
/// # Errors
///
/// If the library is not an archive of ELF files, or the blob is not as PolkaVM's linker writes it.
pub(crate) fn attach(blob: Vec<u8>, library: &[u8], debug_info: DebugInfo) -> Result<Vec<u8>> {
    let contract = of_archive(library, contract::SECTION)?;
    let blob = append(blob, contract::BLOB_SECTION, &contract)?;
    let names = of_archive(library, error_names::SECTION)?;
    if debug_info == DebugInfo::Strip || names.is_empty() {
        return Ok(blob);
    }
    let content = [error_names::SECTION.as_bytes(), &names].concat();
    append(blob, error_names::BLOB_SECTION, &content)
}

/// Returns the sections of a name in a static library, one after the other.
fn of_archive(library: &[u8], name: &str) -> Result<Vec<u8>> {
    let archive = ArchiveFile::parse(library).context("the compiler wrote no archive")?;
    let mut records = Vec::new();
    for member in archive.members() {
        let data = member?.data(library)?;
        // A member may be metadata of the compiler's.
        let Ok(file) = ElfFile::<FileHeader64<LittleEndian>>::parse(data) else {
            continue;
        };
        for section in file.sections() {
            if section.name() == Ok(name) {
                records.extend(section.data()?);
            }
        }
    }
    Ok(records)
}

/// Returns the blob with a section of this number, if there is any content.
fn append(mut blob: Vec<u8>, number: u8, content: &[u8]) -> Result<Vec<u8>> {
    if content.is_empty() {
        return Ok(blob);
    }
    // The sections end in a zero byte, and the length of the file is after magic and version.
    blob.pop_if(|end| *end == 0)
        .context("the blob has no end")?;
    let length = u32::try_from(content.len()).context("too many names of errors")?;
    let mut varint = [0; polkavm_common::varint::MAX_VARINT_LENGTH];
    let width = polkavm_common::varint::write_varint(length, &mut varint);
    blob.push(number);
    blob.extend(&varint[..width]);
    blob.extend(content);
    blob.push(0);
    let whole = (blob.len() as u64).to_le_bytes();
    blob.get_mut(5..13)
        .context("the blob has no length")?
        .copy_from_slice(&whole);
    Ok(blob)
}
