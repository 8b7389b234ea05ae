//! Instances that wait for the next invocation, each in the state in which a new instance is when
//! its program is entered.
//!
//! What happens until then depends on the module and the [`MemoryRequest`] alone: the loader calls
//! exports that cannot call it back. So an instance serves the invocations of one request. A module
//! is not pooled if it can change what cannot be set back: see `weight`. An instance is dropped if
//! it has grown, because memory never becomes shorter, and if its program did not return.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Ready;
use crate::backend::MemoryRequest;

/// The most instances of a program that wait.
const MOST: usize = 8;

/// The most bytes of memory of an instance that waits.
pub(super) const MOST_MEMORY: usize = 4 << 20;

/// The most bytes that all instances that wait keep together.
const MAX_BYTES: usize = 64 << 20;

/// The instances of all programs of a loader that wait.
pub(super) struct Pool {
    waiting: Mutex<Waiting>,
    max_instances: usize,
}

#[derive(Default)]
struct Waiting {
    /// The one that was used last is at the end.
    instances: VecDeque<Kept>,
    last_program: ProgramNumber,
}

type ProgramNumber = u64;

struct Kept {
    program: ProgramNumber,
    request: MemoryRequest,
    ready: Box<Ready>,
    /// Bytes of its memory, and of what it is set back to.
    bytes: usize,
}

/// One program's part of a pool. Dropping it drops its instances that wait.
pub(super) struct Instances {
    pool: Arc<Pool>,
    program: ProgramNumber,
    requests: Mutex<Requests>,
}

#[derive(Default)]
struct Requests {
    /// The last request for which no instance waited.
    last: Option<MemoryRequest>,
    /// The request of the last instance that could not be set back.
    dropped: Option<MemoryRequest>,
}

/// What an invocation gets.
pub(super) enum Taken {
    /// An instance that waited.
    Ready(Box<Ready>),
    /// None waited. The new one is worth keeping, because the same request was made before.
    Keep,
    /// None waited.
    Drop,
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
            requests: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Takes the instance that has waited for the longest time, of a program or of all.
    fn pop_oldest(&mut self, program: Option<ProgramNumber>) -> Option<Kept> {
        let is_of_it = |kept: &Kept| program.is_none_or(|program| kept.program == program);
        let oldest = self.instances.iter().position(is_of_it)?;
        self.instances.remove(oldest)
    }

    fn count_of(&self, program: ProgramNumber) -> usize {
        let own = |kept: &&Kept| kept.program == program;
        self.instances.iter().filter(own).count()
    }

    fn bytes(&self) -> usize {
        self.instances.iter().map(|kept| kept.bytes).sum()
    }
}

impl Instances {
    /// Takes an instance for a request.
    pub fn take(&self, request: &MemoryRequest) -> Taken {
        if self.pool.max_instances == 0 {
            return Taken::Drop;
        }
        let mut waiting = self.pool.lock();
        let is_it = |kept: &Kept| kept.program == self.program && kept.request == *request;
        let index = waiting.instances.iter().rposition(is_it);
        if let Some(kept) = index.and_then(|index| waiting.instances.remove(index)) {
            return Taken::Ready(kept.ready);
        }
        drop(waiting);
        let mut requests = self.requests();
        let is_repeated = requests.last.replace(*request) == Some(*request);
        match is_repeated && requests.dropped != Some(*request) {
            true => Taken::Keep,
            false => Taken::Drop,
        }
    }

    /// Keeps an instance that is set back, and drops those that have waited for the longest time.
    pub fn put(&self, request: MemoryRequest, ready: Box<Ready>) {
        let kept = Kept {
            program: self.program,
            request,
            bytes: ready.bytes(),
            ready,
        };
        let mut waiting = self.pool.lock();
        waiting.instances.push_back(kept);
        let mut surplus = Vec::new();
        if waiting.count_of(self.program) > MOST {
            surplus.extend(waiting.pop_oldest(Some(self.program)));
        }
        while waiting.instances.len() > self.pool.max_instances || waiting.bytes() > MAX_BYTES {
            surplus.extend(waiting.pop_oldest(None));
        }
        drop(waiting);
        drop(surplus);
    }

    /// Remembers that an instance for a request could not be set back.
    pub fn drop_of(&self, request: MemoryRequest) {
        self.requests().dropped = Some(request);
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of instances that wait.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.pool.lock().count_of(self.program)
    }
}

impl Drop for Instances {
    fn drop(&mut self) {
        let mut waiting = self.pool.lock();
        let all = std::mem::take(&mut waiting.instances);
        let (own, others) = all
            .into_iter()
            .partition(|kept| kept.program == self.program);
        waiting.instances = others;
        drop(waiting);
        drop::<VecDeque<_>>(own);
    }
}

#[cfg(test)]
mod tests {
    use abi::Pubkey;

    use crate::backend::wasm::Wasmi;
    use crate::engine::Engine;
    use crate::invocation::Invocation;
    use crate::program::{Loader, Program};

    fn load(code: &str) -> Program {
        let loader = Loader::new(Engine::Wasm).unwrap_or_else(|error| panic!("{error}"));
        load_by(&loader, code)
    }

    fn load_by(loader: &Loader, code: &str) -> Program {
        load_with_pages(loader, 1, code)
    }

    fn load_with_pages(loader: &Loader, pages: usize, code: &str) -> Program {
        let module = format!(
            r#"(module (memory (export "memory") {pages} 200) (table 1 funcref)
            (global $global (mut i32) (i32.const 1))
            (func (export "alloc") (param i32) (result i32) (i32.const 1024))
            (func (export "entrypoint") (param i32 i32) (result i64) {code} (i64.const 0)))"#
        );
        let module = wat::parse_str(module).unwrap_or_else(|error| panic!("{error}"));
        loader
            .load(&module)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// The instances that wait after each of these invocations, by the length of their data.
    fn waiting<const N: usize>(program: &Program, lengths: [usize; N]) -> [usize; N] {
        lengths.map(|length| {
            let invocation = Invocation::new(Pubkey::default()).data(vec![0; length]);
            let _ = program.invoke(&invocation);
            let module = program.loaded_by::<Wasmi>();
            module.expect("a module").instances.len()
        })
    }

    #[test]
    fn instance_is_kept_if_its_request_is_repeated() {
        let program = load("(global.set $global (i32.const 2))");
        assert_eq!(waiting(&program, [0, 0, 0, 0]), [0, 1, 1, 1]);
        // One for each length.
        assert_eq!(waiting(&program, [8, 0, 8, 8, 8, 8]), [1, 1, 2, 2, 2, 2]);
        for length in 2..20 {
            waiting(&program, [length * 8, length * 8]);
        }
        assert_eq!(waiting(&program, [0]), [super::MOST]);
    }

    #[test]
    fn instance_that_cannot_be_set_back_is_not_kept() {
        for code in [
            "(drop (memory.grow (i32.const 1)))",
            "unreachable",
            "(table.set (i32.const 0) (ref.null func))",
        ] {
            assert_eq!(waiting(&load(code), [0; 5]), [0; 5], "{code}");
        }
    }

    #[test]
    fn loader_keeps_no_more_instances_than_it_may() {
        for (most, kept) in [(0, [0, 0]), (1, [0, 1]), (2, [1, 1]), (3, [1, 1])] {
            let loader = Loader::new(Engine::Wasm).expect("an engine");
            let loader = loader.idle_instances(most);
            let [first, second] = [(); 2].map(|()| load_by(&loader, ""));
            waiting(&first, [0, 0, 0]);
            let [.., of_second] = waiting(&second, [0, 0, 0]);
            let of_first = first
                .loaded_by::<Wasmi>()
                .expect("a module")
                .instances
                .len();
            assert_eq!([of_first, of_second], kept, "{most}");
        }
    }

    #[test]
    fn all_instances_of_a_loader_share_a_limit_of_bytes() {
        let loader = Loader::new(Engine::Wasm).expect("an engine");
        // Each instance has 50 pages, so 20 are less than the limit, and 21 are more.
        let programs = [(); 4].map(|()| load_with_pages(&loader, 50, ""));
        for program in &programs {
            for length in 0..super::MOST {
                waiting(program, [length * 8, length * 8]);
            }
        }
        let counts = programs.each_ref().map(|program| {
            let module = program.loaded_by::<Wasmi>();
            module.expect("a module").instances.len()
        });
        assert_eq!(counts, [0, 4, 8, 8]);
        let [_, _, third, last] = programs;
        drop(third);
        let module = last.loaded_by::<Wasmi>().expect("a module");
        assert_eq!(module.instances.pool.lock().instances.len(), 4 + 8);
    }
}
