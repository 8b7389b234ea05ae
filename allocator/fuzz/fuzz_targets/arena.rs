//! Any bytes as calls of an arena, compared with the model.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| support::decode::ArenaCase::decode(data).run());
