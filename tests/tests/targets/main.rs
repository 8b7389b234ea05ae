//! One program gives the same result on every target, engine and linker level.

mod agreement;
mod constant_jumps;
mod files;
mod jump_tables;
mod other_names;
mod toy_backend;
