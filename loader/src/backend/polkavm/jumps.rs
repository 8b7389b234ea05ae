//! Finds jumps and calls to a constant address at which no code starts.
//!
//! No compiler means to make one. PolkaVM's linker has made them of correct programs: it took the
//! entry of a jump table for a number and folded it (docs/decisions/0019). Such a program traps
//! only on the path that jumps, which may be one that no test of its author takes.
//!
//! The module follows the code from every place where it can be entered. For each register it keeps
//! a constant, or nothing. The work is linear in the length of the code, for any code.

use std::collections::BTreeSet;

use polkavm::program::{Instruction, RawReg};
use polkavm::{ProgramBlob, ProgramCounter, RETURN_TO_HOST, Reg};

use super::registers::written;

/// How often what is known at one place may change before nothing is known there any more. Compiled
/// code needs two or three; the bound is for code that was made to need many.
const MAX_CHANGES: u8 = 4;

/// A jump or a call to an address at which no code starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InvalidJump {
    /// The place of the instruction.
    pub program_counter: ProgramCounter,
    /// The target: an address, or a program counter if the instruction names its target.
    pub target: u32,
}

/// Returns the first invalid jump of a blob, in the order of the code.
pub(crate) fn first_invalid(blob: &ProgramBlob) -> Option<InvalidJump> {
    let mut flow = Flow::new(blob);
    flow.settle();
    flow.first_invalid()
}

/// The known registers at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Registers {
    /// The low halves of the constants: an address has no more.
    values: [u32; Reg::ALL.len()],
    /// A bit for each register that holds a known constant.
    known: u16,
}

impl Registers {
    const UNKNOWN: Self = Self {
        values: [0; Reg::ALL.len()],
        known: 0,
    };

    fn get(&self, register: RawReg) -> Option<u32> {
        let index = register.get() as usize;
        (self.known & 1 << index != 0).then_some(self.values[index])
    }

    fn set(&mut self, register: RawReg, value: Option<u32>) {
        let index = register.get() as usize;
        self.known &= !(1 << index);
        self.known |= u16::from(value.is_some()) << index;
        self.values[index] = value.unwrap_or(0);
    }

    /// Returns what both know.
    fn common(&self, other: &Self) -> Self {
        let mut common = Self::UNKNOWN;
        for (index, value) in self.values.iter().enumerate() {
            let is_common =
                self.known & other.known & 1 << index != 0 && other.values[index] == *value;
            if is_common {
                common.known |= 1 << index;
                common.values[index] = *value;
            }
        }
        common
    }

    /// Notes what an instruction that does not jump leaves in the registers.
    fn step(&mut self, instruction: Instruction) {
        use Instruction as I;
        let result = match instruction {
            I::load_imm(_, value) => Some(value as u32),
            I::load_imm64(_, value) => Some(value as u32),
            I::move_reg(_, source) => self.get(source),
            I::add_imm_32(_, source, value) | I::add_imm_64(_, source, value) => self
                .get(source)
                .map(|source| source.wrapping_add_signed(value)),
            I::add_32(_, one, other) | I::add_64(_, one, other) => self
                .get(one)
                .zip(self.get(other))
                .map(|(one, other)| one.wrapping_add(other)),
            // A syscall returns one value; the other instruction counts in its arguments.
            I::ecalli(_) | I::memset => {
                for register in [Reg::A0, Reg::A1, Reg::A2] {
                    self.set(register.into(), None);
                }
                return;
            }
            _ => None,
        };
        if let Some(register) = written(instruction) {
            self.set(register, result);
        }
    }
}

/// The known registers at the start of a block.
struct Block {
    place: u32,
    registers: Registers,
    changes: u8,
    is_pending: bool,
}

struct Flow<'a> {
    blob: &'a ProgramBlob,
    /// The number of the block that starts at each place of the code, plus one; 0 if none is known.
    number_at: Vec<u32>,
    blocks: Vec<Block>,
    /// Blocks whose code has not been followed since what is known there changed.
    pending: Vec<u32>,
    invalid: BTreeSet<InvalidJump>,
}

/// How a block ends.
enum End {
    /// Continues behind its last instruction.
    Next,
    /// Jumps to a place; the second value says whether it may also continue at the next
    /// instruction.
    To(u32, bool),
    /// It goes to an address in a register, plus an offset.
    Indirect(RawReg, i32),
    /// It ends the program.
    Trap,
}

impl<'a> Flow<'a> {
    fn new(blob: &'a ProgramBlob) -> Self {
        let mut flow = Self {
            blob,
            number_at: vec![0; blob.code().len()],
            blocks: Vec::new(),
            pending: Vec::new(),
            invalid: BTreeSet::new(),
        };
        let exports = blob.exports().map(|export| export.program_counter());
        // A call returns through the table, and an address that the program keeps is one of it.
        for entry in exports.chain(blob.jump_table()) {
            let _ = flow.reach(entry.0, &Registers::UNKNOWN);
        }
        flow
    }

    fn starts_block(&self, place: u32) -> bool {
        match self.number_at.get(place as usize) {
            None => false,
            Some(0) => {
                let place = ProgramCounter(place);
                self.blob.scan_is_jump_target_valid(self.blob.isa(), place)
            }
            Some(_) => true,
        }
    }

    /// Notes that a place is reached with these registers. Returns `false` if no code starts there.
    fn reach(&mut self, place: u32, registers: &Registers) -> bool {
        if !self.starts_block(place) {
            return false;
        }
        let number = &mut self.number_at[place as usize];
        if *number == 0 {
            self.blocks.push(Block {
                place,
                registers: *registers,
                changes: 0,
                is_pending: true,
            });
            *number = self.blocks.len() as u32;
            self.pending.push(*number - 1);
            return true;
        }
        let number = *number - 1;
        let block = &mut self.blocks[number as usize];
        let mut common = block.registers.common(registers);
        if common == block.registers {
            return true;
        }
        block.changes += 1;
        if block.changes >= MAX_CHANGES {
            common = Registers::UNKNOWN;
        }
        block.registers = common;
        if !std::mem::replace(&mut block.is_pending, true) {
            self.pending.push(number);
        }
        true
    }

    /// Follows the code until nothing that is known changes any more.
    fn settle(&mut self) {
        while let Some(number) = self.pending.pop() {
            let block = &mut self.blocks[number as usize];
            block.is_pending = false;
            let (place, mut registers) = (block.place, block.registers);
            let Some((at, next, end)) = self.follow(place, &mut registers) else {
                continue;
            };
            let (target, goes_on) = match end {
                End::Next => (None, true),
                End::To(target, goes_on) => (Some(target), goes_on),
                End::Indirect(..) | End::Trap => continue,
            };
            if goes_on {
                // Behind the last instruction there is nothing: the program traps there.
                let _ = self.reach(next.0, &registers);
            }
            if let Some(target) = target
                && !self.reach(target, &registers)
            {
                self.invalid.insert(InvalidJump {
                    program_counter: at,
                    target,
                });
            }
        }
    }

    /// Returns the first of the invalid jumps, now that it is settled what is known.
    fn first_invalid(mut self) -> Option<InvalidJump> {
        for block in &self.blocks {
            let mut registers = block.registers;
            let followed = self.follow(block.place, &mut registers);
            let Some((at, _, End::Indirect(base, offset))) = followed else {
                continue;
            };
            let Some(base) = registers.get(base) else {
                continue;
            };
            let target = base.wrapping_add_signed(offset);
            let code = self.blob.jump_table().get_by_address(target);
            let is_valid = u64::from(target) == RETURN_TO_HOST
                || code.is_some_and(|code| self.starts_block(code.0));
            if !is_valid {
                self.invalid.insert(InvalidJump {
                    program_counter: at,
                    target,
                });
            }
        }
        self.invalid.pop_first()
    }

    /// Follows a block to its last instruction. Returns the place of that instruction, the next
    /// place, and how it ends the block; `None` if the code ends before.
    fn follow(
        &self,
        place: u32,
        registers: &mut Registers,
    ) -> Option<(ProgramCounter, ProgramCounter, End)> {
        let length = self.blob.code().len();
        let instructions = self
            .blob
            .instructions_bounded_at(ProgramCounter(place))
            .take_while(|instruction| (instruction.offset.0 as usize) < length);
        for instruction in instructions {
            let end = end_of(instruction.kind);
            // The base of an indirect jump is read before the instruction writes a register.
            if !matches!(end, Some(End::Indirect(..))) {
                registers.step(instruction.kind);
            }
            if let Some(end) = end {
                return Some((instruction.offset, instruction.next_offset, end));
            }
        }
        None
    }
}

/// Returns how an instruction ends its block, or `None` if it does not end it.
fn end_of(instruction: Instruction) -> Option<End> {
    use Instruction as I;
    Some(match instruction {
        I::trap | I::invalid => End::Trap,
        I::fallthrough => End::Next,
        I::jump(target) | I::load_imm_and_jump(_, _, target) => End::To(target, false),
        I::jump_indirect(base, offset) | I::load_imm_and_jump_indirect(_, base, _, offset) => {
            End::Indirect(base, offset)
        }
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
        | I::branch_less_or_equal_signed_imm(_, _, target)
        | I::branch_less_or_equal_unsigned_imm(_, _, target)
        | I::branch_greater_signed_imm(_, _, target)
        | I::branch_greater_unsigned_imm(_, _, target) => End::To(target, true),
        _ => return None,
    })
}
