//! Scratch memory for the host of a WebAssembly module.

/// Exports `alloc`, which allocates scratch memory for the host of a WebAssembly module.
///
/// [`entrypoint!`](crate::entrypoint!) and its sisters include it. Use it alone in a module with
/// exports other than the entry.
///
/// | export | |
/// |---|---|
/// | `alloc(size: i32) -> i32` | returns the address of `size` bytes, a multiple of 8; 0 if they do not fit, which never happens for size 0 |
///
/// Scratch memory is not part of the heap. When the host calls the entry, the program resets all of
/// it except the input. When the entry returns, the program resets all of it. An instance that
/// serves one call after the other therefore keeps the memory of its longest call, and takes no
/// more. `docs/abi.md` defines when the host may write it.
///
/// On other targets, and with the feature `no-entrypoint` of the calling crate, it expands to
/// nothing.
///
/// ```
/// entrypoint::export_alloc!();
/// ```
#[macro_export]
macro_rules! export_alloc {
    () => {
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(not(feature = "no-entrypoint"))]
            $crate::__export_alloc! {}
        };
    };
}
