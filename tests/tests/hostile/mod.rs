//! Hostile blobs, syscalls and memory contents.

mod blobs;
mod calls;
mod corpus;
mod mutations;
