//! Idle instances, for the next invocations.
//!
//! Making an instance costs more than most invocations, so a loader keeps those whose invocation
//! has ended. Idle instances are clean: the pool resets each before it keeps it, and drops those
//! for which that fails.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use polkavm::{Module, RawInstance};

use crate::error::InvocationError;

/// How many idle instances a [`Loader`](crate::Loader) on the interpreter keeps at most, unless
/// [`Loader::idle_instances`](crate::Loader::idle_instances) sets another number.
pub const DEFAULT_IDLE_INSTANCES: usize = 64;

/// The most bytes that all idle instances keep together. Without this limit, the long invocations
/// of one caller would use the host's memory permanently.
const MAX_BYTES: u64 = 256 << 20;

/// The idle instances of all programs of a loader.
pub(crate) struct Pool {
    waiting: Mutex<Waiting>,
    max_instances: usize,
}

#[derive(Default)]
struct Waiting {
    /// The program of each, and the instance. The one that was idle for longest is first.
    instances: VecDeque<(ProgramNumber, Instance)>,
    last_program: ProgramNumber,
}

type ProgramNumber = u64;

/// An instance, and the most bytes that it keeps.
pub(crate) struct Instance {
    pub vm: RawInstance,
    /// Bytes of the largest memory that it ever had: the VM keeps that for the next invocation.
    bytes: u64,
}

/// One program's part of a pool. Dropping it drops its idle instances.
pub(crate) struct Instances {
    pool: Arc<Pool>,
    program: ProgramNumber,
}

impl Pool {
    /// A pool that keeps at most so many instances.
    pub fn new(max_instances: usize) -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::default(),
            max_instances,
        })
    }

    /// The part of a new program.
    pub fn instances(self: &Arc<Self>) -> Instances {
        let mut waiting = self.lock();
        waiting.last_program += 1;
        Instances {
            pool: Arc::clone(self),
            program: waiting.last_program,
        }
    }

    /// Ignores poison: no code under the lock leaves the list half changed.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn bytes(&self) -> u64 {
        self.instances
            .iter()
            .map(|(_, waiting)| waiting.bytes)
            .sum()
    }
}

/// An instance whose memory the VM does not keep.
impl From<RawInstance> for Instance {
    fn from(vm: RawInstance) -> Self {
        Self { vm, bytes: 0 }
    }
}

impl Instance {
    /// Records how large the instance's memory is now.
    pub fn holds(&mut self, bytes: u64) {
        self.bytes = self.bytes.max(bytes);
    }
}

impl Instances {
    /// A clean instance of the program's module: an idle one, or a new one.
    pub fn take(&self, module: &Module) -> Result<Instance, InvocationError> {
        if let Some(instance) = self.take_waiting() {
            return Ok(instance);
        }
        let vm = module.instantiate().map_err(InvocationError::engine)?;
        Ok(Instance { vm, bytes: 0 })
    }

    fn take_waiting(&self) -> Option<Instance> {
        let mut waiting = self.pool.lock();
        // The one that was used last is the likeliest to be in the processor's caches.
        let place = waiting
            .instances
            .iter()
            .rposition(|(program, _)| *program == self.program)?;
        let (_, instance) = waiting.instances.remove(place)?;
        Some(instance)
    }

    /// Resets an instance after an invocation, and keeps it for the next. Drop an instance in which
    /// the VM itself has failed instead.
    pub fn give_back(&self, mut instance: Instance) {
        // At once and not at the next use, so that no data of the invocation stays longer than it
        // must. Besides, a sandbox that is idle in the middle of a syscall would spin.
        if instance.vm.reset_memory().is_err() {
            return;
        }
        let mut waiting = self.pool.lock();
        waiting.instances.push_back((self.program, instance));
        let mut too_many = Vec::new();
        while waiting.instances.len() > self.pool.max_instances || waiting.bytes() > MAX_BYTES {
            too_many.extend(waiting.instances.pop_front());
        }
        drop(waiting);
        // Dropping a sandbox is slow, so it happens outside of the lock.
        drop(too_many);
    }
}

impl Drop for Instances {
    fn drop(&mut self) {
        let mut waiting = self.pool.lock();
        let all = std::mem::take(&mut waiting.instances);
        let (own, others) = all
            .into_iter()
            .partition(|(program, _)| *program == self.program);
        waiting.instances = others;
        drop(waiting);
        drop::<VecDeque<_>>(own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polkavm::{ArcBytes, BackendKind, Config, Engine, ModuleConfig, ProgramBlob};
    use polkavm_common::program::{InstructionSetKind, asm};
    use polkavm_common::writer::ProgramBlobBuilder;

    fn module() -> Module {
        let mut builder = ProgramBlobBuilder::new(InstructionSetKind::Latest64);
        builder.set_code(&[asm::ret()], &[]);
        let blob = ArcBytes::from(builder.to_vec().unwrap());
        let blob = ProgramBlob::parse(blob).unwrap();
        let mut config = Config::new();
        config.set_backend(Some(BackendKind::Interpreter));
        let engine = Engine::new(&config).unwrap();
        Module::from_blob(&engine, &ModuleConfig::new(), blob).unwrap()
    }

    /// How many instances of a program wait.
    fn waiting(instances: &Instances) -> usize {
        let waiting = instances.pool.lock();
        let own = |(program, _): &&(ProgramNumber, Instance)| *program == instances.program;
        waiting.instances.iter().filter(own).count()
    }

    #[test]
    fn idle_instances_are_bounded() {
        let (module, pool) = (module(), Pool::new(2));
        let [first, second] = [pool.instances(), pool.instances()];
        for _ in 0..5 {
            first.give_back(first.take(&module).unwrap());
            assert_eq!(waiting(&first), 1);
        }
        let in_use = [(); 3].map(|()| second.take(&module).unwrap());
        assert_eq!((waiting(&first), waiting(&second)), (1, 0));
        for (instance, left) in in_use.into_iter().zip([(1, 1), (0, 2), (0, 2)]) {
            second.give_back(instance);
            assert_eq!((waiting(&first), waiting(&second)), left);
        }
        drop(second);
        assert_eq!(pool.lock().instances.len(), 0);
    }

    #[test]
    fn largest_size_of_an_instance_counts() {
        let (module, pool) = (module(), Pool::new(10));
        let instances = pool.instances();
        let mut large = instances.take(&module).unwrap();
        large.holds(MAX_BYTES);
        instances.give_back(large);
        assert_eq!(waiting(&instances), 1);
        let mut large = instances.take(&module).unwrap();
        large.holds(1);
        let mut small = instances.take(&module).unwrap();
        small.holds(1);
        instances.give_back(large);
        assert_eq!(waiting(&instances), 1);
        // The one that has waited longest goes, and that is the large one.
        instances.give_back(small);
        assert_eq!(waiting(&instances), 1);
        assert_eq!(pool.lock().bytes(), 1);
        let mut huge = instances.take(&module).unwrap();
        huge.holds(MAX_BYTES + 1);
        instances.give_back(huge);
        assert_eq!(waiting(&instances), 0);
    }

    #[test]
    fn dropped_program_drops_only_its_instances() {
        let (module, pool) = (module(), Pool::new(10));
        let [kept, dropped] = [pool.instances(), pool.instances()];
        kept.give_back(kept.take(&module).unwrap());
        dropped.give_back(dropped.take(&module).unwrap());
        drop(dropped);
        assert_eq!(waiting(&kept), 1);
        assert_eq!(pool.lock().instances.len(), 1);
    }
}
