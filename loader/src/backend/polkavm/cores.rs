//! On which cores the processes of the compiling engine run.
//!
//! While a program runs, the VM spins on the host's thread. A process on the same core would wait
//! until the scheduler takes the core from that thread, some milliseconds later. The VM can bind
//! the host's threads to cores, but they belong to the embedder. So the loader keeps each process
//! off the core on which the calling thread is.

#[cfg(target_os = "linux")]
use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

/// The cores that the processes of a VM may use.
pub(super) struct Cores {
    #[cfg(target_os = "linux")]
    allowed: Option<CpuSet>,
}

#[cfg(target_os = "linux")]
impl Cores {
    /// The cores on which the calling thread may run, if there are several.
    pub fn of_this_thread() -> Self {
        let allowed = sched_getaffinity(None).ok();
        Self {
            allowed: allowed.filter(|cores| cores.count() > 1),
        }
    }

    /// Keeps a process off the core of the calling thread. `left_out` is the core that the process
    /// has been kept off until now: usually the same, and then nothing needs to be done.
    pub fn keep_apart(&self, process: Option<u32>, left_out: &mut Option<usize>) {
        let Some(allowed) = &self.allowed else {
            return;
        };
        let own = sched_getcpu();
        if *left_out == Some(own) || own >= CpuSet::MAX_CPU {
            return;
        }
        let process = process.and_then(|id| rustix::process::Pid::from_raw(id.try_into().ok()?));
        // Without an id, the call would bind the calling thread.
        let Some(process) = process else {
            return;
        };
        let mut cores = *allowed;
        cores.unset(own);
        // The program also runs on this core, later. So a refusal is not an error.
        if sched_setaffinity(Some(process), &cores).is_ok() {
            *left_out = Some(own);
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Cores {
    /// The VM has processes on Linux only.
    pub fn of_this_thread() -> Self {
        Self {}
    }

    pub fn keep_apart(&self, _process: Option<u32>, _left_out: &mut Option<usize>) {}
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn process_is_kept_off_the_core_of_the_thread() {
        let before = sched_getaffinity(None).unwrap();
        let cores = Cores::of_this_thread();
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let mut left_out = None;
        cores.keep_apart(Some(child.id()), &mut left_out);
        let process = rustix::process::Pid::from_child(&child);
        let mut of_child = sched_getaffinity(Some(process)).unwrap();
        // With one core, the process stays as it is.
        assert_eq!(left_out.is_some(), before.count() > 1);
        if let Some(core) = left_out {
            assert!(!of_child.is_set(core));
            of_child.set(core);
        }
        assert_eq!(of_child, before);
        // Without a process, nothing happens to the thread.
        cores.keep_apart(None, &mut None);
        assert_eq!(sched_getaffinity(None).unwrap(), before);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
