//! Gas by function, by source line and by stack.

use std::collections::{BTreeMap, HashMap, HashSet};

use loader::SourceLocation;
use loader::profile::{FrameKind, GasProfile};

use super::inlining::Inlining;

/// A running function: [`loader::profile::Frame`], with the inlined functions that the program's
/// ELF file names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// Its path, or a description if it is not a function.
    pub function: String,
    /// Its kind.
    pub kind: FrameKind,
    /// The place in it: of the instruction, or of the call that leads on.
    pub location: Option<SourceLocation>,
    /// Other possible lines of the same file, in order. The same code is often inlined on several
    /// lines.
    pub or_lines: Vec<u32>,
}

/// Gas that was used in one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost<T> {
    /// The thing.
    pub of: T,
    /// Gas that was used in itself.
    pub own: u64,
    /// Gas that was used in itself and in all that it calls.
    pub total: u64,
}

/// A line of a source file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    /// The file, as the compiler was given it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The other possible lines, in order.
    pub or_lines: Vec<u32>,
}

/// The gas of an invocation by function, by line and by stack. The own gas of all functions adds up
/// to the whole; that of the stacks too, and that of the lines if all code has lines.
#[derive(Clone, Debug, Default)]
pub struct Costs {
    /// All gas.
    pub gas: u64,
    /// By function, imports among them: those with the most gas of their own first.
    pub functions: Vec<Cost<String>>,
    /// By source line: those with the most gas of their own first.
    pub lines: Vec<Cost<Line>>,
    /// By stack: the functions from the entry inwards.
    pub stacks: BTreeMap<Vec<String>, u64>,
}

/// Sums while they are added up.
struct Sums<T>(HashMap<T, (u64, u64)>);

impl Costs {
    /// Adds a profile up.
    #[must_use]
    pub fn new(profile: &GasProfile, inlining: &Inlining) -> Self {
        let mut functions = Sums::default();
        let mut lines = Sums::default();
        let mut stacks = BTreeMap::new();
        for stack in profile.stacks() {
            let frames = inlining.complete(&stack.frames);
            let names = frames.iter().map(|frame| frame.function.clone());
            functions.add(names.clone(), stack.gas);
            // Gas without an instruction of its own, such as a syscall's, belongs to the line that
            // led there.
            lines.add(frames.iter().filter_map(line), stack.gas);
            *stacks.entry(names.collect()).or_default() += stack.gas;
        }
        Self {
            gas: profile.total(),
            functions: functions.sorted(),
            lines: lines.sorted(),
            stacks,
        }
    }
}

fn line(frame: &Frame) -> Option<Line> {
    let location = frame.location.as_ref()?;
    Some(Line {
        file: location.file.clone(),
        line: location.line,
        or_lines: frame.or_lines.clone(),
    })
}

impl<T> Default for Sums<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Clone + Eq + Ord + std::hash::Hash> Sums<T> {
    /// Adds gas that was used in the last of these. A recursive function counts once.
    fn add(&mut self, stack: impl Iterator<Item = T>, gas: u64) {
        let mut seen = HashSet::new();
        let mut last = None;
        for thing in stack {
            if seen.insert(thing.clone()) {
                self.0.entry(thing.clone()).or_default().1 += gas;
            }
            last = Some(thing);
        }
        if let Some(last) = last {
            self.0.entry(last).or_default().0 += gas;
        }
    }

    fn sorted(self) -> Vec<Cost<T>> {
        let mut costs: Vec<Cost<T>> = self
            .0
            .into_iter()
            .map(|(of, (own, total))| Cost { of, own, total })
            .collect();
        costs.sort_by(|left, right| {
            let key = |cost: &Cost<T>| (cost.own, cost.total);
            key(right).cmp(&key(left)).then(left.of.cmp(&right.of))
        });
        costs
    }
}
