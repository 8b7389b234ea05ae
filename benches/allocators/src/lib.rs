//! The bench of allocators inside the VM: the guest that `cargo xtask bench allocators` measures.
//!
//! One build has one global allocator, chosen by a feature, and all [`WORKLOADS`]. The instruction
//! data names one of them and the number of rounds: two numbers of four bytes, little endian. The
//! program returns a checksum of eight bytes, which is the same for every allocator. A build with
//! the feature `traced` adds the bytes from the lowest to the end of the highest block and the most
//! bytes that were live at once, each in eight bytes.
//!
//! The bench measures no time. An instruction costs one unit of gas, so every figure is exact and
//! the same everywhere. Another compiler makes other code, and other figures.
//!
//! # Gas
//!
//! The gas of a workload is that of a call that runs it, less that of a call of the same blob that
//! runs [`EMPTY`]. Entry, start of the allocator and return are in both.
//!
//! # Gas per operation
//!
//! The loops themselves cost gas too. The feature `one_buffer` replaces the allocator: it returns
//! the same static buffer each time, never null, and ignores frees. Its gas is the cost of the
//! loop. The rest, divided by the number of rounds, is the price of the allocator inside of the
//! loop, with the caller's comparison of the returned pointer with null.
//!
//! That works if the loop is short and the same in every build. In `vec_growth`, `btree` and
//! `format`, the collection or the formatter uses most of the gas, and how the compiler inlines
//! those depends on the allocator. Also, the map has many live blocks at once, which one buffer
//! cannot replace. There the figure is the whole gas, divided by the rounds.
//!
//! # Peak
//!
//! Bytes from the start of the lowest block to the end of the highest, as
//! [`allocator::TracingAllocator`] counts them. Gaps, headers between blocks and freed blocks that
//! were not reused count. Tables below the first block, or in a static, do not.
//!
//! # The same for all
//!
//! Every allocator has the heap that the loader placed, of [`HEAP_LENGTH`] bytes, and is used as in
//! a program with one thread: none has a lock. Allocators of other crates get the heap at the start
//! of each call, before the workload, and allocate one block if that initialises their tables. An
//! allocation that fails ends the call with the entry point's report that the heap is full.
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

/// The number of a trace, in place of a workload's, with the feature `replay`. After it come four
/// bytes of zero, and what `abi::heap_replay` describes.
pub const REPLAY: u32 = u32::MAX;

/// Length in bytes of the heap that every call must be given.
pub const HEAP_LENGTH: usize = 512 * 1024;

/// Runs the workload that the instruction data names, with its number of rounds.
pub fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    instruction_data: &[u8],
) -> ProgramResult {
    let (workload, rounds) = instruction_data
        .split_first_chunk::<4>()
        .ok_or(ProgramError::InvalidInstructionData)?;
    #[cfg(feature = "replay")]
    if u32::from_le_bytes(*workload) == REPLAY {
        return replay(rounds.get(4..).unwrap_or(&[]));
    }
    let rounds = rounds
        .try_into()
        .map_err(|_| ProgramError::InvalidInstructionData)?;
    // The peers' figures are only comparable if they have the same heap.
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

/// Replays a trace of a program's allocator, on a heap of [`HEAP_LENGTH`] bytes and the table of
/// blocks.
#[cfg(feature = "replay")]
fn replay(data: &[u8]) -> ProgramResult {
    let start = || {
        if allocator::heap_limit() != HEAP_LENGTH {
            return Err(ProgramError::InvalidArgument);
        }
        // SAFETY: a loader calls the program once, and nothing has been allocated yet.
        unsafe { heap::start() }
    };
    // SAFETY: a loader calls the program once, with a heap of its own, and nothing has been
    // allocated yet. The allocator reads the end of its heap in `start`, or in each call. `cargo
    // xtask replay` passes data that it has made of a trace.
    unsafe { entrypoint::__private::replay(data, start) }
}
