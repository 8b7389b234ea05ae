//! The loop: pick an input, change it, run it, keep it if it reaches new code.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::Result;
use loader::debug::{Edges, Tracer};
use loader::{Failure, Host, Invocation, InvocationError};
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

use super::crash::Crash;
use super::minimize::minimize;
use super::mutate::Mutator;

/// How many changed inputs are run of one kept input, before the next one's turn.
const TURN: usize = 64;

/// The most runs to make one crash smaller.
const MINIMIZING_RUNS: usize = 4_000;

/// The inputs of a program that is fuzzed, and what was found so far.
pub struct Campaign {
    mutator: Mutator,
    edges: Edges,
    kept: Vec<Kept>,
    /// The input whose turn it is, and how many runs of it are left.
    turn: (usize, usize),
    found: Vec<Found>,
    by_crash: HashMap<Crash, usize>,
    runs: u64,
}

/// An input that reached something new.
struct Kept {
    invocation: Invocation,
    host: Arc<dyn Host>,
    /// The program, as on the runtime of the seed.
    tracer: Rc<Tracer>,
    /// The seed that it comes from.
    seed: usize,
    /// The numbers that the program compared.
    compared: Vec<(u64, u64)>,
}

/// A crash, and the smallest input that causes it.
#[derive(Clone, Debug)]
pub struct Found {
    pub crash: Crash,
    pub failure: Failure,
    pub invocation: Invocation,
    /// The seed that it comes from.
    pub seed: usize,
    /// How many runs there were before it.
    pub runs: u64,
}

/// How far a campaign is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    pub runs: u64,
    pub edges: usize,
    pub kept: usize,
    pub crashes: usize,
}

impl Campaign {
    /// A campaign without inputs, whose choices are those of this number.
    pub fn new(seed: u64) -> Self {
        Self {
            mutator: Mutator::new(Xoshiro256PlusPlus::seed_from_u64(seed)),
            edges: Edges::new(),
            kept: Vec::new(),
            turn: (0, TURN),
            found: Vec::new(),
            by_crash: HashMap::new(),
            runs: 0,
        }
    }

    /// Runs an input to start from, and keeps it. `tracer` has the program, as on the input's
    /// runtime: of all inputs, it is the same program.
    ///
    /// # Errors
    ///
    /// If the program cannot be run with it.
    pub fn start_from(
        &mut self,
        tracer: Rc<Tracer>,
        invocation: Invocation,
        host: Arc<dyn Host>,
    ) -> Result<()> {
        let seed = self.kept.iter().map(|kept| kept.seed + 1).max();
        let kept = Kept {
            invocation,
            host,
            tracer,
            seed: seed.unwrap_or(0),
            compared: Vec::new(),
        };
        self.run(kept, true)?;
        Ok(())
    }

    /// Runs one changed input.
    ///
    /// # Errors
    ///
    /// If the engine fails.
    pub fn step(&mut self) -> Result<()> {
        let (index, left) = self.turn;
        self.turn = match left {
            // New inputs are the best ones to change, and old ones have a turn now and then.
            0 if self.mutator.below(2) == 0 => (self.kept.len() - 1, TURN),
            0 => (self.mutator.below(self.kept.len()), TURN),
            left => (index, left - 1),
        };
        let other = self.mutator.below(self.kept.len());
        let (kept, other) = (&self.kept[index], &self.kept[other]);
        let changed = self
            .mutator
            .change(&kept.invocation, &other.invocation, &kept.compared);
        let changed = Kept {
            invocation: changed,
            host: Arc::clone(&kept.host),
            tracer: Rc::clone(&kept.tracer),
            seed: kept.seed,
            compared: Vec::new(),
        };
        self.run(changed, false)
    }

    fn run(&mut self, mut input: Kept, is_seed: bool) -> Result<()> {
        let covered = input
            .tracer
            .cover_with(&input.host, &input.invocation, &mut self.edges);
        let covered = match covered {
            Ok(covered) => covered,
            // The changes may make what no loader accepts: too many accounts, or a key twice.
            Err(InvocationError::Engine { reason }) => anyhow::bail!("the engine failed: {reason}"),
            Err(error) if is_seed => return Err(error.into()),
            Err(_) => return Ok(()),
        };
        self.runs += 1;
        let failure = covered.outcome.failure;
        let crash = failure.as_ref().and_then(Crash::of);
        if let (Some(failure), Some(crash)) = (failure, crash) {
            self.add_crash(&input, failure, crash);
            // What comes from an input that crashes mostly crashes too.
            if !is_seed {
                return Ok(());
            }
        }
        if is_seed || covered.new_edges > 0 || covered.new_counts > 0 {
            input.compared = covered.compared;
            self.kept.push(input);
        }
        Ok(())
    }

    fn add_crash(&mut self, input: &Kept, failure: Failure, crash: Crash) {
        if self.by_crash.contains_key(&crash) {
            return;
        }
        let mut extra_runs = 0;
        let smallest = minimize(&input.invocation, MINIMIZING_RUNS, |smaller| {
            extra_runs += 1;
            let mut edges = Edges::new();
            let covered = input.tracer.cover_with(&input.host, smaller, &mut edges);
            let failure = covered.ok().and_then(|covered| covered.outcome.failure);
            failure.as_ref().and_then(Crash::of).as_ref() == Some(&crash)
        });
        self.by_crash.insert(crash.clone(), self.found.len());
        self.found.push(Found {
            crash,
            failure,
            invocation: smallest,
            seed: input.seed,
            runs: self.runs,
        });
        self.runs += extra_runs;
    }

    /// The crashes so far.
    pub fn found(&self) -> &[Found] {
        &self.found
    }

    pub fn figures(&self) -> Figures {
        Figures {
            runs: self.runs,
            edges: self.edges.len(),
            kept: self.kept.len(),
            crashes: self.found.len(),
        }
    }
}
