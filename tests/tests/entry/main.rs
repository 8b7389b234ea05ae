//! The entry macros, the heaps that they install, and what both cost.

mod allocators;
mod bench;
mod blob_size;
mod collections;
mod entries;
mod examples;
mod options;
