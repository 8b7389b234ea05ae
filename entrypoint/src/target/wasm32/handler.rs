//! Handlers on WebAssembly: arguments and results are in scratch memory.

use core::marker::PhantomData;
use core::num::NonZeroU32;
use core::ptr;

use super::ROOM;
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
    read_in(packed, |address, length| ROOM.bytes(address, length))
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
    unsafe { ROOM.reset_retaining(address, length) };
    // The closure takes a call of any lifetime, so it cannot keep anything of this one.
    let answer = handler(Call::new(argument, HostReplies(PhantomData)));
    // SAFETY: the handler has returned and kept nothing. By the contract, the host reads the result
    // before it calls again, and so before the next allocation.
    unsafe { ROOM.reset() };
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
    let Some(region) = ROOM.alloc(bytes.len()) else {
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

#[doc(hidden)]
#[macro_export]
macro_rules! __export_handler {
    ($name:ident, $answer:ident) => {
        const _: () = {
            /// # Safety
            ///
            /// The host follows `docs/abi.md`, section "Handlers".
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name(argument: ::core::primitive::u64) -> ::core::primitive::u64 {
                // SAFETY: by that section, the host calls this while no other call runs, no longer
                // uses earlier scratch memory except the argument, and reads the result before it
                // calls again.
                unsafe {
                    $crate::__private::serve(argument, |call| {
                        $answer(call, $crate::__private::keep)
                    })
                }
            }
        };
    };
}

/// Expands to nothing: handlers are for this target.
#[doc(hidden)]
#[macro_export]
macro_rules! __only_handlers {
    ($($name:ident)+) => {};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __call_host {
    ($call:ident, $name:ident, $given:ident) => {{
        #[link(wasm_import_module = "env")]
        unsafe extern "C" {
            fn $name(
                address: *const ::core::primitive::u8,
                length: ::core::primitive::usize,
            ) -> ::core::primitive::u64;
        }
        // SAFETY: the address and the length are those of one slice, which the host only reads. By
        // `docs/abi.md`, the host writes only to scratch memory that `alloc` returned since.
        let answered = unsafe { $name($given.as_ptr(), $given.len()) };
        $call.__host().read(answered)
    }};
}

/// Empty: `TestHost` exists only in builds for unit tests.
pub mod for_tests {}
