//! WebAssembly handlers, and the exports for other embedders.

mod edge_handler;
mod host_return;
mod hostile;
mod scratch;
