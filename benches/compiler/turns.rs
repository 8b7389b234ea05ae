//! Measures functions in turns, each on a thread of its own.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Runs of a function that are timed together. There are few, because other processes interrupt
/// longer rounds.
const CHUNK: u32 = 10;

/// Runs before them, after the other functions have used the processor's caches.
const WARM_UP: u32 = 3;

/// A function on a thread of its own.
pub struct Subject {
    go: Option<Sender<()>>,
    done: Receiver<Duration>,
    thread: Option<JoinHandle<()>>,
}

impl Subject {
    /// Makes the function on the thread that runs it.
    pub fn new<F: FnMut()>(make: impl FnOnce() -> F + Send + 'static) -> Self {
        let (go, waits) = channel();
        let (tells, done) = channel();
        let thread = std::thread::spawn(move || {
            let mut run = make();
            while waits.recv().is_ok() {
                (0..WARM_UP).for_each(|_| run());
                let start = Instant::now();
                (0..CHUNK).for_each(|_| run());
                if tells.send(start.elapsed() / CHUNK).is_err() {
                    return;
                }
            }
        });
        Self {
            go: Some(go),
            done,
            thread: Some(thread),
        }
    }

    fn round(&self) -> Duration {
        let started = self.go.as_ref().is_some_and(|go| go.send(()).is_ok());
        assert!(started, "the thread of a subject has panicked");
        self.done.recv().expect("the thread of a subject panics")
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        self.go = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The shortest times of subjects that run in turns, in microseconds.
pub fn shortest<const N: usize>(subjects: &[Subject; N], time: Duration) -> [f64; N] {
    let mut best = [Duration::MAX; N];
    let start = Instant::now();
    while start.elapsed() < time {
        for (subject, best) in subjects.iter().zip(&mut best) {
            *best = subject.round().min(*best);
        }
    }
    best.map(|best| best.as_secs_f64() * 1e6)
}
