//! What the host and a program hand each other outside of the input: bytes, as one u64.
//!
//! A host that answers a program with more than a number needs room inside the program. It asks for it,
//! writes there, and passes the place along as one u64, a [`PackedSlice`]: the address in the high half, the
//! length in the low one. A program lends bytes to the host the same way.
//!
//! | the host | the program |
//! |---|---|
//! | calls `reset_arena()` at the start of each invocation | takes all earlier room back |
//! | calls `guest_alloc(length)`, which answers an address, or 0 if there is no room | |
//! | writes there, and passes the packed value | reads it with [`ArenaView::bytes`] or [`ArenaView::text`] |
//! | reads what the program answers | packs it with [`lend`] |
//!
//! [`host_return!`](crate::host_return!) makes the two exports and the arena behind them. Whoever has an
//! [`InvocationArena`] without these exports reads from it with [`bytes`] and [`text`].
//!
//! On WebAssembly there is less to write: [`handler!`](crate::handler!) makes exports of functions that take and answer such bytes, in room
//! of any size, see [`handler`](mod@crate::handler).
//!
//! # Nothing, empty, no room
//!
//! These are three answers, and none can be mistaken for another:
//!
//! | | packed value | [`bytes`] says |
//! |---|---|---|
//! | there is nothing | 0 | `Ok(None)` |
//! | there is something, and it is empty | an address that is not 0, length 0 | `Ok(Some(&[]))` |
//! | there was something, and no room for it | address 0, length `u32::MAX` | `Err(`[`NoRoom`](HostReturnError::NoRoom)`)` |
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

pub use abi::packed::{HostReturn, PackedSlice};
pub use allocator::InvocationArena;

pub use error::HostReturnError;
pub use exports::{ArenaView, HostArena};
pub use hex::{HexError, decode_hex};
pub use lend::{LendError, lend};
pub use read::{bytes, text};
#[allow(unused_imports, reason = "on machines where a handler can be called")]
pub(crate) use read::{read_in, text_of};
