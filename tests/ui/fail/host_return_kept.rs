//! What the host has handed in does not outlive the call that reads it.

use std::sync::Mutex;

use entrypoint::host_return::{PackedSlice, text};

entrypoint::host_return!(static SCRATCH: HostArena<4096>);

static KEPT: Mutex<Option<&'static str>> = Mutex::new(None);

fn main() {
    SCRATCH.with(|arena| {
        *KEPT.lock().unwrap() = text(arena, PackedSlice::EMPTY).unwrap();
    });
    let _: Option<&str> = SCRATCH.with(|arena| text(arena, PackedSlice::EMPTY).unwrap());
}
