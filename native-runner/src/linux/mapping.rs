//! Heap and input, one behind the other.

use std::ffi::c_void;
use std::ptr;

use abi::entry::{INPUT_ALIGNMENT, NATIVE_HEAP_BASE};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

use super::End;

/// Memory for heap and input, zeroed. It stays for as long as the process does.
#[derive(Debug)]
pub struct Mapping {
    heap: *mut u8,
    input: *mut u8,
    input_length: u64,
}

impl Mapping {
    /// Maps a heap at [`NATIVE_HEAP_BASE`], or elsewhere if that range is in use, and an input
    /// behind it, at the next address that the contract allows. Lengths are in bytes.
    ///
    /// # Errors
    ///
    /// If the system cannot map so much memory.
    pub fn new(heap_size: u64, input_length: u64) -> Result<Self, End> {
        let refused = |reason: &dyn std::fmt::Display| {
            End::refused(format!(
                "cannot map a heap of {heap_size} bytes and an input of {input_length}: {reason}"
            ))
        };
        let too_long = || refused(&"the sizes exceed the address space");
        let alignment = u64::from(INPUT_ALIGNMENT);
        let offset = heap_size
            .checked_next_multiple_of(alignment)
            .ok_or_else(too_long)?;
        // An input without a byte has an address too.
        let length = offset
            .checked_add(input_length.max(1))
            .ok_or_else(too_long)?;
        let [offset, length] = [offset, length].map(usize::try_from);
        let offset = offset.map_err(|_| too_long())?;
        let length = length.map_err(|_| too_long())?;
        let heap = map_at_base(length)
            .or_else(|_| map(ptr::null_mut(), length, MapFlags::PRIVATE))
            .map_err(|error| refused(&error))?
            .cast::<u8>();
        Ok(Self {
            heap,
            input: heap.wrapping_add(offset),
            input_length,
        })
    }

    /// Address of the heap. The program makes its pointers from it.
    #[must_use]
    pub fn heap_base(&self) -> u64 {
        self.heap.expose_provenance() as u64
    }

    /// The first byte of the input.
    #[must_use]
    pub fn input(&self) -> *mut u8 {
        self.input
    }

    /// Length of the input in bytes.
    #[must_use]
    pub fn input_length(&self) -> u64 {
        self.input_length
    }
}

/// Maps memory at the contract's address. Fails if the range is in use; kernels before 4.17 then
/// map it elsewhere.
fn map_at_base(length: usize) -> rustix::io::Result<*mut c_void> {
    let base = ptr::without_provenance_mut(NATIVE_HEAP_BASE as usize);
    let flags = MapFlags::PRIVATE | MapFlags::FIXED_NOREPLACE;
    map(base, length, flags)
}

fn map(address: *mut c_void, length: usize, flags: MapFlags) -> rustix::io::Result<*mut c_void> {
    let readable_and_writable = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: `mmap_anonymous` requires that the mapping replaces no memory that is in use. Without
    // `FIXED`, and with `FIXED_NOREPLACE`, the kernel never replaces a mapping.
    unsafe { mmap_anonymous(address, length, readable_and_writable, flags) }
}
