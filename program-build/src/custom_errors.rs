//! The names and texts of a program's custom errors, in its file: see [`abi::error_names`].

use abi::error_names::{self, NOTE_OWNER, NOTE_SECTION, NOTE_TYPE, SECTION};
use loader::inspect::SectionKind;
use loader::{Engine, Limits, Loader, Target};
use object::LittleEndian;
use object::elf::FileHeader64;
use object::read::elf::{FileHeader, SectionHeader};
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
