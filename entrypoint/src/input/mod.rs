//! The serialized input, read in three ways.
//!
//! | reader | takes | costs | for |
//! |---|---|---|---|
//! | [`read`] | any bytes | a check for each field | tools, tests, hosts |
//! | `trusted` (what [`entrypoint!`](crate::entrypoint!) and [`entrypoint_no_alloc!`](crate::entrypoint_no_alloc!) use) | what a loader has written | nothing for each account where there is an account table, eight units of gas each where there is none | programs |
//! | [`LazyAccounts`] (what [`entrypoint_lazy!`](crate::entrypoint_lazy!) hands out) | what a loader has written | only the accounts that are asked for | programs that want to walk themselves |
//!
//! The bytes are drawn in [`abi::input`]. The first reader says what they mean. The lazy one gives the same for
//! everything that it accepts, and so does the trusted one, unless the bytes end like an account table and have none:
//! the first reader does not look at spare bytes or at what stands behind the last entry, and a loader writes neither so.

mod checked;
mod entries;
mod error;
mod lazy;
pub(crate) mod trusted;

#[doc(hidden)]
pub mod testing;

pub use checked::{Input, read};
pub(crate) use entries::{Entries, Entry, open};
pub use error::{Field, InputError};
pub use lazy::{LazyAccount, LazyAccounts, read_lazily};
