//! Observes a program, and records what each instruction costs and what called it.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ops::ControlFlow;

use abi::Pubkey;
use abi::heap::{HEAP_TRACE_EXPORT, HeapTrace};
use polkavm::{InterruptKind, ProgramCounter, Reg};

use super::heap_blocks::{HeapBlocks, HeldAt};
use super::heap_operations::HeapOperations;
use super::tree::Sum;
use super::{GasProfile, HeapCounts, HeapSample};
use crate::backend::Heap;
use crate::backend::polkavm::control_flow::Flow;
use crate::backend::polkavm::{Guest, LoadedBlob, Observer, validate};
use crate::error::InvocationError;
use crate::invoke::guest::read_pod;
use crate::outcome::HeapUse;

// These bound the memory that a blob can make the loader use.

/// The call depth up to which calls are distinguished.
const MAX_DEPTH: usize = 128;

/// Calls inside of calls whose returns are recognized.
const MAX_FRAMES: usize = 1 << 18;

/// The most paths to a call that are distinguished.
const MAX_NODES: usize = 50_000;

/// The most places with costs that are distinguished, each with its path.
const MAX_COSTS: usize = 200_000;

/// Samples of the heap, of which every second is dropped when there are more.
const MAX_SAMPLES: usize = 1 << 18;

/// The most instructions that are remembered. A panic or a failed allocation takes fewer.
const MAX_RECENT: usize = 512;

/// Gas for the export that returns the address of the heap's trace.
const HEAP_TRACE_GAS: i64 = 1_000;

/// A call that has not returned.
#[derive(Clone, Copy)]
struct Call {
    return_address: u32,
    /// The way that leads into it.
    node: u32,
    /// If the call is too deep to be distinguished, the instruction of the first such call.
    too_deep: Option<u32>,
}

/// A path to a call: the path to the calling function, and the instruction in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Node {
    /// The node before.
    pub parent: u32,
    /// The instruction that called.
    pub caller: u32,
}

/// The kind of a cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Cost {
    /// The instruction itself.
    Instruction,
    /// A syscall: the instruction and the price. Its number in the program's imports.
    Syscall(u32),
    /// A program that a syscall has run.
    Called {
        /// The number of the syscall in the program's imports.
        syscall: u32,
        /// The place of the program among the called ones.
        place: usize,
    },
    /// Gas that was paid and not used.
    Prepaid(Prepaid),
    /// Calls that are too deep, or too many, to be distinguished.
    Truncated,
}

/// Why gas was paid and not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Prepaid {
    /// The rest of a block of instructions, of which one ended the program.
    RestOfBlock,
    /// Too little for what was to come next.
    OutOfGas,
}

/// A cost, by the way to the function that it arose in and the instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub node: u32,
    pub program_counter: u32,
    pub cost: Cost,
}

/// The recorded costs and samples.
pub(super) struct Recording {
    /// The first is the entry, which has no caller. Each comes after its parent.
    pub nodes: Vec<Node>,
    /// By their first occurrence.
    pub costs: Vec<(Place, u64)>,
    pub samples: Vec<HeapSample>,
    /// The programs that the program has called.
    pub called: Vec<Pubkey>,
    /// The profiles of those that were profiled, by the place of their cost.
    pub inner: HashMap<Place, GasProfile>,
    pub end: End,
    /// The instructions that ran, ascending.
    pub reached: Vec<u32>,
    /// The blocks that are live at the end, by the place of their allocation.
    pub live: Vec<HeldAt>,
    /// The bytes that the heap has lost by then, by the same.
    pub leaked: Vec<HeldAt>,
    /// The calls of the allocator.
    pub operations: HeapOperations,
}

/// The place where the program ended.
pub(super) struct End {
    /// The way to the function, as far as calls are distinguished.
    pub node: u32,
    /// The last instruction.
    pub program_counter: u32,
    /// Whether there are calls between the two that are not distinguished.
    pub is_truncated: bool,
    /// The last instructions that ran at the same depth of calls, the last one first. Among them is
    /// the jump of a tail call, which leaves no return address.
    pub recent: Vec<u32>,
}

impl Recording {
    /// The instruction that called this node.
    pub fn caller(&self, node: u32) -> Option<u32> {
        (node != 0).then(|| self.nodes[node as usize].caller)
    }
}

/// The instruction that has been announced and is running.
struct Running {
    program_counter: u32,
    /// The target of its jump, if that may be a return.
    target: Option<u32>,
}

/// See the [module](self).
pub(super) struct Recorder<'a> {
    flow: &'a HashMap<u32, Flow>,
    entry: u32,
    /// The address of the counts, if the heap has them.
    heap_trace: Option<u32>,
    running: Option<Running>,
    /// The instruction that was announced last.
    last: u32,
    /// The last instructions, each with its number of calls around it.
    recent: VecDeque<(u32, usize)>,
    reached: BTreeSet<u32>,
    calls: Vec<Call>,
    nodes: Vec<Node>,
    node_of: HashMap<Node, u32>,
    costs: Vec<(Place, u64)>,
    cost_of: HashMap<Place, usize>,
    /// The sum of all costs.
    gas: u64,
    samples: Vec<HeapSample>,
    called: Vec<Pubkey>,
    inner: HashMap<Place, Sum>,
    /// The number of stacks in `inner`.
    inner_costs: usize,
    blocks: HeapBlocks,
    operations: HeapOperations,
    /// The state of the heap at the last sample, to detect a change.
    heap_state: Option<HeapState>,
}

/// The value that shows a change of the heap.
#[derive(Clone, Copy, PartialEq, Eq)]
enum HeapState {
    Used(u32),
    Calls(u64),
}

impl<'a> Recorder<'a> {
    pub fn new(
        program: &LoadedBlob,
        flow: &'a HashMap<u32, Flow>,
        heap_trace: Option<u32>,
    ) -> Self {
        let root = Node {
            parent: 0,
            caller: program.entry.0,
        };
        Self {
            flow,
            entry: program.entry.0,
            heap_trace,
            running: None,
            last: program.entry.0,
            recent: VecDeque::with_capacity(MAX_RECENT),
            reached: BTreeSet::new(),
            calls: Vec::new(),
            nodes: vec![root],
            node_of: HashMap::new(),
            costs: Vec::new(),
            cost_of: HashMap::new(),
            gas: 0,
            samples: Vec::new(),
            called: Vec::new(),
            inner: HashMap::new(),
            inner_costs: 0,
            blocks: HeapBlocks::default(),
            operations: HeapOperations::default(),
            heap_state: None,
        }
    }

    /// The recording of a program that has used this much gas.
    pub fn finish(mut self, gas_used: u64, is_out_of_gas: bool) -> Recording {
        let prepaid = gas_used.saturating_sub(self.gas);
        if prepaid > 0 {
            let why = if is_out_of_gas {
                Prepaid::OutOfGas
            } else {
                Prepaid::RestOfBlock
            };
            self.add(self.last, Cost::Prepaid(why), prepaid);
        }
        if let Some(last) = self.samples.last().copied()
            && last.gas < gas_used
        {
            self.samples.push(HeapSample {
                gas: gas_used,
                ..last
            });
        }
        let (node, too_deep) = self.position();
        let depth = self.calls.len();
        let recent = self
            .recent
            .iter()
            .rev()
            .filter(|(_, calls)| *calls == depth);
        Recording {
            live: self.blocks.live_at(),
            leaked: self.blocks.leaked_at(),
            reached: self.reached.into_iter().collect(),
            end: End {
                node,
                program_counter: self.last,
                is_truncated: too_deep.is_some(),
                recent: recent
                    .map(|(program_counter, _)| *program_counter)
                    .collect(),
            },
            nodes: self.nodes,
            costs: self.costs,
            operations: self.operations,
            samples: self.samples,
            called: self.called,
            inner: self
                .inner
                .into_iter()
                .map(|(place, sum)| (place, sum.finish()))
                .collect(),
        }
    }

    /// Writes down the instruction that has run by now, and what it did to the calls.
    fn conclude(&mut self, cost: Cost) {
        let Some(Running {
            program_counter,
            target,
        }) = self.running.take()
        else {
            return;
        };
        self.add(program_counter, cost, 1);
        match self.flow.get(&program_counter) {
            Some(Flow::Call { return_address, .. }) => self.enter(program_counter, *return_address),
            Some(Flow::Jump { .. }) => self.leave(target),
            None => {}
        }
    }

    fn enter(&mut self, caller: u32, return_address: u32) {
        if self.calls.len() >= MAX_FRAMES {
            return;
        }
        let (parent, too_deep) = self.position();
        let (node, too_deep) = if too_deep.is_some() {
            (parent, too_deep)
        } else {
            match self.node(Node { parent, caller }) {
                Some(node) => (node, None),
                None => (parent, Some(caller)),
            }
        };
        self.calls.push(Call {
            return_address,
            node,
            too_deep,
        });
    }

    /// The number of a node; `None` if there are too many.
    fn node(&mut self, node: Node) -> Option<u32> {
        if self.calls.len() >= MAX_DEPTH {
            return None;
        }
        if let Some(known) = self.node_of.get(&node) {
            return Some(*known);
        }
        if self.nodes.len() >= MAX_NODES {
            return None;
        }
        let number = self.nodes.len() as u32;
        self.nodes.push(node);
        self.node_of.insert(node, number);
        Some(number)
    }

    /// A jump to a return address ends the call with that address, and those inside of it. Any
    /// other jump stays in the function, or is a tail call.
    fn leave(&mut self, target: Option<u32>) {
        let returns_to = |call: &Call| Some(call.return_address) == target;
        if let Some(position) = self.calls.iter().rposition(returns_to) {
            self.calls.truncate(position);
        }
    }

    fn position(&self) -> (u32, Option<u32>) {
        self.calls
            .last()
            .map_or((0, None), |call| (call.node, call.too_deep))
    }

    /// Adds a cost. Returns the place at which it counts.
    fn add(&mut self, program_counter: u32, cost: Cost, gas: u64) -> Place {
        let (node, too_deep) = self.position();
        let mut place = match too_deep {
            Some(caller) => Place {
                node,
                program_counter: caller,
                cost: Cost::Truncated,
            },
            None => Place {
                node,
                program_counter,
                cost,
            },
        };
        self.gas += gas;
        if self.costs.len() >= MAX_COSTS && !self.cost_of.contains_key(&place) {
            place = Place {
                node: 0,
                program_counter: self.entry,
                cost: Cost::Truncated,
            };
        }
        let index = *self.cost_of.entry(place).or_insert(self.costs.len());
        if index == self.costs.len() {
            self.costs.push((place, 0));
        }
        self.costs[index].1 += gas;
        place
    }

    fn sample(&mut self, guest: &mut Guest<'_>, heap: &Heap) {
        let HeapUse {
            used: Some(used),
            peak: Some(peak),
            ..
        } = heap.read_use(guest)
        else {
            return;
        };
        let trace = self
            .heap_trace
            .and_then(|address| read_pod::<HeapTrace>(guest, address.into()).ok());
        // In the middle of an allocator call the figures are inconsistent. A heap that counts its
        // calls shows when one has ended.
        let state = match trace {
            Some(trace) => HeapState::Calls(trace.calls),
            None => HeapState::Used(used),
        };
        if self.heap_state == Some(state) {
            return;
        }
        self.heap_state = Some(state);
        if let Some(trace) = trace {
            let (node, _) = self.position();
            self.blocks.note(&trace, (node, self.last));
            let caller = self.nodes[node as usize].caller;
            self.operations.note(&trace, self.gas, (caller, self.last));
        }
        if self.samples.len() >= MAX_SAMPLES {
            let mut index = 0;
            self.samples.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
        self.samples.push(HeapSample {
            gas: self.gas,
            used,
            peak,
            counts: trace.map(|trace| HeapCounts {
                live: trace.live,
                leaked: trace.leaked,
            }),
        });
    }
}

impl Observer for Recorder<'_> {
    fn step(&mut self, guest: &mut Guest<'_>, heap: &Heap) -> ControlFlow<()> {
        self.conclude(Cost::Instruction);
        self.sample(guest, heap);
        let Some(ProgramCounter(program_counter)) = guest.vm.program_counter() else {
            return ControlFlow::Continue(());
        };
        let target = match self.flow.get(&program_counter) {
            Some(Flow::Jump { base, offset }) => {
                // Addresses have 32 bits.
                let base = guest.vm.reg(base.get()) as u32;
                Some(base.wrapping_add_signed(*offset))
            }
            _ => None,
        };
        self.last = program_counter;
        self.reached.insert(program_counter);
        if self.recent.len() == MAX_RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((program_counter, self.calls.len()));
        self.running = Some(Running {
            program_counter,
            target,
        });
        ControlFlow::Continue(())
    }

    fn syscall(&mut self, number: u32, price: u64) {
        self.conclude(Cost::Syscall(number));
        if price > 0 {
            self.add(self.last, Cost::Syscall(number), price);
        }
    }

    fn called(&mut self, syscall: u32, program_id: Pubkey, gas: u64, profile: Option<GasProfile>) {
        let known = self.called.iter().position(|known| *known == program_id);
        let place = known.unwrap_or(self.called.len());
        if place == self.called.len() {
            self.called.push(program_id);
        }
        if gas == 0 {
            return;
        }
        let place = self.add(self.last, Cost::Called { syscall, place }, gas);
        // A call that is not distinguished shows nothing of the program.
        if let Some(profile) = profile
            && matches!(place.cost, Cost::Called { .. })
            && self.inner_costs < MAX_COSTS
        {
            let sum = self.inner.entry(place).or_insert_with(Sum::new);
            self.inner_costs += sum.add(&profile);
        }
    }

    fn unpaid(&mut self) {
        self.running = None;
    }

    fn ended(&mut self, guest: &mut Guest<'_>, heap: &Heap) {
        self.conclude(Cost::Instruction);
        self.sample(guest, heap);
    }
}

/// The address of the counts of a heap that counts: its export returns it, called in an instance of
/// its own.
pub(super) fn heap_trace_address(program: &LoadedBlob) -> Result<Option<u32>, InvocationError> {
    let Some(export) = validate::exports_named(&program.blob, HEAP_TRACE_EXPORT).next() else {
        return Ok(None);
    };
    let mut instance = program
        .module
        .instantiate()
        .map_err(InvocationError::engine)?;
    instance.set_gas(HEAP_TRACE_GAS);
    instance.prepare_call_untyped(export, &[]);
    loop {
        match instance.run().map_err(InvocationError::engine)? {
            InterruptKind::Step => {}
            InterruptKind::Finished => return Ok(u32::try_from(instance.reg(Reg::A0)).ok()),
            // A program that does not return it has no trace.
            _ => return Ok(None),
        }
    }
}
