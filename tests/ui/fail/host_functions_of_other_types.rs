//! What passes between a handler and its host is bytes or text.

entrypoint::host_functions! {
    fn number(of: &u32) -> Option<&str>;
}

fn main() {}
