//! Random transactions: property tests with `proptest`, and fuzz targets.

#[cfg(feature = "fuzz")]
pub mod fuzz;
#[cfg(feature = "proptest")]
pub mod property;
mod quiet;
mod replay;
mod step;

pub use step::Step;
