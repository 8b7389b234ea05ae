//! The process of a native program: how it starts, how long it may run, and how it ends.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use command_fds::CommandFdExt;
use rustix::param::clock_ticks_per_second;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::error::InvocationError;
use crate::limits::Limits;

/// How often the loader checks what the process does while it waits for it.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The (untrusted) child process of one invocation.
pub(super) struct Process {
    child: Child,
    /// Whether a command of the caller's runs the program, such as a debugger: that has no limits,
    /// and uses the caller's terminal.
    is_wrapped: bool,
    /// How long it may run and block together; `None` for no limit.
    limit: Option<Duration>,
    /// How long the loader has seen the process block on something else than the loader.
    idle: Duration,
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts the process, and returns the loader's end of its socket.
    pub fn start(
        command: &[OsString],
        library: &Path,
        limits: &Limits,
    ) -> Result<(Self, UnixStream), InvocationError> {
        let [executable, arguments @ ..] = command else {
            return Err(InvocationError::engine(
                "the loader has no command to run programs; pass one to `Loader::native`",
            ));
        };
        let (ours, theirs) = UnixStream::pair().map_err(|error| {
            InvocationError::engine(format!("cannot make the socket of the process: {error}"))
        })?;
        let is_wrapped = !arguments.is_empty();
        let seconds = limits.processor_seconds;
        let mut starting = Command::new(executable);
        starting
            .args(arguments)
            // The descriptor has the same number in the process.
            .arg(theirs.as_raw_fd().to_string())
            .arg(library)
            .arg(seconds.to_string())
            // The standard output is the caller's own.
            .stdout(io::stderr())
            .preserved_fds(vec![theirs.into()]);
        if !is_wrapped {
            // Processes that it leaves behind end with it.
            starting.stdin(Stdio::null()).process_group(0);
        }
        let child = starting.spawn().map_err(|error| {
            InvocationError::engine(format!("cannot run {}: {error}", executable.display()))
        })?;
        let process = Self {
            child,
            is_wrapped,
            limit: (seconds > 0).then(|| Duration::from_secs(seconds.into())),
            idle: Duration::ZERO,
            status: None,
        };
        // The command owns the other end of the socket, which has to close with the process.
        drop(starting);
        Ok((process, ours))
    }

    /// Whether the process has run, and blocked on something else than the loader, for longer than
    /// its limit. `waited` is how long the loader has just waited for it.
    pub fn is_timed_out(&mut self, waited: Duration) -> bool {
        let Some(limit) = self.limit.filter(|_| !self.is_wrapped) else {
            return false;
        };
        let path = format!("/proc/{}/stat", self.child.id());
        // A process that has ended has no limit any more.
        let Some(stat) = fs::read_to_string(path)
            .ok()
            .and_then(|line| ProcStat::parse(&line))
        else {
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
        if self.status.is_some() {
            return true;
        }
        let Some(pid) = self.pid() else { return false };
        // The system does not reuse its number before the loader waits for it, so signals stay
        // safe.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        matches!(waitid(WaitId::Pid(pid), options), Ok(Some(_)))
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
        if self.status.is_none() {
            // The process may have left its group, and other processes may be in it. Each call
            // fails only if no process is left to end.
            if let Some(group) = self.pid().filter(|_| !self.is_wrapped) {
                let _ = kill_process_group(group, Signal::KILL);
            }
            let _ = self.child.kill();
            self.status = self.child.wait().ok();
        }
        self.status
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(self.child.id().try_into().ok()?)
    }
}

/// The state of a process, from `/proc/PID/stat`.
#[derive(Debug, PartialEq, Eq)]
struct ProcStat {
    /// Whether it blocks, or was stopped by a signal. Waiting for a disk does not count, and
    /// neither does being stopped by a debugger.
    waits: bool,
    /// The CPU time that it has used.
    processor_time: Duration,
}

impl ProcStat {
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
            processor_time: each.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX)),
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
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
        for (state, waits) in [
            ("S", true),
            ("T", true),
            ("R", false),
            ("D", false),
            ("t", false),
            ("Z", false),
        ] {
            let expected = ProcStat {
                waits,
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
