//! The macros of the `entrypoint` crate. Use that crate: it re-exports them and has what they expand to.
//!
//! Five verbs, five files: an invocation is parsed (`parse`) into a model (`model`) that is validated
//! (`validate`) and expanded (`expand`); after an error there is something to emit besides the error
//! (`fallback`).

use proc_macro::TokenStream;

mod expand;
mod fallback;
mod model;
mod parse;
mod validate;

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
/// The first argument is the path of a function of the type `entrypoint::ProcessInstruction`. Options
/// follow in any order:
///
/// | option | values (the first is the default) |
/// |---|---|
/// | `heap` | `bump`, `segregated`: one of the heaps of [`custom_heap_default!`]; `custom`: the program declares its own global allocator |
/// | `panic` | `message`, `location`, `abort`: the panic handler of [`custom_panic_default!`]; `custom`: the program declares its own |
/// | `duplicates` | `allow`; `reject`: end the program, before the function is called, if an account occurs twice. Each account then costs 3.5 units of gas where there is an account table, and one more than otherwise where there is none |
///
/// # What it expands to
///
/// | machine | what |
/// |---|---|
/// | RISC-V on PolkaVM | the export `entrypoint`, which reads the four registers of the entry, records heap base and limit, and only then reads the input and calls the function; a global allocator on that heap; a panic handler |
/// | WebAssembly | the export `entrypoint(input: i32, length: i32) -> i64`; the export `alloc` of `export_alloc!`; a global allocator that grows with the memory, or else the export `entrypoint_heap(base: i32, size: i32)`, by which the host announces a heap; a panic handler |
/// | native, with the feature `native` of `entrypoint` | the C exports `entrypoint(input: *mut u8) -> u64` and `entrypoint_native_host`, which is told of heap and imports; a global allocator on that heap; a panic handler |
/// | any other | the C export `unsafe extern "C" fn entrypoint(input: *mut u8) -> u64` and nothing else: there the allocator and the panic handler are those of `std` |
///
/// The accounts are the loader's account table itself, where the input has one, at 24 units of gas for the whole way to
/// the function and back, whatever their number; otherwise a list on the heap (on WebAssembly beside the input), at 8 units for each account and each repeat, on average, and
/// some 20 for beginning it. `cargo entrypoint bench entry` measures it.
///
/// # Cargo features
///
/// Three features of the *calling* crate have the conventional meaning, if it declares them:
/// `custom-heap` and `custom-panic` are `heap = custom` and `panic = custom`; `no-entrypoint` leaves out
/// everything, so that another program can link the crate as a library.
#[proc_macro]
pub fn entrypoint(input: TokenStream) -> TokenStream {
    expand_entry(input.into(), model::Entry::WithHeap).into()
}

/// Makes a function the program, and allocates nothing on the way to it.
///
/// It is [`entrypoint!`], except that accounts that come without an account table are listed on the stack,
/// in an array of `max_accounts` (1 to 255, 64 if not given) times 8 bytes. If more accounts come, the
/// program ends before the function is called, with or without a table; to look costs one unit of gas. The program still
/// has a heap.
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
#[proc_macro]
pub fn entrypoint_no_alloc(input: TokenStream) -> TokenStream {
    expand_entry(input.into(), model::Entry::NoAlloc).into()
}

/// Makes a function the program that reads its accounts itself, one by one, as far as it likes.
///
/// It is [`entrypoint!`], except that the function gets `entrypoint::input::LazyAccounts`, an iterator, in place of a
/// slice: its type is `entrypoint::ProcessInstructionLazily`. Nothing is done for an account before the function asks for it,
/// nothing is listed, and an account table is not looked at. An account that it asks for costs 8 units of gas or so. The options
/// are `heap` and `panic`.
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
#[proc_macro]
pub fn entrypoint_lazy(input: TokenStream) -> TokenStream {
    expand_entry(input.into(), model::Entry::Lazy).into()
}

/// Declares the program's heap, on the memory that the loader announces.
///
/// | | |
/// |---|---|
/// | `custom_heap_default!()`, `custom_heap_default!(bump)` | a `BumpAllocator`: the cheapest; takes back only its most recent block |
/// | `custom_heap_default!(segregated)` | a `SegregatedBumpAllocator`: takes back every block of up to 128 bytes |
/// | `custom_heap_default!(static HEAP: BumpAllocator<State>)` | a `BumpAllocator` with state of the program's, under a name |
/// | `custom_heap_default!(static HEAP: SegregatedBumpAllocator)` | a `SegregatedBumpAllocator` under a name |
///
/// [`entrypoint!`] contains it. On its own it serves a hand-written entry, and a program that keeps state
/// at the base of its heap and therefore names the static:
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
/// Attributes, such as documentation, and a visibility may stand before `static`.
///
/// Where programs run it declares the global allocator and an export by whose name the loader knows that
/// the heap keeps the header described in `abi::heap`. On WebAssembly a heap without a name is a `SegregatedBumpAllocator` that
/// grows with the memory instead, and nothing is announced or exported. Where the program is compiled for its own unit tests only a
/// named static is declared, and its heap is one that was never announced. Without a name, the feature `custom-heap` or
/// `no-entrypoint` of the calling crate leaves it out. A named heap is never left out: state at the base of the
/// heap belongs to the one program whose heap it is, so such a crate cannot be linked into another program, and
/// the compiler says that there are two global allocators.
///
/// A hand-written entry must call `entrypoint::allocator::set_heap_base` and `set_heap_limit` before
/// anything allocates.
#[proc_macro]
pub fn custom_heap_default(input: TokenStream) -> TokenStream {
    match parse::heap(input.into()) {
        Ok(heap) => expand::heap(&heap).into(),
        Err(error) => error.into_compile_error().into(),
    }
}

/// Declares the default panic handler.
///
/// [`entrypoint!`] contains it. It takes one of
///
/// | level | what reaches the host |
/// |---|---|
/// | `message` (also if none is given) | message, file, line and column |
/// | `location` | file, line and column; no formatting code is linked for it |
/// | `abort` | that there was a panic |
///
/// Where the program is compiled for its own unit tests it expands to nothing, because there `std` handles panics. The feature
/// `custom-panic` or `no-entrypoint` of the calling crate leaves it out.
///
/// ```
/// entrypoint::custom_panic_default!(location);
/// ```
#[proc_macro]
pub fn custom_panic_default(input: TokenStream) -> TokenStream {
    match parse::panic_level(input.into()) {
        Ok(level) => expand::panic_handler(level).into(),
        Err(error) => error.into_compile_error().into(),
    }
}

fn expand_entry(input: proc_macro2::TokenStream, entry: model::Entry) -> proc_macro2::TokenStream {
    let invocation = match parse::entry(input) {
        Ok(invocation) => invocation,
        Err(error) => return error.into_compile_error(),
    };
    match validate::program(&invocation, entry) {
        Ok(program) => expand::program(&program),
        Err(error) => fallback::after(&invocation, entry, error),
    }
}
