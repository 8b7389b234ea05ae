//! A function of the host answers something or nothing.

entrypoint::host_functions! {
    fn number(of: &str) -> u32;
}

fn main() {}
