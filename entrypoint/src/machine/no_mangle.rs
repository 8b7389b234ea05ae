//! Exports where a symbol of a library, or of a module, is all that an export is.

#[doc(hidden)]
#[macro_export]
#[collapse_debuginfo(yes)]
macro_rules! __export {
    ([$($riscv64_attribute:tt)*] $function:item) => {
        #[unsafe(no_mangle)]
        $function
    };
}
