//! The memory and the gas of a program, as a backend lends them to the loader.

#[cfg(feature = "wasm")]
use abi::imports::gas_for_bytes;

use crate::error::Failure;

/// The program may not access this memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the program may not access this memory")]
pub struct Inaccessible;

/// The gas that remains does not suffice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotEnoughGas;

/// A program's memory and its gas.
///
/// Addresses and lengths come from the program, so they may be any numbers: every method checks
/// them, and none may panic or allocate more than the program can access.
pub trait GuestMemory {
    /// Reads `length` bytes.
    ///
    /// # Errors
    ///
    /// [`Inaccessible`] if the program may not read all of them. Check that before you allocate.
    fn read(&mut self, address: u64, length: u64) -> Result<Vec<u8>, Inaccessible>;

    /// Writes bytes: all of them, or none.
    ///
    /// # Errors
    ///
    /// [`Inaccessible`] if the program may not write all of them.
    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible>;

    /// Whether the program may write `length` bytes. The loader calls this before it allocates so
    /// many.
    fn is_writable(&mut self, address: u64, length: u64) -> bool;

    /// The gas that remains.
    fn gas(&self) -> u64;

    /// Sets the gas that remains.
    fn set_gas(&mut self, gas: u64);

    /// Reads bytes into a buffer, by default through [`read`](Self::read).
    ///
    /// # Errors
    ///
    /// [`Inaccessible`] if the program may not read all of them.
    fn read_into(&mut self, address: u64, buffer: &mut [u8]) -> Result<(), Inaccessible> {
        let bytes = self.read(address, buffer.len() as u64)?;
        buffer.copy_from_slice(&bytes);
        Ok(())
    }

    /// The failure of a program whose gas does not suffice for its current syscall. `limit` is the
    /// invocation's gas. Override it if the backend knows where the program is.
    fn out_of_gas(&self, limit: u64) -> Failure {
        Failure::out_of_gas(limit)
    }
}

/// Reads a value.
pub(crate) fn read_pod<T: bytemuck::Pod>(
    guest: &mut impl GuestMemory,
    address: u64,
) -> Result<T, Inaccessible> {
    let mut value = T::zeroed();
    guest.read_into(address, bytemuck::bytes_of_mut(&mut value))?;
    Ok(value)
}

/// Takes the price of touching `length` bytes off the gas.
#[cfg(feature = "wasm")]
pub(crate) fn pay_for(guest: &mut impl GuestMemory, length: u64) -> Result<(), NotEnoughGas> {
    pay(guest, gas_for_bytes(length))
}

/// Takes a price off the gas.
pub(crate) fn pay(guest: &mut impl GuestMemory, price: u64) -> Result<(), NotEnoughGas> {
    let rest = guest.gas().checked_sub(price);
    guest.set_gas(rest.ok_or(NotEnoughGas)?);
    Ok(())
}
