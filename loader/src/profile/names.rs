//! The functions of an instruction, by name.

use std::collections::{BTreeMap, HashMap};

use polkavm::program::Instruction;
use polkavm::{ProgramBlob, ProgramCounter};

use super::{Frame, FrameKind};
use crate::debug_info;

/// Frames, each once, by number.
pub(super) struct Names<'a> {
    blob: &'a ProgramBlob,
    /// Where functions start that are exported or called by address, with the names of the exports.
    functions: BTreeMap<u32, Option<String>>,
    frames: Vec<Frame>,
    number_of: HashMap<Frame, u32>,
    of_instruction: HashMap<u32, Vec<u32>>,
    has_debug_info: bool,
}

impl<'a> Names<'a> {
    pub fn new(blob: &'a ProgramBlob) -> Self {
        let called = blob
            .instructions()
            .filter_map(|instruction| match instruction.kind {
                Instruction::load_imm_and_jump(_, _, target) => Some((target, None)),
                _ => None,
            });
        let exported = blob.exports().map(|export| {
            let name = String::from_utf8_lossy(export.symbol().as_bytes()).into_owned();
            (export.program_counter().0, Some(name))
        });
        Self {
            blob,
            functions: called.chain(exported).collect(),
            frames: Vec::new(),
            number_of: HashMap::new(),
            of_instruction: HashMap::new(),
            has_debug_info: false,
        }
    }

    /// The numbers of the frames that an instruction is in, from the function inwards: one at least.
    pub fn of_instruction(&mut self, program_counter: u32) -> Vec<u32> {
        if let Some(known) = self.of_instruction.get(&program_counter) {
            return known.clone();
        }
        let known = debug_info::frames_at(self.blob, ProgramCounter(program_counter));
        self.has_debug_info |= known.is_some();
        let mut frames = known.unwrap_or_default().into_iter();
        let outermost = frames.next();
        let (function, location) =
            outermost.map_or((None, None), |frame| (frame.function, frame.location));
        let mut numbers = vec![self.number(Frame {
            function: function.unwrap_or_else(|| self.by_address(program_counter)),
            kind: FrameKind::Function,
            location,
        })];
        for frame in frames {
            numbers.push(
                self.number(Frame {
                    function: frame
                        .function
                        .unwrap_or_else(|| "(inlined, without a name)".to_owned()),
                    kind: FrameKind::Inlined,
                    location: frame.location,
                }),
            );
        }
        self.of_instruction.insert(program_counter, numbers.clone());
        numbers
    }

    /// The number of a frame.
    pub fn number(&mut self, frame: Frame) -> u32 {
        if let Some(known) = self.number_of.get(&frame) {
            return *known;
        }
        let number = self.frames.len() as u32;
        self.frames.push(frame.clone());
        self.number_of.insert(frame, number);
        number
    }

    /// All frames by their numbers, and whether any has been told by debug information.
    pub fn finish(self) -> (Vec<Frame>, bool) {
        (self.frames, self.has_debug_info)
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
