//! Profiles of the programs that the profiled one calls.

use std::collections::HashMap;
use std::sync::Arc;

use super::recorder::Recorder;
use super::{GasProfile, name};
use crate::backend::polkavm::control_flow::{self, Flow};
use crate::backend::polkavm::{LoadedBlob, PolkaVm};
use crate::error::{Failure, InvocationError};
use crate::invocation::Invocation;
use crate::invoke::syscalls::Syscalls;
use crate::invoke::{self, Finished};
use crate::program::Program;

/// What the programs of a profiled invocation share.
#[derive(Default)]
pub(crate) struct Profiler {
    /// The programs that were called so far.
    programs: Vec<(Program, Arc<Traced>)>,
    /// The profile of the call that has ended last; `None` if it has none, because the program is
    /// part of the host or is not one for RISC-V.
    last: Option<GasProfile>,
}

/// A program that stops before each instruction.
pub(super) struct Traced {
    pub program: LoadedBlob,
    pub flow: HashMap<u32, Flow>,
}

impl Traced {
    pub fn new(program: &LoadedBlob) -> Result<Self, InvocationError> {
        let program = program.for_step_tracing();
        let program = program.map_err(InvocationError::engine)?;
        Ok(Self {
            flow: control_flow::flow(&program.blob),
            program,
        })
    }
}

impl Profiler {
    /// Takes the profile of the call that has ended last.
    pub(crate) fn take(&mut self) -> Option<GasProfile> {
        self.last.take()
    }

    /// The program for tracing. It is compiled once, however often it is called.
    fn traced(
        &mut self,
        program: &Program,
        loaded: &LoadedBlob,
    ) -> Result<Arc<Traced>, InvocationError> {
        let mut known = self.programs.iter();
        if let Some((_, traced)) = known.find(|(known, _)| known.is_same(program)) {
            return Ok(Arc::clone(traced));
        }
        let traced = Arc::new(Traced::new(loaded)?);
        self.programs.push((program.clone(), Arc::clone(&traced)));
        Ok(traced)
    }
}

/// Runs a called program. If the invocation is profiled and the program is one for RISC-V, keeps
/// its profile.
///
/// # Errors
///
/// As for [`Program::call`].
pub(crate) fn call(
    program: &Program,
    syscalls: &mut Syscalls,
    invocation: &Invocation,
) -> Result<Finished, InvocationError> {
    if syscalls.profiler.is_none() {
        return program.call(syscalls, invocation);
    }
    keep(syscalls, None);
    let Some(loaded) = program.loaded_by::<PolkaVm>() else {
        let finished = program.call(syscalls, invocation);
        // Not the profile of a program that this one has called.
        keep(syscalls, None);
        return finished;
    };
    let profiled = profiled(program, loaded, syscalls, invocation);
    let (finished, profile) = profiled.map_or_else(
        |error| (Err(error), None),
        |(finished, profile)| (Ok(finished), Some(profile)),
    );
    keep(syscalls, profile);
    finished
}

fn keep(syscalls: &mut Syscalls, profile: Option<GasProfile>) {
    if let Some(profiler) = &mut syscalls.profiler {
        profiler.last = profile;
    }
}

fn profiled(
    program: &Program,
    loaded: &LoadedBlob,
    syscalls: &mut Syscalls,
    invocation: &Invocation,
) -> Result<(Finished, GasProfile), InvocationError> {
    let profiler = syscalls.profiler.get_or_insert_default();
    let traced = profiler.traced(program, loaded)?;
    invocation.validate_called(&program.settings().limits)?;
    let mut recorder = Recorder::new(&traced.program, &traced.flow, None);
    let finished = traced.program.observe(&mut recorder, |instance| {
        invoke::run(syscalls, invocation, instance)
    })?;
    let gas_used = invocation.gas - finished.gas;
    let is_out_of_gas = matches!(finished.result, Err(Failure::OutOfGas { .. }));
    let recording = recorder.finish(gas_used, is_out_of_gas);
    Ok((finished, name(&traced, &recording).gas))
}
