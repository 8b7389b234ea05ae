//! Handlers on WebAssembly: arguments and results are in scratch memory.

use core::marker::PhantomData;
use core::num::NonZeroU32;
use core::ptr;

use super::heap::SCRATCH;
use crate::handler::Call;
use crate::host_return::{HostReturnError, PackedSlice, read_in};

/// The results of host functions during a call. They are in scratch memory until the call ends.
#[derive(Clone, Copy)]
pub struct HostReplies<'call>(PhantomData<&'call [u8]>);

impl<'call> HostReplies<'call> {
    /// Returns the bytes of a host's result, if they are in scratch memory of this call.
    pub fn read(self, packed: u64) -> Result<Option<&'call [u8]>, HostReturnError> {
        handed_in(PackedSlice::from_u64(packed))
    }
}

/// Returns bytes in scratch memory. They stay until the next reset.
fn handed_in<'call>(packed: PackedSlice) -> Result<Option<&'call [u8]>, HostReturnError> {
    read_in(packed, |address, length| SCRATCH.bytes(address, length))
}

/// Calls a handler, and resets scratch memory before the call (except the argument) and after it.
///
/// # Safety
///
/// - The host calls this while no other call of the module runs.
/// - From this call on, the host no longer uses earlier scratch memory, except the argument.
/// - The host reads the result before it calls the module again.
pub unsafe fn serve(argument: u64, handler: impl FnOnce(Call<'_>) -> PackedSlice) -> u64 {
    let argument = handed_in(PackedSlice::from_u64(argument));
    let (address, length) = match argument {
        Ok(Some(bytes)) => (bytes.as_ptr().addr(), bytes.len()),
        Ok(None) | Err(_) => (0, 0),
    };
    // SAFETY: no other call of the module runs, so it uses no slice of and no pointer to scratch
    // memory, except the argument. By the contract, the host uses none either.
    unsafe { SCRATCH.reset_retaining(address, length) };
    // The closure takes a call of any lifetime, so it cannot keep anything of this one.
    let answer = handler(Call::new(argument, HostReplies(PhantomData)));
    // SAFETY: the handler has returned and kept nothing. By the contract, the host reads the result
    // before it calls again, and so before the next allocation.
    unsafe { SCRATCH.reset() };
    answer.to_u64()
}

/// Copies a handler's result to scratch memory, where it stays until the host calls again.
#[must_use]
pub fn keep(bytes: Option<&[u8]>) -> PackedSlice {
    let Some(bytes) = bytes else {
        return PackedSlice::NOTHING;
    };
    if bytes.is_empty() {
        return PackedSlice::EMPTY;
    }
    let Some(region) = SCRATCH.alloc(bytes.len()) else {
        return PackedSlice::NO_ROOM;
    };
    // SAFETY: `bytes` is valid for reads of its length. The region is new and has that length, so
    // it is valid for writes. No slice of it exists, so it does not overlap `bytes`.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), region.as_ptr(), bytes.len()) };
    // The host reads through this number, so the provenance must be exposed. Addresses have 32
    // bits.
    let address = region.expose_provenance().get() as u32;
    match NonZeroU32::new(address) {
        Some(address) => PackedSlice::new(address, bytes.len() as u32),
        None => PackedSlice::NO_ROOM,
    }
}

/// Empty: `TestHost` exists only in builds for unit tests.
pub mod for_tests {}
