//! The files of ledgers: what they keep, and which files are rejected.
