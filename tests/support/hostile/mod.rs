//! Hostile input as values: what the fuzz targets run, and what the tests replay.
//!
//! Each module has one `check`, which takes any bytes and panics if something does harm or is not
//! as it is said to be.

pub mod blob;
pub mod input;
pub mod machine;
pub mod model;
pub mod script;
