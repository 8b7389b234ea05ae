//! Runs a trace in the VM, in a program that was built to replay it.

use std::collections::BTreeMap;

use abi::heap::HeapCall;
use abi::heap_replay::{GRAIN, ReplayFigures, ReplayHeader, ReplayOperation};
use anyhow::{Context, Result, bail};
use loader::fixture::DEFAULT_PROGRAM_ID;
use loader::{Invocation, Program};

use super::{Call, HeapTrace};

/// More gas than the longest trace needs with any allocator.
const GAS: u64 = 10_000_000_000;

/// The bytes of a slot in the guest's table.
const SLOT_LENGTH: u32 = 16;

/// What a trace costs with one allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Gas of the calls, and of the loop that makes them: it is the same for every allocator, so
    /// only differences mean something.
    pub gas: u64,
    /// Bytes from the start of the lowest block to the end of the highest.
    pub peak: u64,
    /// Bytes that can never be allocated again, although no live block requested them.
    pub leaked: u64,
    /// The number of the operation that the allocator refused, from 1, if the heap was full. The
    /// other figures are then those up to it.
    pub refused: Option<u64>,
}

/// A trace in the form that the guest reads.
struct Encoded {
    operations: Vec<u8>,
    /// The number in the trace of each operation.
    numbers: Vec<u64>,
    slots: u32,
    /// Bytes that are live at the end, as the guest requests them.
    live: u64,
}

/// Replays a trace with the allocator of a program, on a heap of `heap_size` bytes.
///
/// `prefix` comes before the data that [`abi::heap_replay`] describes. Its length is a multiple of
/// 8.
///
/// # Errors
///
/// If the program does not replay the trace.
pub fn replay(
    program: &Program,
    trace: &HeapTrace,
    heap_size: u32,
    prefix: &[u8],
) -> Result<Replayed> {
    let encoded = encode(trace)?;
    let run = |measures: u32, operations: &[u8]| {
        let header = ReplayHeader {
            measures,
            slots: encoded.slots,
        };
        let data = [prefix, bytemuck::bytes_of(&header), operations].concat();
        let table = encoded.slots * SLOT_LENGTH;
        let heap = heap_size
            .checked_add(table)
            .context("the table of live blocks does not fit beside the heap")?;
        let invocation = Invocation::new(DEFAULT_PROGRAM_ID)
            .data(data)
            .heap_size(heap)
            .gas(GAS);
        let outcome = program.invoke(&invocation)?;
        if let Some(failure) = &outcome.failure {
            bail!("the replay fails: {failure}");
        }
        let figures: ReplayFigures = bytemuck::try_pod_read_unaligned(&outcome.return_data)
            .ok()
            .context("the replay returns no figures")?;
        Ok((outcome.gas_used, figures))
    };
    let (around, _) = run(0, &[])?;
    let (all, figures) = run(0, &encoded.operations)?;
    let (_, fresh) = run(1, &[])?;
    let (_, measured) = run(1, &encoded.operations)?;
    let refused = figures.refused.checked_sub(1).map(|index| {
        let number = usize::try_from(index)
            .ok()
            .and_then(|index| encoded.numbers.get(index));
        number.copied().unwrap_or(0)
    });
    Ok(Replayed {
        gas: all.saturating_sub(around),
        peak: measured.extent,
        leaked: fresh
            .available
            .saturating_sub(measured.available)
            .saturating_sub(encoded.live),
        refused,
    })
}

fn encode(trace: &HeapTrace) -> Result<Encoded> {
    let mut slots: BTreeMap<u64, (u32, u32)> = BTreeMap::new();
    let mut free = Vec::new();
    let mut count = 0;
    let mut operations = Vec::new();
    let mut numbers = Vec::new();
    for (number, operation) in (1..).zip(&trace.operations) {
        // What the program's own heap refused is not made: what the program does next depends on
        // it.
        if operation.refused {
            continue;
        }
        let size = u32::try_from(operation.size)?.next_multiple_of(GRAIN);
        let align = u32::try_from(operation.align)?.max(GRAIN);
        let is_constant = operation.constant && operation.call != Call::Realloc;
        let layout = ReplayOperation::layout(size, align, is_constant)
            .with_context(|| format!("operation {number} has the alignment {align}"))?;
        let slot = match operation.call {
            Call::Alloc | Call::AllocZeroed => {
                let slot = free.pop().unwrap_or_else(|| {
                    count += 1;
                    count - 1
                });
                slots.insert(operation.block, (slot, size));
                slot
            }
            Call::Dealloc => {
                let slot = slots.remove(&operation.block);
                let (slot, _) = slot.with_context(|| format!("operation {number} has no block"))?;
                free.push(slot);
                slot
            }
            Call::Realloc => {
                let slot = slots.get_mut(&operation.block);
                let slot = slot.with_context(|| format!("operation {number} has no block"))?;
                slot.1 = size;
                slot.0
            }
        };
        let method = match operation.call {
            Call::Alloc => HeapCall::Alloc,
            Call::AllocZeroed => HeapCall::AllocZeroed,
            Call::Dealloc => HeapCall::Dealloc,
            Call::Realloc => HeapCall::Realloc,
        };
        operations.push(ReplayOperation {
            method: method as u8,
            layout,
            reserved: 0,
            slot,
            size,
        });
        numbers.push(number);
    }
    Ok(Encoded {
        operations: bytemuck::cast_slice(&operations).to_vec(),
        numbers,
        slots: count.max(1),
        live: slots.values().map(|(_, size)| u64::from(*size)).sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{operation, trace};
    use super::*;

    #[test]
    fn slots_of_freed_blocks_are_used_again() {
        let encoded = encode(&trace(vec![
            operation(Call::Alloc, 1, 20),
            operation(Call::Alloc, 2, 1),
            operation(Call::Dealloc, 1, 20),
            operation(Call::AllocZeroed, 3, 8),
        ]));
        let encoded = encoded.expect("a trace");
        let operations: &[ReplayOperation] = bytemuck::cast_slice(&encoded.operations);
        let slots: Vec<u32> = operations.iter().map(|one| one.slot).collect();
        assert_eq!(slots, [0, 1, 0, 0]);
        assert_eq!(encoded.slots, 2);
        assert_eq!(encoded.live, 16);
        assert_eq!(operations[0].size, 24);
    }
}
