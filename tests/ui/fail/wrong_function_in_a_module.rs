//! The macro checks the type of a function in a module too.

entrypoint::entrypoint!(program::process_instruction, panic = location);

mod program {
    pub fn process_instruction(_input: *mut u8) -> u64 {
        0
    }
}

fn main() {}
