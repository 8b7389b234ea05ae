//! The contract between a program and its loader.
//!
//! Both sides compile against this crate, so a layout, a constant or a code is written down once:
//!
//! | module | what it fixes |
//! |---|---|
//! | [`entry`] | the exported symbol, the registers it is called with, where the heap sits |
//! | [`input`] | the bytes of the serialized input: instruction data, program id, accounts, account table |
//! | [`heap`] | the header that the default heap keeps at its base and the loader reads after a run |
//! | [`status`] | [`ProgramError`] and its mapping to and from the returned u64 |
//! | [`imports`] | names, signatures and prices of the calls a program may make |
//! | [`report`] | what a program hands to the loader when it gives up |
//! | [`packed`] | bytes that a program and its host pass each other as one u64 |
//! | [`wasm`] | what is otherwise on WebAssembly |
//! | [`native`] | what is otherwise on the author's own machine |
//!
//! Everything is little endian, and every guest address fits in 32 bits, but for those on the author's own machine. `docs/abi.md` of the project
//! draws the bytes. The crate is `no_std`, has one `unsafe` block (in [`status`]), and depends on nothing
//! but `bytemuck` (layouts) and `bs58` (the text of a [`Pubkey`]).
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

pub mod entry;
pub mod heap;
pub mod imports;
pub mod input;
pub mod native;
pub mod packed;
mod pubkey;
pub mod report;
pub mod status;
pub mod wasm;

pub use pubkey::{ParsePubkeyError, Pubkey};
pub use status::{ProgramError, ProgramResult};
