//! Coverage: how often each instruction of a program ran, and which way its branches went.
//!
//! A loader on the interpreter can count what its programs execute: [`Loader::count_into`]. All
//! programs that it loads then count, those that other programs call included. Outcomes and gas
//! stay the same; a run takes about five times as long.
//!
//! ```no_run
//! use loader::coverage::Coverage;
//! use loader::{Engine, Invocation, Loader, Pubkey};
//!
//! let blob = std::fs::read("target/guest/counter.polkavm")?;
//! let coverage = Coverage::new();
//! let loader = Loader::new(Engine::Interpreter)?.count_into(&coverage);
//! let outcome = loader.load(&blob)?.invoke(&Invocation::new(Pubkey::new([1; 32])))?;
//!
//! let counts = coverage.of(&blob).expect("it was loaded");
//! let executed: u64 = counts.executed.values().map(|count| count.times).sum();
//! println!("{executed} instructions, {} gas", outcome.gas_used);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An offset in the code is not a source line. `cargo entrypoint coverage` maps one to the other,
//! and reports lines.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use polkavm::ProgramBlob;
use polkavm::program::Instruction;
use sha2::{Digest, Sha256};

use crate::backend::Heap;
use crate::backend::polkavm::{Guest, Observer, PolkaVm, control_flow, parse};
use crate::error::LoadError;
use crate::program::Loader;

/// The SHA-256 hash of a blob: counts are of one blob, and mean nothing for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobHash(pub [u8; 32]);

impl BlobHash {
    /// The hash of these bytes.
    ///
    /// ```
    /// use loader::coverage::BlobHash;
    ///
    /// assert!(BlobHash::of(b"").to_string().starts_with("e3b0c44298fc1c14"));
    /// ```
    #[must_use]
    pub fn of(blob: &[u8]) -> Self {
        Self(Sha256::digest(blob).into())
    }
}

impl fmt::Display for BlobHash {
    /// 64 hexadecimal digits, or as many of them as the precision: `{:.8}`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        formatter.pad(&digits)
    }
}

/// Collects the counts of all blobs of some loaders. A clone is a handle on the same counts.
#[derive(Clone, Default)]
pub struct Coverage {
    blobs: Arc<Mutex<BTreeMap<BlobHash, Arc<Counters>>>>,
}

/// What one blob has executed, in all invocations together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The instructions that ran, by their offsets in the blob's code.
    pub executed: BTreeMap<u32, Count>,
}

/// How often one instruction ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How often it ran.
    pub times: u64,
    /// How often it jumped, if it is a conditional branch: the other times, the next instruction
    /// followed. Otherwise 0.
    pub taken: u64,
}

impl Counts {
    /// Adds other counts of the same blob. A sum that exceeds 64 bits stays at the largest number.
    pub fn add(&mut self, other: &Self) {
        for (offset, count) in &other.executed {
            let sum = self.executed.entry(*offset).or_default();
            sum.times = sum.times.saturating_add(count.times);
            sum.taken = sum.taken.saturating_add(count.taken);
        }
    }
}

impl Coverage {
    /// No counts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The counts of a blob; `None` if no loader that counts here has loaded it.
    #[must_use]
    pub fn of(&self, blob: &[u8]) -> Option<Counts> {
        let blobs = self.blobs();
        Some(blobs.get(&BlobHash::of(blob))?.read())
    }

    /// The counts of every blob that was loaded.
    #[must_use]
    pub fn all(&self) -> BTreeMap<BlobHash, Counts> {
        let blobs = self.blobs();
        let counts = blobs
            .iter()
            .map(|(hash, counters)| (*hash, counters.read()));
        counts.collect()
    }

    /// The counters of a blob: the same ones, however often it is loaded.
    pub(crate) fn counters(&self, file: &[u8], blob: &ProgramBlob) -> Arc<Counters> {
        let mut blobs = self.blobs();
        let counters = blobs.entry(BlobHash::of(file));
        Arc::clone(counters.or_insert_with(|| Arc::new(Counters::new(blob))))
    }

    fn blobs(&self) -> MutexGuard<'_, BTreeMap<BlobHash, Arc<Counters>>> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Coverage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Coverage").finish_non_exhaustive()
    }
}

impl Loader {
    /// Counts what the programs execute that the loader loads from now on.
    ///
    /// Only the interpreter counts. On any other engine this changes nothing.
    #[must_use]
    pub fn count_into(self, coverage: &Coverage) -> Self {
        match self.backend_of::<PolkaVm>() {
            Some(vm) => {
                let vm = vm.count_into(coverage);
                self.replace_backend(vm)
            }
            None => self,
        }
    }
}

/// An instruction of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CodeInstruction {
    /// Its offset in the code: its program counter.
    pub offset: u32,
    /// The offset of the instruction behind it.
    pub next: u32,
    /// Which instruction runs after it.
    pub then: Then,
}

/// Which instruction runs after another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The one behind it.
    Next,
    /// The one at this offset, or the one behind it: a conditional branch.
    Branch(u32),
    /// The one at this offset.
    Jump(u32),
    /// Those of a function that it calls, and then the one at this offset.
    Call(u32),
    /// Another one: it returns, jumps to a computed address, or ends the program.
    Elsewhere,
}

/// The instructions of a blob, in their order.
///
/// # Errors
///
/// [`LoadError::InvalidBlob`] if the bytes are not a blob.
pub fn instructions(blob: &[u8]) -> Result<Vec<CodeInstruction>, LoadError> {
    let blob = parse(blob)?;
    let instructions = blob.instructions();
    let instructions = instructions.map(|instruction| CodeInstruction {
        offset: instruction.offset.0,
        next: instruction.next_offset.0,
        then: then(&blob, instruction.kind),
    });
    Ok(instructions.collect())
}

fn then(blob: &ProgramBlob, instruction: Instruction) -> Then {
    if let Some(target) = control_flow::branch_target(instruction) {
        return Then::Branch(target);
    }
    if let Some(return_address) = control_flow::return_address(instruction) {
        let returns_to = blob.jump_table().get_by_address(return_address);
        return returns_to.map_or(Then::Elsewhere, |place| Then::Call(place.0));
    }
    match instruction {
        Instruction::jump(target) => Then::Jump(target),
        Instruction::fallthrough | Instruction::ecalli(_) => Then::Next,
        _ if instruction.opcode().starts_new_basic_block() => Then::Elsewhere,
        _ => Then::Next,
    }
}

/// The counters of one blob, for all threads.
pub(crate) struct Counters(Vec<Counter>);

/// The counters at one offset of the code.
#[derive(Default)]
struct Counter {
    times: AtomicU64,
    taken: AtomicU64,
    branch_target: Option<u32>,
}

impl Counters {
    fn new(blob: &ProgramBlob) -> Self {
        let mut counters = Vec::new();
        counters.resize_with(blob.code().len(), Counter::default);
        for instruction in blob.instructions() {
            if let Some(counter) = counters.get_mut(instruction.offset.0 as usize) {
                counter.branch_target = control_flow::branch_target(instruction.kind);
            }
        }
        Self(counters)
    }

    /// Counts an instruction, after which this other one was announced.
    fn count(&self, offset: u32, next: Option<u32>) {
        let Some(counter) = self.0.get(offset as usize) else {
            return;
        };
        counter.times.fetch_add(1, Ordering::Relaxed);
        if counter.branch_target.is_some() && counter.branch_target == next {
            counter.taken.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn read(&self) -> Counts {
        let counts = (0_u32..).zip(&self.0).filter_map(|(offset, counter)| {
            let times = counter.times.load(Ordering::Relaxed);
            let taken = counter.taken.load(Ordering::Relaxed);
            (times > 0).then_some((offset, Count { times, taken }))
        });
        Counts {
            executed: counts.collect(),
        }
    }
}

/// Counts the instructions of one invocation.
pub(crate) struct CountingObserver {
    counters: Arc<Counters>,
    /// The instruction that was announced, and that runs unless the gas does not suffice.
    announced: Option<u32>,
}

impl CountingObserver {
    pub fn new(counters: Arc<Counters>) -> Self {
        Self {
            counters,
            announced: None,
        }
    }

    fn conclude(&mut self, next: Option<u32>) {
        if let Some(offset) = self.announced.take() {
            self.counters.count(offset, next);
        }
        self.announced = next;
    }
}

impl Observer for CountingObserver {
    fn step(&mut self, guest: &mut Guest<'_>, _heap: &Heap) -> ControlFlow<()> {
        let counter = guest.vm.program_counter();
        self.conclude(counter.map(|counter| counter.0));
        ControlFlow::Continue(())
    }

    fn unpaid(&mut self) {
        self.announced = None;
    }

    fn ended(&mut self, _guest: &mut Guest<'_>, _heap: &Heap) {
        self.conclude(None);
    }
}
