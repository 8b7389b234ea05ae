//! The entry macros and the heaps that they install: their behavior and their gas.

mod allocators;
mod bench;
mod blob_size;
mod calls_bench;
mod collections;
mod entries;
mod examples;
mod options;
mod scenario_page;
