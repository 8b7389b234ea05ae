//! A thread that keeps a child process.
//!
//! The system ends such a process together with the thread that started it, so that no program
//! outlives its loader. The embedder's threads come and go, and a fork server serves all of them.
//! So a thread of the loader's starts the process, and waits until it is to end.

use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// A process, and the thread that keeps it.
pub(super) struct Keeper {
    id: u32,
    /// The thread ends the process when this is dropped.
    keep: Option<Sender<()>>,
    thread: Option<JoinHandle<Option<ExitStatus>>>,
    status: Option<ExitStatus>,
}

impl Keeper {
    /// Starts a command. `has_group` if the process leads a process group, which ends with it.
    ///
    /// # Errors
    ///
    /// If the system starts no thread, or not the command.
    pub fn start(mut command: Command, has_group: bool) -> io::Result<Self> {
        let (keep, until) = channel();
        let (started, start) = channel();
        let thread = thread::Builder::new().name("native-runner".to_owned());
        let thread = thread.spawn(move || {
            let spawned = command.spawn();
            // The command owns the other end of the socket, which has to close with the process.
            drop(command);
            let (id, child) = match spawned {
                Ok(child) => (Ok(child.id()), Some(child)),
                Err(error) => (Err(error), None),
            };
            // The other thread waits for it.
            let _ = started.send(id);
            end_after(child?, &until, has_group)
        })?;
        let id = start.recv().map_err(io::Error::other)??;
        Ok(Self {
            id,
            keep: Some(keep),
            thread: Some(thread),
            status: None,
        })
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Whether the process has ended by itself. Processes that it has left behind may still run.
    pub fn has_ended(&self) -> bool {
        if self.status.is_some() {
            return true;
        }
        let Some(pid) = pid(self.id) else {
            return false;
        };
        // The system does not reuse its number before the loader waits for it.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        matches!(waitid(WaitId::Pid(pid), options), Ok(Some(_)))
    }

    /// Ends the process, if it has not ended, and its group; returns how it ended.
    pub fn end(&mut self) -> Option<ExitStatus> {
        self.keep = None;
        if let Some(thread) = self.thread.take() {
            self.status = thread.join().ok().flatten();
        }
        self.status
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.end();
    }
}

/// Ends a process when the channel closes.
fn end_after(mut child: Child, until: &Receiver<()>, has_group: bool) -> Option<ExitStatus> {
    // Nothing is ever sent.
    let _ = until.recv();
    // The process may have left its group, and other processes may be in it. Each call fails only
    // if no process is left to end. The system does not reuse the number before `wait`.
    if let Some(group) = pid(child.id()).filter(|_| has_group) {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
    child.wait().ok()
}

fn pid(id: u32) -> Option<Pid> {
    Pid::from_raw(id.try_into().ok()?)
}
