//! The process of a native program: how it starts, how long it may run, and how it ends.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use command_fds::CommandFdExt;
use rustix::param::clock_ticks_per_second;

use super::connection::pair;
use super::keeper::Keeper;
use super::server::Server;
use crate::error::InvocationError;

/// How often the loader checks what the process does while it waits for it.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The (untrusted) child process of one invocation, or a fork server.
pub(super) struct Process {
    kind: Kind,
    /// The number of the process.
    id: u32,
    /// How long it may run and block together; `None` for no limit.
    limit: Option<Duration>,
    /// How long the loader has seen the process block on something else than the loader.
    idle: Duration,
    has_ended: bool,
    status: Option<ExitStatus>,
}

enum Kind {
    /// The loader has started it.
    Started(Keeper),
    /// A fork server has forked it.
    Forked(Arc<Server>),
}

impl Process {
    /// Starts a process for a library, and returns the loader's end of its socket. It may use so
    /// many seconds; 0 for no limit. If it is to be a fork server, no command of the caller's runs
    /// it.
    pub fn start(
        command: &[OsString],
        library: &Path,
        seconds: u32,
        is_server: bool,
    ) -> Result<(Self, UnixStream), InvocationError> {
        let [executable, arguments @ ..] = command else {
            return Err(InvocationError::engine(
                "the loader has no command to run programs; pass one to `Loader::native`",
            ));
        };
        let (ours, theirs) = pair().map_err(no_socket)?;
        let is_wrapped = is_wrapped(command);
        let mut starting = Command::new(executable);
        starting
            .args(arguments)
            // The descriptor has the same number in the process.
            .arg(theirs.as_raw_fd().to_string())
            .arg(library)
            .arg(seconds.to_string())
            .args(is_server.then_some("--fork-server"))
            // The standard output is the caller's own.
            .stdout(io::stderr())
            .preserved_fds(vec![theirs.into()]);
        if !is_wrapped {
            // Processes that it leaves behind end with it.
            starting.stdin(Stdio::null()).process_group(0);
        }
        let keeper = Keeper::start(starting, !is_wrapped).map_err(|error| {
            InvocationError::engine(format!("cannot run {}: {error}", executable.display()))
        })?;
        // A debugger has no limits.
        let seconds = if is_wrapped { 0 } else { seconds };
        Ok((Self::new(keeper.id(), Kind::Started(keeper), seconds), ours))
    }

    /// A process that a fork server has forked.
    pub fn forked(id: u32, server: Arc<Server>, seconds: u32) -> Self {
        Self::new(id, Kind::Forked(server), seconds)
    }

    fn new(id: u32, kind: Kind, seconds: u32) -> Self {
        Self {
            kind,
            id,
            limit: (seconds > 0).then(|| Duration::from_secs(seconds.into())),
            idle: Duration::ZERO,
            has_ended: false,
            status: None,
        }
    }

    /// The server that has forked it, if one has.
    pub fn server(&self) -> Option<&Arc<Server>> {
        match &self.kind {
            Kind::Started(_) => None,
            Kind::Forked(server) => Some(server),
        }
    }

    /// Whether the process has run, and blocked on something else than the loader, for longer than
    /// its limit. `waited` is how long the loader has just waited for it.
    pub fn is_timed_out(&mut self, waited: Duration) -> bool {
        let Some(limit) = self.limit else {
            return false;
        };
        // A process that has ended has no limit any more.
        let Some(stat) = ProcStat::read(self.id) else {
            return false;
        };
        if stat.waits {
            self.idle += waited;
        }
        stat.processor_time + self.idle >= limit
    }

    /// Ends the process, and returns why it has not opened the program.
    pub fn did_not_start(&mut self) -> InvocationError {
        let status = self.end();
        let reason = match status.and_then(|status| status.code()) {
            Some(1) => "there is no memory for heap and input",
            Some(3) => "the library cannot be opened, or is not a program",
            _ => "the reason is unknown",
        };
        let status = status.map_or_else(|| "unknown".to_owned(), |status| status.to_string());
        InvocationError::engine(format!(
            "the runner exited before it started the program ({status}): {reason}; see its stderr"
        ))
    }

    /// Whether it has ended by itself. Processes that it has left behind may still run.
    pub fn has_ended(&self) -> bool {
        self.has_ended
            || match &self.kind {
                Kind::Started(keeper) => keeper.has_ended(),
                // Its parent is the server, which waits for it only when the loader says so.
                Kind::Forked(_) => ProcStat::read(self.id).is_none_or(|stat| stat.has_ended),
            }
    }

    /// Waits until it has ended by itself or its time is over; returns whether it has ended.
    pub fn wait(&mut self) -> bool {
        let step = POLL_INTERVAL / 50;
        while !self.has_ended() {
            if self.is_timed_out(step) {
                return false;
            }
            thread::sleep(step);
        }
        true
    }

    /// Ends it, if it has not ended, and all processes that it has left behind; returns how it
    /// ended.
    pub fn end(&mut self) -> Option<ExitStatus> {
        if !self.has_ended {
            self.has_ended = true;
            self.status = match &mut self.kind {
                Kind::Started(keeper) => keeper.end(),
                Kind::Forked(server) => server.end(self.id),
            };
        }
        self.status
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        match &mut self.kind {
            Kind::Started(keeper) => {
                keeper.end();
            }
            Kind::Forked(server) => server.end_later(self.id),
        }
    }
}

/// Whether a command of the caller's runs the program, such as a debugger: that has no limits, and
/// uses the caller's terminal.
pub(super) fn is_wrapped(command: &[OsString]) -> bool {
    command.len() > 1
}

pub(super) fn no_socket(error: io::Error) -> InvocationError {
    InvocationError::engine(format!("cannot make the socket of the process: {error}"))
}

/// The state of a process, from `/proc/PID/stat`.
#[derive(Debug, PartialEq, Eq)]
struct ProcStat {
    /// Whether it blocks, or was stopped by a signal. Waiting for a disk does not count, and
    /// neither does being stopped by a debugger.
    waits: bool,
    /// Whether it has ended, and its parent has not waited for it.
    has_ended: bool,
    /// The CPU time that it has used.
    processor_time: Duration,
}

impl ProcStat {
    /// The state of a process; `None` if the system does not have it.
    fn read(id: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
    }

    /// Reads the line of `/proc/PID/stat`.
    fn parse(line: &str) -> Option<Self> {
        // The name in brackets may contain any characters.
        let (_, fields) = line.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let [state, ..] = *fields else { return None };
        // The fields 14 and 15 of proc(5), of which the state is 3.
        let ticks = |field: usize| fields.get(field)?.parse::<u64>().ok();
        let ticks = ticks(11)?.saturating_add(ticks(12)?);
        let each = Duration::from_secs(1) / u32::try_from(clock_ticks_per_second()).ok()?.max(1);
        Some(Self {
            waits: matches!(state, "S" | "T"),
            has_ended: matches!(state, "Z" | "X"),
            processor_time: each.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_line_is_parsed_for_any_process_name() {
        let line =
            |state: &str| format!("12 (a) b (c) {state} 1 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0 1");
        let ticks = u32::try_from(clock_ticks_per_second()).expect("a few");
        let processor_time = Duration::from_secs(200) / ticks;
        for (state, waits, has_ended) in [
            ("S", true, false),
            ("T", true, false),
            ("R", false, false),
            ("D", false, false),
            ("t", false, false),
            ("Z", false, true),
        ] {
            let expected = ProcStat {
                waits,
                has_ended,
                processor_time,
            };
            assert_eq!(ProcStat::parse(&line(state)), Some(expected), "{state}");
        }
        for line in [
            "",
            "12 (a",
            "12 (a)",
            "12 (a) S 1 2 3 4 5 6 7 8 9 10 150",
            "12 (a) S 1 2 3 4 5 6 7 8 9 10 x y",
        ] {
            assert_eq!(ProcStat::parse(line), None, "{line:?}");
        }
    }
}
