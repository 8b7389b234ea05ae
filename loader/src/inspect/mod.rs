//! The contents of a blob, and the needs of its program.
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
//! // This blob is not a program, and can be looked into all the same.
//! assert!(matches!(inspection.refusals[..], [LoadError::MissingEntrypoint { .. }]));
//! # Ok::<(), LoadError>(())
//! ```
//!
//! # Functions
//!
//! Only debug information has the positions of functions, and `cargo entrypoint build --release`
//! leaves it out. Without it the code is cut where functions certainly start, and
//! [`Functions::source`] reports that.
//!
//! # Hostile blobs
//!
//! Any bytes give an inspection or an error. Names are cut after [`MAX_NAME_LENGTH`] bytes. They
//! come from the blob, so they may contain control characters of a terminal.

mod code;
mod functions;
mod memory;
pub(crate) mod sections;

use abi::contract::Contract;
use abi::heap::MIN_HEAP_LENGTH;
use abi::imports::Import;
use polkavm::ProgramBlob;

pub use code::{Code, MnemonicUse};
pub use functions::{Function, FunctionSource, Functions};
pub use memory::{DataSizes, MemoryMap, Region, RegionKind};
pub use sections::{Section, SectionKind};

use crate::backend::polkavm::{PolkaVm, parse, validate};
use crate::contract;
use crate::deploy::{self, NotDeployable};
use crate::error::LoadError;
use crate::limits::Limits;
use crate::program::Loader;

/// The longest name, in bytes, that an inspection copies from a blob. A longer name is cut, and
/// ends in `…`.
pub const MAX_NAME_LENGTH: usize = 1_024;

/// The contents of a blob: see [`Loader::inspect`](crate::Loader::inspect).
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
    /// Whether the program is for 64 bits.
    pub is_64_bit: bool,
    /// The parts of the file, in its order and without gaps: their lengths add up to the file's.
    pub sections: Vec<Section>,
    /// How much of each kind of data the program declares.
    pub data: DataSizes,
    /// The layout of the program's memory; `None` if the program does not fit in the VM's memory.
    pub memory: Option<MemoryMap>,
    /// The exports, in the blob's order.
    pub exports: Vec<Export>,
    /// The imports, in the order of their numbers.
    pub imports: Vec<ImportUse>,
    /// The code, counted.
    pub code: Code,
    /// The code by functions.
    pub functions: Functions,
    /// What the program declares that it needs; `None` if it declares nothing, or if that is
    /// damaged.
    pub contract: Option<Contract>,
    /// The needs of the program.
    pub requirements: Requirements,
    /// What the deployment of the program on the Rialo runtime costs, and whether it is possible.
    pub deployment: Deployment,
    /// Why this loader rejects the blob, rule by rule; empty if it accepts the blob.
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
        let mut refusals = vm.refusals(&parsed, limits, &self.settings.syscalls);
        let contract = contract::read(blob).unwrap_or_else(|error| {
            refusals.push(error);
            None
        });
        if let Some(contract) = &contract {
            refusals.extend(contract::check(contract, limits).err());
        }
        Ok(Inspection::new(blob, &parsed, limits, contract, refusals))
    }
}

impl Inspection {
    fn new(
        bytes: &[u8],
        blob: &ProgramBlob,
        limits: &Limits,
        contract: Option<Contract>,
        refusals: Vec<LoadError>,
    ) -> Self {
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
        let least_heap = contract.map_or(MIN_HEAP_LENGTH, |contract| contract.heap_size);
        let memory = MemoryMap::of(blob, least_heap);
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
            contract,
            requirements: Requirements {
                least_heap,
                has_heap_header: validate::has_heap_header(blob),
                stack: blob.stack_size(),
                least_memory: memory.as_ref().map(|memory| memory.mapped),
                limits: limited(blob, limits),
            },
            memory,
            deployment: Deployment {
                rent: deploy::rent(stripped_length),
                refusal: deploy::check(bytes).err(),
            },
            refusals,
        }
    }

    /// Whether this loader accepts the blob.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.refusals.is_empty()
    }
}

/// An export of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Export {
    /// Its name.
    pub symbol: String,
    /// Its start.
    pub program_counter: u32,
}

/// An import of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ImportUse {
    /// Its name; `?` if the blob gives its number and no name.
    pub symbol: String,
    /// The parameters and the return type of the loader's syscall of this name, in Rust's syntax;
    /// `None` if the loader has no such syscall.
    pub signature: Option<String>,
    /// Number of instructions that call it.
    pub call_sites: u32,
}

/// The deployment of a program on the Rialo runtime: see [`deploy`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Deployment {
    /// The rent in kelvins of a blob of [`stripped_length`](Inspection::stripped_length).
    pub rent: u64,
    /// Why the runtime does not deploy the blob; `None` if it does.
    pub refusal: Option<NotDeployable>,
}

/// The needs of a program, as far as its blob declares them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Requirements {
    /// The smallest heap, in bytes, that an invocation may have: that of the
    /// [`contract`](Inspection::contract), or 32 KiB.
    pub least_heap: u32,
    /// Whether the heap has the header that reports its use: the program exports
    /// [`entrypoint_heap_bump`](abi::heap::BUMP_HEAP_EXPORT).
    pub has_heap_header: bool,
    /// Stack in bytes.
    pub stack: u32,
    /// Length of the memory that the VM maps for the program with the smallest heap, no accounts
    /// and no instruction data, in bytes and whole pages; `None` if that does not fit in the VM's
    /// memory.
    pub least_memory: Option<u64>,
    /// The parts that the loader limits.
    pub limits: Vec<LimitUse>,
}

/// How much of one of the loader's [`Limits`] a program takes. Both figures are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LimitUse {
    /// `code`, `data` or `stack`, as in [`LoadError::MemoryTooLarge`].
    pub what: &'static str,
    /// The program's use.
    pub size: u64,
    /// The loader's limit.
    pub limit: u32,
}

impl LimitUse {
    /// Whether the program uses more than the limit.
    #[must_use]
    pub fn is_exceeded(&self) -> bool {
        self.size > self.limit.into()
    }

    /// Whether the program uses three quarters of the limit or more, and at most all of it.
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
        .map(|(symbol, call_sites)| ImportUse {
            symbol: name(symbol),
            signature: Import::from_symbol(symbol).map(signature),
            call_sites: *call_sites,
        })
        .collect()
}

fn signature(import: Import) -> String {
    let parameters: Vec<String> = import
        .parameters()
        .iter()
        // The compiler writes pointers with an unusual space.
        .map(|(name, kind)| format!("{name}: {}", kind.replace("* ", "*")))
        .collect();
    let parameters = parameters.join(", ");
    match import.return_type() {
        "()" => format!("({parameters})"),
        type_ => format!("({parameters}) -> {type_}"),
    }
}

/// A name of the blob's, with a bounded length: many names may share the same bytes.
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
