//! What a transaction has used of its limits.

/// What the instructions of a transaction have used of the limits that they share.
///
/// [`Invocation::transaction_use`](crate::Invocation::transaction_use) is what those before an
/// invocation have used, and [`Outcome::transaction_use`](crate::Outcome::transaction_use) what is
/// used after it. So a host that runs an instruction after another takes it from the outcome of the
/// one and puts it into the invocation of the next.
///
/// ```
/// use loader::{Engine, Invocation, Limits, Loader, Pubkey};
///
/// let blob = program_test::build("../examples/hello");
/// let limits = Limits::default().logs(100);
/// let program = Loader::new(Engine::Interpreter)?.limits(limits).load(&blob)?;
/// let mut invocation = Invocation::new(Pubkey::new([1; 32]));
/// let mut instructions = 0;
/// loop {
///     let outcome = program.invoke(&invocation)?;
///     invocation.transaction_use = outcome.transaction_use;
///     if !outcome.is_success() {
///         assert_eq!(outcome.failure.unwrap().kind(), "LogsTooLong");
///         break;
///     }
///     instructions += 1;
/// }
/// assert!(instructions > 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransactionUse {
    /// The bytes of log lines, as [`Limits::logs`](crate::Limits::logs) counts them.
    pub log_bytes: usize,
    /// Whether a line was left out: see [`LogStyle::Runtime`](crate::LogStyle::Runtime).
    pub is_log_truncated: bool,
    /// The bytes by which the data of accounts grew, less those by which it shrank.
    pub growth: i64,
    /// The instructions, and the calls from one program to another: together.
    pub calls: usize,
}
