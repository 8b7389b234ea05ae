//! Any bytes as calls of every allocator, over a buffer and over pages, compared with the models.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| support::decode::Case::decode(data).run());
