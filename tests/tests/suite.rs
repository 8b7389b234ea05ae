//! The tests that may share a process.
//!
//! They are one binary, so that a test that computes runs while another one waits for the build of
//! a guest, and so that each guest is built once. Tests that count or limit the processes and files
//! of their own process, and tests that declare an entry, are in binaries of their own.

mod asks;
mod calls;
mod entry;
mod errors;
mod handlers;
mod hostile;
mod inspect;
mod ledger;
mod limits;
mod loader;
mod native_library;
mod profile;
mod runtime;
mod sweep;
mod syscalls;
mod targets;
mod wasm;
mod workspace;
mod write_back;
