//! Programs on the native engine. This is a binary of its own, because the tests count the child
//! processes of their own process, and limit its open files.

mod engine;
mod protocol;
mod server;
