//! The functions and source lines of an instruction, from a blob's debug information.

use std::borrow::Cow;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use polkavm::debug_info::{FrameInfo, FrameKind};
use polkavm::{ProgramBlob, ProgramCounter};

use crate::display::{MAX_PATH_LENGTH, cut, path_of_symbol, without_trampoline};
use crate::error::SourceLocation;

/// The most frames that are read for one instruction. A compiler writes a few dozen.
const MAX_FRAMES: usize = 256;

/// A function that contains an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DebugFrame {
    /// Its path with generic arguments; of a blob that was not made by this project, only its name
    /// if it is inlined. [`function_name`](crate::display::function_name) makes it shorter.
    pub function: Option<String>,
    /// The place in the function: of the instruction, or of the inlined call.
    pub location: Option<SourceLocation>,
}

/// A compiled function and the functions that are inlined into it at an instruction, inwards: one
/// frame at least.
pub(crate) type DebugFunction = Vec<DebugFrame>;

/// The functions that contain an instruction: one, or more if PolkaVM's linker has put one into
/// another; then the calling one comes first. `None` if the blob has no debug information for it.
pub(crate) fn functions_at(
    blob: &ProgramBlob,
    program_counter: ProgramCounter,
) -> Option<Vec<DebugFunction>> {
    region_at(blob, program_counter).map(|region| region.functions)
}

/// Instructions in a row that are in the same functions, at the same place.
pub(crate) struct Region {
    /// The program counters.
    pub instructions: Range<u32>,
    /// As [`functions_at`] has them.
    pub functions: Vec<DebugFunction>,
}

/// The region of an instruction. The VM looks for it from the start of the compiled function.
pub(crate) fn region_at(blob: &ProgramBlob, program_counter: ProgramCounter) -> Option<Region> {
    // The blob is hostile, so its debug information may be any bytes, and the VM's reader of it
    // adds numbers without checking for overflow.
    catch_unwind(AssertUnwindSafe(|| read(blob, program_counter)))
        .ok()
        .flatten()
}

fn read(blob: &ProgramBlob, program_counter: ProgramCounter) -> Option<Region> {
    let mut lines = blob.get_debug_line_program_at(program_counter).ok()??;
    while let Ok(Some(region)) = lines.run() {
        if !region.instruction_range().contains(&program_counter) {
            continue;
        }
        let mut functions: Vec<DebugFunction> = Vec::new();
        let mut is_after_call = false;
        for frame in region.frames().take(MAX_FRAMES) {
            let location = source_location(&frame);
            match (frame.kind(), functions.last_mut()) {
                // The declaration of the inlined function.
                (FrameKind::Enter, Some(_)) if is_after_call => {}
                // Its name is the callee's, its place that of the call.
                (FrameKind::Call, Some(function)) => {
                    if let Some(caller) = function.last_mut() {
                        caller.location = location;
                    }
                    function.push(DebugFrame {
                        // PolkaVM's linker gives it the namespace of the caller.
                        function: inlined_name(&frame),
                        location: None,
                    });
                }
                (FrameKind::Line, Some(function)) => {
                    if let Some(innermost) = function.last_mut() {
                        innermost.location = location;
                    }
                }
                (kind, _) => functions.push(vec![DebugFrame {
                    function: function_name(&frame),
                    location: location.filter(|_| kind == FrameKind::Line),
                }]),
            }
            is_after_call = frame.kind() == FrameKind::Call;
        }
        functions.iter_mut().for_each(merge_export);
        // If code after a call was moved into the callee, the caller is listed twice.
        let mut distinct: Vec<DebugFunction> = Vec::new();
        for function in functions {
            let is_same = |other: &DebugFunction| other[0].function == function[0].function;
            if let Some(position) = distinct.iter().position(is_same) {
                distinct.truncate(position);
            }
            distinct.push(function);
        }
        let range = region.instruction_range();
        return (!distinct.is_empty()).then_some(Region {
            instructions: range.start.0..range.end.0,
            functions: distinct,
        });
    }
    None
}

/// Merges an exported function with PolkaVM's trampoline for it.
fn merge_export(frames: &mut DebugFunction) {
    let Some(outermost) = frames.first_mut() else {
        return;
    };
    let Some(path) = outermost.function.as_deref().and_then(without_trampoline) else {
        return;
    };
    let path = path.to_owned();
    let is_export = |function: &str| function == path || Some(function) == path.rsplit("::").next();
    let mut second = frames.get(1).and_then(|second| second.function.as_deref());
    if second.take().is_some_and(is_export) {
        frames[0].location = frames.remove(1).location;
    }
    frames[0].function = Some(path);
}

/// The source line of a frame's code; `None` for a frame that only declares its function.
pub(crate) fn source_location(frame: &FrameInfo<'_>) -> Option<SourceLocation> {
    if frame.kind() == FrameKind::Enter {
        return None;
    }
    Some(SourceLocation {
        file: text(frame.path())?.into_owned(),
        line: frame.line()?,
        column: frame.column(),
    })
}

/// A function's path, of at most [`MAX_PATH_LENGTH`] bytes.
///
/// The build of this project gives functions their symbols instead of their names: then the path is
/// that of the symbol. If there are only symbols, PolkaVM's linker cuts the compiler's mangled name
/// in the wrong place and loses two characters. The cut may be inside a crate's hash, `core[0123`
/// and `456789abcd]::fmt`, and then the path is whole; or inside a name, and then a `…` marks it.
pub(crate) fn function_name(frame: &FrameInfo<'_>) -> Option<String> {
    let function = text(frame.function_name_without_namespace())?;
    if let Some(path) = path_of_symbol(&function) {
        return Some(path);
    }
    let is_hash = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let Some(namespace) = text(frame.namespace()) else {
        return Some(without_hashes(&function));
    };
    let name = match (namespace.rsplit_once('['), function.split_once("]::")) {
        (Some((start, hash)), Some((rest_of_hash, rest)))
            if is_hash(hash) && is_hash(rest_of_hash) =>
        {
            format!("{start}::{rest}")
        }
        // The namespace may end before the hash does.
        (_, Some((hash, rest))) if is_hash(hash) => format!("{namespace}::{rest}"),
        _ if namespace.matches('<').count() > namespace.matches('>').count() => {
            format!("{namespace}…{function}")
        }
        _ => format!("{namespace}::{function}"),
    };
    Some(cut(&without_hashes(&name), MAX_PATH_LENGTH).into_owned())
}

fn inlined_name(frame: &FrameInfo<'_>) -> Option<String> {
    let function = text(frame.function_name_without_namespace())?;
    Some(path_of_symbol(&function).unwrap_or_else(|| without_hashes(&function)))
}

/// A text of the debug information, with a bounded length: it may have as many bytes as the blob,
/// and any number of frames may share it.
fn text<E>(found: Result<Option<&str>, E>) -> Option<Cow<'_, str>> {
    Some(cut(found.ok()??, MAX_PATH_LENGTH))
}

/// A function's name without the compiler's crate hashes: `core[0123456789abcdef]::fmt` is
/// `core::fmt`.
fn without_hashes(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(open) = rest.find('[') {
        text.push_str(&rest[..open]);
        let inside = &rest[open + 1..];
        let is_hash = inside.len() > 16
            && inside.as_bytes()[16] == b']'
            && inside.bytes().take(16).all(|byte| byte.is_ascii_hexdigit());
        if is_hash {
            rest = &inside[17..];
        } else {
            text.push('[');
            rest = inside;
        }
    }
    text.push_str(rest);
    text
}
