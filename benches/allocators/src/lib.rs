//! What allocators cost inside the VM: the guest that `cargo entrypoint bench allocators` measures.
//!
//! One build has one global allocator, chosen by a feature, and all [`WORKLOADS`]. The instruction data says which
//! of them to do and how often: two numbers of four bytes, little endian. What is returned is a checksum of eight
//! bytes, the same whatever the allocator; a build with the feature `traced` adds the bytes from the lowest to the
//! end of the highest block and the most bytes that were live at once, each in eight bytes.
//!
//! Nothing is timed. An instruction costs one unit of gas, so that every figure is exact and the same everywhere.
//! Another compiler makes other code, and other figures.
//!
//! # Gas
//!
//! The gas of a workload is that of a call that does it, less that of a call of the same blob that does
//! [`EMPTY`]. Entry, start of the allocator and return are in both.
//!
//! # Gas per operation
//!
//! The loops themselves cost something too. The feature `one_buffer` puts something in the place of the allocator
//! that hands out the same static buffer each time, never null, and takes nothing back: its gas is what the loop
//! costs. What is left is divided by the number of rounds. It is the price of the allocator where it stands, the
//! caller's comparison of its answer with null included.
//!
//! That works where the loop is short and the same in every build. In `vec_growth`, `btree` and `format` most of the
//! gas is the collection's or the formatter's, and how the compiler inlines those depends on the allocator; the
//! map also has many blocks live at once, which one buffer cannot stand for. There the figure is the whole gas by
//! round.
//!
//! # Peak
//!
//! Bytes from the start of the lowest block to the end of the highest, as [`allocator::TracingAllocator`] has seen
//! them: gaps, headers between blocks and what was not taken back count; tables that an allocator keeps below its
//! first block or in a static do not.
//!
//! # The same for all
//!
//! Every allocator has the heap that the loader placed, of [`HEAP_LENGTH`] bytes, and is used as in a program with
//! one thread: none has a lock. Allocators of other crates are handed the heap, and one that puts its tables in order
//! with its first block is asked for one, at the start of each call, before the workload. An allocation that fails ends
//! the call with the entry point's report that the heap is full.
#![no_std]

extern crate alloc;

#[allow(
    dead_code,
    reason = "a build uses one of the allocators, and on the host none"
)]
mod heap;
mod workloads;

use entrypoint::{AccountInfo, ProgramError, ProgramResult, Pubkey, entrypoint, set_return_data};

pub use workloads::{EMPTY, WORKLOADS};

entrypoint!(process_instruction, heap = custom);

/// Length in bytes of the heap that every call must be given.
pub const HEAP_LENGTH: usize = 512 * 1024;

/// Does the workload that the instruction data names, as often as it says.
pub fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let (workload, rounds) = instruction_data
        .split_first_chunk::<4>()
        .ok_or(ProgramError::InvalidInstructionData)?;
    let rounds = rounds
        .try_into()
        .map_err(|_| ProgramError::InvalidInstructionData)?;
    // The peers' figures are only worth comparing if they have as much room.
    if allocator::heap_limit() != HEAP_LENGTH {
        return Err(ProgramError::InvalidArgument);
    }
    // SAFETY: a loader calls the program once, and nothing has been allocated yet.
    unsafe { heap::start() }?;
    let checksum = workloads::run(u32::from_le_bytes(*workload), u32::from_le_bytes(rounds))
        .ok_or(ProgramError::InvalidInstructionData)?;
    match heap::counts() {
        None => set_return_data(&checksum.to_le_bytes()),
        Some(counts) => {
            let figures = [checksum, counts.extent as u64, counts.peak as u64];
            set_return_data(figures.map(u64::to_le_bytes).as_flattened());
        }
    }
    Ok(())
}
