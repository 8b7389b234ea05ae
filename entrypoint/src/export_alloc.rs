//! Room for the host of a WebAssembly module.

/// Exports `alloc`, by which the host of a WebAssembly module gets room inside of it for what it hands in.
///
/// [`entrypoint!`](crate::entrypoint!) and its sisters contain it. On its own it serves a module with other exports than the
/// entry.
///
/// | export | |
/// |---|---|
/// | `alloc(size: i32) -> i32` | the address of `size` bytes, a multiple of 8; 0 if there is no room, which for no bytes there always is |
///
/// The room is not the heap's, and is taken back as a whole: when the host calls the entry, all but the input, and when the entry
/// returns, all of it. So an instance that serves one call after the other keeps the memory that its longest call took,
/// and takes no more. `docs/abi.md` says what the host may do when.
///
/// On other machines, and with the feature `no-entrypoint` of the calling crate, it is nothing.
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
