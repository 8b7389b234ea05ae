//! Exports on targets where an export is only a symbol.

#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! __export {
    ([$($riscv64_attribute:tt)*] $function:item) => {
        #[unsafe(no_mangle)]
        $function
    };
}
