//! Views of accounts, on the host. This is a binary of its own, because it declares an entry.

mod checks;
mod views;
