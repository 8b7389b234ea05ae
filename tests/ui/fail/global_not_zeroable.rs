//! The state in the heap starts as zeros, so zeros must be a valid value.

use entrypoint::BumpAllocator;

struct State {
    _name: &'static str,
}

entrypoint::custom_heap_default!(static HEAP: BumpAllocator<State>);

fn main() {}
