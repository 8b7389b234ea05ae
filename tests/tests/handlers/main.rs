//! WebAssembly handlers, and the exports for other hosts.

mod edge_handler;
mod host_return;
mod hostile;
mod scratch;
