//! Bytes that a host and a program pass to each other outside of the input, as one u64.
//!
//! A host that passes bytes to a program needs scratch memory inside the program. It allocates
//! scratch memory, writes the bytes there, and passes their place as one u64, a [`PackedSlice`]:
//! the address in the high half, the length in the low half. A program lends bytes to the host in
//! the same way.
//!
//! | the host | the program |
//! |---|---|
//! | calls `reset_arena()` at the start of each invocation | frees all earlier scratch memory |
//! | calls `guest_alloc(length)`, which returns an address, or 0 if the bytes do not fit | |
//! | writes there, and passes the packed value | reads it with [`ArenaView::bytes`] or [`ArenaView::text`] |
//! | reads the program's result | packs it with [`lend`] |
//!
//! [`host_return!`](crate::host_return!) declares the arena and the two exports. For an
//! [`InvocationArena`] without these exports, use [`bytes`] and [`text`].
//!
//! On WebAssembly, [`handler!`](crate::handler!) is simpler. It exports functions that take and
//! return such bytes, in scratch memory of any size: see [`handler`](mod@crate::handler).
//!
//! # Nothing, empty, does not fit
//!
//! These are three different values, and none can be mistaken for another:
//!
//! | meaning | packed value | [`bytes`] returns |
//! |---|---|---|
//! | nothing | 0 | `Ok(None)` |
//! | an empty value | an address other than 0, length 0 | `Ok(Some(&[]))` |
//! | a value that did not fit | address 0, length `u32::MAX` | `Err(`[`NoRoom`](HostReturnError::NoRoom)`)` |
//!
//! ```
//! use entrypoint::ProgramError;
//! use entrypoint::host_return::{HostReturnError, PackedSlice};
//!
//! entrypoint::host_return!(static SCRATCH: HostArena<4096>);
//!
//! /// The length of the name that the host has passed, if it has passed one.
//! fn name_length(packed: u64) -> Result<Option<usize>, ProgramError> {
//!     SCRATCH.with(|arena| {
//!         let name = arena.text(PackedSlice::from_u64(packed))?;
//!         Ok(name.map(str::len))
//!     })
//! }
//!
//! assert_eq!(name_length(PackedSlice::NOTHING.to_u64()), Ok(None));
//! assert_eq!(name_length(PackedSlice::EMPTY.to_u64()), Ok(Some(0)));
//! SCRATCH.with(|arena| {
//!     assert_eq!(arena.text(PackedSlice::NO_ROOM), Err(HostReturnError::NoRoom));
//!     // Nobody has asked for these bytes.
//!     let elsewhere = PackedSlice::from_u64(0x10000_00000005);
//!     assert!(matches!(arena.text(elsewhere), Err(HostReturnError::OutsideArena { .. })));
//! });
//! ```

mod error;
mod exports;
mod hex;
mod lend;
mod read;

pub use abi::packed::{PackedSlice, Unpacked};
pub use allocator::InvocationArena;

pub use error::HostReturnError;
pub use exports::{ArenaView, HostArena};
pub use hex::{HexError, decode_hex};
pub use lend::{LendError, lend};
pub use read::{bytes, text};
#[allow(unused_imports, reason = "on machines where a handler can be called")]
pub(crate) use read::{read_in, text_of};
