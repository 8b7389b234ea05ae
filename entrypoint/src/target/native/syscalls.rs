//! The syscalls, as calls of the host's one function.
#![allow(
    dead_code,
    reason = "the table has calls that only other runtimes' programs make"
)]

use abi::imports::{Import, MAX_ARGUMENTS};
use abi::native::OWN_SYSCALL;

use super::HOST;
use super::words::{Argument, ReturnValue};

macro_rules! define {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident = $symbol:ident($($parameter:ident: $type:ty),*) -> $return:ty;
    )*) => {
        $(pub unsafe fn $symbol($($parameter: $type),*) -> $return {
            let given: &[u64] = &[$($parameter.to_word()),*];
            let mut arguments = [0; MAX_ARGUMENTS];
            arguments[..given.len()].copy_from_slice(given);
            // SAFETY: the caller fulfils the contract of the syscall, whose arguments these are.
            let returned = unsafe { call(Import::$variant, arguments) };
            ReturnValue::from_word(returned)
        })*
    };
}

abi::for_each_import!(define);

/// Makes a syscall, if there is a host. Otherwise returns 0.
///
/// # Safety
///
/// The arguments fulfil the contract of the syscall.
unsafe fn call(import: Import, arguments: [u64; MAX_ARGUMENTS]) -> u64 {
    let Some(host) = HOST.host.get() else {
        return 0;
    };
    // SAFETY: by the contract of `set_host`, `call` accepts any syscall with this array of
    // arguments, which is readable during the call. By this function's contract, the arguments are
    // valid.
    unsafe { (host.call)(import as u32, &raw const arguments) }
}

/// Makes the syscall of an embedder's with this name, if there is a host. Otherwise returns 0.
///
/// # Safety
///
/// The arguments fulfil the contract of the syscall.
pub(super) unsafe fn own(name: &str, arguments: &[u64; MAX_ARGUMENTS]) -> u64 {
    let own = [
        name.as_ptr().to_word(),
        name.len() as u64,
        arguments.as_ptr().to_word(),
        0,
        0,
    ];
    let Some(host) = HOST.host.get() else {
        return 0;
    };
    // SAFETY: by the contract of `set_host`, `call` accepts any syscall with this array of
    // arguments, which is readable during the call, as name and arguments of the embedder's syscall
    // are. By this function's contract, those arguments are valid.
    unsafe { (host.call)(OWN_SYSCALL, &raw const own) }
}
