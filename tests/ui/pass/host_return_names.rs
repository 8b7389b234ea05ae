//! Constants of the program with the names in the expansion of `host_return!`.

const ARENA: usize = 4096;
const CAPACITY: usize = 64;

mod scratch {
    entrypoint::host_return!(pub static SCRATCH: HostArena<{ super::ARENA }>);
}

mod other {
    use super::ARENA;

    entrypoint::host_return!(pub static OTHER: HostArena<ARENA>);
}

mod third {
    use super::CAPACITY;

    entrypoint::host_return!(pub static THIRD: HostArena<CAPACITY>);
}

fn main() {
    assert_eq!(scratch::SCRATCH.capacity(), ARENA);
    assert_eq!(other::OTHER.capacity(), ARENA);
    assert_eq!(third::THIRD.capacity(), CAPACITY);
}
