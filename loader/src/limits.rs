//! How much an invocation may take.

/// Gas of an [`Invocation`](crate::Invocation) that does not say otherwise.
pub const DEFAULT_GAS: u64 = 1_000_000;

/// The most gas that the VM can count.
pub(crate) const MAX_COUNTED_GAS: u64 = i64::MAX as u64;

/// Upper bounds that a loader sets on every program and every invocation. All are in bytes, except gas, the number
/// of accounts, and time.
///
/// What passes a limit of a program is refused when it is loaded, with a [`LoadError`](crate::LoadError); what passes a
/// limit of an invocation before it is run, with an [`InvocationError`](crate::InvocationError); and what a program does
/// too much of ends it, with a [`Failure`](crate::Failure). All name the limit, and the value where there is one.
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
/// Two limits are not a loader's to set, because the format of the input has them: 255 different accounts
/// ([`InvocationError::TooManyAccounts`](crate::InvocationError::TooManyAccounts)), because an entry that begins with
/// 255 is no repeat, and 10 MiB of data for each
/// ([`InvocationError::DataTooLong`](crate::InvocationError::DataTooLong)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The blob's file, debug information included.
    pub blob: usize,
    /// A blob's code. A WebAssembly module is bounded by [`blob`](Self::blob) alone.
    pub code: u32,
    /// What a program declares as read-only and read-write data, together.
    pub program_data: u32,
    /// What a program declares as its stack.
    pub stack: u32,
    /// The largest heap that an invocation may ask for.
    pub heap: u32,
    /// The most gas that an invocation may ask for. Gas, not bytes; the VM counts no further than [`i64::MAX`],
    /// whatever stands here.
    pub gas: u64,
    /// The most entries in the list of accounts, repeats included. A number, not bytes.
    pub accounts: usize,
    /// The longest serialized input, account table included.
    pub input: usize,
    /// All log lines together, each counted with its line end.
    pub logs: usize,
    /// The return data.
    pub return_data: usize,
    /// The processor's time that an invocation takes on [`Engine::Native`](crate::Engine::Native), where no gas is counted, and the
    /// time for which it waits there for something else than its loader. Seconds, not bytes; 0 is no limit.
    pub processor_seconds: u32,
}

impl Default for Limits {
    /// 32 MiB of blob, 4 MiB of code, 16 MiB of program data, 1 MiB of stack, 64 MiB of heap, as much gas as the VM can
    /// count, 1,024 accounts, 128 MiB of input, 64 KiB of logs, 1,024 bytes of return data, 10 seconds of the processor's time.
    fn default() -> Self {
        Self {
            blob: 32 << 20,
            code: 4 << 20,
            program_data: 16 << 20,
            stack: 1 << 20,
            heap: 64 << 20,
            gas: MAX_COUNTED_GAS,
            accounts: 1_024,
            input: 128 << 20,
            logs: 64 << 10,
            return_data: 1_024,
            processor_seconds: 10,
        }
    }
}

impl Limits {
    /// Limits the blob's length in bytes.
    ///
    /// What is more gets [`BlobTooLong`](crate::LoadError::BlobTooLong).
    #[must_use]
    pub fn blob(mut self, blob: usize) -> Self {
        self.blob = blob;
        self
    }

    /// Limits the length of a program's code in bytes.
    ///
    /// What is more gets [`MemoryTooLarge`](crate::LoadError::MemoryTooLarge).
    #[must_use]
    pub fn code(mut self, code: u32) -> Self {
        self.code = code;
        self
    }

    /// Limits what a program declares as data, in bytes.
    ///
    /// What is more gets [`MemoryTooLarge`](crate::LoadError::MemoryTooLarge).
    #[must_use]
    pub fn program_data(mut self, program_data: u32) -> Self {
        self.program_data = program_data;
        self
    }

    /// Limits what a program declares as its stack, in bytes.
    ///
    /// What is more gets [`MemoryTooLarge`](crate::LoadError::MemoryTooLarge).
    #[must_use]
    pub fn stack(mut self, stack: u32) -> Self {
        self.stack = stack;
        self
    }

    /// Limits the heap that an invocation asks for, in bytes.
    ///
    /// What is more gets [`HeapTooLarge`](crate::InvocationError::HeapTooLarge).
    #[must_use]
    pub fn heap(mut self, heap: u32) -> Self {
        self.heap = heap;
        self
    }

    /// Limits the gas that an invocation asks for.
    ///
    /// What is more gets [`GasTooLarge`](crate::InvocationError::GasTooLarge).
    #[must_use]
    pub fn gas(mut self, gas: u64) -> Self {
        self.gas = gas;
        self
    }

    /// Limits the number of entries in the list of accounts.
    ///
    /// What is more gets [`TooManyEntries`](crate::InvocationError::TooManyEntries).
    #[must_use]
    pub fn accounts(mut self, accounts: usize) -> Self {
        self.accounts = accounts;
        self
    }

    /// Limits the length of the serialized input in bytes.
    ///
    /// What is more gets [`InputTooLong`](crate::InvocationError::InputTooLong).
    #[must_use]
    pub fn input(mut self, input: usize) -> Self {
        self.input = input;
        self
    }

    /// Limits the length of all log lines in bytes, each with its line end.
    ///
    /// What is more gets [`LogsTooLong`](crate::Failure::LogsTooLong).
    #[must_use]
    pub fn logs(mut self, logs: usize) -> Self {
        self.logs = logs;
        self
    }

    /// Limits the length of the return data in bytes.
    ///
    /// What is more gets [`ReturnDataTooLong`](crate::Failure::ReturnDataTooLong).
    #[must_use]
    pub fn return_data(mut self, return_data: usize) -> Self {
        self.return_data = return_data;
        self
    }

    /// Limits the processor's time of a native invocation in seconds; 0 is no limit. With a command that runs something of yours
    /// (see [`Loader::native`](crate::Loader::native)) only the processor's time is limited.
    ///
    /// What takes more gets [`TimedOut`](crate::Failure::TimedOut).
    #[must_use]
    pub fn processor_seconds(mut self, processor_seconds: u32) -> Self {
        self.processor_seconds = processor_seconds;
        self
    }
}
