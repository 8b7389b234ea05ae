//! The host's arena, in all its forms, in a crate that forbids unsafe code.

#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    unused,
    unreachable_pub,
    unused_qualifications,
    rust_2018_idioms
)]

use entrypoint::host_return::PackedSlice;

entrypoint::host_return!(static SCRATCH: HostArena<64>);

mod with_a_constant {
    const CAPACITY: usize = 100;

    entrypoint::host_return! {
        /// The bytes from the host.
        pub(crate) static NAMES: HostArena<CAPACITY>;
    }
}

mod with_an_expression {
    entrypoint::host_return!(pub(super) static LINES: HostArena<{ 4 * 1024 }>);
}

fn main() {
    let lengths = [
        SCRATCH.capacity(),
        with_a_constant::NAMES.capacity(),
        with_an_expression::LINES.capacity(),
    ];
    assert_eq!(lengths, [64, 100, 4096]);
    let name = SCRATCH.with(|arena| arena.text(PackedSlice::EMPTY).map(|name| name.map(str::len)));
    assert_eq!(name, Ok(Some(0)));

    // Each thread has its own arena.
    assert_ne!(SCRATCH.guest_alloc(64), 0);
    assert_eq!(SCRATCH.guest_alloc(1), 0);
    let elsewhere = std::thread::spawn(|| SCRATCH.guest_alloc(64) != 0);
    assert!(elsewhere.join().unwrap());
}
