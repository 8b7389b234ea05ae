//! How the loader runs programs: the three traits of a backend, and the loader's own backends.
//!
//! A [`Backend`] is the loader's code for one target. It loads program files and lends instances of
//! them. All else is written once, for every backend: the check of the invocation, the serialized
//! input, the syscalls, the rules of the write-back, the outcome.
//!
//! # One invocation
//!
//! | step | who |
//! |---|---|
//! | check the invocation against the [`Limits`] | the loader |
//! | lend an instance in fresh memory: [`Backend::with_instance`] | the backend |
//! | map the heap and the input's memory: [`Instance::map`] | the backend |
//! | write the input: [`GuestMemory::write`]; set the gas: [`GuestMemory::set_gas`] | the loader |
//! | run the program: [`Instance::enter`] | the backend |
//! | run each syscall of the program: [`Syscalls::call`] | the loader |
//! | read the accounts back, check every change, build the outcome | the loader |
//!
//! # A backend of your own
//!
//! Implement [`Backend`], [`Instance`] and [`GuestMemory`], and pass the backend to
//! [`Loader::with_backend`](crate::Loader::with_backend). `tests/support/toy.rs` in this repository
//! is a complete one.
//!
//! A backend must do these things, because the loader relies on them:
//!
//! - Each invocation runs in fresh memory: the program's data as its file has it, the rest zeroed.
//! - `map` returns a zeroed range of the input's length, aligned to 8 bytes at least.
//! - The program gets the address and the length of the input, and the base and the size of its
//!   heap, by the target's convention: `docs/abi.md` has those of this project's targets.
//! - The program's work takes gas off [`GuestMemory::gas`], and ends in [`Failure::OutOfGas`] if
//!   that does not suffice. A backend that does not count gas must bound the program's time.
//! - Each import of the program is a syscall that [`SyscallSet::find`] finds. Its calls go to
//!   [`Syscalls::call`], whose failures end the program.
//! - Nothing that a program does may panic the backend, or make it allocate without bound.
//!
//! [`Failure::OutOfGas`]: crate::Failure::OutOfGas

#[cfg(feature = "native")]
pub(crate) mod native;
pub(crate) mod object;
pub(crate) mod open;
pub(crate) mod polkavm;
#[cfg(feature = "wasm")]
pub(crate) mod wasm;

use crate::engine::Engine;
use crate::error::{Failure, InvocationError, LoadError};
use crate::limits::Limits;

pub use crate::invoke::guest::{GuestMemory, Inaccessible};
pub use crate::invoke::heap::Heap;
pub use crate::invoke::syscalls::{Arguments, Syscalls};
pub use crate::syscall_set::{Syscall, SyscallSet};

/// The loader's code for one target: it loads program files, and lends instances of them.
pub trait Backend: Send + Sync + 'static {
    /// A loaded program. Threads share it.
    type Program: Send + Sync + 'static;

    /// A program in fresh memory, for one invocation.
    type Instance<'a>: Instance;

    /// The engine that outcomes and errors name.
    fn engine(&self) -> Engine;

    /// Loads a program's file. It is not longer than [`Limits::blob`], and does not begin as a file
    /// for another target than that of [`engine`](Self::engine). [`SyscallSet::find`] returns the
    /// syscalls that the program imports.
    ///
    /// # Errors
    ///
    /// [`LoadError`] if the bytes are not a program, or exceed a limit.
    fn load(
        &self,
        file: &[u8],
        limits: &Limits,
        syscalls: &SyscallSet,
    ) -> Result<Self::Program, LoadError>;

    /// Bytes of memory that an instance of a program has before heap and input: its data and its
    /// stack. A program that calls it pays for them.
    ///
    /// By default 0.
    fn own_memory(&self, program: &Self::Program) -> u64 {
        let _ = program;
        0
    }

    /// Lends an instance of a program to `run`, and returns what `run` returns.
    ///
    /// If `run` returns an error, or panics, the instance may be in any state: drop it.
    ///
    /// # Errors
    ///
    /// The error of `run`, or [`InvocationError`] if the backend cannot make an instance.
    fn with_instance<T>(
        &self,
        program: &Self::Program,
        limits: &Limits,
        run: impl FnOnce(&mut Self::Instance<'_>) -> Result<T, InvocationError>,
    ) -> Result<T, InvocationError>;
}

/// A program in fresh memory, for one invocation. The loader calls [`map`](Self::map) once and then
/// [`enter`](Self::enter) once.
pub trait Instance {
    /// The instance's memory and gas.
    type Guest: GuestMemory;

    /// The memory and the gas, before the program runs and after it has ended.
    fn guest(&mut self) -> &mut Self::Guest;

    /// Maps the heap and zeroed memory for the input.
    ///
    /// # Errors
    ///
    /// [`MemoryRequest::does_not_fit`] if there is too little memory; another [`InvocationError`]
    /// if the engine fails.
    fn map(&mut self, request: &MemoryRequest) -> Result<Mapping, InvocationError>;

    /// The gas that the program used in [`map`](Self::map). A program that calls it pays for it.
    ///
    /// By default 0.
    fn gas_of_map(&self) -> u64 {
        0
    }

    /// Runs the program until it ends, and passes its syscalls on to `syscalls`.
    ///
    /// # Errors
    ///
    /// [`InvocationError`] if the engine fails. A program that fails is [`End::Failed`].
    fn enter(&mut self, mapping: &Mapping, syscalls: &mut Syscalls)
    -> Result<End, InvocationError>;
}

/// The memory that an invocation needs, besides the program's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryRequest {
    /// Length of the heap in bytes.
    pub heap_size: u32,
    /// The heap length that the loader announces to the program: [`Heap::size`]. A sweep announces
    /// less than there is.
    pub announced_heap: u32,
    /// Length of the serialized input in bytes.
    pub input_length: usize,
    /// Bytes of the input that the loader lends to the guest: see [`GuestMemory::lend`].
    pub lent_length: usize,
    /// The offset of the account table in the input, in bytes, if the input has one.
    pub account_table: Option<usize>,
}

impl MemoryRequest {
    pub(crate) fn new(
        heap_size: u32,
        announced_heap: u32,
        input_length: usize,
        lent_length: usize,
        account_table: Option<usize>,
    ) -> Self {
        Self {
            heap_size,
            announced_heap,
            input_length,
            lent_length,
            account_table,
        }
    }

    /// The error of a program that has too little memory for the request.
    #[must_use]
    pub fn does_not_fit(&self) -> InvocationError {
        InvocationError::DoesNotFit {
            heap: self.heap_size,
            input: self.input_length,
        }
    }
}

/// The addresses of the heap and the input in the program's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The heap.
    pub heap: Heap,
    /// The address of the input.
    pub input: u64,
    /// Its length in bytes: that of the request.
    pub input_length: u32,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The program returned this status.
    Returned(u64),
    /// The program did not return.
    Failed(Failure),
}
