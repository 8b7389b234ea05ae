//! A host function returns an `Option` or nothing.

entrypoint::host_functions! {
    fn number(of: &str) -> u32;
}

fn main() {}
