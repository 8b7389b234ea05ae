//! Views of accounts, on the host. A binary of its own: it declares an entry.

mod views;
