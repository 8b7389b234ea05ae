//! Which instructions followed which.

use std::collections::HashSet;
use std::ops::ControlFlow;

use polkavm::program::Instruction;
use polkavm::{ProgramBlob, Reg};

use crate::backend::Heap;
use crate::backend::polkavm::{Guest, Observer};
use crate::outcome::Outcome;

/// How many pairs of instructions an [`Edges`] distinguishes. Others share a place with one of
/// these, which can only hide an edge.
const PLACES: usize = 1 << 16;

/// Edges: which instructions followed which, and about how often, in all runs together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edges {
    /// For each edge a bit for each class of counts that was seen.
    seen: Vec<u8>,
    /// The counts of the current run.
    counts: Vec<u8>,
    /// The places of `counts` that are not 0.
    touched: Vec<u16>,
    /// How many edges were seen.
    number: usize,
}

/// What one run added.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Covered {
    /// The outcome.
    pub outcome: Outcome,
    /// Edges that no run had before.
    pub new_edges: usize,
    /// Edges that this run had in another class of counts than all runs before: 1, 2, 3, up to 7,
    /// up to 15, up to 31, up to 127, more.
    pub new_counts: usize,
    /// The program counter of the last instruction that began; `None` if none did.
    pub last: Option<u32>,
    /// The different pairs of numbers that the program compared with each other, in order: some
    /// hundreds at most. One of the two is often a part of the input, and the other what the
    /// program expects there.
    pub compared: Vec<(u64, u64)>,
}

impl Edges {
    /// No edges.
    #[must_use]
    pub fn new() -> Self {
        Self {
            seen: vec![0; PLACES],
            counts: vec![0; PLACES],
            touched: Vec::new(),
            number: 0,
        }
    }

    /// How many edges all runs together had.
    #[must_use]
    pub fn len(&self) -> usize {
        self.number
    }

    /// Whether no run had any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.number == 0
    }

    fn add(&mut self, before: u32, counter: u32) {
        // Multiplying by an odd number spreads the bits, of which the upper ones are taken.
        let mixed = (before.rotate_left(16) ^ counter).wrapping_mul(0x9e37_79b1);
        let place = (mixed >> 16) as u16;
        let count = &mut self.counts[usize::from(place)];
        if *count == 0 {
            self.touched.push(place);
        }
        *count = count.saturating_add(1);
    }

    /// Takes the current run over. Returns the new edges and the new counts.
    fn merge(&mut self) -> (usize, usize) {
        let (mut edges, mut counts) = (0, 0);
        for place in self.touched.drain(..) {
            let place = usize::from(place);
            let class = class(std::mem::take(&mut self.counts[place]));
            let seen = &mut self.seen[place];
            if *seen == 0 {
                edges += 1;
            } else if *seen & class == 0 {
                counts += 1;
            }
            *seen |= class;
        }
        self.number += edges;
        (edges, counts)
    }
}

impl Default for Edges {
    fn default() -> Self {
        Self::new()
    }
}

/// The bit of a count's class.
fn class(count: u8) -> u8 {
    match count {
        0 => 0,
        1 => 1,
        2 => 1 << 1,
        3 => 1 << 2,
        4..=7 => 1 << 3,
        8..=15 => 1 << 4,
        16..=31 => 1 << 5,
        32..=127 => 1 << 6,
        128.. => 1 << 7,
    }
}

/// What is to be observed at each program counter.
pub(super) struct Points {
    /// Whether a block of instructions starts.
    starts: Vec<bool>,
    /// The operands that are compared.
    comparisons: Vec<Option<(Reg, Operand)>>,
}

/// The second operand of a comparison.
#[derive(Clone, Copy)]
enum Operand {
    Register(Reg),
    Number(i32),
}

impl Points {
    pub fn of(blob: &ProgramBlob) -> Self {
        let length = blob.code().len();
        let mut points = Self {
            starts: vec![false; length],
            comparisons: vec![None; length],
        };
        let mut is_start = true;
        for instruction in blob.instructions() {
            let place = instruction.offset.0 as usize;
            if place < length {
                points.starts[place] = is_start;
                points.comparisons[place] = comparison(instruction.kind);
            }
            is_start = instruction.kind.opcode().starts_new_basic_block();
        }
        points
    }
}

/// The operands that an instruction compares. The compiler also compares with `xor`.
fn comparison(instruction: Instruction) -> Option<(Reg, Operand)> {
    use Instruction as I;
    match instruction {
        I::branch_eq(left, right, _)
        | I::branch_not_eq(left, right, _)
        | I::branch_less_unsigned(left, right, _)
        | I::branch_less_signed(left, right, _)
        | I::branch_greater_or_equal_unsigned(left, right, _)
        | I::branch_greater_or_equal_signed(left, right, _)
        | I::xor(_, left, right)
        | I::set_less_than_unsigned(_, left, right)
        | I::set_less_than_signed(_, left, right) => {
            Some((left.get(), Operand::Register(right.get())))
        }
        I::branch_eq_imm(left, right, _)
        | I::branch_not_eq_imm(left, right, _)
        | I::branch_less_unsigned_imm(left, right, _)
        | I::branch_less_signed_imm(left, right, _)
        | I::branch_greater_or_equal_unsigned_imm(left, right, _)
        | I::branch_greater_or_equal_signed_imm(left, right, _)
        | I::branch_less_or_equal_unsigned_imm(left, right, _)
        | I::branch_less_or_equal_signed_imm(left, right, _)
        | I::branch_greater_unsigned_imm(left, right, _)
        | I::branch_greater_signed_imm(left, right, _)
        | I::xor_imm(_, left, right)
        | I::set_less_than_unsigned_imm(_, left, right)
        | I::set_less_than_signed_imm(_, left, right) => Some((left.get(), Operand::Number(right))),
        _ => None,
    }
}

/// The most pairs of compared numbers that are kept.
const MAX_COMPARED: usize = 512;

/// Writes down the edges between blocks of instructions.
pub(super) struct Coverer<'a> {
    edges: &'a mut Edges,
    points: &'a Points,
    last: Option<u32>,
    compared: Vec<(u64, u64)>,
    known: HashSet<(u64, u64)>,
}

impl<'a> Coverer<'a> {
    pub fn new(edges: &'a mut Edges, points: &'a Points) -> Self {
        Self {
            edges,
            points,
            last: None,
            compared: Vec::new(),
            known: HashSet::new(),
        }
    }

    pub fn finish(self, outcome: Outcome) -> Covered {
        let (new_edges, new_counts) = self.edges.merge();
        Covered {
            outcome,
            new_edges,
            new_counts,
            last: self.last,
            compared: self.compared,
        }
    }
}

impl Observer for Coverer<'_> {
    fn step(&mut self, guest: &mut Guest<'_>, _heap: &Heap) -> ControlFlow<()> {
        let Some(counter) = guest.vm.program_counter() else {
            return ControlFlow::Continue(());
        };
        let counter = counter.0;
        let before = self.last.replace(counter).unwrap_or(counter);
        let place = counter as usize;
        if self.points.starts.get(place).copied().unwrap_or(true) {
            self.edges.add(before, counter);
        }
        if let Some(Some((left, right))) = self.points.comparisons.get(place)
            && self.compared.len() < MAX_COMPARED
        {
            let left = guest.vm.reg(*left);
            let right = match right {
                Operand::Register(register) => guest.vm.reg(*register),
                Operand::Number(number) => i64::from(*number) as u64,
            };
            if left != right && self.known.insert((left, right)) {
                self.compared.push((left, right));
            }
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_new_once_and_counts_by_class() {
        let mut edges = Edges::new();
        assert!(edges.is_empty());
        edges.add(1, 2);
        edges.add(2, 9);
        assert_eq!(edges.merge(), (2, 0));
        edges.add(1, 2);
        assert_eq!(edges.merge(), (0, 0));
        for _ in 0..5 {
            edges.add(1, 2);
        }
        assert_eq!(edges.merge(), (0, 1));
        for _ in 0..7 {
            edges.add(1, 2);
        }
        assert_eq!(edges.merge(), (0, 0));
        assert_eq!(edges.len(), 2);
    }
}
