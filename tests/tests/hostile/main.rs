//! Hostile blobs, syscalls and memory.

mod blobs;
mod calls;
mod corpus;
mod mutations;
