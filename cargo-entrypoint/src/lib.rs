//! Builds programs for tests, and runs their fixtures. It also contains the benches and the
//! pictures of a profile.
//!
//! ```no_run
//! // In tests/fixtures.rs of a program crate:
//! let _ = cargo_entrypoint::testing::check_fixture(env!("CARGO_MANIFEST_DIR"), "default");
//! let _ = cargo_entrypoint::testing::sweep_fixture(env!("CARGO_MANIFEST_DIR"), "default");
//! ```
#![forbid(unsafe_code)]

pub mod bench;
pub mod files;
pub mod guest;
pub mod machine;
pub mod package;
pub mod profile;
pub mod testing;
pub mod text;
pub mod toolchain;
