//! The registers as gdb numbers them.

use std::num::NonZeroUsize;

use gdbstub::arch::{Arch, RegId, Registers};

/// How many registers gdb knows, besides the program counter.
const COUNT: usize = 32;

/// The numbers at gdb of the registers of [`loader::debug::REGISTERS`], in its order.
pub const NUMBERS: [usize; 13] = [1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// One of the registers, by its number at gdb; that of the program counter is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register(usize);

impl Register {
    /// Its value; `None` if it is unavailable.
    pub fn of(self, registers: &RiscvRegisters) -> Option<u64> {
        let program_counter = Some(registers.program_counter);
        registers
            .values
            .get(self.0)
            .copied()
            .unwrap_or(program_counter)
    }
}

impl RegId for Register {
    fn from_raw_id(id: usize) -> Option<(Self, Option<NonZeroUsize>)> {
        (id <= COUNT).then_some((Self(id), NonZeroUsize::new(8)))
    }
}

/// A hart of 64 bits.
#[derive(Debug)]
pub enum Riscv64 {}

/// The values of the registers. PolkaVM has 13 of them; the others are unavailable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RiscvRegisters {
    pub values: [Option<u64>; COUNT],
    pub program_counter: u64,
}

impl Registers for RiscvRegisters {
    type ProgramCounter = u64;

    fn pc(&self) -> u64 {
        self.program_counter
    }

    fn gdb_serialize(&self, mut write_byte: impl FnMut(Option<u8>)) {
        let values = self.values.iter().copied();
        for value in values.chain([Some(self.program_counter)]) {
            let bytes = value.map(u64::to_le_bytes);
            for index in 0..8 {
                write_byte(bytes.map(|bytes| bytes[index]));
            }
        }
    }

    fn gdb_deserialize(&mut self, _bytes: &[u8]) -> Result<(), ()> {
        // A replay would lose what gdb writes.
        Err(())
    }
}

impl Arch for Riscv64 {
    type Usize = u64;
    type Registers = RiscvRegisters;
    type BreakpointKind = usize;
    type RegId = Register;

    fn target_description_xml() -> Option<&'static str> {
        Some(include_str!("target.xml"))
    }
}
