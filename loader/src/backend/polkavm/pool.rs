//! Idle instances, for the next invocations.
//!
//! Making an instance costs more than most invocations, so a loader keeps those whose invocation
//! has ended. Idle instances are clean: the pool resets or clears each before it keeps it, and
//! drops those for which that fails.

use std::collections::VecDeque;
use std::mem::swap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use polkavm::{Error, Module, RawInstance};

use super::cores::Cores;
use super::process;
use crate::error::InvocationError;

/// How many idle instances a [`Loader`](crate::Loader) on the interpreter or on
/// [`Engine::Wasm`](crate::Engine::Wasm) keeps at most, unless
/// [`Loader::idle_instances`](crate::Loader::idle_instances) sets another number.
pub const DEFAULT_IDLE_INSTANCES: usize = 64;

/// How many idle instances a [`Loader`](crate::Loader) on the compiler keeps at most, unless
/// [`Loader::idle_instances`](crate::Loader::idle_instances) sets another number. Each is a process.
pub const DEFAULT_IDLE_PROCESSES: usize = 16;

/// The most bytes that all idle instances keep together. Without this limit, the long invocations
/// of one caller would use the host's memory permanently.
const MAX_BYTES: u64 = 256 << 20;

/// For how many lengths of input and heap a program has an idle process each. For more, an
/// invocation changes the length of one.
const LENGTHS: usize = 4;

/// How often the loader asks for a process. The VM reports each of its own idle processes that
/// something has killed, once.
const ATTEMPTS: usize = 4;

/// The idle instances of all programs of a loader.
pub(crate) struct Pool {
    waiting: Mutex<Waiting>,
    max_instances: usize,
    /// Only on the compiling engine, where instances are processes.
    cores: Option<Cores>,
}

#[derive(Default)]
struct Waiting {
    /// The program of each, and the instance. The one that was idle for longest is first. They are
    /// in boxes, because an instance has many fields and is moved often.
    instances: VecDeque<(ProgramNumber, Box<Instance>)>,
    last_program: ProgramNumber,
}

type ProgramNumber = u64;

/// An instance, and what the pool knows of it.
pub(crate) struct Instance {
    pub vm: RawInstance,
    pub known: Known,
}

/// What the pool knows of an instance.
#[derive(Default)]
pub(crate) struct Known {
    /// Bytes of the largest memory that it ever had: the VM keeps that for the next invocation.
    bytes: u64,
    /// Bytes of data, stack and heap in the current invocation.
    own_bytes: u64,
    /// Whether it was idle before the current invocation.
    is_reused: bool,
    /// The core that the process has been kept off.
    core: Option<usize>,
    /// The thread that used it last.
    thread: ThreadNumber,
    /// Memory of the host's for the next input; at most 1 MiB.
    pub spare: Vec<u8>,
}

/// A number that no two threads have at once.
type ThreadNumber = usize;

/// The number of this thread.
fn this_thread() -> ThreadNumber {
    thread_local!(static PLACE: u8 = const { 0 });
    PLACE.with(|place| std::ptr::from_ref(place).addr())
}

/// One program's part of a pool. Dropping it drops its idle instances.
pub(crate) struct Instances {
    pool: Arc<Pool>,
    program: ProgramNumber,
}

impl Pool {
    /// A pool of instances of the interpreter that keeps at most so many.
    pub fn of_interpreter(max_instances: usize) -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::default(),
            max_instances,
            cores: None,
        })
    }

    /// A pool of instances of the compiling engine that keeps at most so many.
    pub fn of_compiler(max_instances: usize) -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::default(),
            max_instances,
            cores: Some(Cores::of_this_thread()),
        })
    }

    /// Another pool for the same engine.
    pub fn with_max_instances(&self, max_instances: usize) -> Arc<Self> {
        match self.cores {
            None => Self::of_interpreter(max_instances),
            Some(_) => Self::of_compiler(max_instances),
        }
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
            .map(|(_, waiting)| waiting.known.bytes)
            .sum()
    }
}

impl Known {
    /// Records how large the instance's memory is now: all of it, and data, stack and heap alone.
    pub fn holds(&mut self, bytes: u64, own_bytes: u64) {
        self.bytes = self.bytes.max(bytes);
        self.own_bytes = own_bytes;
    }
}

impl Instances {
    /// Whether the instances are processes of the compiling engine.
    pub fn are_processes(&self) -> bool {
        self.pool.cores.is_some()
    }

    /// A clean instance of the program's module: an idle one, or a new one.
    pub fn take(&self, module: &Module) -> Result<Box<Instance>, InvocationError> {
        match self.take_waiting(|_| true) {
            Some(instance) => Ok(instance),
            None => self.instantiate(module).map_err(InvocationError::engine),
        }
    }

    fn instantiate(&self, module: &Module) -> Result<Box<Instance>, Error> {
        let attempts = if self.are_processes() { ATTEMPTS } else { 1 };
        let mut made = module.instantiate();
        for _ in 1..attempts {
            if made.is_ok() {
                break;
            }
            made = module.instantiate();
        }
        let known = Known {
            thread: this_thread(),
            ..Known::default()
        };
        Ok(Box::new(Instance { vm: made?, known }))
    }

    fn take_waiting(&self, is_suitable: impl Fn(&RawInstance) -> bool) -> Option<Box<Instance>> {
        let thread = this_thread();
        let mut waiting = self.pool.lock();
        // The one that this thread used last is the likeliest to be in the caches of its processor.
        // One that another thread used is in those of another.
        let own = waiting.instances.iter().enumerate().rev();
        let mut own = own.filter(|(_, (program, instance))| {
            *program == self.program && is_suitable(&instance.vm)
        });
        let (newest, (_, instance)) = own.next()?;
        let place = match instance.known.thread == thread {
            true => newest,
            false => own
                .find(|(_, (_, instance))| instance.known.thread == thread)
                .map_or(newest, |(place, _)| place),
        };
        let (_, mut instance) = waiting.instances.remove(place)?;
        instance.known.thread = thread;
        instance.known.is_reused = true;
        Some(instance)
    }

    /// Gives an instance that was taken so many bytes above its program's data; `None` if there are
    /// not so many. `data` is what the program's data begins with.
    ///
    /// On the compiling engine it may become another instance: one whose memory has the length, or
    /// a new one in place of one whose process has ended.
    pub fn map(
        &self,
        vm: &mut RawInstance,
        known: &mut Known,
        data: &[u8],
        mapped: u32,
    ) -> Result<Option<u32>, Error> {
        if !self.are_processes() {
            return vm.sbrk(mapped);
        }
        self.exchange(vm, known, mapped)?;
        match process::map(vm, data, mapped) {
            Err(_) if known.is_reused => {}
            mapping => return mapping,
        }
        // Something has killed the process while it was idle. The program has not run, so another
        // process can run it.
        let module = vm.module().clone();
        let ended = self.replace(vm, known, self.instantiate(&module)?);
        // The VM would keep the process for the next instance if it did not notice its end, and it
        // notices only after a second.
        let notice = move || {
            let mut ended = ended;
            let _ = ended.vm.reset_memory();
        };
        // Without a thread it is dropped at once.
        let _ = thread::Builder::new().spawn(notice);
        process::map(vm, data, mapped)
    }

    /// Puts an idle instance of a better length in the place of one that was taken. A process
    /// cannot give back a part of its memory, so a program that is called with short and with long
    /// inputs has some for each.
    fn exchange(&self, vm: &mut RawInstance, known: &mut Known, mapped: u32) -> Result<(), Error> {
        let end = process::page_end(vm, mapped);
        let has_length =
            |vm: &RawInstance| vm.heap_size() != 0 && process::page_end(vm, vm.heap_size()) == end;
        if vm.heap_size() == 0 || has_length(vm) {
            return Ok(());
        }
        let better = match self.take_waiting(has_length) {
            Some(instance) => instance,
            None if self.waiting() + 1 < LENGTHS.min(self.pool.max_instances) => {
                let module = vm.module().clone();
                self.instantiate(&module)?
            }
            None => return Ok(()),
        };
        let other = self.replace(vm, known, better);
        self.keep(other);
        Ok(())
    }

    /// Puts an instance in the place of another, which it returns.
    fn replace(
        &self,
        vm: &mut RawInstance,
        known: &mut Known,
        mut by: Box<Instance>,
    ) -> Box<Instance> {
        swap(vm, &mut by.vm);
        swap(known, &mut by.known);
        by
    }

    /// How many instances of the program wait.
    fn waiting(&self) -> usize {
        let waiting = self.pool.lock();
        let own = |(program, _): &&(ProgramNumber, Box<Instance>)| *program == self.program;
        waiting.instances.iter().filter(own).count()
    }

    /// The calling thread is about to run a program.
    pub fn prepare(&self, vm: &RawInstance, known: &mut Known) {
        if let Some(cores) = &self.pool.cores {
            cores.keep_apart(vm.pid(), &mut known.core);
        }
    }

    /// Cleans an instance after an invocation, and keeps it for the next. Drop an instance in which
    /// the VM itself has failed instead.
    pub fn give_back(&self, mut instance: Box<Instance>) {
        if self.pool.max_instances == 0 {
            return;
        }
        // At once and not at the next use, so that no data of the invocation stays longer than it
        // must. Besides, a sandbox that is idle in the middle of a syscall would spin.
        let clean = match self.are_processes() {
            true => process::clear(&mut instance.vm, instance.known.own_bytes),
            false => instance.vm.reset_memory(),
        };
        if clean.is_ok() {
            self.keep(instance);
        }
    }

    /// Keeps a clean instance.
    fn keep(&self, instance: Box<Instance>) {
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
mod tests;
