//! A handler returns bytes or nothing.

use entrypoint::handler::Call;

fn number(_call: Call<'_>) -> u32 {
    5
}

entrypoint::export_handler!(number);

struct Silent;

fn error(_call: Call<'_>) -> Result<Vec<u8>, Silent> {
    Err(Silent)
}

entrypoint::export_handler!(error);

fn main() {}
