//! The registers and the memory before one instruction.

use std::collections::{BTreeMap, HashMap};
use std::ops::{ControlFlow, Range};

use polkavm::program::Instruction;
use polkavm::{ProgramCounter, Reg};

use super::VM_REGISTERS;
use crate::backend::polkavm::{Guest, LoadedBlob, Observer};
use crate::backend::{GuestMemory, Heap};

/// The state of a program before one instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The program counter of the instruction.
    pub program_counter: u32,
    /// The registers, in the order of [`REGISTERS`](super::REGISTERS).
    pub registers: [u64; 13],
    /// The gas that remains. The VM takes the gas of a block of instructions before the first one.
    pub gas: u64,
    /// The guest addresses of the stack.
    pub stack: Range<u32>,
    /// Where the program has saved return addresses: for each guest address the saved one. An entry
    /// is of no use if the memory has another number by now.
    pub saved_returns: BTreeMap<u32, u32>,
    /// The memory that the program can read, without gaps, by its first address.
    memory: BTreeMap<u32, Vec<u8>>,
}

impl Snapshot {
    /// Reads guest memory, as far as it is accessible from this address on. Returns how many bytes
    /// it has read.
    pub fn read(&self, address: u64, buffer: &mut [u8]) -> usize {
        let Ok(address) = u32::try_from(address) else {
            return 0;
        };
        let before = self.memory.range(..=address).next_back();
        let bytes = before.and_then(|(start, bytes)| bytes.get((address - start) as usize..));
        let bytes = bytes.unwrap_or_default();
        let length = bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&bytes[..length]);
        length
    }
}

/// Takes a snapshot at one position, and breaks the run off.
pub(super) struct Photographer {
    position: usize,
    /// The next instruction's position.
    next: usize,
    /// Instructions that save the register `RA`: the base and the offset of the address.
    saves: HashMap<u32, (Reg, i32)>,
    saved_returns: BTreeMap<u32, u32>,
    snapshot: Snapshot,
}

impl Photographer {
    pub fn new(program: &LoadedBlob, position: usize) -> Self {
        let instructions = program.blob.instructions();
        let saves = instructions.filter_map(|instruction| match instruction.kind {
            Instruction::store_indirect_u64(source, base, offset) if source.get() == Reg::RA => {
                Some((instruction.offset.0, (base.get(), offset)))
            }
            _ => None,
        });
        Self {
            position,
            next: 0,
            saves: saves.collect(),
            saved_returns: BTreeMap::new(),
            snapshot: Snapshot::default(),
        }
    }

    pub fn finish(mut self) -> Snapshot {
        self.snapshot.saved_returns = self.saved_returns;
        self.snapshot
    }

    fn photograph(&mut self, guest: &mut Guest<'_>, counter: ProgramCounter) {
        let module = &guest.program.module;
        let map = module.memory_map();
        let (read_only, data) = (map.ro_data_range(), map.rw_data_address());
        // The heap and the input are right above the data.
        let end = map.heap_base() + guest.vm.heap_size();
        let stack = map.stack_range();
        let registers = VM_REGISTERS.map(|register| guest.vm.reg(register));
        let mut memory = BTreeMap::new();
        for range in [read_only, data..end, stack.clone()] {
            let length = range.end.saturating_sub(range.start);
            if let Ok(bytes) = guest.read(range.start.into(), length.into())
                && !bytes.is_empty()
            {
                memory.insert(range.start, bytes);
            }
        }
        self.snapshot = Snapshot {
            program_counter: counter.0,
            registers,
            gas: guest.gas(),
            stack,
            saved_returns: BTreeMap::new(),
            memory,
        };
    }
}

impl Observer for Photographer {
    fn step(&mut self, guest: &mut Guest<'_>, _heap: &Heap) -> ControlFlow<()> {
        let Some(counter) = guest.vm.program_counter() else {
            return ControlFlow::Continue(());
        };
        if self.next == self.position {
            self.photograph(guest, counter);
            return ControlFlow::Break(());
        }
        self.next += 1;
        if let Some((base, offset)) = self.saves.get(&counter.0) {
            // Addresses have 32 bits.
            let address = (guest.vm.reg(*base) as u32).wrapping_add_signed(*offset);
            let saved = guest.vm.reg(Reg::RA) as u32;
            self.saved_returns.insert(address, saved);
        }
        ControlFlow::Continue(())
    }

    fn ended(&mut self, guest: &mut Guest<'_>, _heap: &Heap) {
        if self.next < self.position
            && let Some(counter) = guest.vm.program_counter()
        {
            self.photograph(guest, counter);
        }
    }
}
