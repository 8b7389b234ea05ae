//! Any bytes as calls of imports, compared with a model.
#![no_main]

use std::cell::OnceCell;

use libfuzzer_sys::fuzz_target;
use loader::Engine;
use tests_fuzz::hostile::machine::Machine;

thread_local! {
    static MACHINE: OnceCell<Machine> = const { OnceCell::new() };
}

fuzz_target!(|data: &[u8]| MACHINE.with(|machine| {
    let machine = machine.get_or_init(|| Machine::new(&[Engine::Interpreter]));
    machine.check_bytes(data);
}));
