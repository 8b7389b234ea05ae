//! Recordings of a run, for debuggers and fuzzers: which instructions ran, and the registers and
//! the memory before any one of them.
//!
//! A run is exact: the same invocation with the same host executes the same instructions. So a
//! [`Recording`] needs only their program counters, and [`Tracer::snapshot`] runs the program once
//! more, up to the wanted instruction. A debugger steps backwards as it steps forwards.
//!
//! ```no_run
//! use loader::{Engine, Invocation, Loader, Pubkey};
//!
//! let blob = std::fs::read("target/guest/counter.polkavm")?;
//! let program = Loader::new(Engine::Interpreter)?.load(&blob)?;
//! let invocation = Invocation::new(Pubkey::new([1; 32]));
//! let tracer = program.tracer()?;
//!
//! let recording = tracer.record(&invocation, 1_000_000)?;
//! let last = recording.counters.len() - 1;
//! let snapshot = tracer.snapshot(&invocation, last)?;
//! println!("{} instructions, then a0 = {:#x}", last, snapshot.registers[7]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod coverage;
mod record;
mod snapshot;

use std::fmt;
use std::sync::Arc;

use abi::contract::Contract;
use polkavm::Reg;

use crate::backend::polkavm::control_flow::{self, Flow};
use crate::backend::polkavm::{LoadedBlob, Observer, PolkaVm};
use crate::contract;
use crate::engine::Engine;
use crate::error::InvocationError;
use crate::host::{Host, default_host};
use crate::invocation::Invocation;
use crate::invoke;
use crate::invoke::syscalls::Syscalls;
use crate::outcome::Outcome;
use crate::program::Program;
use crate::settings::Settings;

pub use coverage::{Covered, Edges};
pub use record::Recording;
pub use snapshot::Snapshot;

/// The registers of a program for RISC-V in the order of [`Snapshot::registers`], by the names of
/// the RISC-V calling convention.
pub const REGISTERS: [&str; 13] = [
    "ra", "sp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
];

/// The VM's registers in the same order.
const VM_REGISTERS: [Reg; 13] = [
    Reg::RA,
    Reg::SP,
    Reg::T0,
    Reg::T1,
    Reg::T2,
    Reg::S0,
    Reg::S1,
    Reg::A0,
    Reg::A1,
    Reg::A2,
    Reg::A3,
    Reg::A4,
    Reg::A5,
];

/// The return address of a program's entry. It leads back to the loader.
pub const RETURN_TO_LOADER: u32 = 0xffff_0000;

/// A program that is prepared to be stopped before each instruction.
pub struct Tracer {
    program: LoadedBlob,
    settings: Arc<Settings>,
    contract: Option<Contract>,
    points: coverage::Points,
}

/// A place in a blob that calls a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallSite {
    /// The program counter of the instruction that calls.
    pub caller: u32,
    /// The return address that the call leaves in the register `ra`: a number of the VM, and not a
    /// program counter.
    pub return_address: u32,
    /// The program counter to which the return address leads.
    pub returns_to: u32,
}

impl Program {
    /// Prepares the program for recordings. They are always on the interpreter.
    ///
    /// # Errors
    ///
    /// [`InvocationError::NotOnThisEngine`] if the program is not one for RISC-V, and
    /// [`InvocationError::Engine`] if the engine fails.
    pub fn tracer(&self) -> Result<Tracer, InvocationError> {
        let program = self
            .loaded_by::<PolkaVm>()
            .ok_or(InvocationError::NotOnThisEngine {
                what: "recordings",
                engine: self.engine(),
            })?
            .for_step_tracing()
            .map_err(InvocationError::engine)?;
        Ok(Tracer {
            points: coverage::Points::of(&program.blob),
            program,
            settings: Arc::clone(self.settings()),
            contract: self.contract().copied(),
        })
    }
}

impl Tracer {
    /// Calls the program once, as [`Program::invoke`] does, and records its instructions: `most` of
    /// them, then it breaks the run off.
    ///
    /// # Errors
    ///
    /// As for [`Program::invoke`].
    pub fn record(
        &self,
        invocation: &Invocation,
        most: usize,
    ) -> Result<Recording, InvocationError> {
        self.record_with(default_host(), invocation, most)
    }

    /// As [`record`](Self::record), with a host.
    ///
    /// # Errors
    ///
    /// As for [`Program::invoke`].
    pub fn record_with(
        &self,
        host: &Arc<dyn Host>,
        invocation: &Invocation,
        most: usize,
    ) -> Result<Recording, InvocationError> {
        let mut recorder = record::Recorder::new(most);
        let (outcome, accounts) = self.run(host, invocation, &mut recorder)?;
        Ok(recorder.finish(outcome, accounts))
    }

    /// Runs the program up to the instruction at this position of its recording, which is the next
    /// one to run.
    ///
    /// If the program ends before, the snapshot is of its last instruction.
    ///
    /// # Errors
    ///
    /// As for [`Program::invoke`].
    pub fn snapshot(
        &self,
        invocation: &Invocation,
        position: usize,
    ) -> Result<Snapshot, InvocationError> {
        self.snapshot_with(default_host(), invocation, position)
    }

    /// As [`snapshot`](Self::snapshot), with a host.
    ///
    /// # Errors
    ///
    /// As for [`Program::invoke`].
    pub fn snapshot_with(
        &self,
        host: &Arc<dyn Host>,
        invocation: &Invocation,
        position: usize,
    ) -> Result<Snapshot, InvocationError> {
        let mut photographer = snapshot::Photographer::new(&self.program, position);
        // The run is broken off, so its outcome means nothing.
        let _ = self.run(host, invocation, &mut photographer)?;
        Ok(photographer.finish())
    }

    /// Calls the program once, as [`Program::invoke_with`] does, and adds to `edges` which blocks
    /// of instructions followed which.
    ///
    /// # Errors
    ///
    /// As for [`Program::invoke`].
    pub fn cover_with(
        &self,
        host: &Arc<dyn Host>,
        invocation: &Invocation,
        edges: &mut Edges,
    ) -> Result<Covered, InvocationError> {
        let mut observer = coverage::Coverer::new(edges, &self.points);
        let (outcome, _) = self.run(host, invocation, &mut observer)?;
        Ok(observer.finish(outcome))
    }

    /// The places in the blob that call, in the order of their program counters.
    #[must_use]
    pub fn calls(&self) -> Vec<CallSite> {
        let blob = &self.program.blob;
        let flow = control_flow::flow_for_debugger(blob);
        let calls = flow.into_iter().filter_map(|(caller, flow)| match flow {
            Flow::Call { return_address, .. } => Some(CallSite {
                caller,
                return_address,
                returns_to: blob.jump_table().get_by_address(return_address)?.0,
            }),
            Flow::Jump { .. } => None,
        });
        let mut calls: Vec<CallSite> = calls.collect();
        calls.sort_by_key(|call| call.caller);
        calls
    }

    /// Runs an invocation. Returns also the addresses of the accounts' entries.
    fn run<O: Observer>(
        &self,
        host: &Arc<dyn Host>,
        invocation: &Invocation,
        observer: &mut O,
    ) -> Result<(Outcome, Vec<u64>), InvocationError> {
        let invocation = &*contract::with_heap(self.contract.as_ref(), invocation)?;
        invocation.validate(&self.settings.limits)?;
        let mut syscalls = Syscalls::new(host, &self.settings, invocation);
        syscalls.log_begin();
        let finished = self.program.observe(observer, |instance| {
            invoke::run(&mut syscalls, invocation, instance)
        })?;
        let (input, _) = syscalls.accounts();
        let accounts = input.entries().iter().map(|entry| entry.address).collect();
        let (engine, gas) = (Engine::Interpreter, Some(invocation.gas));
        let outcome = invoke::outcome(engine, &mut syscalls, invocation, finished, gas);
        Ok((outcome, accounts))
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tracer").finish_non_exhaustive()
    }
}
