//! Gas.

use super::Returned;
use super::call::Call;
use crate::invoke::guest::GuestMemory;

/// Returns the gas that remains.
pub(super) fn remaining<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    Ok(Some(call.guest.gas()))
}
