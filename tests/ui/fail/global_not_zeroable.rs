//! The state in the heap starts as zeroes, so zeroes are a value of it.

use entrypoint::BumpAllocator;

struct State {
    _name: &'static str,
}

entrypoint::custom_heap_default!(static HEAP: BumpAllocator<State>);

fn main() {}
