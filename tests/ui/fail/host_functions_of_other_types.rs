//! A host function takes bytes or text, and returns bytes or text.

entrypoint::host_functions! {
    fn number(of: &u32) -> Option<&str>;
}

fn main() {}
