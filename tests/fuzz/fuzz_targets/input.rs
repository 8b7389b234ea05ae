//! Any bytes as a serialized input: refused, or the same to every reader.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tests_fuzz::hostile;

fuzz_target!(|data: &[u8]| hostile::input::check_bytes(data));
