//! The names and texts of a program's custom errors, in its file: see [`abi::error_names`].

use abi::error_names::{self, BLOB_SECTION, NOTE_OWNER, NOTE_SECTION, NOTE_TYPE, SECTION};
use anyhow::{Context, Result};
use loader::inspect::SectionKind;
use loader::{Engine, Limits, Loader, Target};
use object::elf::FileHeader64;
use object::read::archive::ArchiveFile;
use object::read::elf::{ElfFile, FileHeader, SectionHeader};
use object::{LittleEndian, Object, ObjectSection};
use wasmparser::{Parser, Payload};

pub use loader::CustomError;

/// The custom errors of a program, in the order of their codes.
///
/// A program's file has them if its author derives `ProgramError` for an enum, and the build keeps
/// debug information. A file without them, or with damaged ones, has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomErrors(Vec<CustomError>);

impl CustomErrors {
    /// The errors of the system program, which has no file.
    ///
    /// ```
    /// use program_build::custom_errors::CustomErrors;
    ///
    /// let text = CustomErrors::of_system_program().describe(0).expect("a name");
    /// assert_eq!(text, "SystemError::AccountAlreadyInUse, \"the account is in use already\"");
    /// ```
    #[must_use]
    pub fn of_system_program() -> Self {
        Self(CustomError::of_system_program())
    }

    /// Reads the errors of a program's file: a blob, a WebAssembly module or a native library.
    #[must_use]
    pub fn of(file: &[u8]) -> Self {
        let records = match Target::of(file) {
            Some(Target::Riscv64) => of_blob(file),
            Some(Target::Wasm32) => of_module(file),
            Some(Target::Native) => of_library(file),
            None => None,
        };
        Self::from_records(&records.unwrap_or_default())
    }

    fn from_records(records: &[u8]) -> Self {
        let mut errors: Vec<CustomError> = error_names::records(records)
            .map(|error| CustomError {
                code: error.code,
                name: error.name.to_owned(),
                text: error.text.to_owned(),
            })
            .collect();
        errors.sort();
        errors.dedup();
        Self(errors)
    }

    /// The errors, in the order of their codes.
    #[must_use]
    pub fn all(&self) -> &[CustomError] {
        &self.0
    }

    /// What the errors with this code are called, for people: name and text. `None` if the program
    /// names none.
    ///
    /// Two enums of a program may use one code. Then it is one of several errors.
    #[must_use]
    pub fn describe(&self, code: u32) -> Option<String> {
        let names = self.0.iter().filter(|error| error.code == code);
        let names: Vec<String> = names.map(CustomError::to_string).collect();
        (!names.is_empty()).then(|| names.join(" or "))
    }
}

fn of_blob(blob: &[u8]) -> Option<Vec<u8>> {
    let limits = Limits::default().blob(usize::MAX);
    let loader = Loader::new(Engine::Interpreter).ok()?.limits(limits);
    let inspection = loader.inspect(blob).ok()?;
    let mut sections = inspection.sections.iter();
    let section = sections.find(|section| section.kind == SectionKind::ErrorNames)?;
    let end = usize::try_from(section.offset + section.length).ok()?;
    let start = end.checked_sub(usize::try_from(section.content).ok()?)?;
    let content = blob.get(start..end)?.strip_prefix(SECTION.as_bytes())?;
    Some(content.to_vec())
}

fn of_module(module: &[u8]) -> Option<Vec<u8>> {
    let mut records = Vec::new();
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CustomSection(section) = payload.ok()?
            && section.name() == SECTION
        {
            records.extend(section.data());
        }
    }
    Some(records)
}

fn of_library(library: &[u8]) -> Option<Vec<u8>> {
    let header = FileHeader64::<LittleEndian>::parse(library).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, library).ok()?;
    let mut records = Vec::new();
    for section in sections.iter() {
        if sections.section_name(endian, section).ok()? != NOTE_SECTION.as_bytes() {
            continue;
        }
        let mut notes = section.notes(endian, library).ok()??;
        while let Some(note) = notes.next().ok()? {
            // The reader removes the zero byte at the end of an owner.
            let owner = NOTE_OWNER.strip_suffix(b"\0").unwrap_or(NOTE_OWNER);
            if note.name() == owner && note.n_type(endian) == NOTE_TYPE {
                records.extend(note.desc());
            }
        }
    }
    Some(records)
}

/// Returns the records in a static library for a blob, of which the linker keeps none.
///
/// # Errors
///
/// If the library is not an archive of ELF files.
pub(crate) fn records_of_archive(library: &[u8]) -> Result<Vec<u8>> {
    let archive = ArchiveFile::parse(library).context("the compiler wrote no archive")?;
    let mut records = Vec::new();
    for member in archive.members() {
        let data = member?.data(library)?;
        // A member may be metadata of the compiler's.
        let Ok(file) = ElfFile::<FileHeader64<LittleEndian>>::parse(data) else {
            continue;
        };
        for section in file.sections() {
            if section.name() == Ok(SECTION) {
                records.extend(section.data()?);
            }
        }
    }
    Ok(records)
}

/// Returns the blob with these records, if there are any.
///
/// # Errors
///
/// If the blob is not as PolkaVM's linker writes it.
pub(crate) fn append(mut blob: Vec<u8>, records: &[u8]) -> Result<Vec<u8>> {
    if records.is_empty() {
        return Ok(blob);
    }
    // The sections end in a zero byte, and the length of the file is after magic and version.
    blob.pop_if(|end| *end == 0)
        .context("the blob has no end")?;
    let content = [SECTION.as_bytes(), records].concat();
    let length = u32::try_from(content.len()).context("too many names of errors")?;
    let mut varint = [0; polkavm_common::varint::MAX_VARINT_LENGTH];
    let width = polkavm_common::varint::write_varint(length, &mut varint);
    blob.push(BLOB_SECTION);
    blob.extend(&varint[..width]);
    blob.extend(content);
    blob.push(0);
    let whole = (blob.len() as u64).to_le_bytes();
    blob.get_mut(5..13)
        .context("the blob has no length")?
        .copy_from_slice(&whole);
    Ok(blob)
}
