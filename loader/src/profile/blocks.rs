//! The code of a program by basic blocks, whether it runs or not.

use std::collections::HashMap;

use super::{Frame, Names};
use crate::backend::polkavm::PolkaVm;
use crate::error::InvocationError;
use crate::program::Program;

/// Instructions of which all run if the first one does, unless one ends the program.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Block {
    /// The program counter of its first instruction.
    pub program_counter: u32,
    /// The gas that the VM takes before the first instruction: one for each. The price of a syscall
    /// comes on top.
    pub gas: u64,
    /// The functions and lines of its instructions, in the order of their first ones, with the gas
    /// of each: the functions from the compiled one inwards.
    pub places: Vec<(Vec<Frame>, u64)>,
}

/// The numbers of frames, and the gas in them.
type Places = Vec<(Vec<u32>, u64)>;

impl Program {
    /// The basic blocks of the program, in the order of their program counters.
    ///
    /// [`Profiled::reached`](super::Profiled::reached) has those that ran. The others tell what the
    /// paths would cost that a run did not take.
    ///
    /// # Errors
    ///
    /// [`InvocationError::NotOnThisEngine`] if the program is not one for RISC-V.
    pub fn basic_blocks(&self) -> Result<Vec<Block>, InvocationError> {
        let program = self
            .loaded_by::<PolkaVm>()
            .ok_or(InvocationError::NotOnThisEngine {
                what: "basic blocks",
                engine: self.engine(),
            })?;
        let blob = &program.blob;
        let mut names = Names::new(blob, &HashMap::new());
        let end = blob.code().len();
        let mut blocks: Vec<(u32, Places)> = Vec::new();
        let mut is_start = true;
        for instruction in blob.instructions() {
            // The VM puts a trap behind code that does not end.
            if instruction.offset.0 as usize >= end {
                break;
            }
            if is_start {
                blocks.push((instruction.offset.0, Vec::new()));
            }
            is_start = instruction.kind.opcode().starts_new_basic_block();
            let Some((_, places)) = blocks.last_mut() else {
                continue;
            };
            let frames = names.functions_at(instruction.offset.0).concat();
            match places.iter_mut().find(|(known, _)| *known == frames) {
                Some((_, gas)) => *gas += 1,
                None => places.push((frames, 1)),
            }
        }
        let (frames, _) = names.finish();
        let named = |(numbers, gas): (Vec<u32>, u64)| {
            let numbers = numbers.into_iter();
            let stack = numbers.map(|number| frames[number as usize].clone());
            (stack.collect(), gas)
        };
        let blocks = blocks.into_iter().map(|(program_counter, places)| Block {
            program_counter,
            gas: places.iter().map(|(_, gas)| gas).sum(),
            places: places.into_iter().map(named).collect(),
        });
        Ok(blocks.collect())
    }
}
