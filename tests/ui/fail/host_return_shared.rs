//! The host's arena stays in its thread.

entrypoint::host_return!(static SCRATCH: HostArena<4096>);

fn main() {
    SCRATCH.with(|arena| {
        std::thread::scope(|scope| {
            scope.spawn(|| arena.used());
        });
    });
}
