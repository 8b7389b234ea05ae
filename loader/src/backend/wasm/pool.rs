//! Instances that wait for the next invocation, each in the state in which a new instance is when
//! its program is entered.
//!
//! What happens until then depends on the module and the [`MemoryRequest`] alone: the loader calls
//! exports that cannot call it back. So an instance serves the invocations of one request. A module
//! is not pooled if it can change what cannot be set back: see `weight`. An instance is dropped if
//! it has grown, because memory never becomes shorter, and if its program did not return.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Ready;
use crate::backend::MemoryRequest;

/// The most instances of a program that wait.
const MOST: usize = 8;

/// The most bytes of memory of an instance that waits.
pub(super) const MOST_MEMORY: usize = 4 << 20;

/// The instances of a program that wait.
#[derive(Default)]
pub(super) struct Pool(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    /// The one that was used last is at the end.
    instances: VecDeque<(MemoryRequest, Ready)>,
    /// The last request for which no instance waited.
    last: Option<MemoryRequest>,
    /// The request of the last instance that could not be set back.
    dropped: Option<MemoryRequest>,
}

/// What an invocation gets.
pub(super) enum Taken {
    /// An instance that waited.
    Ready(Ready),
    /// None waited. The new one is worth keeping, because the same request was made before.
    Keep,
    /// None waited.
    Drop,
}

impl Pool {
    /// Takes an instance for a request.
    pub fn take(&self, request: &MemoryRequest) -> Taken {
        let mut waiting = self.lock();
        let index = waiting.instances.iter().rposition(|(of, _)| of == request);
        if let Some((_, ready)) = index.and_then(|index| waiting.instances.remove(index)) {
            return Taken::Ready(ready);
        }
        let is_repeated = waiting.last.replace(*request) == Some(*request);
        match is_repeated && waiting.dropped != Some(*request) {
            true => Taken::Keep,
            false => Taken::Drop,
        }
    }

    /// Keeps an instance that is set back, and drops the one that has waited for the longest time.
    pub fn put(&self, request: MemoryRequest, ready: Ready) {
        let mut waiting = self.lock();
        let surplus = match waiting.instances.len() {
            0..MOST => None,
            _ => waiting.instances.pop_front(),
        };
        waiting.instances.push_back((request, ready));
        drop(waiting);
        drop(surplus);
    }

    /// Remembers that an instance for a request could not be set back.
    pub fn drop_of(&self, request: MemoryRequest) {
        self.lock().dropped = Some(request);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of instances that wait.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.lock().instances.len()
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
        let module = format!(
            r#"(module (memory (export "memory") 1 200) (table 1 funcref)
            (global $global (mut i32) (i32.const 1))
            (func (export "alloc") (param i32) (result i32) (i32.const 1024))
            (func (export "entrypoint") (param i32 i32) (result i64) {code} (i64.const 0)))"#
        );
        let module = wat::parse_str(module).unwrap_or_else(|error| panic!("{error}"));
        let loader = Loader::new(Engine::Wasm).unwrap_or_else(|error| panic!("{error}"));
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
            module.expect("a module").pool.len()
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
}
