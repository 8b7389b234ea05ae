//! The contract between a program and its loader.
//!
//! Both sides compile against this crate, so it defines each layout, constant and code once:
//!
//! | module | what it defines |
//! |---|---|
//! | [`entry`] | the exported symbol, its registers, and the place of the heap |
//! | [`input`] | the bytes of the serialized input: instruction data, program id, accounts, account table |
//! | [`heap`] | the heap header, which the loader reads after a run |
//! | [`status`] | [`ProgramError`] and its mapping to and from the returned u64 |
//! | [`contract`] | what a program needs, in its file: heap, accounts, versions |
//! | [`error_names`] | the names and texts of custom errors, for tools |
//! | [`imports`] | names, signatures and prices of the syscalls |
//! | [`call`] | the structures of a call from one program to another |
//! | [`instructions`] | the other instructions of a transaction, and the instructions sysvar |
//! | [`sysvar`] | the structures of the sysvars |
//! | [`system`] | the instructions and errors of the system program |
//! | [`program_address`] | the addresses that programs sign for by their seeds |
//! | `host` | with the feature `host`: accounts and sysvars, as hosts keep them |
//! | [`ids`] | the ids of the system program and the sysvars |
//! | [`report`] | the report of a program that gives up |
//! | [`packed`] | bytes that a program and its host pass to each other as one u64 |
//! | [`wasm`] | the differences on WebAssembly |
//! | [`native`] | the differences for native libraries |
//!
//! All integers are little endian. Every guest address fits in 32 bits, except in a native library.
//! `docs/abi.md` of the project draws the bytes. The crate is `no_std`, has one `unsafe` block (in
//! [`status`]), and depends only on `bytemuck` (layouts) and `bs58` (the text of a [`Pubkey`]).
//! With the feature `derive`, it depends on `sha2` and `curve25519-dalek` too, for the functions of
//! [`program_address`] that run on a host, and with `serde` on `serde` and `hex`.
//!
//! ```
//! use abi::input::{AccountHeader, entry_length};
//!
//! // 88 bytes of header, 100 of data, 10,240 spare, 4 of padding, 8 of rent epoch.
//! assert_eq!(size_of::<AccountHeader>(), 88);
//! assert_eq!(entry_length(100), Some(88 + 100 + 10_240 + 4 + 8));
//! ```
#![no_std]
#![deny(unsafe_code)]

#[cfg(feature = "host")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod base58;
pub mod call;
pub mod contract;
pub mod entry;
pub mod error_names;
pub mod heap;
pub mod heap_replay;
#[cfg(feature = "host")]
pub mod host;
pub mod ids;
pub mod imports;
pub mod input;
pub mod instructions;
pub mod native;
pub mod packed;
pub mod program_address;
mod pubkey;
pub mod report;
pub mod status;
pub mod system;
pub mod sysvar;
pub mod wasm;

pub use pubkey::{ParsePubkeyError, Pubkey};
pub use status::{ProgramError, ProgramResult};
