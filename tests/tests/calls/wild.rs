//! Wild pointers.
