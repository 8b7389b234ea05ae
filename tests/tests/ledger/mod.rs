//! Ledgers: what they keep, in memory and in a file.

mod batches;
mod files;
mod kills;
mod messages;
mod random;
mod shared;
mod transactions;
