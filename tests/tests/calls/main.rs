//! Calls from one program to another.

mod success;
