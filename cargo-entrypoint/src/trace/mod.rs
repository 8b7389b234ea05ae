//! The calls that a program made of its allocator: recorded in a run, kept in a file, and replayed
//! with other allocators.
//!
//! A trace is a file of JSON with a line for each call. [`HeapTrace::read`] checks it, so that a
//! file that was cut, or whose calls do not fit together, is an error.

pub mod compare;
pub mod replay;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use abi::heap::HeapCall;
use abi::heap_replay::{ALIGNMENTS, GRAIN};
use anyhow::{Context, Result, bail, ensure};
use loader::profile::HeapOperation;
use program_build::files;
use serde::{Deserialize, Serialize};

/// The version of the files that this command writes and reads.
pub const VERSION: u32 = 1;

/// The calls of an allocator in one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeapTrace {
    /// The version of the format: [`VERSION`].
    pub heap_trace: u32,
    /// The name of the program.
    pub program: String,
    /// The name of the fixture, if there was one.
    pub fixture: Option<String>,
    /// The heap of the program: `bump` or `segregated`.
    pub heap: String,
    /// The length of the heap in bytes.
    pub heap_size: u32,
    /// The gas of the run, in the build that records nothing.
    pub gas: u64,
    /// How many operations follow.
    pub calls: usize,
    /// The calls, in order.
    pub operations: Vec<Operation>,
}

/// One call of the allocator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// The method.
    pub call: Call,
    /// The number of the block, from 1. A block that moves keeps its number.
    pub block: u64,
    /// The requested size in bytes; of a block that is freed, its size.
    pub size: u64,
    /// The alignment in bytes.
    pub align: u64,
    /// The gas that the run had used after the call, in the build that records.
    pub gas: u64,
    /// Whether the program made several calls from the same place, and all had this size and
    /// alignment. The compiler then knows them, as far as a trace can tell.
    pub constant: bool,
    /// Whether the heap was full.
    #[serde(default, skip_serializing_if = "is_false")]
    pub refused: bool,
}

/// A method of an allocator, as a trace names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// `alloc`.
    Alloc,
    /// `alloc_zeroed`.
    AllocZeroed,
    /// `dealloc`.
    Dealloc,
    /// `realloc`.
    Realloc,
}

impl From<HeapCall> for Call {
    fn from(method: HeapCall) -> Self {
        match method {
            HeapCall::Alloc => Self::Alloc,
            HeapCall::AllocZeroed => Self::AllocZeroed,
            HeapCall::Dealloc => Self::Dealloc,
            HeapCall::Realloc => Self::Realloc,
        }
    }
}

/// The calls from one place of a program.
#[derive(Default)]
struct Place {
    calls: usize,
    /// Sizes and alignments.
    layouts: BTreeSet<(u64, u64)>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Makes operations of what a profile recorded: blocks get numbers instead of addresses.
///
/// # Errors
///
/// If the calls do not fit together, which no heap of ours does.
pub fn operations(recorded: &[HeapOperation]) -> Result<Vec<Operation>> {
    let mut live: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    let mut places: BTreeMap<(u64, Call), Place> = BTreeMap::new();
    let mut operations = Vec::with_capacity(recorded.len());
    let mut blocks = 0;
    for (number, one) in (1..).zip(recorded) {
        let call = Call::from(one.method);
        let lost = || format!("call {number} of the allocator frees a block that is not live");
        let refused = call != Call::Dealloc && one.allocated == 0;
        let (block, size) = match call {
            Call::Alloc | Call::AllocZeroed => {
                blocks += 1;
                if !refused {
                    live.insert(one.allocated, (blocks, one.size));
                }
                (blocks, one.size)
            }
            Call::Dealloc => live.remove(&one.freed).with_context(lost)?,
            // A block that stays where it is has no address in the record.
            Call::Realloc if refused => (0, one.size),
            Call::Realloc => {
                let (block, _) = live.remove(&one.freed).with_context(lost)?;
                live.insert(one.allocated, (block, one.size));
                (block, one.size)
            }
        };
        let place = places.entry((one.place, call)).or_default();
        place.calls += 1;
        place.layouts.insert((size, one.align));
        operations.push(Operation {
            call,
            block,
            size,
            align: one.align,
            gas: one.gas,
            constant: false,
            refused,
        });
    }
    for (operation, one) in operations.iter_mut().zip(recorded) {
        let place = &places[&(one.place, operation.call)];
        operation.constant = place.calls > 1 && place.layouts.len() == 1;
    }
    Ok(operations)
}

/// The version alone, to tell a file of another version from a file that is not a trace.
#[derive(Deserialize)]
struct OnlyVersion {
    heap_trace: u32,
}

impl HeapTrace {
    /// Writes the trace to a file, a line for each call.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut text = String::new();
        let value = |value: &str| serde_json::to_string(value);
        writeln!(text, "{{\"heap_trace\": {},", self.heap_trace)?;
        writeln!(text, " \"program\": {},", value(&self.program)?)?;
        let fixture = serde_json::to_string(&self.fixture)?;
        writeln!(text, " \"fixture\": {fixture},")?;
        writeln!(text, " \"heap\": {},", value(&self.heap)?)?;
        writeln!(text, " \"heap_size\": {},", self.heap_size)?;
        writeln!(text, " \"gas\": {},", self.gas)?;
        writeln!(text, " \"calls\": {},", self.calls)?;
        writeln!(text, " \"operations\": [")?;
        for (index, operation) in self.operations.iter().enumerate() {
            let comma = if index + 1 < self.operations.len() {
                ","
            } else {
                ""
            };
            writeln!(text, "  {}{comma}", serde_json::to_string(operation)?)?;
        }
        writeln!(text, " ]}}")?;
        files::write_whole(path, text)
            .with_context(|| format!("cannot write the trace {}", path.display()))
    }

    /// Reads a trace, and checks it.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is not a trace, was cut, is of another version, or has calls
    /// that do not fit together.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let bytes = fs::read(path).with_context(|| format!("cannot read the trace {shown}"))?;
        Self::parse(&bytes).with_context(|| format!("{shown} is not a trace that can be replayed"))
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        ensure!(!bytes.is_empty(), "the file is empty");
        let text = str::from_utf8(bytes).context("the file is not a text")?;
        let trace: Self = match serde_json::from_str(text) {
            Ok(trace) => trace,
            Err(error) => {
                if let Ok(OnlyVersion { heap_trace }) = serde_json::from_str(text) {
                    check_version(heap_trace)?;
                }
                let what = if error.is_eof() {
                    "the file was cut: its JSON does not end"
                } else {
                    "the file has no such JSON as `cargo entrypoint allocators --trace` writes"
                };
                return Err(anyhow::Error::new(error).context(what));
            }
        };
        trace.check()?;
        Ok(trace)
    }

    /// Checks that the calls can be replayed.
    ///
    /// # Errors
    ///
    /// If they do not fit together. The error names the call.
    pub fn check(&self) -> Result<()> {
        check_version(self.heap_trace)?;
        ensure!(
            compare::OURS.contains(&self.heap.as_str()),
            "`heap` is {:?}, and must be `bump` or `segregated`",
            self.heap
        );
        ensure!(
            self.heap_size >= abi::heap::MIN_HEAP_LENGTH,
            "`heap_size` is {}, and a heap has at least {} bytes",
            self.heap_size,
            abi::heap::MIN_HEAP_LENGTH
        );
        ensure!(
            self.calls == self.operations.len(),
            "`calls` is {}, but the file has {} operations; record the trace again",
            self.calls,
            self.operations.len()
        );
        let mut live = BTreeMap::new();
        let mut gas = 0;
        for (number, operation) in (1..).zip(&self.operations) {
            ensure!(
                operation.gas >= gas,
                "operation {number}: the run had used {} gas after it, but {gas} after the one \
                 before; record the trace again",
                operation.gas
            );
            gas = operation.gas;
            operation
                .check(&mut live)
                .with_context(|| format!("operation {number}"))?;
        }
        Ok(())
    }

    /// What the calls add up to.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        let mut sizes: BTreeMap<u64, u64> = BTreeMap::new();
        for operation in &self.operations {
            match operation.call {
                Call::Alloc | Call::AllocZeroed => summary.allocations += 1,
                Call::Dealloc => summary.frees += 1,
                Call::Realloc => summary.reallocations += 1,
            }
            if operation.refused {
                summary.refused += 1;
                continue;
            }
            let before = if operation.call == Call::Dealloc {
                sizes.remove(&operation.block)
            } else {
                sizes.insert(operation.block, operation.size)
            };
            summary.live -= before.unwrap_or(0);
            if operation.call != Call::Dealloc {
                summary.live += operation.size;
            }
            summary.most_live = summary.most_live.max(summary.live);
        }
        summary
    }
}

/// What the calls of a trace add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Calls that allocate.
    pub allocations: u64,
    /// Calls that free.
    pub frees: u64,
    /// Calls that resize.
    pub reallocations: u64,
    /// Calls that the heap refused.
    pub refused: u64,
    /// Bytes that are live at the end.
    pub live: u64,
    /// The most bytes that were live at once.
    pub most_live: u64,
}

fn check_version(found: u32) -> Result<()> {
    ensure!(
        found == VERSION,
        "the trace has version {found}, and this command reads version {VERSION}; record it again \
         with `cargo entrypoint allocators --trace`"
    );
    Ok(())
}

/// The longest block that can be replayed.
const MAX_SIZE: u64 = 1 << 30;

impl Operation {
    fn check(&self, live: &mut BTreeMap<u64, (u64, u64)>) -> Result<()> {
        let Self {
            block, size, align, ..
        } = *self;
        let most = u64::from(GRAIN) << (ALIGNMENTS - 1);
        ensure!(
            align.is_power_of_two() && align <= most,
            "the alignment {align} cannot be replayed: a power of two up to {most} can"
        );
        ensure!(
            (1..=MAX_SIZE).contains(&size),
            "the size {size} cannot be replayed: 1 to {MAX_SIZE} bytes can"
        );
        if self.refused {
            ensure!(self.call != Call::Dealloc, "a heap refuses no free");
            return Ok(());
        }
        let known = live.get(&block).copied();
        match self.call {
            Call::Alloc | Call::AllocZeroed => {
                if known.is_some() {
                    bail!("block {block} is allocated, but it is live already");
                }
                live.insert(block, (size, align));
            }
            Call::Dealloc | Call::Realloc => {
                let Some((old, old_align)) = known else {
                    bail!("block {block} is freed or resized, but it is not live");
                };
                ensure!(
                    old_align == align,
                    "block {block} has the alignment {old_align}, not {align}"
                );
                if self.call == Call::Realloc {
                    live.insert(block, (size, align));
                } else {
                    ensure!(old == size, "block {block} has {old} bytes, not {size}");
                    live.remove(&block);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn trace(operations: Vec<Operation>) -> HeapTrace {
        HeapTrace {
            heap_trace: VERSION,
            program: "one".to_owned(),
            fixture: None,
            heap: "bump".to_owned(),
            heap_size: 32 * 1024,
            gas: 1_000,
            calls: operations.len(),
            operations,
        }
    }

    pub(super) fn operation(call: Call, block: u64, size: u64) -> Operation {
        Operation {
            call,
            block,
            size,
            align: 8,
            gas: 1,
            constant: false,
            refused: false,
        }
    }

    fn two() -> HeapTrace {
        trace(vec![
            operation(Call::Alloc, 1, 20),
            operation(Call::Realloc, 1, 30),
            operation(Call::Dealloc, 1, 30),
        ])
    }

    #[test]
    fn written_trace_is_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("one.json");
        two().write(&path).expect("a file");
        assert_eq!(HeapTrace::read(&path).expect("the trace"), two());
        let summary = two().summary();
        assert_eq!((summary.most_live, summary.live), (30, 0));
    }

    fn error_of(text: &str) -> String {
        let error = HeapTrace::parse(text.as_bytes()).expect_err("no trace");
        format!("{error:#}")
    }

    #[test]
    fn each_bad_file_has_an_error_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("one.json");
        two().write(&path).expect("a file");
        let text = fs::read_to_string(&path).expect("a file");
        let change = |from: &str, to: &str| {
            assert!(text.contains(from), "{from}");
            error_of(&text.replacen(from, to, 1))
        };
        for length in [1, 50, text.len() / 2, text.len() - 3] {
            let error = error_of(&text[..length]);
            assert!(error.contains("was cut"), "{length}: {error}");
        }
        assert_eq!(error_of(""), "the file is empty");
        let error = error_of("[1, 2]");
        assert!(error.contains("no such JSON"), "{error}");
        let error = change("\"heap_trace\": 1", "\"heap_trace\": 2, \"more\": 1");
        assert!(error.contains("has version 2"), "{error}");
        let error = change("\"calls\": 3", "\"calls\": 4");
        assert!(error.contains("the file has 3 operations"), "{error}");
        let error = change("\"bump\"", "\"talc\"");
        assert!(error.contains("`heap` is \"talc\""), "{error}");
        let error = change("\"heap_size\": 32768", "\"heap_size\": 7");
        assert!(error.contains("`heap_size` is 7"), "{error}");
        let error = change("\"block\":1,\"size\":30", "\"block\":2,\"size\":30");
        assert!(error.contains("operation 2: block 2"), "{error}");
        let error = change("\"align\":8", "\"align\":3");
        assert!(error.contains("operation 1: the alignment 3"), "{error}");
        let error = change("\"gas\":1,", "\"gas\":2,");
        assert!(
            error.contains("operation 2: the run had used 1 gas"),
            "{error}"
        );
        let error = change("\"size\":20", "\"size\":0");
        assert!(error.contains("operation 1: the size 0"), "{error}");
    }
}
