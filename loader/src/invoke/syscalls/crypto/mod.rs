//! Cryptography: signatures, curves, and hashes that are not among the usual ones.
//!
//! Each file has the syscalls of one family over pure functions. The operation numbers and layouts
//! are those of the Rialo runtime's crates, which each file names.

pub(super) mod alt_bn128;
pub(super) mod big_mod_exp;
pub(super) mod curve25519;
pub(super) mod poseidon;
pub(super) mod secp256k1;

use super::Returned;

/// The value for the program after success.
const SUCCESS: Returned = Ok(Some(0));

/// The value for the program if the operation is unknown, or its input invalid.
const INVALID: Returned = Ok(Some(1));
