//! A handler may not have a name that is reserved by the compiler or the host.

use entrypoint::handler::Call;

entrypoint::export_handler!(memcmp, free);
entrypoint::export_handler!(memory);

fn memcmp(_call: Call<'_>) {}

fn free(_call: Call<'_>) {}

fn memory(_call: Call<'_>) {}

fn main() {}
