//! Fault sweeps: one invocation under every limit, as database engines do it.
//!
//! A program meets its limits at places that its author did not expect: gas ends between two writes
//! that belong together, the heap in the middle of a list. A sweep calls a program again and again,
//! each time with one more unit of gas or byte of heap. Every outcome must be either the complete
//! result, or a clean error with nothing changed.
//!
//! ```
//! use loader::{Engine, Invocation, Loader, Pubkey, sweep};
//!
//! // Two instructions that return 0: `a0 = 0`, `ret`.
//! let blob = b"PVM\0\x02\x25\0\0\0\0\0\0\0\x05\x0d\x01\0\x0aentrypoint\
//!     \x06\x06\0\0\x04\x07\x03\0\0";
//! let program = Loader::new(Engine::Interpreter)?.load(blob)?;
//! let invocation = Invocation::new(Pubkey::new([1; 32]));
//!
//! let report = sweep::gas(&program, &invocation)?;
//! assert_eq!(report.enough, 2);
//! assert_eq!(report.failures["OutOfGas"], 2);
//! assert_eq!(sweep::heap(&program, &invocation)?.enough, u64::from(sweep::LEAST_HEAP));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The rule
//!
//! An outcome is *complete* if it equals that of the invocation with all its gas and heap: the same
//! status, failure, logs, return data and accounts. Gas and heap figures may differ, and so may the
//! log lines of `rlo_log_compute_units_`.
//!
//! An outcome is a *clean error* if it changed nothing, and failed because of the limit. That is:
//! [`Failure::OutOfGas`] in a sweep of gas; [`Failure::OutOfMemory`], or an error that the program
//! returned, in a sweep of the heap; or an outcome that [`Sweep::allow`] accepts. The accounts are
//! unchanged, there is no return data, and the logs are a prefix of the complete logs.
//!
//! A limit above a sufficient limit suffices too. For gas that always holds. A program may succeed
//! in another way after a failed allocation: `allow` that.
//!
//! # The heap
//!
//! An invocation has at least 32 KiB of heap, so most programs would never reach the end of theirs.
//! A sweep of the heap therefore maps the whole heap and announces less of it: the program gets a
//! smaller size, down to [`LEAST_HEAP`], and everything else keeps its address. The limits below 32
//! KiB matter, because each makes another allocation the first one that fails.

mod judge;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use abi::heap::HeapHeader;

pub use self::report::{Problem, Report, Resource, SweepFailed};

use crate::contract;
use crate::engine::Engine;
use crate::error::Failure;
use crate::error::InvocationError;
use crate::host::{Host, default_host};
use crate::invocation::Invocation;
use crate::outcome::Outcome;
use crate::program::Program;
use crate::sweep::judge::{Judge, Verdict};

/// The smallest heap, in bytes, that a sweep announces: the heap header and one byte. A heap with
/// only the header counts as not announced.
pub const LEAST_HEAP: u32 = size_of::<HeapHeader>() as u32 + 1;

/// Sweeps the gas with the options of [`Sweep::new`].
///
/// # Errors
///
/// As for [`Sweep::gas`].
pub fn gas(program: &Program, invocation: &Invocation) -> Result<Report, SweepFailed> {
    Sweep::new().gas(program, invocation)
}

/// Sweeps the heap with the options of [`Sweep::new`].
///
/// # Errors
///
/// As for [`Sweep::heap`].
pub fn heap(program: &Program, invocation: &Invocation) -> Result<Report, SweepFailed> {
    Sweep::new().heap(program, invocation)
}

/// Which limits are tried, and what counts as a clean error.
///
/// ```no_run
/// use loader::sweep::Sweep;
/// use loader::{Engine, Failure, Invocation, Loader, Pubkey};
///
/// let program = Loader::new(Engine::Interpreter)?.load(&std::fs::read("counter.polkavm")?)?;
/// // Every limit up to 10,000, each 97th after that, and a panic is fine too.
/// let sweep = Sweep::new()
///     .dense(10_000)
///     .stride(97)
///     .allow(|outcome| matches!(outcome.failure, Some(Failure::Panicked { .. })));
/// println!("{}", sweep.gas(&program, &Invocation::new(Pubkey::new([1; 32])))?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "a sweep does nothing before it is told what to sweep"]
pub struct Sweep {
    start: u64,
    dense: u64,
    stride: Option<u64>,
    allow: fn(&Outcome) -> bool,
}

/// Limits on either side of the least that is enough that are always tried.
const AROUND: u64 = 32;

/// How many limits a sweep tries by default, besides those that it always tries.
const SAMPLE: u64 = 1_000;

impl Default for Sweep {
    fn default() -> Self {
        Self {
            start: 0,
            dense: 2_000,
            stride: None,
            allow: |_| false,
        }
    }
}

impl Sweep {
    /// Tries every limit up to 2,000, about 1,000 more up to the least sufficient limit, all limits
    /// close to that one, and some above.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tries no limit below this one, in gas or bytes. Use it if the program's heap begins with
    /// state of its own, without which the program cannot even fail.
    pub fn start(mut self, limit: u64) -> Self {
        self.start = limit;
        self
    }

    /// Tries every limit up to this one.
    pub fn dense(mut self, limit: u64) -> Self {
        self.dense = limit;
        self
    }

    /// Tries each `stride`th limit above those of [`dense`](Self::dense). With 1 it is every one.
    ///
    /// # Panics
    ///
    /// If the stride is 0.
    pub fn stride(mut self, stride: u64) -> Self {
        assert!(stride > 0, "a stride of 0 would never arrive");
        self.stride = Some(stride);
        self
    }

    /// Accepts other outcomes too. Even then, a failure must leave accounts and return data
    /// unchanged; its logs may differ.
    pub fn allow(mut self, allow: fn(&Outcome) -> bool) -> Self {
        self.allow = allow;
        self
    }

    /// Calls a program with every limit of gas from 0 to enough, or with a sample of them.
    ///
    /// # Errors
    ///
    /// [`SweepFailed`] at the first limit whose outcome is neither the complete result nor a clean
    /// error, or if the invocation itself is invalid or runs out of gas.
    pub fn gas(&self, program: &Program, invocation: &Invocation) -> Result<Report, SweepFailed> {
        self.gas_with(default_host(), program, invocation)
    }

    /// As [`gas`](Self::gas), with a host, as [`Program::invoke_with`] runs the program.
    ///
    /// A limit may end a program that the swept one calls: that must change nothing either.
    ///
    /// # Errors
    ///
    /// As for [`gas`](Self::gas).
    pub fn gas_with(
        &self,
        host: &Arc<dyn Host>,
        program: &Program,
        invocation: &Invocation,
    ) -> Result<Report, SweepFailed> {
        self.run(Resource::Gas, host, program, invocation)
    }

    /// Calls a program with every size of heap from [`LEAST_HEAP`] to the least sufficient one, or
    /// with a sample of them.
    ///
    /// # Errors
    ///
    /// [`SweepFailed`] at the first limit whose outcome is neither the complete result nor a clean
    /// error, or if the invocation itself is invalid or runs out of gas or memory.
    pub fn heap(&self, program: &Program, invocation: &Invocation) -> Result<Report, SweepFailed> {
        self.heap_with(default_host(), program, invocation)
    }

    /// As [`heap`](Self::heap), with a host, as [`Program::invoke_with`] runs the program. The
    /// programs that the swept one calls have its heap size, so the limit is theirs too.
    ///
    /// # Errors
    ///
    /// As for [`heap`](Self::heap).
    pub fn heap_with(
        &self,
        host: &Arc<dyn Host>,
        program: &Program,
        invocation: &Invocation,
    ) -> Result<Report, SweepFailed> {
        self.run(Resource::Heap, host, program, invocation)
    }

    fn run(
        &self,
        resource: Resource,
        host: &Arc<dyn Host>,
        program: &Program,
        invocation: &Invocation,
    ) -> Result<Report, SweepFailed> {
        // The native engine does not count instructions. On WebAssembly, a program's own heap grows
        // in whole pages.
        let what = match (resource, program.engine()) {
            (Resource::Gas, Engine::Native) => Some("sweeps of gas"),
            (Resource::Heap, Engine::Wasm) => Some("sweeps of the heap"),
            _ => None,
        };
        if let Some(what) = what {
            let engine = program.engine();
            return Err(InvocationError::NotOnThisEngine { what, engine }.into());
        }
        let invocation = &*contract::with_heap(program.contract(), invocation)?;
        let complete = program.invoke_with(host, invocation)?;
        let lacks = match complete.failure.as_ref().map(Failure::cause) {
            Some(Failure::OutOfGas { .. }) => true,
            Some(Failure::OutOfMemory { .. }) => resource == Resource::Heap,
            _ => false,
        };
        if lacks {
            return Err(SweepFailed::NotEnough {
                outcome: Box::new(complete),
            });
        }
        let (least, most) = match resource {
            Resource::Gas => (0, invocation.gas),
            Resource::Heap => (LEAST_HEAP.into(), invocation.heap_size.into()),
        };
        let judge = Judge {
            resource,
            allow: self.allow,
            before: invocation.first_accounts().cloned().collect(),
            complete,
        };
        let start = self.start.clamp(least, most);
        let call = |limit| program.invoke_with(host, &limited(resource, invocation, limit));
        let enough = match resource {
            Resource::Gas => judge.complete.gas_used,
            Resource::Heap => {
                least_enough(start, most, |limit| Ok(judge.is_complete(&call(limit)?)))?
            }
        };

        let mut report = Report {
            resource,
            enough: most,
            limits: 0,
            complete: 0,
            failures: BTreeMap::new(),
            allowed: 0,
        };
        for limit in self.limits(start, enough, most) {
            let outcome = call(limit)?;
            let verdict = judge.judge(
                &outcome,
                limit,
                (report.complete > 0).then_some(report.enough),
            );
            report.limits += 1;
            match verdict {
                Ok(Verdict::Complete) => {
                    report.enough = report.enough.min(limit);
                    report.complete += 1;
                }
                Ok(Verdict::CleanError(kind)) => *report.failures.entry(kind).or_insert(0) += 1,
                Ok(Verdict::Allowed) => report.allowed += 1,
                Err(problem) => {
                    return Err(SweepFailed::Outcome {
                        resource,
                        limit,
                        problem,
                        outcome: Box::new(outcome),
                    });
                }
            }
        }
        Ok(report)
    }

    /// The limits to try, in order.
    fn limits(&self, start: u64, enough: u64, most: u64) -> BTreeSet<u64> {
        let last = enough.saturating_add(AROUND).min(most);
        let dense = self.dense.min(last);
        let stride = self
            .stride
            // An odd one meets every place of a pattern of two, four, eight …
            .unwrap_or_else(|| (enough.saturating_sub(dense) / SAMPLE) | 1);
        let above = most.saturating_sub(last);
        let limits = (start..=dense)
            .chain(sampled(dense, last, stride))
            .chain(enough.saturating_sub(AROUND)..=last)
            .chain((1..=8).map(|part| last + above / 8 * part))
            .chain([most]);
        limits
            .filter(|limit| (start..=most).contains(limit))
            .collect()
    }
}

/// Every `stride`th number from `from` to `to`.
fn sampled(from: u64, to: u64, stride: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(from), move |at| at.checked_add(stride))
        .take_while(move |at| *at <= to)
}

/// The invocation with a lower limit.
fn limited(resource: Resource, invocation: &Invocation, limit: u64) -> Invocation {
    let mut limited = invocation.clone();
    match resource {
        Resource::Gas => limited.gas = limit,
        // Never more than the invocation's, which is a u32.
        Resource::Heap => limited.announced_heap = u32::try_from(limit).ok(),
    }
    limited
}

/// The least limit that is enough, if all above it are; `most` is.
fn least_enough(
    least: u64,
    most: u64,
    is_enough: impl Fn(u64) -> Result<bool, InvocationError>,
) -> Result<u64, InvocationError> {
    let (mut low, mut high) = (least, most);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_enough(middle)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(high)
}
