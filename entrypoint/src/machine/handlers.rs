//! Handlers on WebAssembly: what the host hands in, and what they answer, stands in the room.

use core::marker::PhantomData;
use core::num::NonZeroU32;
use core::ptr;

use super::ROOM;
use crate::handler::Call;
use crate::host_return::{HostReturnError, PackedSlice, read_in};

/// What the host has answered during a call: it is in the room until the call ends.
#[derive(Clone, Copy)]
pub struct Asked<'call>(PhantomData<&'call [u8]>);

impl<'call> Asked<'call> {
    /// The bytes of a host's answer, if they are in room that it was given during this call.
    pub fn read(self, packed: u64) -> Result<Option<&'call [u8]>, HostReturnError> {
        handed_in(PackedSlice::from_u64(packed))
    }
}

/// Bytes in the room. They are there until it is taken back.
fn handed_in<'call>(packed: PackedSlice) -> Result<Option<&'call [u8]>, HostReturnError> {
    read_in(packed, |address, length| ROOM.bytes(address, length))
}

/// Calls a handler: takes all room back but that of the argument, and after the call all of it.
///
/// # Safety
///
/// The host calls this, and no call of the module's is under way: with this call the host gives up all the room it had, but that
/// of the argument. What is answered it reads before it calls again.
pub unsafe fn serve(argument: u64, handler: impl FnOnce(Call<'_>) -> PackedSlice) -> u64 {
    let argument = handed_in(PackedSlice::from_u64(argument));
    let (address, length) = match argument {
        Ok(Some(bytes)) => (bytes.as_ptr().addr(), bytes.len()),
        Ok(None) | Err(_) => (0, 0),
    };
    // SAFETY: nothing of the module is running, so nothing is lent but the argument, and the host uses nothing else any more.
    unsafe { ROOM.reset_except(address, length) };
    // The closure takes a call of any lifetime, so it has kept nothing of this one.
    let answer = handler(Call::new(argument, Asked(PhantomData)));
    // SAFETY: the handler has returned; the host's reads come before anything is handed out again.
    unsafe { ROOM.reset() };
    answer.to_u64()
}

/// Copies what a handler answers to the room, where nobody else writes before the host calls again.
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
    // SAFETY: the region was handed out just now, is that long, and nobody has a slice of it, so it is none of the bytes.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), region.as_ptr(), bytes.len()) };
    // The host reads through the number, and addresses have 32 bits.
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
            /// As `docs/abi.md` says of a host that calls other exports than the entry.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name(argument: ::core::primitive::u64) -> ::core::primitive::u64 {
                // SAFETY: the contract is the same.
                unsafe {
                    $crate::__private::serve(argument, |call| {
                        $answer(call, $crate::__private::keep)
                    })
                }
            }
        };
    };
}

/// Nothing: handlers are for this machine.
#[doc(hidden)]
#[macro_export]
macro_rules! __only_handlers {
    ($($name:ident)+) => {};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __ask_host {
    ($call:ident, $name:ident, $given:ident) => {{
        #[link(wasm_import_module = "env")]
        unsafe extern "C" {
            fn $name(
                address: *const ::core::primitive::u8,
                length: ::core::primitive::usize,
            ) -> ::core::primitive::u64;
        }
        // SAFETY: the address and the length are those of one slice, which the host reads. It writes only where `alloc`
        // has given it room since, as `docs/abi.md` says.
        let answered = unsafe { $name($given.as_ptr(), $given.len()) };
        $call.__asked().read(answered)
    }};
}

/// There is a host, and no test.
pub mod for_tests {}
