//! Which instructions call, and which may return.
//!
//! PolkaVM has no instruction of its own for calls: a call leaves a return address in the register
//! `RA`, and jumps. It has three forms:
//!
//! - one instruction that does both ([`called_by`]): certain by itself;
//! - `load_imm ra`, and then a jump: a call if the number is a return address of the same function;
//! - `load_imm ra`, and then the first instruction of the callee, if PolkaVM's linker has put that
//!   right there: a call if the debug information has a function inside of the caller's.

use std::collections::HashMap;

use polkavm::program::{Instruction, ParsedInstruction, RawReg};
use polkavm::{ProgramBlob, ProgramCounter, Reg};

use super::{debug_info, trap};

/// The effect of an instruction on the stack of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Calls.
    Call {
        /// The return address that it leaves.
        return_address: u32,
        /// The function that it calls; `None` if the address is computed, or if the callee directly
        /// follows it.
        target: Option<u32>,
    },
    /// Jumps to the sum of a register and an offset, which may be a return address.
    Jump { base: RawReg, offset: i32 },
}

impl Flow {
    fn call(return_address: i32, target: Option<u32>) -> Self {
        Self::Call {
            return_address: return_address.cast_unsigned(),
            target,
        }
    }
}

/// The call in one instruction that leaves a return address and jumps, if it is one.
fn single_call(kind: Instruction) -> Option<Flow> {
    match kind {
        Instruction::load_imm_and_jump(register, value, target) if register.get() == Reg::RA => {
            Some(Flow::call(value, Some(target)))
        }
        Instruction::load_imm_and_jump_indirect(register, _, value, _)
            if register.get() == Reg::RA =>
        {
            Some(Flow::call(value, None))
        }
        _ => None,
    }
}

/// The function that an instruction calls all by itself, if it does and names it.
pub(crate) fn called_by(kind: Instruction) -> Option<u32> {
    match single_call(kind) {
        Some(Flow::Call { target, .. }) => target,
        _ => None,
    }
}

/// The place that a conditional branch jumps to.
pub(crate) fn branch_target(instruction: Instruction) -> Option<u32> {
    use Instruction as I;
    match instruction {
        I::branch_eq(_, _, target)
        | I::branch_not_eq(_, _, target)
        | I::branch_less_unsigned(_, _, target)
        | I::branch_less_signed(_, _, target)
        | I::branch_greater_or_equal_unsigned(_, _, target)
        | I::branch_greater_or_equal_signed(_, _, target)
        | I::branch_eq_imm(_, _, target)
        | I::branch_not_eq_imm(_, _, target)
        | I::branch_less_unsigned_imm(_, _, target)
        | I::branch_less_signed_imm(_, _, target)
        | I::branch_greater_or_equal_unsigned_imm(_, _, target)
        | I::branch_greater_or_equal_signed_imm(_, _, target)
        | I::branch_less_or_equal_unsigned_imm(_, _, target)
        | I::branch_less_or_equal_signed_imm(_, _, target)
        | I::branch_greater_unsigned_imm(_, _, target)
        | I::branch_greater_signed_imm(_, _, target) => Some(target),
        _ => None,
    }
}

/// The return address that an instruction leaves, if it calls all by itself.
pub(crate) fn return_address(kind: Instruction) -> Option<u32> {
    match single_call(kind) {
        Some(Flow::Call { return_address, .. }) => Some(return_address),
        _ => None,
    }
}

/// The instructions that call or may return, by their program counters.
pub(crate) fn flow(blob: &ProgramBlob) -> HashMap<u32, Flow> {
    flow_with(blob, is_in_function_of)
}

/// As [`flow`], for a debugger: also with numbers that may be the return address of a call that
/// never returns, and may be something else by chance. A debugger only looks up those that the
/// program has saved as return addresses.
pub(crate) fn flow_for_debugger(blob: &ProgramBlob) -> HashMap<u32, Flow> {
    flow_with(blob, returns_to_function_of)
}

fn flow_with(
    blob: &ProgramBlob,
    falls_into_call: fn(&ProgramBlob, i32, ProgramCounter) -> bool,
) -> HashMap<u32, Flow> {
    let mut flow = HashMap::new();
    // The instruction before, if it has loaded this number into RA.
    let mut loaded: Option<(ProgramCounter, i32)> = None;
    for instruction in blob.instructions() {
        let ParsedInstruction { kind, offset, .. } = instruction;
        let found = match kind {
            // No other code jumps in between, because no block starts there.
            Instruction::jump(target) => loaded
                .filter(|(_, value)| returns_to_function_of(blob, *value, offset))
                .map(|(_, value)| Flow::call(value, Some(target))),
            Instruction::jump_indirect(base, offset) => Some(Flow::Jump { base, offset }),
            kind => single_call(kind),
        };
        match (found, loaded) {
            (Some(found), _) => {
                flow.insert(offset.0, found);
            }
            (None, Some((before, value)))
                if goes_into_function(blob, before, offset)
                    && falls_into_call(blob, value, before) =>
            {
                flow.insert(before.0, Flow::call(value, None));
            }
            _ => {}
        }
        loaded = match kind {
            Instruction::load_imm(register, value) if register.get() == Reg::RA => {
                Some((offset, value))
            }
            _ => None,
        };
    }
    flow
}

/// Whether an instruction is the first of a function that PolkaVM's linker has put behind the
/// instruction that calls it.
fn goes_into_function(blob: &ProgramBlob, before: ProgramCounter, first: ProgramCounter) -> bool {
    let functions = |counter| debug_info::functions_at(blob, counter);
    let (Some(outside), Some(inside)) = (functions(before), functions(first)) else {
        return false;
    };
    let mut pairs = outside.iter().zip(&inside);
    inside.len() > outside.len() && pairs.all(|(left, right)| left[0].function == right[0].function)
}

/// Whether a number is a return address into the function of an instruction, or to a trap.
///
/// PolkaVM's linker lets calls of functions that never return, as those of a panic, return to a
/// trap, which is in no function or shared by several.
fn returns_to_function_of(blob: &ProgramBlob, value: i32, instruction: ProgramCounter) -> bool {
    let returns_to = blob.jump_table().get_by_address(value.cast_unsigned());
    let is_trap = |counter| trap::instruction_at(blob, counter) == Some(Instruction::trap);
    returns_to.is_some_and(is_trap) || is_in_function_of(blob, value, instruction)
}

/// Whether a number is a return address into the function of an instruction. Any number may be a
/// return address into another function by chance.
fn is_in_function_of(blob: &ProgramBlob, value: i32, instruction: ProgramCounter) -> bool {
    let Some(returns_to) = blob.jump_table().get_by_address(value.cast_unsigned()) else {
        return false;
    };
    let function = |counter| {
        let functions = debug_info::functions_at(blob, counter)?;
        functions.last()?.first()?.function.clone()
    };
    function(instruction) == function(returns_to)
}
