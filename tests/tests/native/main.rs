//! Programs on the native engine.

mod engine;
mod server;
