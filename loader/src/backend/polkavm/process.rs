//! The memory of an instance of the compiling engine between two invocations.
//!
//! Such an instance is a process. A reset takes its pages away, and the next invocation pays a
//! fault of the processor for each page that it touches: with eight accounts, more than for all the
//! rest. So the loader keeps the pages and clears them.

use polkavm::{Error, MemoryAccessError, RawInstance};

use super::PAGE_SIZE;

/// The most bytes of data, stack and heap that are cleared: a program that has more touches few of
/// them, and then a reset costs less. Of the input the loader writes most itself.
pub(super) const MOST_CLEARED: u64 = 512 << 10;

/// Gives an instance so many bytes above its program's data; `None` if there are not so many.
///
/// `data` is what the program's data begins with. The rest of the memory is zero: the instance is
/// new, or was [cleared](clear), or reset.
pub(super) fn map(vm: &mut RawInstance, data: &[u8], mapped: u32) -> Result<Option<u32>, Error> {
    let has = vm.heap_size();
    if has == 0 {
        // New, or reset.
        return vm.sbrk(mapped);
    }
    if page_end(vm, has) > page_end(vm, mapped) {
        // The VM cannot take a part of the memory away.
        vm.reset_memory()?;
        return vm.sbrk(mapped);
    }
    // Clearing has zeroed the data. The VM notices only after a second that a process has ended,
    // unless it writes to its memory.
    let (start, bytes) = match data {
        [] => (vm.module().memory_map().heap_base(), &[0][..]),
        _ => (vm.module().memory_map().rw_data_address(), data),
    };
    vm.write_memory(start, bytes).map_err(of_access)?;
    match mapped.saturating_sub(has) {
        0 => {
            keep_awake(vm)?;
            Ok(Some(mapped))
        }
        more => vm.sbrk(more),
    }
}

/// Gives the process of a program that does not run something to do.
///
/// A process without work waits actively for some microseconds, and then sleeps. Waking it up costs
/// more than several of these calls.
pub(super) fn keep_awake(vm: &mut RawInstance) -> Result<(), Error> {
    let stack = vm.module().memory_map().stack_range();
    // Before the run the stack is zero, and after it the program does not need it any more.
    vm.zero_memory(stack.start, stack.len().min(1) as u32)
        .map_err(of_access)
}

/// Clears an instance after an invocation, or resets it if its program has `own_bytes` of data,
/// stack and heap, and that is much.
pub(super) fn clear(vm: &mut RawInstance, own_bytes: u64) -> Result<(), Error> {
    if own_bytes > MOST_CLEARED || vm.heap_size() == 0 {
        return vm.reset_memory();
    }
    let map = vm.module().memory_map();
    let data = map.rw_data_address();
    let stack = map.stack_range();
    let end = page_end(vm, vm.heap_size());
    // The process does this itself. It has just ended its program, so it need not wake up.
    for (start, end) in [(data, end), (stack.start, stack.end.into())] {
        let length = (end - u64::from(start)) as u32;
        vm.zero_memory(start, length).map_err(of_access)?;
    }
    Ok(())
}

/// Where the memory ends if so many bytes above the program's data are mapped.
pub(super) fn page_end(vm: &RawInstance, mapped: u32) -> u64 {
    let heap_base = vm.module().memory_map().heap_base();
    (u64::from(heap_base) + u64::from(mapped)).next_multiple_of(PAGE_SIZE.into())
}

fn of_access(error: MemoryAccessError) -> Error {
    Error::from(error.to_string())
}
