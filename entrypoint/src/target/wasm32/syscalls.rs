//! The syscalls, imports from the module [`abi::wasm::IMPORT_MODULE`].
#![allow(
    dead_code,
    reason = "the table has calls that only other runtimes' programs make"
)]

macro_rules! declare {
    ($(
        $(#[doc = $doc:literal])*
        $variant:ident = $symbol:ident($($parameter:ident: $type:ty),*) -> $return:ty;
    )*) => {
        #[link(wasm_import_module = "env")]
        unsafe extern "C" {
            $(pub fn $symbol($($parameter: $type),*) -> $return;)*
        }
    };
}

abi::for_each_import!(declare);
