//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use super::End;

/// What the process is called with.
#[derive(Debug)]
pub struct Arguments {
    /// The Unix socket at which the loader listens.
    pub socket: PathBuf,
    /// The program.
    pub library: PathBuf,
    /// Time of the processor's that the process may use, in seconds; 0 if it may use any.
    pub cpu_seconds: u64,
    /// Whether a crash leaves a core file, as the system's own setting says.
    pub core_dumps: bool,
}

/// The way to call it.
pub const USAGE: &str = "\
usage: native-runner SOCKET LIBRARY CPU_SECONDS [--core-dumps]

Runs a program that was built as a library of this machine, as the loader says that listens at the Unix socket.
`cargo entrypoint run --target native` starts it.

  CPU_SECONDS    the time of the processor's that it may use; 0: any
  --core-dumps   a crash leaves a core file where the system is set up for that";

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
        let cpu_seconds = cpu_seconds.to_str().and_then(|word| word.parse().ok());
        let Some(cpu_seconds) = cpu_seconds else {
            return Err(End::misused(format!(
                "CPU_SECONDS is no whole number\n{USAGE}"
            )));
        };
        Ok(Self {
            socket: socket.into(),
            library: library.into(),
            cpu_seconds,
            core_dumps,
        })
    }
}
