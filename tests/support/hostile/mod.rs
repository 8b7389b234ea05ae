//! Hostile input as values: the fuzz targets run it, and the tests replay it.
//!
//! Each module has one `check`, which takes any bytes, and panics if they cause harm or if the
//! result is not the documented one.

pub mod blob;
pub mod input;
pub mod machine;
pub mod model;
pub mod script;
