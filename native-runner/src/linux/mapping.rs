//! Heap and input, one behind the other.

use std::ffi::c_void;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::ptr;

use abi::entry::{INPUT_ALIGNMENT, NATIVE_HEAP_BASE};
use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous, munmap};

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
    /// behind it, at the next address that the contract allows. Lengths are in bytes. With a file,
    /// the memory is that of the file, whose length the loader has set.
    ///
    /// # Errors
    ///
    /// If the system cannot map so much memory.
    pub fn new(heap_size: u64, input_length: u64, file: Option<OwnedFd>) -> Result<Self, End> {
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
        let base = ptr::without_provenance_mut(NATIVE_HEAP_BASE as usize);
        // Fails if the range is in use; kernels before 4.17 then map it elsewhere.
        let heap = map(base, length, MapFlags::FIXED_NOREPLACE, file.as_ref())
            .or_else(|_| map(ptr::null_mut(), length, MapFlags::empty(), file.as_ref()))
            .map_err(|error| refused(&error))?
            .cast::<u8>();
        if let Some(file) = file {
            close(file);
        }
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

/// Closes a descriptor without the C library, whose pages a process that was just forked has not
/// mapped.
pub fn close(descriptor: OwnedFd) {
    // SAFETY: `close` requires an open descriptor that nothing uses later. `into_raw_fd` has just
    // taken it from its only owner.
    unsafe { rustix::io::close(descriptor.into_raw_fd()) };
}

/// Whether the longest heap and input that a loader maps have room at the contract's address.
pub fn is_base_free() -> bool {
    let longest = 2 * (u64::from(u32::MAX) + u64::from(INPUT_ALIGNMENT));
    let Ok(length) = usize::try_from(longest) else {
        return false;
    };
    let base = ptr::without_provenance_mut(NATIVE_HEAP_BASE as usize);
    let flags = MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED_NOREPLACE;
    // SAFETY: `mmap_anonymous` requires that the mapping replaces no memory that is in use. With
    // `FIXED_NOREPLACE`, the kernel never replaces a mapping.
    let Ok(mapped) = (unsafe { mmap_anonymous(base, length, ProtFlags::empty(), flags) }) else {
        return false;
    };
    // SAFETY: `munmap` requires that nothing uses the range. It has just been mapped, and its
    // address is known to this function alone.
    let unmapped = unsafe { munmap(mapped, length) };
    mapped == base && unmapped.is_ok()
}

fn map(
    address: *mut c_void,
    length: usize,
    place: MapFlags,
    file: Option<&OwnedFd>,
) -> rustix::io::Result<*mut c_void> {
    let access = ProtFlags::READ | ProtFlags::WRITE;
    match file {
        // SAFETY: `mmap` requires that the mapping replaces no memory that is in use, and that no
        // reference relies on the contents of the file. Without `FIXED`, and with
        // `FIXED_NOREPLACE`, the kernel never replaces a mapping. This crate has no reference to
        // the heap or the input.
        Some(file) => unsafe { mmap(address, length, access, place | MapFlags::SHARED, file, 0) },
        // SAFETY: `mmap_anonymous` requires that the mapping replaces no memory that is in use.
        // Without `FIXED`, and with `FIXED_NOREPLACE`, the kernel never replaces a mapping.
        None => unsafe { mmap_anonymous(address, length, access, place | MapFlags::PRIVATE) },
    }
}
