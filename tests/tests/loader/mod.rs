//! Reused instances, and the serialized forms of invocations.

mod engines;
mod pool;
mod serde_forms;
