//! Bytes from the host do not outlive the call that reads them.

use std::sync::Mutex;

use entrypoint::host_return::PackedSlice;

entrypoint::host_return!(static SCRATCH: HostArena<4096>);

static KEPT: Mutex<Option<&'static str>> = Mutex::new(None);

fn main() {
    SCRATCH.with(|arena| {
        *KEPT.lock().unwrap() = arena.text(PackedSlice::EMPTY).unwrap();
    });
    let _: Option<&str> = SCRATCH.with(|arena| arena.text(PackedSlice::EMPTY).unwrap());
}
