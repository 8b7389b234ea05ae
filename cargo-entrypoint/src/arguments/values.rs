//! The values of options, as a user writes them.

use std::path::PathBuf;

use clap::ValueEnum;
use loader::fixture::{parse_hex, parse_size};
use loader::{Engine, Runtime, Target};
use program_build::guest::Sanitizer;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RuntimeName {
    /// Those of this project
    Own,
    /// Those that the Rialo runtime publishes
    Rialo,
}

impl From<RuntimeName> for Runtime {
    fn from(name: RuntimeName) -> Self {
        match name {
            RuntimeName::Own => Self::Own,
            RuntimeName::Rialo => Self::Rialo,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// Interprets instructions, on every computer
    Interpreter,
    /// Compiles to machine code, on x86-64 Linux
    Compiler,
}

impl From<EngineName> for Engine {
    fn from(name: EngineName) -> Self {
        match name {
            EngineName::Interpreter => Self::Interpreter,
            EngineName::Compiler => Self::Compiler,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TargetName {
    /// A blob for PolkaVM, as it is deployed
    Riscv64,
    /// A WebAssembly module
    Wasm32,
    /// A shared library for this computer, for debuggers, sanitizers and speed, on 64-bit Linux
    Native,
}

impl From<TargetName> for Target {
    fn from(name: TargetName) -> Self {
        match name {
            TargetName::Riscv64 => Self::Riscv64,
            TargetName::Wasm32 => Self::Wasm32,
            TargetName::Native => Self::Native,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SanitizerName {
    /// Finds accesses beyond the stack and beyond statics
    Address,
}

impl From<SanitizerName> for Sanitizer {
    fn from(name: SanitizerName) -> Self {
        match name {
            SanitizerName::Address => Self::Address,
        }
    }
}

/// Instruction data that was given on the command line.
#[derive(Clone, Debug)]
pub enum Data {
    Bytes(Vec<u8>),
    File(PathBuf),
}

/// Reads units of gas. As in a fixture, `_` may separate digits.
pub(crate) fn parse_gas(text: &str) -> Result<u64, String> {
    text.replace('_', "").parse().map_err(|_| {
        format!("{text:?} is not a number of units; write for example 1000000 or 1_000_000")
    })
}

pub(crate) fn parse_heap(text: &str) -> Result<u32, String> {
    parse_size(&text.replace('_', ""))
}

pub(crate) fn parse_data(text: &str) -> Result<Data, String> {
    if let Some(file) = text.strip_prefix('@') {
        return Ok(Data::File(PathBuf::from(file)));
    }
    let bytes = parse_hex(text).map_err(|error| format!("{error}, or @FILE"))?;
    Ok(Data::Bytes(bytes))
}

/// A command and its first arguments.
#[derive(Clone, Debug)]
pub struct RunnerCommand(pub Vec<String>);

pub(crate) fn parse_command(text: &str) -> Result<RunnerCommand, String> {
    match shlex::split(text) {
        Some(words) if !words.is_empty() => Ok(RunnerCommand(words)),
        Some(_) => Err("the command is empty".to_owned()),
        None => Err("a quotation mark is not closed".to_owned()),
    }
}
