//! Any bytes as a serialized input: all readers reject it, or all find the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tests_fuzz::hostile;

fuzz_target!(|data: &[u8]| hostile::input::check_bytes(data));
