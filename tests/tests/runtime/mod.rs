//! What runs here runs on the published runtime: log lines, limits, the runtime's VM, and vectors
//! that the runtime's own crates have written.

mod logs;
mod settings;
mod vectors;
mod vm;
