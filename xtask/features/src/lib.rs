//! Selects features of dependencies, and has no code: see `Cargo.toml`.
