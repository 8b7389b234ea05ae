//! The process of a native program: how it starts, how long it may keep its loader waiting, and how it ends.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::param::clock_ticks_per_second;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::error::InvocationError;
use crate::limits::Limits;

/// How long is waited for the process before it is looked what it does, in milliseconds.
const GLANCE_MILLISECONDS: u32 = 50;

/// The same.
pub(super) const GLANCE: Duration = Duration::from_millis(GLANCE_MILLISECONDS as u64);

/// A process that does as its loader says, or not.
pub(super) struct Process {
    child: Child,
    /// Whether something of the caller's runs the program, such as a debugger: that takes its time, and stands in its terminal.
    is_wrapped: bool,
    /// How long it may run and wait together; `None` for ever.
    limit: Option<Duration>,
    /// How long the loader has seen it wait for something else than the loader.
    idle: Duration,
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts the process and waits until it has come to a socket, which is made at this path.
    pub fn start(
        command: &[OsString],
        socket: &Path,
        library: &Path,
        limits: &Limits,
    ) -> Result<(Self, UnixStream), InvocationError> {
        let [executable, arguments @ ..] = command else {
            return Err(InvocationError::engine(
                "there is no command to run programs with",
            ));
        };
        let listener = UnixListener::bind(socket).map_err(|error| {
            InvocationError::engine(format!(
                "cannot make a socket at {}, where temporary files are: {error}",
                socket.display()
            ))
        })?;
        let is_wrapped = !arguments.is_empty();
        let seconds = limits.processor_seconds;
        let mut starting = Command::new(executable);
        starting
            .args(arguments)
            .arg(socket)
            .arg(library)
            .arg(seconds.to_string())
            // The standard output is the caller's own.
            .stdout(io::stderr());
        if !is_wrapped {
            // Whatever it leaves behind ends with it.
            starting.stdin(Stdio::null()).process_group(0);
        }
        let child = starting.spawn().map_err(|error| {
            InvocationError::engine(format!("cannot run {}: {error}", executable.display()))
        })?;
        let mut process = Self {
            child,
            is_wrapped,
            limit: (seconds > 0).then(|| Duration::from_secs(seconds.into())),
            idle: Duration::ZERO,
            status: None,
        };
        let stream = process.accept(&listener);
        // Nobody else comes.
        let _ = fs::remove_file(socket);
        Ok((process, stream?))
    }

    /// Waits for the process to come to the socket.
    fn accept(&mut self, listener: &UnixListener) -> Result<UnixStream, InvocationError> {
        let waiting = Timespec {
            tv_sec: 0,
            tv_nsec: (GLANCE_MILLISECONDS * 1_000_000).into(),
        };
        loop {
            let has_ended = self.has_ended();
            let mut listeners = [PollFd::new(listener, PollFlags::IN)];
            match poll(&mut listeners, Some(&waiting)) {
                Ok(0) => {}
                Ok(_) => {
                    let (stream, _) = listener.accept().map_err(InvocationError::engine)?;
                    return Ok(stream);
                }
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(InvocationError::engine(error)),
            }
            // It was over before the socket was looked at for the last time.
            if has_ended {
                return Err(self.did_not_start());
            }
            if self.is_out_of_time(GLANCE) {
                self.end();
                return Err(InvocationError::engine(
                    "the command that is to run the program has not come to the loader's socket",
                ));
            }
        }
    }

    /// Whether it has run, and waited for something else than its loader, for longer than it may. The loader has waited for it just
    /// now, for so long.
    pub fn is_out_of_time(&mut self, waited: Duration) -> bool {
        let Some(limit) = self.limit.filter(|_| !self.is_wrapped) else {
            return false;
        };
        let path = format!("/proc/{}/stat", self.child.id());
        // A process that has been waited for is not there, and has all the time that it wants.
        let Some(seen) = fs::read_to_string(path)
            .ok()
            .and_then(|line| Seen::parse(&line))
        else {
            return false;
        };
        if seen.waits {
            self.idle += waited;
        }
        seen.processor_time + self.idle >= limit
    }

    /// Why there is no program to be called, where the process has ended, or is to.
    pub fn did_not_start(&mut self) -> InvocationError {
        let status = self.end();
        let reason = match status.and_then(|status| status.code()) {
            Some(1) => "heap and input have no room there",
            Some(3) => "the library cannot be opened, or is no program",
            _ => "it does not say why",
        };
        let status = status.map_or_else(|| "unknown".to_owned(), |status| status.to_string());
        InvocationError::engine(format!(
            "the process that is to run the program has ended before that ({status}): {reason}; see its standard error"
        ))
    }

    /// Whether it has ended, by itself. What it has left behind is still there.
    pub fn has_ended(&self) -> bool {
        if self.status.is_some() {
            return true;
        }
        let Some(pid) = self.pid() else { return false };
        // Its number stays its own until it is waited for, so that it is safe to signal.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        matches!(waitid(WaitId::Pid(pid), options), Ok(Some(_)))
    }

    /// Waits until it has ended by itself, as long as it may; answers whether it has.
    pub fn wait(&mut self) -> bool {
        let step = GLANCE / 50;
        while !self.has_ended() {
            if self.is_out_of_time(step) {
                return false;
            }
            thread::sleep(step);
        }
        true
    }

    /// Ends it, if it has not ended, and all that it has left behind, and answers how it ended.
    pub fn end(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            // It may have left its group, and others may be in it. Either fails only where there is nothing left to end.
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

/// What the system says of a process.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    /// Whether it waits for something, or was stopped by somebody who is no debugger. Waiting for a disk is the machine's doing.
    waits: bool,
    /// The processor's time that it has taken.
    processor_time: Duration,
}

impl Seen {
    /// Reads the line of `/proc/PID/stat`.
    fn parse(line: &str) -> Option<Self> {
        // The name in brackets may have anything in it.
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
    fn the_systems_line_is_read_whatever_the_process_is_called() {
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
            let expected = Seen {
                waits,
                processor_time,
            };
            assert_eq!(Seen::parse(&line(state)), Some(expected), "{state}");
        }
        for line in [
            "",
            "12 (a",
            "12 (a)",
            "12 (a) S 1 2 3 4 5 6 7 8 9 10 150",
            "12 (a) S 1 2 3 4 5 6 7 8 9 10 x y",
        ] {
            assert_eq!(Seen::parse(line), None, "{line:?}");
        }
    }
}
