//! Coverage: which source lines of a program ran, of the blob as it is deployed.

pub mod code;
pub mod lcov;
pub mod measure;
pub mod picture;
pub mod report;
