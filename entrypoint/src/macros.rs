//! The macros, as programs call them.
//!
//! Each one passes `$crate` to a procedural macro of `entrypoint-macros`, which expands to paths of
//! it. A program can therefore rename its dependency on this crate, or take the macros from another
//! crate that re-exports them.

/// Makes a function the program.
///
/// ```
/// use entrypoint::{AccountInfo, ProgramResult, Pubkey};
///
/// entrypoint::entrypoint!(process_instruction);
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
/// The first argument is the path of a function of type [`ProcessInstruction`](crate::ProcessInstruction). Options
/// follow in any order:
///
/// | option | values (the first is the default) |
/// |---|---|
/// | `heap` | `bump`, `segregated`: one of the heaps of [`custom_heap_default!`]; `custom`: the program declares its own global allocator |
/// | `heap_size` | 32 KiB; a number of bytes, as an expression such as `64 * 1024`: the least heap that the program runs with. It is in the program's file, from which every loader and tool of this project takes it |
/// | `panic` | `message`, `location`, `abort`: the panic handler of [`custom_panic_default!`]; `custom`: the program declares its own |
/// | `duplicates` | `allow`; `reject`: end the program before it calls the function, if an account occurs twice. Each account then costs 3.5 units of gas with an account table, and nothing more without one |
///
/// # Expansion
///
/// | target | items |
/// |---|---|
/// | riscv64 on PolkaVM | the export `entrypoint`, which reads the registers of the entry, records heap base and limit, and only then reads the input and calls the function; a global allocator on that heap; a panic handler |
/// | wasm32 | the export `entrypoint(input: i32, length: i32) -> i64`; the export `alloc` of `export_alloc!`; a global allocator that grows with the memory, or else the export `entrypoint_heap(base: i32, size: i32)`, through which the host announces a heap; a panic handler |
/// | native, with the feature `native` of `entrypoint` | the C exports `entrypoint(input: *mut u8) -> u64` and `entrypoint_native_host`, which takes the place of the heap and the function for syscalls; a global allocator on that heap; a panic handler |
/// | any other | only the C export `unsafe extern "C" fn entrypoint(input: *mut u8) -> u64`; the allocator and the panic handler are those of `std` |
///
/// If the input has an account table, the function gets the table itself. The entry overhead is
/// then 15 units of gas for any number of accounts. Otherwise the entry lists the accounts on the
/// stack, which costs 22 units for one account, and about 8 for each other and each repeat. A list
/// of more than 64 accounts takes the end of the heap (on wasm32 scratch memory). The heap is then
/// that much shorter. `cargo xtask bench entry` measures it.
///
/// # Cargo features
///
/// Three features of the *calling* crate have their conventional meaning, if the crate declares
/// them:
///
/// - `custom-heap` is `heap = custom`;
/// - `custom-panic` is `panic = custom`;
/// - `no-entrypoint` leaves out everything, so that another program can link the crate as a
///   library.
///
/// [`custom_heap_default!`]: crate::custom_heap_default!
/// [`custom_panic_default!`]: crate::custom_panic_default!
#[macro_export]
macro_rules! entrypoint {
    ($($arguments:tt)*) => {
        $crate::__private::macros::entrypoint! { [$crate] $($arguments)* }
    };
}

/// Makes a function the program, and does not allocate before it calls the function.
///
/// It is [`entrypoint!`] with one difference. Without an account table, the entry lists the
/// accounts on the stack, in an array of `max_accounts` (1 to 255, 64 by default) times 8 bytes. If
/// the invocation has more accounts, with or without a table, the program ends before it calls the
/// function. The check costs one unit of gas, or two with a table. The program still has a heap,
/// and all of it.
///
/// ```
/// use entrypoint::{AccountInfo, ProgramResult, Pubkey};
///
/// entrypoint::entrypoint_no_alloc!(process_instruction, max_accounts = 16);
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
/// [`entrypoint!`]: crate::entrypoint!
#[macro_export]
macro_rules! entrypoint_no_alloc {
    ($($arguments:tt)*) => {
        $crate::__private::macros::entrypoint_no_alloc! { [$crate] $($arguments)* }
    };
}

/// Makes a function the program that reads its accounts itself, one at a time.
///
/// It is [`entrypoint!`], except that the function gets `entrypoint::input::LazyAccounts`, an
/// iterator, instead of a slice. Its type is `entrypoint::ProcessInstructionLazily`. The entry does
/// not list the accounts and does not read the account table. An account costs about 8 units of gas
/// when the function requests it, and nothing before. The options are `heap`, `heap_size` and
/// `panic`.
///
/// ```
/// use entrypoint::input::{LazyAccount, LazyAccounts};
/// use entrypoint::{ProgramError, ProgramResult, Pubkey};
///
/// entrypoint::entrypoint_lazy!(process_instruction);
///
/// fn process_instruction(
///     _program_id: &Pubkey,
///     mut accounts: LazyAccounts,
///     _instruction_data: &[u8],
/// ) -> ProgramResult {
///     match accounts.next() {
///         Some(LazyAccount::First(account)) if account.is_signer() => Ok(()),
///         _ => Err(ProgramError::MissingRequiredSignature),
///     }
/// }
/// ```
///
/// [`entrypoint!`]: crate::entrypoint!
#[macro_export]
macro_rules! entrypoint_lazy {
    ($($arguments:tt)*) => {
        $crate::__private::macros::entrypoint_lazy! { [$crate] $($arguments)* }
    };
}

/// Declares the program's heap in the memory that the loader announces.
///
/// | | |
/// |---|---|
/// | `custom_heap_default!()`, `custom_heap_default!(bump)` | a `BumpAllocator`: the cheapest; takes back only its most recent block |
/// | `custom_heap_default!(segregated)` | a `SegregatedBumpAllocator`: takes back every block |
/// | `custom_heap_default!(static HEAP: BumpAllocator<State>)` | a named `BumpAllocator` with the program's own state |
/// | `custom_heap_default!(static HEAP: SegregatedBumpAllocator)` | a named `SegregatedBumpAllocator` |
///
/// [`entrypoint!`] includes it. Use it alone with a hand-written entry, or if the program keeps
/// state at the base of its heap and therefore names the static:
///
/// ```
/// use core::cell::Cell;
/// use entrypoint::{AccountInfo, BumpAllocator, ProgramResult, Pubkey};
///
/// entrypoint::entrypoint!(process_instruction, heap = custom);
/// entrypoint::custom_heap_default!(static HEAP: BumpAllocator<Cell<u64>>);
///
/// fn process_instruction(
///     _program_id: &Pubkey,
///     _accounts: &[AccountInfo],
///     _instruction_data: &[u8],
/// ) -> ProgramResult {
///     HEAP.global().set(HEAP.global().get() + 1);
///     Ok(())
/// }
/// ```
///
/// Attributes, such as documentation, and a visibility may precede `static`.
///
/// - On the targets of programs, it declares the global allocator, and an export that declares the
///   heap header of `abi::heap` to the loader.
/// - On wasm32, a heap without a name is a `SegregatedBumpAllocator` that grows with the memory.
///   The host does not announce it, and nothing is exported.
/// - In a build for unit tests, it declares only a named static, whose heap is never announced.
/// - Without a name, the feature `custom-heap` or `no-entrypoint` of the calling crate leaves it
///   out. A named heap is never left out, because the state at the base of the heap belongs to one
///   program. Such a crate cannot be linked into another program: the compiler reports two global
///   allocators.
///
/// A hand-written entry must call `entrypoint::allocator::set_heap_base` and `set_heap_limit`
/// before the program allocates.
///
/// [`entrypoint!`]: crate::entrypoint!
#[macro_export]
macro_rules! custom_heap_default {
    ($($arguments:tt)*) => {
        $crate::__private::macros::custom_heap_default! { [$crate] $($arguments)* }
    };
}

/// Declares the default panic handler.
///
/// [`entrypoint!`] includes it. It takes one of these levels:
///
/// | level | what reaches the host |
/// |---|---|
/// | `message` (the default) | message, file, line and column |
/// | `location` | file, line and column, without linking formatting code |
/// | `abort` | only that the program panicked |
///
/// In a build for unit tests it expands to nothing, because `std` handles panics there. The feature
/// `custom-panic` or `no-entrypoint` of the calling crate leaves it out.
///
/// ```
/// entrypoint::custom_panic_default!(location);
/// ```
///
/// [`entrypoint!`]: crate::entrypoint!
#[macro_export]
macro_rules! custom_panic_default {
    ($($arguments:tt)*) => {
        $crate::__private::macros::custom_panic_default! { [$crate] $($arguments)* }
    };
}

/// Declares a static that is the global allocator on every target of programs.
///
/// Use it with `heap = custom`, or with the feature `custom-heap`, for an allocator that
/// [`custom_heap_default!`] does not offer. In a build for unit tests the static exists, but the
/// global allocator is that of `std`.
///
/// ```
/// use entrypoint::allocator::TracingAllocator;
/// use entrypoint::{AccountInfo, BumpAllocator, ProgramResult, Pubkey, msg};
///
/// entrypoint::entrypoint!(process_instruction, heap = custom);
/// entrypoint::custom_heap!(
///     static HEAP: TracingAllocator<BumpAllocator> =
///         // SAFETY: the only allocator over the announced heap, in a program that has one thread.
///         TracingAllocator::new(unsafe { BumpAllocator::new() });
/// );
///
/// fn process_instruction(
///     _program_id: &Pubkey,
///     _accounts: &[AccountInfo],
///     _instruction_data: &[u8],
/// ) -> ProgramResult {
///     msg!("{} allocations", HEAP.counts().allocations);
///     Ok(())
/// }
/// ```
///
/// Attributes, such as documentation, and a visibility may precede `static`. The allocator may take
/// its memory from `entrypoint::allocator::LoaderHeap`, as here, which the host announces on every
/// target, or from another source.
///
/// [`custom_heap_default!`]: crate::custom_heap_default!
#[macro_export]
macro_rules! custom_heap {
    ($($arguments:tt)*) => {
        $crate::__private::macros::custom_heap! { [$crate] $($arguments)* }
    };
}

/// Exports `alloc`, which allocates scratch memory for the host of a WebAssembly module.
///
/// [`entrypoint!`] and its sisters include it. Use it alone in a module with exports other than the
/// entry.
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
///
/// [`entrypoint!`]: crate::entrypoint!
#[macro_export]
macro_rules! export_alloc {
    ($($arguments:tt)*) => {
        $crate::__private::macros::export_alloc! { [$crate] $($arguments)* }
    };
}

/// Declares an arena that the host fills, and exports the functions for it.
///
/// ```
/// use entrypoint::host_return::PackedSlice;
///
/// entrypoint::host_return!(static SCRATCH: HostArena<4096>);
///
/// /// Returns the number of bytes from the host.
/// fn count(packed: u64) -> usize {
///     SCRATCH.with(|arena| match arena.bytes(PackedSlice::from_u64(packed)) {
///         Ok(Some(bytes)) => bytes.len(),
///         Ok(None) | Err(_) => 0,
///     })
/// }
/// # assert_eq!(count(0), 0);
/// ```
///
/// | export | |
/// |---|---|
/// | `guest_alloc(length) -> address` | allocates `length` bytes, see `entrypoint::host_return::HostArena::guest_alloc` |
/// | `reset_arena()` | frees all of them; the host calls it at the start of each invocation |
///
/// The number of bytes is a literal, the name of a constant, or an expression in braces, as in
/// `HostArena<{ 4 * 1024 }>`. Attributes and a visibility may precede `static`.
///
/// A program can have these exports once. Call the macro in a module, not in a function. The
/// exports exist on riscv64 and WebAssembly. On other targets, and with the feature `no-entrypoint`
/// of the calling crate, the macro declares only the static. Neither export uses the heap, which
/// exists only after the host has called `entrypoint`.
///
/// The program cannot keep the bytes:
///
/// ```compile_fail,E0521
/// use std::sync::Mutex;
/// use entrypoint::host_return::PackedSlice;
///
/// entrypoint::host_return!(static SCRATCH: HostArena<4096>);
/// static KEPT: Mutex<Option<&'static str>> = Mutex::new(None);
///
/// SCRATCH.with(|arena| {
///     *KEPT.lock().unwrap() = arena.text(PackedSlice::EMPTY).unwrap();
/// });
/// ```
#[macro_export]
macro_rules! host_return {
    ($($arguments:tt)*) => {
        $crate::__private::macros::host_return! { [$crate] $($arguments)* }
    };
}

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
/// A handler takes an `entrypoint::handler::Call` and returns any `entrypoint::handler::Answer`.
/// The module `entrypoint::handler` describes calls to the host, and memory.
///
/// The macro is the sum of [`custom_heap_default!`], [`custom_panic_default!`], [`export_alloc!`]
/// and [`export_handler!`]. A module has the first three once. A module with another heap or panic
/// handler, or with [`entrypoint!`], calls only the macros that it lacks. The host of a handler
/// does not announce a heap, so a custom heap needs its own memory, for example
/// `entrypoint::allocator::WasmMemory`.
///
/// Handlers are for WebAssembly. On the other targets of programs the macro does not compile. In a
/// build for unit tests, and with the feature `no-entrypoint` of the calling crate, it exports
/// nothing.
///
/// [`custom_heap_default!`]: crate::custom_heap_default!
/// [`custom_panic_default!`]: crate::custom_panic_default!
/// [`entrypoint!`]: crate::entrypoint!
/// [`export_alloc!`]: crate::export_alloc!
/// [`export_handler!`]: crate::export_handler!
#[macro_export]
macro_rules! handler {
    ($($arguments:tt)*) => {
        $crate::__private::macros::handler! { [$crate] $($arguments)* }
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
/// | the function's name `(i64) -> i64` | takes an `entrypoint::host_return::PackedSlice`, and returns one |
///
/// The names of other exports of a module are reserved, such as `memory`, `entrypoint` and `alloc`.
/// Any other name is allowed, even `log`, which is also a function of the C library. The export
/// gets its name after the compiler has linked the module, from `cargo entrypoint build`. A module
/// that cargo alone has built has other exports.
///
/// The macro may be called again, for other functions. On targets other than WebAssembly, and with
/// the feature `no-entrypoint` of the calling crate, it exports nothing.
#[macro_export]
macro_rules! export_handler {
    ($($arguments:tt)*) => {
        $crate::__private::macros::export_handler! { [$crate] $($arguments)* }
    };
}

/// Declares syscalls of an embedder's: functions of a host besides those of the contract, which its
/// loader has under these names (`Loader::syscall` of the crate `program-loader`).
///
/// ```
/// use entrypoint::testing::Host;
///
/// entrypoint::declare_syscalls! {
///     /// Returns the sum of bytes.
///     ///
///     /// # Safety
///     ///
///     /// `length` bytes are readable at the address.
///     pub fn checksum(address: *const u8, length: u64) -> u64;
/// }
///
/// fn sum(bytes: &[u8]) -> u64 {
///     // SAFETY: the pointer and the length are those of one slice.
///     unsafe { checksum(bytes.as_ptr(), bytes.len() as u64) }
/// }
///
/// // In a unit test the host of the test has it.
/// let host = Host::new().syscall("checksum", |[_, length, ..]| 10 * length);
/// assert_eq!(host.run(|| sum(b"abc")).0, 30);
/// ```
///
/// A sixth parameter does not compile (EP0050):
///
/// ```compile_fail
/// entrypoint::declare_syscalls! {
///     /// Mixes six numbers.
///     ///
///     /// # Safety
///     ///
///     /// None.
///     pub fn mix(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64) -> u64;
/// }
///
/// // SAFETY: it has no precondition.
/// unsafe { mix(1, 2, 3, 4, 5, 6) };
/// ```
///
/// A syscall has at most five parameters of the types `u32`, `u64`, `*const T` and `*mut T`, and
/// returns `u64` or nothing. Every function is unsafe, because the compiler does not know what the
/// host does with the addresses.
///
/// | target | |
/// |---|---|
/// | riscv64 | imports that PolkaVM links: a loader without them does not load the program |
/// | wasm32 | imports from the module `env`: a loader without them does not load the program |
/// | native | calls over the loader's connection, by name: a loader without them ends the program that makes such a call |
/// | any other | calls of the test's host: a test without them panics |
#[macro_export]
macro_rules! declare_syscalls {
    ($(
        $(#[doc = $doc:literal])*
        $visibility:vis fn $name:ident($($parameter:ident: $type:ty),* $(,)?) $(-> $return:ty)?;
    )*) => {
        $crate::__select_target! {
            riscv64 {
                #[$crate::__private::polkavm_import(abi = $crate::__private::default_abi)]
                unsafe extern "C" {
                    $(
                        $(#[doc = $doc])*
                        $visibility fn $name($($parameter: $type),*) $(-> $return)?;
                    )*
                }
            }
            wasm32 {
                #[link(wasm_import_module = "env")]
                unsafe extern "C" {
                    $(
                        $(#[doc = $doc])*
                        $visibility fn $name($($parameter: $type),*) $(-> $return)?;
                    )*
                }
            }
            native { $crate::__declare_own_syscalls! {
                $($(#[doc = $doc])* $visibility fn $name($($parameter: $type),*) $(-> $return)?;)*
            } }
            host { $crate::__declare_own_syscalls! {
                $($(#[doc = $doc])* $visibility fn $name($($parameter: $type),*) $(-> $return)?;)*
            } }
        }
    };
}

/// The functions of [`declare_syscalls!`] on targets without imports.
#[doc(hidden)]
#[macro_export]
macro_rules! __declare_own_syscalls {
    ($(
        $(#[doc = $doc:literal])*
        $visibility:vis fn $name:ident($($parameter:ident: $type:ty),*) $(-> $return:ty)?;
    )*) => {
        $(
            $(#[doc = $doc])*
            $visibility unsafe fn $name($($parameter: $type),*) $(-> $return)? {
                // SAFETY: the caller fulfils the contract of the syscall, whose arguments these
                // are.
                unsafe {
                    $crate::__private::own_syscall(
                        ::core::stringify!($name),
                        [$($crate::__private::Argument::to_word($parameter)),*],
                    )
                }
            }
        )*
    };
}
