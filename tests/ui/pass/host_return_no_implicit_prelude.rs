//! The host's arena, in a crate without a prelude.

#![no_implicit_prelude]

::entrypoint::host_return!(static SCRATCH: HostArena<64>);

fn main() {
    let _ = SCRATCH.guest_alloc(1);
}
