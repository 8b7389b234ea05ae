//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use super::End;

/// The arguments of the process.
#[derive(Debug)]
pub struct Arguments {
    /// The Unix socket at which the loader listens.
    pub socket: PathBuf,
    /// The program.
    pub library: PathBuf,
    /// Time of the processor's that the process may use, in seconds; 0 if it may use any.
    pub cpu_seconds: u64,
    /// Whether a crash writes a core file, if the system is set up for it.
    pub core_dumps: bool,
}

/// The way to call it.
pub const USAGE: &str = "\
usage: native-runner SOCKET LIBRARY CPU_SECONDS [--core-dumps]

Runs a native program for the loader that listens on the Unix socket SOCKET.
`cargo entrypoint run --target native` starts it.

  CPU_SECONDS    the most CPU time that the process may use; 0 for no limit
  --core-dumps   let a crash write a core file, if the system is set up for it";

impl Arguments {
    /// Reads the words behind the process's own name.
    pub fn parse(words: impl Iterator<Item = OsString>) -> Result<Self, End> {
        let mut words: Vec<OsString> = words.collect();
        let before = words.len();
        words.retain(|word| word != "--core-dumps");
        let core_dumps = words.len() < before;
        let [socket, library, cpu_seconds] = words.as_slice() else {
            return Err(End::misused(USAGE));
        };
        let seconds = cpu_seconds.to_str().and_then(|word| word.parse().ok());
        let Some(seconds) = seconds else {
            return Err(End::misused(format!(
                "CPU_SECONDS is {}, which is not a whole number\n{USAGE}",
                cpu_seconds.display()
            )));
        };
        Ok(Self {
            socket: socket.into(),
            library: library.into(),
            cpu_seconds: seconds,
            core_dumps,
        })
    }
}
