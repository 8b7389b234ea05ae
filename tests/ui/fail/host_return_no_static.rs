//! The host's arena is a static with a number of bytes.

entrypoint::host_return!(4096);

mod without_a_type {
    entrypoint::host_return!(static SCRATCH);
}

mod of_another_type {
    entrypoint::host_return!(static SCRATCH: [u8; 4096]);
}

fn main() {}
