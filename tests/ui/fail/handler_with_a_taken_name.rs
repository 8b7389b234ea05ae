//! A handler may not have the name of another export of a module.

use entrypoint::handler::Call;

entrypoint::export_handler!(alloc, free);
entrypoint::export_handler!(memory);

fn alloc(_call: Call<'_>) {}

fn free(_call: Call<'_>) {}

fn memory(_call: Call<'_>) {}

fn main() {}
