//! The code by functions.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use polkavm::{ArcBytes, ProgramBlob, ProgramCounter, ProgramParts};

use super::code::{self, Placed};
use super::name;
use crate::backend::polkavm::debug_info;
use crate::display::{function_name, short_path};
use crate::error::SourceLocation;

/// The code by functions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Functions {
    /// How it is known where functions are.
    pub source: FunctionSource,
    /// The functions, the one with most bytes of code first. Every instruction is in one of them.
    pub list: Vec<Function>,
}

/// How it is known where functions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum FunctionSource {
    /// The blob's debug information names the function of each instruction. Adjacent functions of
    /// the same name are separated only where a function certainly starts: at exports and at the
    /// targets of direct calls. Code without a function is in a function without a name.
    DebugInformation,
    /// There is no readable debug information, so the code is cut at exports and at the targets of
    /// direct calls, where functions certainly start. Functions that are only jumped to, or called
    /// by a computed address, count with the function before them.
    EntryPoints,
}

/// Code that belongs together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Function {
    /// Its name, from the debug information; `None` if that has none.
    pub name: Option<String>,
    /// The export that it starts with; `None` if it is not exported.
    pub export: Option<String>,
    /// The place in the source of the first of its instructions that has one. Code that was inlined
    /// there counts as the line that it was inlined into.
    pub location: Option<SourceLocation>,
    /// Its lowest program counter.
    pub program_counter: u32,
    /// Number of its instructions.
    pub instructions: u32,
    /// Length of its code in bytes.
    pub bytes: u64,
}

/// A range of code, up to the start of the next one.
struct CodeRange {
    start: u32,
    /// The function that it is a part of.
    function: usize,
}

/// A function's names, and its place in the source.
#[derive(Default)]
struct FunctionLabel {
    /// The path with generic arguments.
    path: Option<String>,
    export: Option<String>,
    location: Option<SourceLocation>,
}

impl FunctionLabel {
    fn exported_at(mut self, start: u32, entries: &Entries) -> Self {
        self.export = entries.get(&start).cloned().flatten();
        self
    }
}

/// The certain starts of functions, and the names of the exports there.
type Entries = BTreeMap<u32, Option<String>>;

/// All ranges of the code, lowest first, and the functions that they are parts of.
#[derive(Default)]
struct CodeRanges {
    ranges: Vec<CodeRange>,
    labels: Vec<FunctionLabel>,
}

impl CodeRanges {
    /// Starts a function here.
    fn start(&mut self, start: u32, label: FunctionLabel) {
        self.labels.push(label);
        self.resume(start, self.labels.len() - 1);
    }

    /// Continues a function here.
    fn resume(&mut self, start: u32, function: usize) {
        self.ranges.push(CodeRange { start, function });
    }
}

pub(super) fn find(bytes: &[u8], blob: &ProgramBlob, called: &BTreeSet<u32>) -> Functions {
    // The blob is hostile, so its debug information may be any bytes, and the VM's reader of it
    // adds numbers without checking for overflow.
    let entries = entry_points(blob, called);
    let named = catch_unwind(AssertUnwindSafe(|| named_ranges(bytes, blob, &entries)));
    let (source, ranges) = match named {
        Ok(Some(ranges)) => (FunctionSource::DebugInformation, ranges),
        _ => (FunctionSource::EntryPoints, entry_ranges(&entries)),
    };
    let list = measure(ranges, code::instructions(blob));
    Functions { source, list }
}

/// Gives every instruction to the range that it is in.
fn measure(ranges: CodeRanges, instructions: impl Iterator<Item = Placed>) -> Vec<Function> {
    let mut functions: Vec<Function> = ranges
        .labels
        .into_iter()
        .map(|label| Function {
            name: label.path.map(|path| name(function_name(&path).as_bytes())),
            export: label.export,
            location: label.location,
            program_counter: 0,
            instructions: 0,
            bytes: 0,
        })
        .collect();
    let mut ranges = ranges.ranges.into_iter().peekable();
    let mut current = None;
    for instruction in instructions {
        while let Some(range) = ranges.next_if(|range| range.start <= instruction.offset) {
            current = Some(range.function);
        }
        // The first range starts where the code does.
        let Some(function) = current.and_then(|index| functions.get_mut(index)) else {
            continue;
        };
        if function.instructions == 0 {
            function.program_counter = instruction.offset;
        }
        function.instructions += 1;
        function.bytes += u64::from(instruction.length);
    }
    functions.retain(|function| function.instructions > 0);
    functions.sort_by_key(|function| (std::cmp::Reverse(function.bytes), function.program_counter));
    functions
}

/// The ranges as debug information has them; `None` if no code has a name by it.
fn named_ranges(bytes: &[u8], blob: &ProgramBlob, entries: &Entries) -> Option<CodeRanges> {
    /// The function of all code without a name.
    const NAMELESS: usize = 0;

    let parts = ProgramParts::from_bytes(ArcBytes::from(bytes)).ok()?;
    let code_length = blob.code().len();
    let mut ranges = CodeRanges::default();
    ranges.start(0, FunctionLabel::default());
    let mut end_of_last = 0;
    for range in parts.debug_line_program_ranges.chunks_exact(12) {
        let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| range[at + byte]));
        let (start, end) = (word(0), word(4));
        // The VM searches the ranges, so they are ascending or not to be believed.
        if start < end_of_last || end <= start || start as usize >= code_length {
            continue;
        }
        let Some(label) = label_at(blob, start) else {
            continue;
        };
        let last = ranges.labels.len() - 1;
        // A function has more than one range if some of its code has no line.
        if ranges.labels[last].path == label.path && !entries.contains_key(&start) {
            ranges.resume(start, last);
        } else {
            ranges.start(start, label.exported_at(start, entries));
        }
        for entry in entries.range(start + 1..end).map(|(entry, _)| *entry) {
            let label = label_at(blob, entry).unwrap_or_default();
            ranges.start(entry, label.exported_at(entry, entries));
        }
        // Code behind the range has no name, until the next range starts.
        ranges.resume(end, NAMELESS);
        end_of_last = end;
    }
    (ranges.labels.len() > 1).then_some(ranges)
}

/// The name of the function that starts here, and its place in the source, from the debug
/// information.
fn label_at(blob: &ProgramBlob, start: u32) -> Option<FunctionLabel> {
    /// The most regions that are searched for a name.
    const REGIONS: usize = 64;

    let mut label = None;
    let mut lines = blob
        .get_debug_line_program_at(ProgramCounter(start))
        .ok()??;
    for _ in 0..REGIONS {
        let Ok(Some(region)) = lines.run() else {
            break;
        };
        if region.instruction_range().end.0 <= start {
            continue;
        }
        // The first frame names the function, and the second has the place in it, unless that is
        // the first frame of another function that was inlined whole.
        let mut frames = region.frames();
        let Some(frame) = frames.next() else {
            continue;
        };
        if label.is_none() {
            label = Some(FunctionLabel {
                path: Some(debug_info::function_name(&frame)?),
                ..FunctionLabel::default()
            });
        }
        let place = frames.next();
        if let Some(mut location) = place.as_ref().and_then(debug_info::source_location) {
            location.file = name(short_path(&location.file).as_bytes());
            label.as_mut()?.location = Some(location);
            break;
        }
    }
    label
}

fn entry_points(blob: &ProgramBlob, called: &BTreeSet<u32>) -> Entries {
    let mut entries: Entries = called.iter().map(|place| (*place, None)).collect();
    for export in blob.exports() {
        entries
            .entry(export.program_counter().0)
            .or_default()
            .get_or_insert_with(|| name(export.symbol().as_bytes()));
    }
    entries
}

/// The ranges that start where functions start for certain.
fn entry_ranges(entries: &Entries) -> CodeRanges {
    let mut ranges = CodeRanges::default();
    if !entries.contains_key(&0) {
        ranges.start(0, FunctionLabel::default());
    }
    for start in entries.keys() {
        ranges.start(
            *start,
            FunctionLabel::default().exported_at(*start, entries),
        );
    }
    ranges
}
