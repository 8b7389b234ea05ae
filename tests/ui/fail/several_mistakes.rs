//! The macro reports all mistakes at once.

entrypoint::entrypoint_no_alloc!(
    |_, _, _| Ok(()),
    heap = slab,
    stack = large,
    max_accounts = 0,
    panic,
    heap = custom,
);

fn main() {}
