//! Every syscall that needs nothing but the program's memory and the host, on each engine.

mod events;
mod guest;
mod hashes;
mod program_address;
mod sysvars;
