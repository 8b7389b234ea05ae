//! Profiles: the gas of a program by function and line, and the history of its heap.
//!
//! [`Program::profile`] runs a program as [`Program::invoke`] does, one instruction at a time, and
//! writes down which functions each unit of gas was used in. The outcome is the same, and the gas
//! of all stacks together is [`Outcome::gas_used`].
//!
//! ```no_run
//! use loader::{Engine, Invocation, Loader, Pubkey};
//!
//! let blob = std::fs::read("target/guest/counter.polkavm")?;
//! let program = Loader::new(Engine::Interpreter)?.load(&blob)?;
//! let profiled = program.profile(&Invocation::new(Pubkey::new([1; 32])))?;
//!
//! for stack in profiled.gas.stacks() {
//!     let functions: Vec<&str> = stack.frames.iter().map(|frame| &*frame.function).collect();
//!     println!("{} {}", functions.join(";"), stack.gas);
//! }
//! assert_eq!(profiled.gas.total(), profiled.outcome.gas_used);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What costs what
//!
//! Each instruction costs one unit, which counts at its own place. A syscall is a frame of its own,
//! with the instruction that calls it and the price of the bytes that it touches. The VM takes the
//! gas of a block of instructions before the first of them runs. So a program that ends inside of a
//! block has paid for instructions that never ran: they count in a frame of their own,
//! [`FrameKind::Prepaid`]. So does the rest of the gas if it does not suffice for the next block.
//!
//! The functions of a program that the profiled one calls are in the frame of the call,
//! [`FrameKind::Called`], with the debug information of that program. The gas of a program that is
//! part of the host, or that is for another target, is in this frame itself.
//!
//! # Stacks
//!
//! A call is an instruction that leaves a return address, and a return is a jump to one. Inlined
//! functions come from the debug information; PolkaVM's linker keeps only the last part of their
//! names. In a blob without debug information, functions start at exports and at the targets of
//! calls.

mod blocks;
mod called;
mod heap_blocks;
mod heap_operations;
mod names;
mod recorder;
mod tree;

use std::sync::Arc;

use abi::Pubkey;
use abi::heap::HeapCall;

use crate::Outcome;
use crate::backend::Syscall;
use crate::backend::polkavm::PolkaVm;
use crate::contract;
use crate::engine::Engine;
use crate::error::{Failure, InvocationError, SourceLocation};
use crate::host::{Host, default_host};
use crate::invocation::Invocation;
use crate::invoke;
use crate::invoke::syscalls::Syscalls;
use crate::program::Program;
use crate::settings::Settings;
pub use blocks::Block;
use called::Traced;
pub(crate) use called::{Profiler, call};
use heap_blocks::{HeldAt, Site};
use names::Names;
use recorder::{Cost, Prepaid, Recorder, Recording};
use tree::Tree;

/// A profiled invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a profile reports where the gas went"]
#[non_exhaustive]
pub struct Profiled {
    /// The same as that of [`Program::invoke`] on the interpreter.
    pub outcome: Outcome,
    /// The gas, by stack.
    pub gas: GasProfile,
    /// How the heap filled.
    pub heap: HeapProfile,
    /// The functions in which the program ended, from its entry inwards; one at least.
    pub end: Vec<Frame>,
    /// The program counters of the instructions that ran, ascending. Those of called programs are
    /// not among them.
    pub reached: Vec<u32>,
    /// The blocks that were live when the program ended, by the place of their allocation, those
    /// with the most bytes first. Empty unless the program's heap counts, as
    /// [`abi::heap::HeapTrace`] describes.
    pub live: Vec<HeldBlocks>,
    /// The bytes that the heap had lost when the program ended, those of [`HeapCounts::leaked`], by
    /// the place that allocated the block that lost them. As above.
    pub leaked: Vec<HeldBlocks>,
    /// The calls of the program's allocator, in order. Empty unless the program's heap counts.
    pub operations: Vec<HeapOperation>,
    /// Whether the program called its allocator more often than the profile remembers, some 260,000
    /// times.
    pub lacks_operations: bool,
}

/// A call of a program's allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeapOperation {
    /// The method that was called.
    pub method: HeapCall,
    /// The address of the block that was freed, or resized; 0 if there is none.
    pub freed: u64,
    /// The address of the block that was allocated, or that a resized block has from now on; 0 if
    /// there is none, or the heap refused.
    pub allocated: u64,
    /// The requested size in bytes; 0 if a block was freed.
    pub size: u64,
    /// The alignment in bytes.
    pub align: u64,
    /// The gas that was used up to the end of the call.
    pub gas: u64,
    /// A number for the place of the call in the program: the same for calls from the same place.
    pub place: u64,
}

/// Bytes of the heap that belong to blocks that were allocated at one place: live ones, or lost
/// ones.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldBlocks {
    /// The functions around the allocation, from the program's entry inwards.
    pub stack: Vec<Frame>,
    /// The requested sizes of the blocks together, or the bytes that they have lost.
    pub bytes: u64,
    /// How many they are, or how many times such a block has lost bytes.
    pub blocks: u64,
}

/// The gas of one invocation, by stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GasProfile {
    frames: Vec<Frame>,
    /// Paths to a function: the node before, and the frames of the calling instruction. Each node
    /// comes after the node before it; the first has none and no frames.
    nodes: Vec<(u32, Vec<u32>)>,
    /// Ways to a function, frames in it, and the gas that was used there.
    costs: Vec<((u32, Vec<u32>), u64)>,
    has_debug_info: bool,
}

/// Some gas, and the functions that it was used in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stack<'a> {
    /// From the program's entry inwards.
    pub frames: Vec<&'a Frame>,
    /// The gas that was used in the last of them.
    pub gas: u64,
}

/// A function while it runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Frame {
    /// Its path without the compiler's hashes; only its name if it is inlined; a description if it
    /// is not a function. A blob can make this any text.
    pub function: String,
    /// Its kind.
    pub kind: FrameKind,
    /// The place of the instruction in it, or of the call that leads further in.
    pub location: Option<SourceLocation>,
    /// The program that was called, in a frame of the kind [`FrameKind::Called`]. The frames after
    /// it are those of this program.
    pub program_id: Option<Pubkey>,
}

impl Frame {
    /// What is not a function of the program.
    fn special(description: &str, kind: FrameKind) -> Self {
        Self {
            function: description.to_owned(),
            kind,
            location: None,
            program_id: None,
        }
    }

    /// The frame around those of a called program.
    fn called(program_id: Pubkey) -> Self {
        Self {
            program_id: Some(program_id),
            ..Self::special(&format!("call of {program_id}"), FrameKind::Called)
        }
    }
}

/// The kind of a [`Frame`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FrameKind {
    /// A function that was called.
    Function,
    /// A function that the compiler inlined into the one around it.
    Inlined,
    /// A syscall.
    Import,
    /// A program that the syscall around it has run. The frames after it are those of the program,
    /// if it is one for RISC-V.
    Called,
    /// Gas that was paid and not used: see the [module](self).
    Prepaid,
    /// Calls that are too deep, or too many, to be distinguished.
    Truncated,
}

/// How the heap of one invocation filled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeapProfile {
    /// Length of the heap in bytes.
    pub limit: u32,
    /// Each change, in order; the first is the start and the last the end. Empty if the program's
    /// heap does not report its use. If there are too many, some are left out.
    pub samples: Vec<HeapSample>,
}

/// How full the heap is at one moment. Bytes are counted as in [`HeapUse`](crate::HeapUse).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeapSample {
    /// Gas used before this moment.
    pub gas: u64,
    /// Bytes in use.
    pub used: u32,
    /// The most bytes that were in use at once so far.
    pub peak: u32,
    /// The bytes in use by kind; `None` unless the program counts them, as [`abi::heap::HeapTrace`]
    /// describes.
    pub counts: Option<HeapCounts>,
}

/// The bytes in use by kind. Bytes that are neither live nor leaked are free for reuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeapCounts {
    /// Bytes in allocated blocks that were not freed, in their requested length.
    pub live: u64,
    /// Bytes that the heap cannot reuse: freed blocks that it did not take back, rounding, gaps.
    pub leaked: u64,
}

impl GasProfile {
    /// All gas of all stacks: what the invocation used.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.costs.iter().map(|(_, gas)| gas).sum()
    }

    /// The stacks in which gas was used, each once, in an order that is the same for the same run.
    pub fn stacks(&self) -> impl Iterator<Item = Stack<'_>> {
        self.costs.iter().map(|((node, inner), gas)| {
            let mut parts = vec![inner];
            let mut node = *node;
            while node != 0 {
                let (parent, frames) = &self.nodes[node as usize];
                parts.push(frames);
                node = *parent;
            }
            let numbers = parts.iter().rev().copied().flatten();
            Stack {
                frames: numbers
                    .map(|number| &self.frames[*number as usize])
                    .collect(),
                gas: *gas,
            }
        })
    }

    /// Whether the blob has debug information for any code that ran. Without it there are no source
    /// lines, and functions have the names of exports or their addresses.
    #[must_use]
    pub fn has_debug_info(&self) -> bool {
        self.has_debug_info
    }
}

impl Program {
    /// Calls the program once, as [`Program::invoke`] does, and writes down where its gas goes and
    /// how its heap fills.
    ///
    /// Always on the interpreter, and some hundred times slower than `invoke`.
    ///
    /// # Errors
    ///
    /// As for [`Program::invoke`], and [`InvocationError::NotOnThisEngine`] if the program is not
    /// one for RISC-V.
    pub fn profile(&self, invocation: &Invocation) -> Result<Profiled, InvocationError> {
        self.profile_with(default_host(), invocation)
    }

    /// Profiles one invocation with a host, as [`Program::invoke_with`] runs it.
    ///
    /// The frames of a program that this one calls are inside of a frame of [`FrameKind::Called`],
    /// which is inside of that of the syscall. That of the heap is this program's alone, and so is
    /// [`Profiled::end`].
    ///
    /// # Errors
    ///
    /// As for [`profile`](Self::profile).
    pub fn profile_with(
        &self,
        host: &Arc<dyn Host>,
        invocation: &Invocation,
    ) -> Result<Profiled, InvocationError> {
        let program = self
            .loaded_by::<PolkaVm>()
            .ok_or(InvocationError::NotOnThisEngine {
                what: "profiles",
                engine: self.engine(),
            })?;
        let program = Traced::new(program)?;
        let settings = self.settings();
        let invocation = &*contract::with_heap(self.contract(), invocation)?;
        invocation.validate(&settings.limits)?;
        profile(&program, settings, host, invocation)
    }
}

fn profile(
    traced: &Traced,
    settings: &Arc<Settings>,
    host: &Arc<dyn Host>,
    invocation: &Invocation,
) -> Result<Profiled, InvocationError> {
    let program = &traced.program;
    let trace = recorder::heap_trace_address(program)?;
    let mut recorder = Recorder::new(program, &traced.flow, trace);
    let mut syscalls = Syscalls::new(host, settings, invocation);
    syscalls.log_begin();
    syscalls.profiler = Some(Profiler::default());
    let finished = program.observe(&mut recorder, |instance| {
        invoke::run(&mut syscalls, invocation, instance)
    })?;
    let outcome = invoke::outcome(
        Engine::Interpreter,
        &mut syscalls,
        invocation,
        finished,
        Some(invocation.gas),
    );
    let is_out_of_gas = matches!(outcome.failure, Some(Failure::OutOfGas { .. }));
    let recording = recorder.finish(outcome.gas_used, is_out_of_gas);
    let named = name(traced, &recording);
    Ok(Profiled {
        gas: named.gas,
        end: named.end,
        live: named.live,
        leaked: named.leaked,
        reached: recording.reached,
        operations: recording.operations.all,
        lacks_operations: recording.operations.lacks_some,
        heap: HeapProfile {
            limit: outcome.heap.limit,
            samples: recording.samples,
        },
        outcome,
    })
}

/// A recording, with the names of functions.
struct Named {
    gas: GasProfile,
    /// The functions in which the program ended.
    end: Vec<Frame>,
    live: Vec<HeldBlocks>,
    leaked: Vec<HeldBlocks>,
}

/// Names the functions of the instructions, and merges costs that then are the same.
fn name(traced: &Traced, recording: &Recording) -> Named {
    let mut names = Names::new(&traced.program.blob, &traced.flow);
    let syscalls = &traced.program.syscalls;
    let mut tree = Tree::new();
    let mut numbers = vec![Tree::ROOT];
    for node in &recording.nodes[1..] {
        let parent: u32 = numbers[node.parent as usize];
        let caller = recording.caller(node.parent);
        let frames = names.frames_after(caller, node.caller);
        numbers.push(tree.node(parent, frames));
    }
    for (place, gas) in &recording.costs {
        let node = numbers[place.node as usize];
        let caller = recording.caller(place.node);
        let mut frames = names.frames_after(caller, place.program_counter);
        let Cost::Called {
            syscall,
            place: called,
        } = place.cost
        else {
            if let Some((function, kind)) = special(place.cost, syscalls) {
                frames.push(names.number(Frame::special(function, kind)));
            }
            tree.add(node, frames, *gas);
            continue;
        };
        let syscall = syscalls[syscall as usize].symbol();
        frames.push(names.number(Frame::special(syscall, FrameKind::Import)));
        frames.push(names.number(Frame::called(recording.called[called])));
        let inner = recording.inner.get(place);
        let rest = gas.saturating_sub(inner.map_or(0, GasProfile::total));
        if let Some(inner) = inner {
            let at = tree.node(node, frames.clone());
            tree.graft(at, inner, |frame| names.number(frame.clone()));
        }
        if rest > 0 {
            tree.add(node, frames, rest);
        }
    }
    let end = end(&mut names, recording);
    let mut stacks = |held: &[HeldAt]| -> Vec<Vec<u32>> {
        let sites = held.iter().map(|held| held.site);
        sites
            .map(|site| stack(&mut names, recording, site))
            .collect()
    };
    let (live, leaked) = (stacks(&recording.live), stacks(&recording.leaked));
    let (frames, has_debug_info) = names.finish();
    let named = |numbers: &[u32]| -> Vec<Frame> {
        let numbers = numbers.iter();
        numbers
            .map(|number| frames[*number as usize].clone())
            .collect()
    };
    let held = |held: &[HeldAt], stacks: &[Vec<u32>]| -> Vec<HeldBlocks> {
        let pairs = held.iter().zip(stacks);
        let mut held: Vec<HeldBlocks> = pairs
            .map(|(held, stack)| HeldBlocks {
                stack: named(stack),
                bytes: held.bytes,
                blocks: held.blocks,
            })
            .collect();
        held.sort_by_key(|held| std::cmp::Reverse(held.bytes));
        held
    };
    Named {
        end: named(&end),
        live: held(&recording.live, &live),
        leaked: held(&recording.leaked, &leaked),
        gas: tree.finish(frames, has_debug_info),
    }
}

/// The numbers of the frames around an allocation, from the program's entry inwards.
fn stack(names: &mut Names<'_>, recording: &Recording, (node, counter): Site) -> Vec<u32> {
    let (mut frames, before) = way(names, recording, node);
    frames.extend(names.frames_after(before, counter));
    frames
}

/// The numbers of the frames that lead into a node, and the instruction that called it.
fn way(names: &mut Names<'_>, recording: &Recording, mut node: u32) -> (Vec<u32>, Option<u32>) {
    let mut callers = Vec::new();
    while let Some(caller) = recording.caller(node) {
        callers.push(caller);
        node = recording.nodes[node as usize].parent;
    }
    let mut frames = Vec::new();
    let mut before = None;
    for caller in callers.into_iter().rev() {
        frames.extend(names.frames_after(before, caller));
        before = Some(caller);
    }
    (frames, before)
}

/// The numbers of the frames in which the program ended, from its entry inwards.
fn end(names: &mut Names<'_>, recording: &Recording) -> Vec<u32> {
    let end = &recording.end;
    let (mut frames, mut before) = way(names, recording, end.node);
    if end.is_truncated {
        let (function, kind) = (TRUNCATED, FrameKind::Truncated);
        frames.push(names.number(Frame::special(function, kind)));
        before = None;
    }
    for caller in names.tail_callers(end.program_counter, &end.recent) {
        frames.extend(names.frames_after(before, caller));
        before = Some(caller);
    }
    frames.extend(names.frames_after(before, end.program_counter));
    frames
}

/// Names the calls that are not distinguished.
const TRUNCATED: &str = "(deeper calls)";

/// The frame of a cost that is not an instruction of a function.
fn special(cost: Cost, syscalls: &[Syscall]) -> Option<(&str, FrameKind)> {
    match cost {
        Cost::Instruction | Cost::Called { .. } => None,
        Cost::Syscall(number) => Some((syscalls[number as usize].symbol(), FrameKind::Import)),
        Cost::Prepaid(Prepaid::RestOfBlock) => Some(("(prepaid)", FrameKind::Prepaid)),
        Cost::Prepaid(Prepaid::OutOfGas) => Some(("(out of gas)", FrameKind::Prepaid)),
        Cost::Truncated => Some((TRUNCATED, FrameKind::Truncated)),
    }
}
