//! Few large accesses to a program's memory in place of many small ones.
//!
//! The memory of a compiled program is in another process. Each access is a call of the kernel,
//! which costs as much as copying some thousand bytes. So the loader writes the input in one piece,
//! with the zeroes between the accounts, and reads it back in one piece.

use std::mem::take;

use polkavm::{MemoryProtection, RawInstance};

use super::process;

/// The longest gap between two writes that become one, in bytes. An account has 10,240 spare ones.
const LONGEST_GAP: u64 = 16 << 10;

/// How many bytes the host copies while the process of the program waits actively for work.
const AWAKE: usize = 48 << 10;

/// The longest piece for which the host keeps the process awake. For a longer one that costs more
/// than waking it up at the end.
const KEPT_AWAKE: usize = 4 * AWAKE;

/// The most memory that an idle instance keeps for pieces, in bytes.
const LONGEST_SPARE: usize = 1 << 20;

/// A longer access than this goes to the memory at once: copying it first would cost more.
const LONG: usize = 64 << 10;

/// The accesses to the memory of one invocation.
#[derive(Default)]
pub(super) struct Pieces {
    state: State,
    /// The address of each write, and its bytes, in the order of the calls.
    writes: Vec<(u32, Vec<u8>)>,
    pieces: Vec<Piece>,
    /// Memory for the next piece.
    spare: Vec<u8>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// The program has not run. All memory that the loader has not written is zero.
    #[default]
    Gathering,
    /// The program runs, and may change its memory between any two accesses.
    Running,
    /// The program has ended, and its memory does not change any more.
    Ended,
}

/// Memory that is written and read in one piece.
struct Piece {
    address: u32,
    bytes: Vec<u8>,
    /// Whether `bytes` is what the program has left.
    is_read: bool,
}

impl Pieces {
    /// The accesses of an invocation, with the memory that an earlier one has left.
    pub fn with_spare(spare: Vec<u8>) -> Self {
        Self {
            spare,
            ..Self::default()
        }
    }

    /// Memory for the next invocation. A new block of this length has pages that the host has not
    /// touched, each of which costs a fault. It is all zero: no data of the invocation stays longer
    /// than it must.
    pub fn into_spare(self) -> Vec<u8> {
        let pieces = self.pieces.into_iter().map(|piece| piece.bytes);
        let mut longest = pieces.max_by_key(Vec::capacity).unwrap_or(self.spare);
        if longest.capacity() > LONGEST_SPARE {
            return Vec::new();
        }
        longest.fill(0);
        longest
    }

    /// Keeps a write for later; false if it is to happen now.
    pub fn write(&mut self, vm: &RawInstance, address: u32, bytes: &[u8]) -> bool {
        if self.state != State::Gathering || bytes.len() > LONG {
            return false;
        }
        // As the VM would: an access that fails fails at once.
        let length = bytes.len() as u32;
        if !vm.is_memory_accessible(address, length, MemoryProtection::ReadWrite) {
            return false;
        }
        self.writes.push((address, bytes.to_vec()));
        true
    }

    /// Writes what was kept.
    pub fn flush(&mut self, vm: &mut RawInstance) -> Result<(), String> {
        if self.writes.is_empty() {
            return Ok(());
        }
        for piece in join(vm, &self.writes, &self.pieces, &mut self.spare) {
            piece.write(vm)?;
            self.pieces.push(piece);
        }
        self.writes.clear();
        Ok(())
    }

    /// The program is about to run.
    pub fn begin(&mut self, vm: &mut RawInstance) -> Result<(), String> {
        self.flush(vm)?;
        self.state = State::Running;
        Ok(())
    }

    /// The program has ended.
    pub fn end(&mut self) {
        self.state = State::Ended;
    }

    /// The bytes at an address, if they are in a piece that was written and the program has ended.
    pub fn read(&mut self, vm: &mut RawInstance, address: u32, length: usize) -> Option<&[u8]> {
        if self.state != State::Ended || length > LONG {
            return None;
        }
        let piece = self.pieces.iter_mut().find(|piece| {
            let start = address.checked_sub(piece.address);
            start.is_some_and(|start| start as usize + length <= piece.bytes.len())
        })?;
        if !piece.is_read {
            piece.read(vm).ok()?;
        }
        let start = (address - piece.address) as usize;
        Some(&piece.bytes[start..start + length])
    }
}

impl Piece {
    fn write(&self, vm: &mut RawInstance) -> Result<(), String> {
        let mut address = self.address;
        for bytes in self.bytes.chunks(self.chunk()) {
            if address != self.address {
                process::keep_awake(vm).map_err(|error| error.to_string())?;
            }
            vm.write_memory(address, bytes)
                .map_err(|error| error.to_string())?;
            address += bytes.len() as u32;
        }
        Ok(())
    }

    fn read(&mut self, vm: &mut RawInstance) -> Result<(), String> {
        let (mut address, chunk) = (self.address, self.chunk());
        for bytes in self.bytes.chunks_mut(chunk) {
            if address != self.address {
                process::keep_awake(vm).map_err(|error| error.to_string())?;
            }
            let length = bytes.len() as u32;
            vm.read_memory_into(address, bytes)
                .map_err(|error| error.to_string())?;
            address += length;
        }
        self.is_read = true;
        Ok(())
    }

    /// Whether it has bytes from `start` to `end`.
    fn overlaps(&self, start: u64, end: u64) -> bool {
        let own = u64::from(self.address);
        own < end && start < own + self.bytes.len() as u64
    }

    /// Bytes of one access.
    fn chunk(&self) -> usize {
        let length = self.bytes.len();
        if length > KEPT_AWAKE { length } else { AWAKE }
    }
}

/// Joins writes that are close to each other, if the memory between them is zero: nothing of what
/// was written before is there.
fn join(
    vm: &RawInstance,
    writes: &[(u32, Vec<u8>)],
    written: &[Piece],
    spare: &mut Vec<u8>,
) -> Vec<Piece> {
    let end = |(address, bytes): &(u32, Vec<u8>)| u64::from(*address) + bytes.len() as u64;
    let mut order: Vec<usize> = (0..writes.len()).collect();
    order.sort_by_key(|index| writes[*index].0);
    let mut ranges: Vec<(u32, u64)> = Vec::new();
    for write in order.into_iter().map(|index| &writes[index]) {
        match ranges.last_mut() {
            // The program may have no memory in the gap.
            Some((start, last))
                if u64::from(write.0) <= *last + LONGEST_GAP
                    && !written
                        .iter()
                        .any(|piece| piece.overlaps(*last, write.0.into()))
                    && is_writable(vm, *start, end(write)) =>
            {
                *last = end(write).max(*last);
            }
            _ => ranges.push((write.0, end(write))),
        }
    }
    let mut pieces: Vec<Piece> = ranges
        .into_iter()
        .map(|(address, end)| Piece {
            address,
            bytes: zeroes(take(spare), (end - u64::from(address)) as usize),
            is_read: false,
        })
        .collect();
    for (address, bytes) in writes {
        let place = pieces.partition_point(|piece| piece.address <= *address) - 1;
        let piece = &mut pieces[place];
        let start = (address - piece.address) as usize;
        piece.bytes[start..start + bytes.len()].copy_from_slice(bytes);
    }
    pieces
}

/// Memory that is all zero, in another length.
fn zeroes(mut memory: Vec<u8>, length: usize) -> Vec<u8> {
    memory.resize(length, 0);
    memory
}

fn is_writable(vm: &RawInstance, start: u32, end: u64) -> bool {
    let length = end.saturating_sub(start.into());
    let Ok(length) = u32::try_from(length) else {
        return false;
    };
    vm.is_memory_accessible(start, length, MemoryProtection::ReadWrite)
}

#[cfg(test)]
mod tests {
    use polkavm::{ArcBytes, BackendKind, Config, Engine, Module, ModuleConfig};
    use polkavm_common::program::{InstructionSetKind, asm};
    use polkavm_common::writer::ProgramBlobBuilder;

    use super::*;

    /// An instance with 400,000 bytes at an address.
    fn instance() -> (RawInstance, u32) {
        let mut builder = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
        builder.set_stack_size(4_096);
        builder.set_code(&[asm::ret()], &[]);
        let mut config = Config::new();
        config.set_backend(Some(BackendKind::Interpreter));
        let engine = Engine::new(&config).unwrap();
        let blob = ArcBytes::from(builder.to_vec().unwrap());
        let module = Module::new(&engine, &ModuleConfig::new(), blob).unwrap();
        let mut vm = module.instantiate().unwrap();
        vm.sbrk(400_000).unwrap().unwrap();
        (vm, module.memory_map().heap_base())
    }

    /// A long write flushes those before it. Those after it were joined over the earlier bytes.
    #[test]
    fn later_piece_leaves_an_earlier_one_alone() {
        let (mut vm, base) = instance();
        let mut expected = vec![0; 400_000];
        let mut pieces = Pieces::default();
        for (offset, length, byte) in [
            (100_000, 500, 1),
            (200_000, LONG + 1, 2),
            (101_000, 100, 3),
            (90_000, 100, 4),
        ] {
            let bytes = vec![byte; length];
            expected[offset..offset + length].copy_from_slice(&bytes);
            let address = base + offset as u32;
            if !pieces.write(&vm, address, &bytes) {
                pieces.flush(&mut vm).unwrap();
                vm.write_memory(address, &bytes).unwrap();
            }
        }
        pieces.begin(&mut vm).unwrap();
        assert!(vm.read_memory(base, 400_000).unwrap() == expected);
    }

    #[test]
    fn close_writes_are_one_piece_and_leave_the_same_bytes() {
        let (mut vm, base) = instance();
        // The last one first, as the loader writes. The last two of these overlap.
        let writes: [(u32, usize, u8); 6] = [
            (390_000, 10_000, 1),
            (300_000, 10, 2),
            (100_000, LONG + 1, 3),
            (30_000, 500, 4),
            (20_000, 100, 5),
            (20_050, 100, 6),
        ];
        let mut expected = vec![0; 400_000];
        let mut pieces = Pieces::with_spare(vec![0; 1_000]);
        for (offset, length, byte) in writes {
            let bytes = vec![byte; length];
            expected[offset as usize..offset as usize + length].copy_from_slice(&bytes);
            if !pieces.write(&vm, base + offset, &bytes) {
                pieces.flush(&mut vm).unwrap();
                vm.write_memory(base + offset, &bytes).unwrap();
            }
        }
        // No memory of the program's is behind the last byte of its stack.
        let stack_end = vm.module().memory_map().stack_address_high();
        assert!(!pieces.write(&vm, stack_end, &[1]));
        pieces.begin(&mut vm).unwrap();
        assert_eq!(vm.read_memory(base, 400_000).unwrap(), expected);
        let places = pieces.pieces.iter();
        let places = places.map(|piece| (piece.address - base, piece.bytes.len()));
        let places: Vec<_> = places.collect();
        assert_eq!(places, [(300_000, 10), (390_000, 10_000), (20_000, 10_500)]);

        // While the program runs, and from memory of its own, reads are not from a piece.
        assert_eq!(pieces.read(&mut vm, base + 20_000, 8), None);
        vm.write_memory(base + 25_000, &[7]).unwrap();
        pieces.end();
        assert_eq!(pieces.read(&mut vm, base + 25_000, 1), Some(&[7][..]));
        assert_eq!(pieces.read(&mut vm, base + 30_499, 1), Some(&[4][..]));
        assert_eq!(pieces.read(&mut vm, base + 30_499, 2), None);
        assert_eq!(pieces.read(&mut vm, base + 19_999, 2), None);
        assert!(pieces.into_spare() == [0; 10_500]);
    }
}
