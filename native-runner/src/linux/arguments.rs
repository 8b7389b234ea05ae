//! The command line.

use std::ffi::{OsStr, OsString};
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::str::FromStr;

use super::End;

/// The arguments of the process.
#[derive(Debug)]
pub struct Arguments {
    /// The number of the file descriptor that is a socket to the loader.
    pub socket: RawFd,
    /// The program.
    pub library: PathBuf,
    /// Time of the processor's that the process may use, in seconds; 0 if it may use any.
    pub cpu_seconds: u64,
    /// Whether a crash writes a core file, if the system is set up for it.
    pub core_dumps: bool,
    /// Whether the process forks a child for each invocation.
    pub is_server: bool,
}

/// The last of the standard streams.
const STANDARD_ERROR: RawFd = 2;

/// The way to call it.
pub const USAGE: &str = "\
usage: native-runner SOCKET LIBRARY CPU_SECONDS [--core-dumps] [--fork-server]

Runs a native program for the loader that started this process.
`cargo entrypoint run --target native` starts it.

  SOCKET         the number of an inherited file descriptor, a Unix socket to the loader
  CPU_SECONDS    the most CPU time that the process may use; 0 for no limit
  --core-dumps   let a crash write a core file, if the system is set up for it
  --fork-server  open the library once, and fork a child for each invocation";

impl Arguments {
    /// Reads the words behind the process's own name.
    pub fn parse(words: impl Iterator<Item = OsString>) -> Result<Self, End> {
        let mut words: Vec<OsString> = words.collect();
        let mut has = |option: &str| {
            let before = words.len();
            words.retain(|word| word != option);
            words.len() < before
        };
        let (core_dumps, is_server) = (has("--core-dumps"), has("--fork-server"));
        let [socket, library, cpu_seconds] = words.as_slice() else {
            return Err(End::misused(USAGE));
        };
        let descriptor: RawFd = number("SOCKET", socket)?;
        if descriptor <= STANDARD_ERROR {
            return Err(End::misused(format!(
                "SOCKET is {descriptor}, which is a standard stream, or not a descriptor\n{USAGE}"
            )));
        }
        Ok(Self {
            socket: descriptor,
            library: library.into(),
            cpu_seconds: number("CPU_SECONDS", cpu_seconds)?,
            core_dumps,
            is_server,
        })
    }
}

fn number<T: FromStr>(name: &str, word: &OsStr) -> Result<T, End> {
    let number = word.to_str().and_then(|word| word.parse().ok());
    number.ok_or_else(|| {
        End::misused(format!(
            "{name} is {}, which is not a whole number, or not one that is possible\n{USAGE}",
            word.display()
        ))
    })
}
