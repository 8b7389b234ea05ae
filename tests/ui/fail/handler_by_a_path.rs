//! A handler has the function's own name, which has to be in scope.

entrypoint::handler!(routes::get);
entrypoint::export_handler!();

fn main() {}
