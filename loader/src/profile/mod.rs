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
//! The gas of a program that the profiled one calls is in one frame, [`FrameKind::Called`]: the
//! profile does not show the functions of that program.
//!
//! # Stacks
//!
//! A call is an instruction that leaves a return address, and a return is a jump to one. Inlined
//! functions come from the debug information; PolkaVM's linker keeps only the last part of their
//! names. In a blob without debug information, functions start at exports and at the targets of
//! calls.

mod names;
mod recorder;

use std::collections::HashMap;
use std::sync::Arc;

use crate::Outcome;
use crate::backend::Syscall;
use crate::backend::polkavm::{LoadedBlob, PolkaVm, control_flow};
use crate::engine::Engine;
use crate::error::InvocationError;
use crate::error::SourceLocation;
use crate::host::{Host, default_host};
use crate::invocation::Invocation;
use crate::invoke;
use crate::invoke::syscalls::Syscalls;
use crate::program::Program;
use crate::settings::Settings;
use names::Names;
use recorder::{Cost, LiveAt, Prepaid, Recorder, Recording};

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
    /// The blocks that were live when the program ended, by the place of their allocation, those
    /// with the most bytes first. Empty unless the program's heap counts, as
    /// [`abi::heap::HeapTrace`] describes.
    pub live: Vec<LiveBlocks>,
}

/// Blocks of the heap that were allocated at one place and not freed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveBlocks {
    /// The functions around the allocation, from the program's entry inwards.
    pub stack: Vec<Frame>,
    /// Their requested sizes together, in bytes.
    pub bytes: u64,
    /// How many they are.
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
}

impl Frame {
    /// What is not a function of the program.
    fn special(description: &str, kind: FrameKind) -> Self {
        Self {
            function: description.to_owned(),
            kind,
            location: None,
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
    /// A program that the syscall around it has run, with all that it called.
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
    /// The gas of a program that this one calls is in one frame of [`FrameKind::Called`], inside of
    /// the frame of the syscall.
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
            })?
            .for_step_tracing()
            .map_err(InvocationError::engine)?;
        let settings = self.settings();
        invocation.validate(&settings.limits)?;
        profile(&program, settings, host, invocation)
    }
}

fn profile(
    program: &LoadedBlob,
    settings: &Settings,
    host: &Arc<dyn Host>,
    invocation: &Invocation,
) -> Result<Profiled, InvocationError> {
    let trace = recorder::heap_trace_address(program)?;
    let flow = control_flow::flow(&program.blob);
    let mut recorder = Recorder::new(program, &flow, trace);
    let mut syscalls = Syscalls::new(host, settings, invocation);
    let finished = program.observe(&mut recorder, |instance| {
        invoke::run(&mut syscalls, invocation, instance)
    })?;
    let outcome = invoke::outcome(Engine::Interpreter, syscalls, invocation, finished);
    let recording = recorder.finish(&outcome);
    let (gas, end, live) = name(
        Names::new(&program.blob, &flow),
        &program.syscalls,
        &recording,
    );
    Ok(Profiled {
        gas,
        end,
        live,
        heap: HeapProfile {
            limit: outcome.heap.limit,
            samples: recording.samples,
        },
        outcome,
    })
}

/// Names the functions of the instructions, and merges costs that then are the same. Returns also
/// the functions in which the program ended, and the live blocks.
fn name(
    mut names: Names<'_>,
    syscalls: &[Syscall],
    recording: &Recording,
) -> (GasProfile, Vec<Frame>, Vec<LiveBlocks>) {
    let mut nodes = vec![(0, Vec::new())];
    let mut known = HashMap::new();
    let mut numbers = vec![0];
    for node in &recording.nodes[1..] {
        let parent: u32 = numbers[node.parent as usize];
        let caller = recording.caller(node.parent);
        let named = (parent, names.frames_after(caller, node.caller));
        numbers.push(*known.entry(named).or_insert_with_key(|named| {
            nodes.push(named.clone());
            nodes.len() as u32 - 1
        }));
    }
    let mut costs = Vec::new();
    let mut known = HashMap::new();
    for (place, gas) in &recording.costs {
        let caller = recording.caller(place.node);
        let mut frames = names.frames_after(caller, place.program_counter);
        if let Cost::Called { syscall, place } = place.cost {
            let syscall = syscalls[syscall as usize].symbol();
            frames.push(names.number(Frame::special(syscall, FrameKind::Import)));
            let description = format!("call of {}", recording.called[place]);
            frames.push(names.number(Frame::special(&description, FrameKind::Called)));
        } else if let Some((function, kind)) = special(place.cost, syscalls) {
            frames.push(names.number(Frame::special(function, kind)));
        }
        let named = (numbers[place.node as usize], frames);
        let index = *known.entry(named).or_insert_with_key(|named| {
            costs.push((named.clone(), 0));
            costs.len() - 1
        });
        costs[index].1 += gas;
    }
    let end = end(&mut names, recording);
    let live: Vec<(Vec<u32>, &LiveAt)> = recording
        .live
        .iter()
        .map(|live| (stack(&mut names, recording, live), live))
        .collect();
    let (frames, has_debug_info) = names.finish();
    let named = |numbers: &[u32]| -> Vec<Frame> {
        let numbers = numbers.iter();
        numbers
            .map(|number| frames[*number as usize].clone())
            .collect()
    };
    let end = named(&end);
    let mut live: Vec<LiveBlocks> = live
        .iter()
        .map(|(stack, live)| LiveBlocks {
            stack: named(stack),
            bytes: live.bytes,
            blocks: live.blocks,
        })
        .collect();
    live.sort_by_key(|live| std::cmp::Reverse(live.bytes));
    let gas = GasProfile {
        frames,
        nodes,
        costs,
        has_debug_info,
    };
    (gas, end, live)
}

/// The numbers of the frames around an allocation, from the program's entry inwards.
fn stack(names: &mut Names<'_>, recording: &Recording, live: &LiveAt) -> Vec<u32> {
    let (mut frames, before) = way(names, recording, live.node);
    frames.extend(names.frames_after(before, live.program_counter));
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
