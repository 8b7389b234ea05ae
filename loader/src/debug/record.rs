//! Records the program counters of a run.

use std::ops::ControlFlow;

use crate::backend::Heap;
use crate::backend::polkavm::{Guest, Observer};
use crate::outcome::Outcome;

/// The instructions that ran in one invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recording {
    /// The outcome; `None` if the run was broken off, because it has more instructions than the
    /// most.
    pub outcome: Option<Outcome>,
    /// The program counter of each instruction that began, in order.
    pub counters: Vec<u32>,
    /// The guest addresses of the accounts' entries in the input.
    pub accounts: Vec<u64>,
}

/// Writes down each program counter.
pub(super) struct Recorder {
    most: usize,
    counters: Vec<u32>,
    is_broken_off: bool,
}

impl Recorder {
    pub fn new(most: usize) -> Self {
        Self {
            most,
            counters: Vec::new(),
            is_broken_off: false,
        }
    }

    pub fn finish(self, outcome: Outcome, accounts: Vec<u64>) -> Recording {
        Recording {
            outcome: (!self.is_broken_off).then_some(outcome),
            counters: self.counters,
            accounts,
        }
    }
}

impl Observer for Recorder {
    fn step(&mut self, guest: &mut Guest<'_>, _heap: &Heap) -> ControlFlow<()> {
        if self.counters.len() >= self.most {
            self.is_broken_off = true;
            return ControlFlow::Break(());
        }
        if let Some(counter) = guest.vm.program_counter() {
            self.counters.push(counter.0);
        }
        ControlFlow::Continue(())
    }
}
