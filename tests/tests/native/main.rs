//! Programs as native libraries.

mod engine;
