//! The calls of a program's allocator, in order.

use abi::heap::{HeapCall, HeapTrace};

use super::HeapOperation;
use super::heap_blocks::Site;

/// The most calls that are remembered.
const MAX_OPERATIONS: usize = 1 << 18;

/// The calls of an allocator, while the program runs.
#[derive(Default)]
pub(super) struct HeapOperations {
    pub all: Vec<HeapOperation>,
    /// Whether there were more.
    pub lacks_some: bool,
}

impl HeapOperations {
    /// Writes down the last call, which ended with so much gas used. `site` is its caller.
    pub fn note(&mut self, trace: &HeapTrace, gas: u64, site: Site) {
        // Before the first call the trace is empty. A blob may claim any method.
        let method = HeapCall::new(trace.method).filter(|_| trace.calls > 0);
        let Some(method) = method else { return };
        if self.all.len() >= MAX_OPERATIONS {
            self.lacks_some = true;
            return;
        }
        let (caller, program_counter) = site;
        self.all.push(HeapOperation {
            method,
            freed: trace.freed,
            allocated: trace.allocated,
            size: trace.size,
            align: trace.align,
            gas,
            place: (u64::from(caller) << 32) | u64::from(program_counter),
        });
    }
}
