//! Work on the program's memory.

use super::Returned;
use super::call::Call;
use crate::invoke::guest::GuestMemory;

/// Copies bytes, also between ranges that overlap.
pub(super) fn copy<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let bytes = call.read(call.argument(1), call.argument(2))?;
    call.write(call.argument(0), &bytes)?;
    Ok(None)
}

/// Sets bytes to one value.
pub(super) fn fill<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let (address, length) = (call.argument(0), call.argument(2));
    let value = call.argument(1) as u8;
    call.pay_for(length)?;
    // The gas and the memory now bound the length that is allocated.
    call.check_writable(address, length)?;
    call.write(address, &vec![value; length as usize])?;
    Ok(None)
}

/// Compares bytes and writes the difference of the first pair that differs, or 0.
pub(super) fn compare<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let length = call.argument(2);
    call.pay_for(length)?;
    let left = call.read_prepaid(call.argument(0), length)?;
    let right = call.read_prepaid(call.argument(1), length)?;
    let difference = left
        .iter()
        .zip(&right)
        .map(|(left, right)| i32::from(*left) - i32::from(*right))
        .find(|difference| *difference != 0)
        .unwrap_or(0);
    call.write(call.argument(3), &difference.to_le_bytes())?;
    Ok(None)
}
