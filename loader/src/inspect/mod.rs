//! What is in a blob, and what its program needs of the loader.
//!
//! Everything here is read from the blob's bytes; nothing is run. All lengths are in bytes, all
//! addresses are the guest's, and a program counter is an offset in the blob's code.
//!
//! ```
//! use loader::inspect::SectionKind;
//! use loader::{Engine, LoadError, Loader};
//!
//! // The header with the length of it all, a section of code with three traps, the end.
//! let blob = b"PVM\0\x02\x15\0\0\0\0\0\0\0\x06\x05\0\0\0\0\0\0";
//! let inspection = Loader::new(Engine::Interpreter)?.inspect(blob)?;
//!
//! assert_eq!(inspection.instruction_set, "latest64");
//! assert_eq!(inspection.code.instructions, 3);
//! assert_eq!(inspection.code.mnemonics[0].name, "trap");
//! assert!(inspection.sections.iter().any(|section| section.kind == SectionKind::Code));
//! let all: u64 = inspection.sections.iter().map(|section| section.length).sum();
//! assert_eq!(all, inspection.file_length);
//!
//! // This blob is no program, which is no reason not to look into it.
//! assert!(matches!(inspection.refusals[..], [LoadError::MissingEntrypoint { .. }]));
//! # Ok::<(), LoadError>(())
//! ```
//!
//! # Functions
//!
//! A blob says where its functions are only in its debug information, which `cargo entrypoint build
//! --release` leaves out. Without it the code is cut where it is certain that functions start, and
//! [`Functions::source`] says so.
//!
//! # Hostile blobs
//!
//! Any bytes get an answer or an error. Names are cut after [`MAX_NAME_LENGTH`] bytes; they are the
//! blob's, so they may hold characters that a terminal obeys.

mod code;
mod functions;
mod memory;
mod sections;

use abi::heap::MIN_HEAP_LENGTH;
use abi::imports::Import;
use polkavm::ProgramBlob;

pub use code::{Code, MnemonicUse};
pub use functions::{Function, FunctionSource, Functions};
pub use memory::{DataSizes, MemoryMap, Region, RegionKind};
pub use sections::{Section, SectionKind};

use crate::backend::polkavm::{PolkaVm, parse, validate};
use crate::error::LoadError;
use crate::limits::Limits;
use crate::program::Loader;

/// The longest name, in bytes, that is taken over from a blob. A longer one is cut, and ends in
/// `…`.
pub const MAX_NAME_LENGTH: usize = 1_024;

/// What is in a blob: see [`Loader::inspect`](crate::Loader::inspect).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Inspection {
    /// Length of the blob in bytes.
    pub file_length: u64,
    /// Its length without debug information, in bytes: that of the blob that `cargo entrypoint
    /// build --release` makes.
    pub stripped_length: u64,
    /// The VM's name for the instruction set.
    pub instruction_set: &'static str,
    /// Whether the program is one for a machine with 64 bits.
    pub is_64_bit: bool,
    /// The parts of the file, in its order and without gaps: their lengths add up to the file's.
    pub sections: Vec<Section>,
    /// How much of each kind of data the program declares.
    pub data: DataSizes,
    /// Where everything will be in the program's memory; `None` if it does not fit into any.
    pub memory: Option<MemoryMap>,
    /// What the program exports, in the blob's order.
    pub exports: Vec<Export>,
    /// What the program imports, in the order of the imports' numbers.
    pub imports: Vec<ImportUse>,
    /// The code, counted.
    pub code: Code,
    /// The code by functions.
    pub functions: Functions,
    /// What the program needs of the loader.
    pub requirements: Requirements,
    /// Why this loader refuses the blob, rule by rule; empty if it does not.
    #[cfg_attr(feature = "serde", serde(serialize_with = "refusals_as_data"))]
    pub refusals: Vec<LoadError>,
}

impl Loader {
    /// Parses a blob and reports everything that is known of it without running it.
    ///
    /// Unlike [`load`](Self::load) this accepts a blob that the loader rejects, and names every
    /// rule that it breaks: see [`Inspection::refusals`].
    ///
    /// # Errors
    ///
    /// [`LoadError::NotOnThisEngine`] if the loader's engine is not PolkaVM's,
    /// [`LoadError::BlobTooLong`] if the file is longer than the limit, [`LoadError::WrongTarget`]
    /// if it is a program for another target, [`LoadError::InvalidBlob`] if it is not a blob.
    pub fn inspect(&self, blob: &[u8]) -> Result<Inspection, LoadError> {
        let vm = self
            .backend_of::<PolkaVm>()
            .ok_or(LoadError::NotOnThisEngine {
                what: "inspections",
                engine: self.engine(),
            })?;
        self.check_file(blob)?;
        let parsed = parse(blob)?;
        let limits = self.current_limits();
        let refusals = vm.refusals(&parsed, limits);
        Ok(Inspection::new(blob, &parsed, limits, refusals))
    }
}

impl Inspection {
    fn new(bytes: &[u8], blob: &ProgramBlob, limits: &Limits, refusals: Vec<LoadError>) -> Self {
        let sections = sections::read(bytes);
        let stripped_length = sections
            .iter()
            .filter(|section| !section.kind.is_debug())
            .map(|section| section.length)
            .sum();
        let code_section = sections
            .iter()
            .find(|section| section.kind == SectionKind::Code);
        let stats = code::count(blob, code_section.map_or(0, |section| section.content));
        let functions = functions::find(bytes, blob, &stats.called);
        let memory = MemoryMap::of(blob);
        Self {
            file_length: bytes.len() as u64,
            stripped_length,
            instruction_set: blob.isa().name(),
            is_64_bit: blob.is_64_bit(),
            sections,
            data: DataSizes::of(blob),
            exports: exports(blob),
            imports: imports(blob, &stats.import_calls),
            code: stats.code,
            functions,
            requirements: Requirements {
                least_heap: MIN_HEAP_LENGTH,
                has_heap_header: validate::has_heap_header(blob),
                stack: blob.stack_size(),
                least_memory: memory.as_ref().map(|memory| memory.mapped),
                limits: limited(blob, limits),
            },
            memory,
            refusals,
        }
    }

    /// Whether this loader takes the blob.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.refusals.is_empty()
    }
}

/// Something that a program exports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Export {
    /// Its name.
    pub symbol: String,
    /// Where it starts.
    pub program_counter: u32,
}

/// Something that a program imports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ImportUse {
    /// Its name; `?` if the blob gives its number and no name.
    pub symbol: String,
    /// The parameters and the answer of the loader's import of this name, as Rust writes them;
    /// `None` if the loader offers no such import.
    pub signature: Option<String>,
    /// Number of instructions that call it.
    pub call_sites: u32,
}

/// What a program needs of the loader, as far as its blob says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Requirements {
    /// The least heap, in bytes, with which a program is called. Whether it is enough the blob does
    /// not say.
    pub least_heap: u32,
    /// Whether the heap keeps the header that says how much of it was used: the program exports
    /// [`entrypoint_heap_bump`](abi::heap::BUMP_HEAP_EXPORT).
    pub has_heap_header: bool,
    /// Stack in bytes.
    pub stack: u32,
    /// What the VM maps for the program with the least heap, no accounts and no instruction data,
    /// in bytes and whole pages; `None` if that does not fit into its memory.
    pub least_memory: Option<u64>,
    /// What the loader bounds.
    pub limits: Vec<LimitUse>,
}

/// How much of one of the loader's [`Limits`] a program takes. Both figures are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LimitUse {
    /// `code`, `data` or `stack`, as in [`LoadError::MemoryTooLarge`].
    pub what: &'static str,
    /// What the program takes.
    pub size: u64,
    /// The loader's limit.
    pub limit: u32,
}

impl LimitUse {
    /// Whether the program takes more than the loader gives.
    #[must_use]
    pub fn is_exceeded(&self) -> bool {
        self.size > self.limit.into()
    }

    /// Whether the program takes three quarters of the limit or more, and no more than all of it.
    #[must_use]
    pub fn is_near(&self) -> bool {
        !self.is_exceeded() && self.size * 4 >= u64::from(self.limit) * 3
    }
}

fn limited(blob: &ProgramBlob, limits: &Limits) -> Vec<LimitUse> {
    validate::bounded(blob, limits)
        .into_iter()
        .map(|(what, size, limit)| LimitUse { what, size, limit })
        .collect()
}

fn exports(blob: &ProgramBlob) -> Vec<Export> {
    blob.exports()
        .map(|export| Export {
            symbol: name(export.symbol().as_bytes()),
            program_counter: export.program_counter().0,
        })
        .collect()
}

fn imports(blob: &ProgramBlob, calls: &[u32]) -> Vec<ImportUse> {
    validate::imports(blob)
        .zip(calls)
        .map(|((symbol, import), call_sites)| ImportUse {
            symbol: name(symbol),
            signature: import.map(signature),
            call_sites: *call_sites,
        })
        .collect()
}

fn signature(import: Import) -> String {
    let parameters: Vec<String> = import
        .parameters()
        .iter()
        // The compiler writes pointers with a space that nobody else does.
        .map(|(name, kind)| format!("{name}: {}", kind.replace("* ", "*")))
        .collect();
    let parameters = parameters.join(", ");
    match import.return_type() {
        "()" => format!("({parameters})"),
        type_ => format!("({parameters}) -> {type_}"),
    }
}

/// A name of the blob's, of a length that is no harm: many names may share the same bytes.
fn name(bytes: &[u8]) -> String {
    if bytes.len() <= MAX_NAME_LENGTH {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut name = String::from_utf8_lossy(&bytes[..MAX_NAME_LENGTH]).into_owned();
    name.push('…');
    name
}

#[cfg(feature = "serde")]
fn refusals_as_data<S: serde::Serializer>(
    refusals: &[LoadError],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(serde::Serialize)]
    struct Refusal {
        kind: &'static str,
        description: String,
    }
    serializer.collect_seq(refusals.iter().map(|refusal| Refusal {
        kind: refusal.kind(),
        description: refusal.to_string(),
    }))
}
