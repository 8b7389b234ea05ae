//! The fork servers of a loader's programs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::server::Server;

/// The most servers of one loader. Each is a process, a process that waits, and a thread.
const MOST: usize = 16;

/// The servers that were used last.
pub(super) struct Servers(Mutex<Vec<Entry>>);

struct Entry {
    /// The program's number.
    program: u64,
    /// The limit of the CPU time, which the server has set.
    seconds: u32,
    server: Arc<Server>,
}

impl Servers {
    /// No servers.
    pub fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// The server of a program under a limit.
    pub fn get(&self, program: u64, seconds: u32) -> Option<Arc<Server>> {
        let mut entries = self.entries();
        let is_it = |entry: &Entry| entry.program == program && entry.seconds == seconds;
        let index = entries.iter().position(is_it)?;
        entries[index..].rotate_left(1);
        entries.last().map(|entry| Arc::clone(&entry.server))
    }

    /// Adds the server of a program, and lets go of the one that was not used for the longest time.
    pub fn insert(&self, program: u64, seconds: u32, server: Arc<Server>) {
        let mut entries = self.entries();
        let surplus = (entries.len() >= MOST).then(|| entries.remove(0));
        entries.push(Entry {
            program,
            seconds,
            server,
        });
        // The end of a server takes time.
        drop(entries);
        drop(surplus);
    }

    /// Lets go of a server. It ends after the last of its processes.
    pub fn remove(&self, server: &Arc<Server>) {
        self.remove_if(|entry| Arc::ptr_eq(&entry.server, server));
    }

    /// Lets go of the servers of a program.
    pub fn remove_program(&self, program: u64) {
        self.remove_if(|entry| entry.program == program);
    }

    fn remove_if(&self, mut is_it: impl FnMut(&mut Entry) -> bool) {
        let mut entries = self.entries();
        let removed: Vec<Entry> = entries.extract_if(.., &mut is_it).collect();
        drop(entries);
        drop(removed);
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
