//! A handler returns bytes or nothing.

use entrypoint::handler::Call;

entrypoint::handler!(number, error);

struct Silent;

fn number(_call: Call<'_>) -> u32 {
    5
}

fn error(_call: Call<'_>) -> Result<Vec<u8>, Silent> {
    Err(Silent)
}

fn main() {}
