//! Finds jumps and calls to a constant address at which no code starts.
//!
//! No compiler means to make one. PolkaVM's linker has made them of correct programs: it took the
//! entry of a jump table for a number and folded it (docs/decisions/0019). Such a program traps
//! only on the path that jumps, which may be one that no test of its author takes.
//!
//! The module follows the code from every place where it can be entered. For each register it keeps
//! a constant, or nothing. Each place is looked at a bounded number of times, for any code.

use std::collections::BTreeMap;

use polkavm::program::{Instruction, RawReg};
use polkavm::{ProgramBlob, ProgramCounter, RETURN_TO_HOST, Reg};

use super::control_flow::branch_target;
use super::registers::written;

/// Marks a place to which code jumps, and which has not been reached yet.
const UNREACHED: u32 = u32::MAX;

/// A jump or a call to an address at which no code starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    let (place, target) = flow.invalid.pop_first()?;
    Some(InvalidJump {
        program_counter: ProgramCounter(place),
        target,
    })
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

/// A set of places in the code.
struct Places(Vec<u64>);

impl Places {
    fn new(length: usize) -> Self {
        Self(vec![0; length.div_ceil(64)])
    }

    fn contains(&self, place: u32) -> bool {
        let word = self.0.get(place as usize / 64);
        word.is_some_and(|word| word & 1 << (place % 64) != 0)
    }

    /// Adds a place of the code. Returns whether it is new.
    fn insert(&mut self, place: u32) -> bool {
        let is_new = !self.contains(place);
        self.0[place as usize / 64] |= 1 << (place % 64);
        is_new
    }

    fn iter(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.0).flat_map(|(index, word)| {
            let bits = (0..64).filter(move |bit| word & 1 << bit != 0);
            bits.map(move |bit| index * 64 + bit)
        })
    }
}

/// What is known at a place to which code jumps.
struct Join {
    place: u32,
    registers: Registers,
    is_pending: bool,
}

/// The code, cut where it can be entered or jumped to.
struct Flow<'a> {
    blob: &'a ProgramBlob,
    /// The places at which the VM lets a program jump in.
    starts: Places,
    /// The places at which anything may be in the registers: exports, and the targets of computed
    /// jumps.
    roots: Places,
    /// The number of the join at each place of the code, plus one; 0 if there is none, and
    /// [`UNREACHED`] if it has no number yet.
    join_at: Vec<u32>,
    joins: Vec<Join>,
    /// The joins whose code has not been followed since their registers changed.
    pending: Vec<u32>,
    /// The target of each invalid jump, by the place of the instruction.
    invalid: BTreeMap<u32, u32>,
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
        let length = blob.code().len();
        let mut starts = Places::new(length);
        let mut targets = Places::new(length);
        let mut starts_block = true;
        for instruction in blob.instructions() {
            let place = instruction.offset.0;
            if place as usize >= length {
                break;
            }
            if starts_block {
                starts.insert(place);
            }
            let end = end_of(instruction.kind);
            starts_block = end.is_some();
            if let Some(End::To(target, _)) = end
                && (target as usize) < length
            {
                targets.insert(target);
            }
        }
        let mut roots = Places::new(length);
        let exports = blob.exports().map(|export| export.program_counter());
        // A call returns through the table, and an address that the program keeps is one of it.
        for root in exports.chain(blob.jump_table()) {
            if starts.contains(root.0) {
                roots.insert(root.0);
            }
        }
        let mut join_at = vec![0; length];
        for place in targets.iter() {
            if starts.contains(place) && !roots.contains(place) {
                join_at[place as usize] = UNREACHED;
            }
        }
        Self {
            blob,
            starts,
            roots,
            join_at,
            joins: Vec::new(),
            pending: Vec::new(),
            invalid: BTreeMap::new(),
        }
    }

    /// Notes that code goes to a place with these registers. Returns `false` if no code starts
    /// there.
    fn reach(&mut self, place: u32, registers: &Registers) -> bool {
        if self.roots.contains(place) {
            return true;
        }
        if !self.starts.contains(place) {
            return false;
        }
        let number = &mut self.join_at[place as usize];
        if matches!(*number, 0 | UNREACHED) {
            *number = self.joins.len() as u32 + 1;
            self.pending.push(self.joins.len() as u32);
            self.joins.push(Join {
                place,
                registers: *registers,
                is_pending: true,
            });
            return true;
        }
        let index = *number - 1;
        let join = &mut self.joins[index as usize];
        let common = join.registers.common(registers);
        if common == join.registers {
            return true;
        }
        join.registers = common;
        if !std::mem::replace(&mut join.is_pending, true) {
            self.pending.push(index);
        }
        true
    }

    /// Follows the code until the known registers no longer change. Each change of a join forgets a
    /// register, so a join is followed fourteen times at most.
    fn settle(&mut self) {
        let roots: Vec<u32> = self.roots.iter().collect();
        for root in roots {
            self.follow(root, Registers::UNKNOWN);
        }
        while let Some(index) = self.pending.pop() {
            let join = &mut self.joins[index as usize];
            join.is_pending = false;
            let (place, registers) = (join.place, join.registers);
            self.follow(place, registers);
        }
    }

    /// Follows the code from a place to the next root or join, or to where it does not go on.
    fn follow(&mut self, from: u32, mut registers: Registers) {
        let blob = self.blob;
        let length = blob.code().len();
        for instruction in blob.instructions_bounded_at_known_boundary(ProgramCounter(from)) {
            let place = instruction.offset.0;
            if place as usize >= length {
                return;
            }
            if place != from {
                if self.roots.contains(place) {
                    return;
                }
                if self.join_at[place as usize] != 0 {
                    self.reach(place, &registers);
                    return;
                }
            }
            let end = end_of(instruction.kind);
            if !matches!(end, Some(End::Indirect(..))) {
                registers.step(instruction.kind);
            }
            match end {
                None | Some(End::Next) => {}
                Some(End::To(target, goes_on)) => {
                    if !self.reach(target, &registers) {
                        self.invalid.insert(place, target);
                    }
                    if !goes_on {
                        return;
                    }
                }
                Some(End::Indirect(base, offset)) => {
                    self.check(place, registers.get(base), offset);
                    return;
                }
                Some(End::Trap) => return,
            }
        }
    }

    /// Notes whether a computed jump is invalid, as far as its base is known. What is known only
    /// shrinks, so a later verdict replaces an earlier one.
    fn check(&mut self, place: u32, base: Option<u32>, offset: i32) {
        self.invalid.remove(&place);
        let Some(base) = base else {
            return;
        };
        let target = base.wrapping_add_signed(offset);
        let code = self.blob.jump_table().get_by_address(target);
        let is_valid = u64::from(target) == RETURN_TO_HOST
            || code.is_some_and(|code| self.starts.contains(code.0));
        if !is_valid {
            self.invalid.insert(place, target);
        }
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
        branch => End::To(branch_target(branch)?, true),
    })
}
