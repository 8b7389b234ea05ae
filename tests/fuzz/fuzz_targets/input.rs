//! Any bytes as a serialized input: refused, or the same to every reader.
#![no_main]

#[path = "../../support_hostile/mod.rs"]
mod support_hostile;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| support_hostile::input::check_bytes(data));
