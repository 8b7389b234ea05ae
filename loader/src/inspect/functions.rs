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
    name: Option<String>,
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
            name: label.name,
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
    // The path of the last function with its generic arguments. Those of all functions would take
    // far more memory than the blob.
    let mut last_path = None;
    for range in parts.debug_line_program_ranges.chunks_exact(12) {
        let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| range[at + byte]));
        let (start, end) = (word(0), word(4));
        // The VM searches the ranges, so they are ascending or not to be believed.
        if start < end_of_last || end <= start || start as usize >= code_length {
            continue;
        }
        let Some((path, label)) = label_at(blob, start) else {
            continue;
        };
        // A function has more than one range if some of its code has no line.
        if last_path.as_ref() == Some(&path) && !entries.contains_key(&start) {
            ranges.resume(start, ranges.labels.len() - 1);
        } else {
            last_path = Some(path);
            ranges.start(start, label.exported_at(start, entries));
        }
        for entry in entries.range(start + 1..end).map(|(entry, _)| *entry) {
            let (path, label) = label_at(blob, entry).unzip();
            let label = label.unwrap_or_default();
            last_path = path;
            ranges.start(entry, label.exported_at(entry, entries));
        }
        // Code behind the range has no name, until the next range starts.
        ranges.resume(end, NAMELESS);
        end_of_last = end;
    }
    (ranges.labels.len() > 1).then_some(ranges)
}

/// The path of the function that starts here, its name and its place in the source, from the debug
/// information.
fn label_at(blob: &ProgramBlob, start: u32) -> Option<(String, FunctionLabel)> {
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
            let path = debug_info::function_name(&frame)?;
            let name = Some(name(function_name(&path).as_bytes()));
            let of_name = FunctionLabel {
                name,
                ..FunctionLabel::default()
            };
            label = Some((path, of_name));
        }
        let place = frames.next();
        if let Some(mut location) = place.as_ref().and_then(debug_info::source_location) {
            location.file = name(short_path(&location.file).as_bytes());
            label.as_mut()?.1.location = Some(location);
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

#[cfg(test)]
mod tests {
    use polkavm_common::program::{InstructionSetKind, asm};
    use polkavm_common::writer::ProgramBlobBuilder;

    use super::*;
    use crate::display::MAX_PATH_LENGTH;
    use crate::inspect::MAX_NAME_LENGTH;

    /// A blob of so many functions of one byte. Two long texts are the names of all, in turn, and
    /// their files.
    fn blob(functions: u32, length: usize) -> Vec<u8> {
        // Empty texts, so that the offsets of the others have three bytes.
        let mut strings = vec![0; 1 << 14];
        let mut offsets = Vec::new();
        for letter in [b'a', b'b'] {
            offsets.push(strings.len());
            // The prefix of a number of three bytes.
            strings.extend([0b1100_0000 | (length >> 16) as u8]);
            strings.extend((length as u16).to_le_bytes());
            strings.resize(strings.len() + length, letter);
        }
        let mut lines = vec![1];
        let mut ranges = Vec::new();
        for start in 0..functions {
            let offset = offsets[start as usize % 2];
            let number = [
                0b1100_0000 | (offset >> 16) as u8,
                offset as u8,
                (offset >> 8) as u8,
            ];
            let place = [start, start + 1, lines.len() as u32];
            ranges.extend(place.iter().flat_map(|number| number.to_le_bytes()));
            // Mutation depth 0, name, path, line 1, stack depth 1, one instruction, the end.
            lines.extend([1, 0, 6]);
            lines.extend(number);
            lines.push(7);
            lines.extend(number);
            lines.extend([8, 1, 10, 1, 14, 0]);
        }
        let mut builder = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
        builder.set_code(&vec![asm::trap(); functions as usize], &[]);
        for (section, contents) in [(128, strings), (129, lines), (130, ranges)] {
            builder.add_custom_section(section, contents);
        }
        builder.to_vec().expect("a blob")
    }

    #[test]
    fn names_of_a_hostile_blob_are_bounded() {
        let bytes = blob(100, 200_000);
        let parsed = ProgramBlob::parse(ArcBytes::from(&*bytes)).expect("a blob");
        let ranges = named_ranges(&bytes, &parsed, &Entries::new()).expect("names");
        let names: Vec<_> = ranges.labels.iter().map(|label| &label.name).collect();
        assert_eq!(names.len(), 101);
        for name in names.into_iter().flatten() {
            assert!(name.len() <= MAX_NAME_LENGTH, "{}", name.len());
        }
        let functions = debug_info::functions_at(&parsed, ProgramCounter(3)).expect("a function");
        let frame = &functions[0][0];
        let name = frame.function.as_ref().expect("a name");
        assert!(name.starts_with("bbb") && name.ends_with('…'));
        assert!(name.len() <= MAX_PATH_LENGTH, "{}", name.len());
        let location = frame.location.as_ref().expect("a place");
        assert!(location.file.len() <= MAX_PATH_LENGTH);
    }
}
