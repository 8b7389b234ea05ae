//! The functions of an instruction, by name.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use polkavm::{ProgramBlob, ProgramCounter};

use super::tree::Numbered;
use super::{Frame, FrameKind};
use crate::backend::polkavm::control_flow::Flow;
use crate::backend::polkavm::debug_info::{self, DebugFrame, DebugFunction, Region};
use crate::display::function_name;

/// The numbers of the frames of each function that an instruction is in, inwards.
type Functions = Rc<[Vec<u32>]>;

/// Frames, each once, by number.
pub(super) struct Names<'a> {
    blob: &'a ProgramBlob,
    /// The starts of functions that are exported or called by address, with the names of the
    /// exports.
    functions: BTreeMap<u32, Option<String>>,
    frames: Numbered<Frame>,
    of_instruction: HashMap<u32, Functions>,
    /// The frames of regions whose functions have names, with the end of each, by its start.
    of_region: BTreeMap<u32, (u32, Functions)>,
    has_debug_info: bool,
}

impl<'a> Names<'a> {
    pub fn new(blob: &'a ProgramBlob, flow: &HashMap<u32, Flow>) -> Self {
        let called = flow.values().filter_map(|flow| match flow {
            Flow::Call { target, .. } => target.map(|target| (target, None)),
            Flow::Jump { .. } => None,
        });
        let exported = blob.exports().map(|export| {
            let name = String::from_utf8_lossy(export.symbol().as_bytes()).into_owned();
            (export.program_counter().0, Some(name))
        });
        Self {
            blob,
            functions: called.chain(exported).collect(),
            frames: Numbered::default(),
            of_instruction: HashMap::new(),
            of_region: BTreeMap::new(),
            has_debug_info: false,
        }
    }

    /// The numbers of the frames that an instruction is in, inwards, for each function that it is
    /// in: one at least, of one frame at least.
    pub fn functions_at(&mut self, program_counter: u32) -> Functions {
        if let Some(known) = self.of_instruction.get(&program_counter) {
            return Rc::clone(known);
        }
        let before = self.of_region.range(..=program_counter).next_back();
        let numbers = match before {
            Some((_, (end, numbers))) if program_counter < *end => Rc::clone(numbers),
            _ => self.read(program_counter),
        };
        self.of_instruction
            .insert(program_counter, Rc::clone(&numbers));
        numbers
    }

    fn read(&mut self, program_counter: u32) -> Functions {
        let region = debug_info::region_at(self.blob, ProgramCounter(program_counter));
        self.has_debug_info |= region.is_some();
        let Region {
            instructions,
            functions,
        } = region.unwrap_or_else(|| Region {
            instructions: 0..0,
            functions: vec![vec![DebugFrame {
                function: None,
                location: None,
            }]],
        });
        // The name of a function without one depends on the instruction.
        let have_names = functions.iter().all(|frames| frames[0].function.is_some());
        let numbers: Functions = functions
            .into_iter()
            .map(|frames| self.numbers(frames, program_counter))
            .collect();
        if have_names {
            let known = (instructions.end, Rc::clone(&numbers));
            self.of_region.insert(instructions.start, known);
        }
        numbers
    }

    /// The numbers of the frames that an instruction adds to those of the instruction that called.
    pub fn frames_after(&mut self, caller: Option<u32>, program_counter: u32) -> Vec<u32> {
        let functions = self.functions_at(program_counter);
        let calling = caller.map(|caller| self.functions_at(caller));
        let calling = calling.as_deref().unwrap_or_default();
        // If PolkaVM's linker has put one function into another, the inner one's instructions name
        // the outer one too.
        let is_repeated = functions.len() > calling.len()
            && calling
                .iter()
                .zip(functions.iter())
                .all(|(left, right)| self.function(left[0]) == self.function(right[0]));
        let skipped = if is_repeated { calling.len() } else { 0 };
        functions[skipped..].concat()
    }

    /// The tail calls that led to an instruction, the first one first. `recent` are the
    /// instructions that ran before, the last one first.
    pub fn tail_callers(&mut self, program_counter: u32, recent: &[u32]) -> Vec<u32> {
        let mut callers = Vec::new();
        let mut seen = vec![self.outermost(program_counter)];
        for &before in recent {
            let function = self.outermost(before);
            if seen.last() == Some(&function) {
                continue;
            }
            // A jump back into a function is not a tail call of it.
            if seen.contains(&function) {
                break;
            }
            seen.push(function);
            callers.push(before);
        }
        callers.reverse();
        callers
    }

    /// The name of the outermost function that an instruction is in.
    fn outermost(&mut self, program_counter: u32) -> String {
        let functions = self.functions_at(program_counter);
        self.function(functions[0][0]).to_owned()
    }

    fn function(&self, number: u32) -> &str {
        &self.frames.get(number).function
    }

    fn numbers(&mut self, frames: DebugFunction, program_counter: u32) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(frames.len());
        for frame in frames {
            let (kind, unnamed) = match numbers.len() {
                0 => (FrameKind::Function, self.by_address(program_counter)),
                _ => (FrameKind::Inlined, "(unnamed)".to_owned()),
            };
            numbers.push(self.number(Frame {
                function: frame.function.map_or(unnamed, |path| function_name(&path)),
                kind,
                location: frame.location,
                program_id: None,
            }));
        }
        numbers
    }

    /// The number of a frame.
    pub fn number(&mut self, frame: Frame) -> u32 {
        self.frames.number(frame)
    }

    /// All frames by their numbers, and whether any comes from debug information.
    pub fn finish(self) -> (Vec<Frame>, bool) {
        (self.frames.into_all(), self.has_debug_info)
    }

    /// The last function that starts at or before an instruction.
    fn by_address(&self, program_counter: u32) -> String {
        match self.functions.range(..=program_counter).next_back() {
            Some((_, Some(name))) => name.clone(),
            Some((start, None)) => format!("function at {start:#x}"),
            None => format!("code at {program_counter:#x}"),
        }
    }
}
