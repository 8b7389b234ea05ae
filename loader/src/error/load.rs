//! Why a loader or a program cannot be loaded.

use crate::display::{escape_control, thousands};
use crate::engine::{Engine, Target};

use super::place::{SourceLocation, at, inside};

/// What to use in place of an engine.
fn instead(engine: Engine) -> &'static str {
    match engine {
        Engine::Compiler => "; use the interpreter, whose outcomes are the same",
        _ => "",
    }
}

/// What to do about a program that declares too much.
fn lower(what: &str) -> &'static str {
    match what {
        "stack" => "; lower `stack` in its `package.metadata.entrypoint`",
        "heap" => "; lower `heap_size` in its `entrypoint!`",
        _ => "",
    }
}

/// Why a loader or a program cannot be loaded.
///
/// The text escapes what a file contains, as [`escape_control`] does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[non_exhaustive]
pub enum LoadError {
    /// The engine cannot run on this computer.
    #[error("the {engine} engine cannot run on this computer: {reason}{}", instead(*engine))]
    EngineUnavailable {
        /// The engine.
        engine: Engine,
        /// The VM's error.
        reason: String,
    },
    /// This build of the loader does not have the engine.
    #[error("this loader is built without the {engine} engine; enable its feature `{feature}`")]
    EngineDisabled {
        /// The engine.
        engine: Engine,
        /// The feature of the crate `loader` that brings it.
        feature: &'static str,
    },
    /// The engine starts a command for each invocation, so a loader needs one.
    #[error("the {engine} engine needs a command that runs programs; use `Loader::native`")]
    EngineNeedsRunner {
        /// The engine.
        engine: Engine,
    },
    /// The engine does not support an operation on files.
    #[error("the {engine} engine does not support {what}; use an engine of PolkaVM")]
    NotOnThisEngine {
        /// The operation, in the plural.
        what: &'static str,
        /// The loader's engine.
        engine: Engine,
    },
    /// The file is longer than the loader's limit.
    #[error(
        "the program is {} bytes long; the limit is {}",
        thousands(length),
        thousands(limit)
    )]
    BlobTooLong {
        /// Its length in bytes.
        length: usize,
        /// The loader's limit in bytes.
        limit: usize,
    },
    /// The file is a program for another target.
    #[error(
        "this is a program for {found}; the {engine} engine runs programs for {}",
        engine.target()
    )]
    WrongTarget {
        /// The file's target.
        found: Target,
        /// The loader's engine.
        engine: Engine,
    },
    /// The file is not a WebAssembly module that the loader accepts.
    #[error("invalid WebAssembly module: {}", escape_control(reason))]
    InvalidModule {
        /// The error of the engine, or of the loader.
        reason: String,
    },
    /// The file is not a library that can be run.
    #[error("invalid native library: {}", escape_control(reason))]
    InvalidLibrary {
        /// The reason.
        reason: String,
    },
    /// The file is not a blob.
    #[error("invalid PolkaVM blob: {}", escape_control(reason))]
    InvalidBlob {
        /// The VM's error.
        reason: String,
    },
    /// The blob is a 32-bit program.
    #[error("the blob is a 32-bit program; build it for riscv64 with `cargo entrypoint build`")]
    Not64Bit,
    /// The program does not export `entrypoint`.
    #[error("the program does not export `entrypoint`; it exports {exports}")]
    MissingEntrypoint {
        /// Its exports, for people.
        exports: String,
    },
    /// The program is longer, or declares more memory, than the loader allows.
    #[error(
        "the program {} {} bytes of {what}; the limit is {}{}",
        if *what == "heap" { "needs" } else { "has" },
        thousands(size),
        thousands(limit),
        lower(what)
    )]
    MemoryTooLarge {
        /// `code`, `data`, `stack` or `heap`.
        what: &'static str,
        /// Bytes declared.
        size: u64,
        /// The loader's limit in bytes.
        limit: u32,
    },
    /// The blob contains an instruction that programs may not have.
    #[error(
        "the blob contains the instruction `{name}` at {program_counter:#x}; only the loader maps \
         memory"
    )]
    ForbiddenInstruction {
        /// The instruction's name.
        name: &'static str,
        /// The VM's program counter.
        program_counter: u32,
    },
    /// The blob jumps to a constant address at which no code starts. A linker has miscompiled it.
    #[error(
        "the blob was miscompiled: the jump at {program_counter:#x}{}{} goes to {target:#x}, where no code \
         starts; build the program again with `cargo entrypoint build`",
        inside(function),
        at(location)
    )]
    InvalidJump {
        /// The VM's program counter of the jump or call.
        program_counter: u32,
        /// The target: an address, or a program counter if the instruction names its target.
        target: u32,
        /// The function that the jump is in, if the blob has debug information.
        function: Option<String>,
        /// The source line of the jump, if the blob has debug information.
        location: Option<SourceLocation>,
    },
    /// The record of what the program needs is damaged: see [`abi::contract`].
    #[error(
        "the program's contract is damaged: {reason}; build the program again with `cargo \
         entrypoint build`"
    )]
    InvalidContract {
        /// What is wrong with it.
        reason: String,
    },
    /// The program imports a symbol that the loader does not offer.
    #[error("the program imports `{symbol}`, which the loader does not offer")]
    UnknownImport {
        /// The import's name.
        symbol: String,
    },
    /// The program imports a syscall of the runtime that this loader does not have.
    #[error("the program imports `{symbol}`, which this loader does not have: {reason}")]
    UnsupportedSyscall {
        /// The syscall.
        symbol: &'static str,
        /// The reason, and what to do.
        reason: &'static str,
    },
    /// A loader cannot have this syscall of an embedder's.
    #[error("the syscall `{}` is invalid: {reason}", escape_control(symbol))]
    InvalidSyscall {
        /// The syscall.
        symbol: String,
        /// The reason, and what to do.
        reason: &'static str,
    },
}

impl LoadError {
    /// The stable name of the kind of error: that of the variant.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.into()
    }
}
