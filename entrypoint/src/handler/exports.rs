//! The exports of handlers.

/// Exports functions as the handlers of a WebAssembly module, each under its own name.
///
/// ```
/// use entrypoint::handler::Call;
///
/// entrypoint::handler!(echo, version);
///
/// fn echo(call: Call<'_>) -> Option<&[u8]> {
///     call.bytes().ok()?
/// }
///
/// fn version(_call: Call<'_>) -> &'static str {
///     "1.0"
/// }
/// ```
///
/// A handler takes a [`Call`](crate::handler::Call) and returns any
/// [`Answer`](crate::handler::Answer). The [module](mod@crate::handler) describes calls to the
/// host, and memory.
///
/// The macro is the sum of [`custom_heap_default!`](crate::custom_heap_default!),
/// [`custom_panic_default!`](crate::custom_panic_default!), [`export_alloc!`](crate::export_alloc!)
/// and [`export_handler!`](crate::export_handler!). A module has the first three once. A module
/// with another heap or panic handler, or with [`entrypoint!`](crate::entrypoint!), calls only the
/// macros that it lacks. The host of a handler does not announce a heap, so a custom heap needs its
/// own memory, for example [`allocator::WasmMemory`](crate::allocator::WasmMemory).
///
/// Handlers are for WebAssembly. On the other targets of programs the macro does not compile. In a
/// build for unit tests, and with the feature `no-entrypoint` of the calling crate, it exports
/// nothing.
#[macro_export]
macro_rules! handler {
    ($($name:ident),+ $(,)?) => {
        $crate::custom_heap_default! {}
        $crate::custom_panic_default! {}
        $crate::export_alloc! {}
        $crate::export_handler! { $($name),+ }

        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(not(feature = "no-entrypoint"))]
            $crate::__only_handlers! { $($name)+ }
        };
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "expected the names of functions\n\
             help: name functions that are in scope here, as in `handler!(handle)` or `handler!(get, post)`"
        );
    };
}

/// Exports functions as handlers from a module that already has heap, panic handler and `alloc`.
///
/// ```
/// use entrypoint::handler::Call;
/// use entrypoint::{AccountInfo, ProgramResult, Pubkey};
///
/// // A program with one handler, which returns a name.
/// entrypoint::entrypoint!(process_instruction);
/// entrypoint::export_handler!(name);
///
/// fn name(_call: Call<'_>) -> &'static str {
///     "nothing"
/// }
///
/// fn process_instruction(
///     _program_id: &Pubkey,
///     _accounts: &[AccountInfo],
///     _instruction_data: &[u8],
/// ) -> ProgramResult {
///     Ok(())
/// }
/// ```
///
/// | export | |
/// |---|---|
/// | the function's name `(i64) -> i64` | takes a [`PackedSlice`](crate::host_return::PackedSlice), and returns one |
///
/// Some names are reserved: `memory`, which every module exports, `entrypoint`, and the names of
/// functions that the compiler calls, such as `memcmp`.
///
/// The macro may be called again, for other functions. On targets other than WebAssembly, and with
/// the feature `no-entrypoint` of the calling crate, it exports nothing.
#[macro_export]
macro_rules! export_handler {
    ($($name:ident),+ $(,)?) => {$(
        $crate::__free_name! { $name }

        #[allow(unexpected_cfgs)]
        const _: () = {
            #[allow(dead_code)]
            fn __answer_of_the_handler<'call, R>(
                call: $crate::handler::Call<'call>,
                take: impl ::core::ops::FnOnce(
                    ::core::option::Option<&[::core::primitive::u8]>,
                ) -> R,
            ) -> R {
                // A compiler error names this type and the function.
                let handler: fn($crate::handler::Call<'call>) -> _ = $name;
                $crate::handler::Answer::give(&handler(call), take)
            }

            #[cfg(not(feature = "no-entrypoint"))]
            $crate::__export_handler! { $name, __answer_of_the_handler }
        };
    )+};
    ($($other:tt)*) => {
        ::core::compile_error!(
            "expected the names of functions\n\
             help: name functions that are in scope here, as in `export_handler!(handle)`"
        );
    };
}

/// Rejects names that an export would take from other functions, without an error from the linker.
///
/// A comparison of two slices would call a handler named `memcmp`.
#[doc(hidden)]
#[macro_export]
macro_rules! __free_name {
    (memory) => {
        $crate::__free_name! { @taken "memory" }
    };
    (entrypoint) => {
        $crate::__free_name! { @taken "entrypoint" }
    };
    (memcpy) => {
        $crate::__free_name! { @taken "memcpy" }
    };
    (memmove) => {
        $crate::__free_name! { @taken "memmove" }
    };
    (memset) => {
        $crate::__free_name! { @taken "memset" }
    };
    (memcmp) => {
        $crate::__free_name! { @taken "memcmp" }
    };
    (bcmp) => {
        $crate::__free_name! { @taken "bcmp" }
    };
    (strlen) => {
        $crate::__free_name! { @taken "strlen" }
    };
    ($free:ident) => {};
    (@taken $name:literal) => {
        ::core::compile_error!(::core::concat!(
            "`",
            $name,
            "` is the name of something else in a module\n\
             help: give the handler another name"
        ));
    };
}
