//! How much an invocation may take.

/// Gas of an [`Invocation`](crate::Invocation) that does not say otherwise.
pub const DEFAULT_GAS: u64 = 1_000_000;

/// Upper bounds that a loader sets on every invocation. All are in bytes, except the number of accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A program's code.
    pub code: u32,
    /// What a program declares as read-only and read-write data, together.
    pub program_data: u32,
    /// What a program declares as its stack.
    pub stack: u32,
    /// The largest heap that an invocation may ask for.
    pub heap: u32,
    /// The most entries in the list of accounts, repeats included. A number, not bytes.
    pub accounts: usize,
    /// The longest serialized input, account table included.
    pub input: usize,
    /// All log lines together, each counted with its line end.
    pub logs: usize,
    /// The return data.
    pub return_data: usize,
}

impl Default for Limits {
    /// 4 MiB of code, 16 MiB of program data, 1 MiB of stack, 64 MiB of heap, 1,024 accounts, 128 MiB of
    /// input, 64 KiB of logs, 1,024 bytes of return data.
    fn default() -> Self {
        Self {
            code: 4 << 20,
            program_data: 16 << 20,
            stack: 1 << 20,
            heap: 64 << 20,
            accounts: 1_024,
            input: 128 << 20,
            logs: 64 << 10,
            return_data: 1_024,
        }
    }
}
