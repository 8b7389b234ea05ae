//! Reused instances, and the serialized forms of invocations.

mod pool;
mod serde_forms;
