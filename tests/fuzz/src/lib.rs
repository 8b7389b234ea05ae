//! The code that the fuzz targets share with the tests, which replay the corpora.

#[path = "../../support/hostile/mod.rs"]
pub mod hostile;
