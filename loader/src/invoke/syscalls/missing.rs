//! Syscalls that the loader does not have yet.

use super::Returned;
use super::call::Call;
use crate::error::Failure;

/// Ends the program.
pub(super) fn missing<G>(_: &mut Call<'_, G>) -> Returned {
    Err(Failure::Aborted)
}
