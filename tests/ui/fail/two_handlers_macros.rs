//! A module has one heap, one panic handler and one `alloc`.

use entrypoint::handler::Call;

entrypoint::handler!(get);
entrypoint::handler!(post);

fn get(_call: Call<'_>) {}

fn post(_call: Call<'_>) {}

fn main() {}
