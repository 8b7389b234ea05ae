//! Any bytes as calls to every allocator, over a buffer and over pages, held to the models.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| support::decode::Case::decode(data).run());
