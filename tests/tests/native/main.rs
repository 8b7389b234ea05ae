//! Programs as native libraries.

mod engine;
mod library;
