//! Any bytes as a serialized input: refused, or the same to every reader.
#![no_main]

#[path = "../../support/hostile/mod.rs"]
mod hostile;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| hostile::input::check_bytes(data));
