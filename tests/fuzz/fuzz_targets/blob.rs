//! Any bytes as a blob: the loader rejects or runs it, without harm.
#![no_main]

use std::cell::OnceCell;

use libfuzzer_sys::fuzz_target;
use loader::Engine;
use tests_fuzz::hostile::blob::Loaders;

thread_local! {
    static LOADERS: OnceCell<Loaders> = const { OnceCell::new() };
}

fuzz_target!(|data: &[u8]| LOADERS.with(|loaders| {
    let loaders = loaders.get_or_init(|| Loaders::new(&[Engine::Interpreter]));
    loaders.check_bytes(data);
}));
