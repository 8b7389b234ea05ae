//! One program has the same outcome on every target, engine and linker level.

mod agreement;
mod constant_jumps;
mod error_names;
mod files;
mod jump_tables;
mod other_names;
mod random_scripts;
mod toy_backend;
