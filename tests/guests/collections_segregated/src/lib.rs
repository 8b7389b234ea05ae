//! The program `collections_bump` on the `segregated` heap.
#![no_std]

entrypoint::entrypoint!(collections_bump::process_instruction, heap = segregated);
