//! A program has one arena for its host.

entrypoint::host_return!(static FIRST: HostArena<4096>);
entrypoint::host_return!(static SECOND: HostArena<4096>);

fn main() {}
