//! Every syscall that needs nothing but the program's memory and the host, on each engine.

mod alt_bn128;
mod big_mod_exp;
mod curve25519;
mod events;
mod guest;
mod hashes;
mod own;
mod poseidon;
mod prices;
mod program_address;
mod secp256k1;
mod siblings;
mod system_program;
mod sysvars;
