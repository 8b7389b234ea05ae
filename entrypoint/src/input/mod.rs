//! Three readers of the serialized input.
//!
//! | reader | takes | costs | for |
//! |---|---|---|---|
//! | [`read`] | any bytes | a check for each field | tools, tests, hosts |
//! | `trusted` (for [`entrypoint!`](crate::entrypoint!) and [`entrypoint_no_alloc!`](crate::entrypoint_no_alloc!)) | a loader's bytes | nothing for each account with an account table, some eight units of gas each without one | programs |
//! | [`LazyAccounts`] (for [`entrypoint_lazy!`](crate::entrypoint_lazy!)) | a loader's bytes | only the accounts that the program requests | programs that read accounts one at a time |
//!
//! [`abi::input`] draws the bytes. The first reader defines their meaning. For every input that it
//! accepts, the lazy reader returns the same, and so does the trusted one, with one exception:
//! bytes that end like an account table but have none. The first reader does not read spare bytes
//! or bytes after the last entry, and a loader does not write such bytes.

mod checked;
mod entries;
mod error;
mod keep;
mod lazy;
pub(crate) mod table;
pub(crate) mod trusted;
mod walk;

pub use checked::{Input, read};
pub(crate) use entries::{Entries, Entry, Opened, open};
pub use error::{Field, InputError};
pub use lazy::{LazyAccount, LazyAccounts, read_lazily};
