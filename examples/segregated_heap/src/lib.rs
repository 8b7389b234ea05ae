//! Frees blocks in another order than it allocates them: `heap = segregated` reuses every one of
//! them.
//!
//! The jobs of a queue are boxes of 32 bytes. Two thousand of them are 64,000 bytes, twice the
//! heap, but at most eight live at once. The default heap reuses only its most recent block and
//! would run out of memory here, which happens if `heap = segregated` is removed.
#![no_std]

extern crate alloc;

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use entrypoint::{AccountInfo, ProgramResult, Pubkey, entrypoint, msg};

entrypoint!(process_instruction, heap = segregated);

/// Jobs that are done in all.
const JOBS: u64 = 2000;

/// Jobs that wait at any time.
const WAITING: u64 = 8;

/// A piece of work.
struct Job {
    number: u64,
    numbers: [u64; 3],
}

impl Job {
    fn new(number: u64) -> Box<Self> {
        let numbers = [number, number + 1, number + 2];
        Box::new(Self { number, numbers })
    }
}

/// Does two thousand jobs, of which eight wait at any time.
pub fn process_instruction(
    _program_id: &Pubkey,
    _accounts: &[AccountInfo],
    _instruction_data: &[u8],
) -> ProgramResult {
    let mut queue: VecDeque<Box<Job>> = (0..WAITING).map(Job::new).collect();
    let mut sum = 0;
    while let Some(job) = queue.pop_front() {
        sum += job.numbers.iter().sum::<u64>();
        if job.number + WAITING < JOBS {
            queue.push_back(Job::new(job.number + WAITING));
        }
    }
    msg!("{JOBS} jobs done, their sum is {sum}");
    Ok(())
}
