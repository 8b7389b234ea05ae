//! How much an invocation may take.

/// The default gas of an [`Invocation`](crate::Invocation).
pub const DEFAULT_GAS: u64 = 1_000_000;

/// The gas of an invocation on the Rialo runtime, if a transaction asks for no other.
pub(crate) const RIALO_DEFAULT_GAS: u64 = 200_000;

/// The most gas that the VM can count.
pub(crate) const MAX_COUNTED_GAS: u64 = i64::MAX as u64;

/// Upper bounds that a loader sets on every program and every invocation.
///
/// All are in bytes, except gas, the numbers of accounts and of calls, and time. Exceeding a limit
/// of a program is a [`LoadError`](crate::LoadError), when the program is loaded. Exceeding a limit
/// of an invocation is an [`InvocationError`](crate::InvocationError), before the program runs.
/// Exceeding a limit while the program runs is a [`Failure`](crate::Failure), which ends it. Each
/// error names the limit, and the value if there is one.
///
/// ```
/// use loader::{Engine, Limits, Loader};
///
/// let limits = Limits::default().heap(1 << 20).gas(5_000_000);
/// assert_eq!(limits.heap, 1 << 20);
/// let loader = Loader::new(Engine::Interpreter)?.limits(limits);
/// # Ok::<(), loader::LoadError>(())
/// ```
///
/// The format of the input sets two further limits: 255 different accounts
/// ([`InvocationError::TooManyAccounts`](crate::InvocationError::TooManyAccounts)), because 255
/// marks a first occurrence, and 10 MiB of data for each
/// ([`InvocationError::DataTooLong`](crate::InvocationError::DataTooLong)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The blob's file, debug information included.
    pub blob: usize,
    /// A program's code. Of a WebAssembly module, 32 bytes more for each function, and one for each
    /// local variable and each value that a call, a block or a branch may pass, because compiling
    /// takes that much longer.
    pub code: u32,
    /// The read-only and read-write data that a program declares, together.
    pub program_data: u32,
    /// The stack that a program declares.
    pub stack: u32,
    /// The largest heap that an invocation may have.
    pub heap: u32,
    /// The most gas that an invocation may have. Gas, not bytes. The VM counts at most
    /// [`i64::MAX`], for any limit.
    pub gas: u64,
    /// The most bytes by which the data of all accounts together may grow in an invocation.
    pub growth: u64,
    /// The most entries in the list of accounts, repeats included. A number, not bytes.
    pub accounts: usize,
    /// The longest serialized input, account table included.
    pub input: usize,
    /// All log lines together, each counted with its line end; in
    /// [`LogStyle::Runtime`](crate::LogStyle::Runtime) without it, and less than the limit.
    pub logs: usize,
    /// The return data.
    pub return_data: usize,
    /// The calls from one program to another, at every depth. A number, not bytes.
    pub calls: usize,
    /// The CPU time of an invocation on [`Engine::Native`](crate::Engine::Native), which does not
    /// count gas, and the time for which the process blocks on something else than the loader.
    /// Seconds, not bytes; 0 means without a limit.
    pub processor_seconds: u32,
}

impl Default for Limits {
    /// 32 MiB of blob, 4 MiB of code, 16 MiB of program data, 1 MiB of stack, 64 MiB of heap, as
    /// much gas as the VM can count, 1,024 accounts, any growth, 128 MiB of input, 64 KiB of logs,
    /// 1,024 bytes of return data, 64 calls between programs, 10 seconds of CPU time.
    fn default() -> Self {
        Self {
            blob: 32 << 20,
            code: 4 << 20,
            program_data: 16 << 20,
            stack: 1 << 20,
            heap: 64 << 20,
            gas: MAX_COUNTED_GAS,
            growth: u64::MAX,
            accounts: 1_024,
            input: 128 << 20,
            logs: 64 << 10,
            return_data: 1_024,
            calls: 64,
            processor_seconds: 10,
        }
    }
}

impl Limits {
    /// The limits of the Rialo runtime (crates `rialo-s-program-runtime`, `rialo-s-compute-budget`
    /// and `rialo-s-transaction-context` 0.23.0-alpha.0): a file of 10 MiB, as long as an account's
    /// data may be, 256 KiB of stack, 256 KiB of heap, 1,400,000 units of gas, 20 MiB of growth,
    /// 255 accounts, 10,000 bytes of logs, 1,024 bytes of return data, 63 calls between programs.
    /// The rest is as in [`Limits::default`], because no published crate limits it.
    ///
    /// ```
    /// use loader::Limits;
    ///
    /// let limits = Limits::rialo();
    /// assert_eq!((limits.stack, limits.heap), (256 << 10, 256 << 10));
    /// assert_eq!((limits.gas, limits.accounts), (1_400_000, 255));
    /// ```
    ///
    /// The runtime counts growth, calls and logs for a whole transaction: see
    /// [`TransactionUse`](crate::TransactionUse).
    #[must_use]
    pub fn rialo() -> Self {
        Self {
            blob: 10 << 20,
            stack: 256 << 10,
            heap: 256 << 10,
            gas: 1_400_000,
            growth: 20 << 20,
            accounts: 255,
            logs: 10_000,
            return_data: 1_024,
            // A transaction has 64 instructions at most. One of them is the invocation itself.
            calls: 63,
            ..Self::default()
        }
    }

    /// Limits the blob's length in bytes.
    ///
    /// Exceeding it is a [`BlobTooLong`](crate::LoadError::BlobTooLong) error.
    #[must_use]
    pub fn blob(mut self, blob: usize) -> Self {
        self.blob = blob;
        self
    }

    /// Limits the length of a program's code in bytes.
    ///
    /// Exceeding it is a [`MemoryTooLarge`](crate::LoadError::MemoryTooLarge) error.
    #[must_use]
    pub fn code(mut self, code: u32) -> Self {
        self.code = code;
        self
    }

    /// Limits what a program declares as data, in bytes.
    ///
    /// Exceeding it is a [`MemoryTooLarge`](crate::LoadError::MemoryTooLarge) error.
    #[must_use]
    pub fn program_data(mut self, program_data: u32) -> Self {
        self.program_data = program_data;
        self
    }

    /// Limits what a program declares as its stack, in bytes.
    ///
    /// Exceeding it is a [`MemoryTooLarge`](crate::LoadError::MemoryTooLarge) error.
    #[must_use]
    pub fn stack(mut self, stack: u32) -> Self {
        self.stack = stack;
        self
    }

    /// Limits the heap of an invocation, in bytes.
    ///
    /// Exceeding it is a [`HeapTooLarge`](crate::InvocationError::HeapTooLarge) error.
    #[must_use]
    pub fn heap(mut self, heap: u32) -> Self {
        self.heap = heap;
        self
    }

    /// Limits the gas of an invocation.
    ///
    /// Exceeding it is a [`GasTooLarge`](crate::InvocationError::GasTooLarge) error.
    #[must_use]
    pub fn gas(mut self, gas: u64) -> Self {
        self.gas = gas;
        self
    }

    /// Limits by how many bytes the data of all accounts together may grow in an invocation.
    ///
    /// Exceeding it is a [`GrewTooMuch`](crate::Failure::GrewTooMuch) failure.
    #[must_use]
    pub fn growth(mut self, growth: u64) -> Self {
        self.growth = growth;
        self
    }

    /// Limits the number of entries in the list of accounts.
    ///
    /// Exceeding it is a [`TooManyEntries`](crate::InvocationError::TooManyEntries) error.
    #[must_use]
    pub fn accounts(mut self, accounts: usize) -> Self {
        self.accounts = accounts;
        self
    }

    /// Limits the length of the serialized input in bytes.
    ///
    /// Exceeding it is an [`InputTooLong`](crate::InvocationError::InputTooLong) error.
    #[must_use]
    pub fn input(mut self, input: usize) -> Self {
        self.input = input;
        self
    }

    /// Limits the length of all log lines in bytes, each with its line end.
    ///
    /// Exceeding it is a [`LogsTooLong`](crate::Failure::LogsTooLong) failure, in
    /// [`LogStyle::Plain`](crate::LogStyle::Plain).
    #[must_use]
    pub fn logs(mut self, logs: usize) -> Self {
        self.logs = logs;
        self
    }

    /// Limits the length of the return data in bytes.
    ///
    /// Exceeding it is a [`ReturnDataTooLong`](crate::Failure::ReturnDataTooLong) failure.
    #[must_use]
    pub fn return_data(mut self, return_data: usize) -> Self {
        self.return_data = return_data;
        self
    }

    /// Limits the number of calls from one program to another in an invocation, at every depth.
    ///
    /// Exceeding it is a [`TooManyCalls`](crate::InvalidCall::TooManyCalls) failure.
    #[must_use]
    pub fn calls(mut self, calls: usize) -> Self {
        self.calls = calls;
        self
    }

    /// Limits the CPU time of a native invocation in seconds; 0 means no limit. If a command of
    /// yours runs the program (see `Loader::native`, which needs the feature `native`), only its
    /// CPU time is limited.
    ///
    /// Exceeding it is a [`TimedOut`](crate::Failure::TimedOut) failure.
    #[must_use]
    pub fn processor_seconds(mut self, processor_seconds: u32) -> Self {
        self.processor_seconds = processor_seconds;
        self
    }
}
