//! A handler is exported under the function's own name, which must be in scope.

entrypoint::handler!(routes::get);
entrypoint::export_handler!();

fn main() {}
