//! The syscalls, as calls of the host's one function.
#![allow(
    dead_code,
    reason = "the table has calls that only other runtimes' programs make"
)]

use abi::imports::{Import, MAX_ARGUMENTS};

use super::HOST;

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

/// An argument of a syscall.
trait Argument {
    fn to_word(self) -> u64;
}

impl Argument for u64 {
    fn to_word(self) -> u64 {
        self
    }
}

impl Argument for u32 {
    fn to_word(self) -> u64 {
        self.into()
    }
}

// The host reads and writes through this number, so the provenance must be exposed.
impl<T> Argument for *const T {
    fn to_word(self) -> u64 {
        self.expose_provenance() as u64
    }
}

impl<T> Argument for *mut T {
    fn to_word(self) -> u64 {
        self.expose_provenance() as u64
    }
}

/// The return value of a syscall.
trait ReturnValue {
    fn from_word(word: u64) -> Self;
}

impl ReturnValue for u64 {
    fn from_word(word: u64) -> Self {
        word
    }
}

impl ReturnValue for () {
    fn from_word(_word: u64) {}
}
