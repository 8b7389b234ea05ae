//! The syscalls, as PolkaVM links them.
#![allow(
    dead_code,
    reason = "the table has calls that only other runtimes' programs make"
)]

macro_rules! declare {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident = $symbol:ident($($parameter:ident: $type:ty),*) -> $return:ty;
    )*) => {
        #[polkavm_derive::polkavm_import]
        unsafe extern "C" {
            $(pub fn $symbol($($parameter: $type),*) -> $return;)*
        }
    };
}

abi::for_each_import!(declare);
