//! What things cost, measured in gas and bytes: exact figures, the same on every machine with the same compiler.

pub mod allocators;
pub mod readme;
