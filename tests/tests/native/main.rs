//! Programs on the native engine.

mod engine;
mod protocol;
mod server;
