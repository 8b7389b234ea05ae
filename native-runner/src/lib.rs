//! The process that runs one native program.
//!
//! ```text
//! native-runner SOCKET LIBRARY CPU_SECONDS [--core-dumps] [--fork-server]
//! ```
//!
//! A loader starts one such process for each invocation, and directs it with
//! [`abi::native::Message`] over a Unix socket: SOCKET is the number of an inherited descriptor.
//! With `--fork-server` the process opens the library once, and forks a child for each invocation,
//! which the loader directs over a socket of its own. The process does not fork if the constructors
//! of the library have left a thread, a descriptor, a child process or shared memory, or if it is
//! built with AddressSanitizer: it then serves one invocation itself.
//!
//! Whatever the program does to itself, it does to this process, and the loader sees how the
//! process ended:
//!
//! | exit code | |
//! |---|---|
//! | 0 | the loader has closed the socket |
//! | 1 | the loader has asked for what cannot be; the standard error says what |
//! | 2 | wrong arguments, no socket at the descriptor, or a machine that is not 64-bit Linux |
//! | 3 | the library cannot be opened, or is not a program |
//! | a signal | the program's doing: `SIGSEGV` and its like, `SIGXCPU` where it has used up its time, `SIGABRT` where its stack has overflowed (which the standard error says) or it has called `abort` |
//!
//! Built with AddressSanitizer, the process exits with 1, or the code in `ASAN_OPTIONS`, if the
//! sanitizer finds a fault. The report is on the standard error. The heap is at an address that the
//! system chooses, because the sanitizer's own memory is at that of the contract.
//!
//! The process is killed when the thread that has started it ends, and a child when its server
//! ends, so that no program outlives its loader.

use std::process::ExitCode;

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod linux;

/// Runs the process, and returns its exit code. An executable calls this and nothing else, because
/// it takes over the descriptor that the command line names.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[must_use]
pub fn main() -> ExitCode {
    match linux::run(std::env::args_os().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(end) => ExitCode::from(end.say()),
    }
}

/// Reports that programs do not run natively on this machine.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
#[must_use]
pub fn main() -> ExitCode {
    eprintln!("native-runner: programs run natively on 64-bit Linux only");
    ExitCode::from(2)
}
