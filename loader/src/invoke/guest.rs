//! The memory and the gas of a program, as a backend lends them to the loader.

#[cfg(feature = "wasm")]
use abi::imports::gas_for_bytes;

use crate::account::Data;
use crate::error::Failure;

/// Bytes that are read back at once, to compare them with what they were.
const PIECE: usize = 8 << 10;

/// Data of this length at most is read once, into a buffer.
const FEW: usize = 256;

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

    /// Writes long data of an account, by default through [`write`](Self::write). A backend may keep
    /// a clone instead, and write only what the program looks at.
    ///
    /// # Errors
    ///
    /// [`Inaccessible`] if the program may not write all bytes.
    fn lend(&mut self, address: u64, data: &Data) -> Result<(), Inaccessible> {
        self.write(address, data)
    }

    /// Reads the data of an account, which was `before` when it was written. Returns a clone of
    /// `before` if the bytes are the same.
    ///
    /// By default this reads all of them, through [`read_into`](Self::read_into) and
    /// [`read`](Self::read).
    ///
    /// # Errors
    ///
    /// [`Inaccessible`] if the program may not read all of them. Check that before you allocate.
    fn read_data(
        &mut self,
        address: u64,
        length: u64,
        before: &Data,
    ) -> Result<Data, Inaccessible> {
        read_and_compare(self, address, length, before)
    }

    /// The failure of a program whose gas does not suffice for its current syscall. `limit` is the
    /// invocation's gas. Override it if the backend knows where the program is.
    fn out_of_gas(&self, limit: u64) -> Failure {
        Failure::out_of_gas(limit)
    }
}

/// Reads data as [`GuestMemory::read_data`] does by default.
pub(crate) fn read_and_compare(
    guest: &mut (impl GuestMemory + ?Sized),
    address: u64,
    length: u64,
    before: &Data,
) -> Result<Data, Inaccessible> {
    if length <= FEW as u64 {
        let mut buffer = [0; FEW];
        let now = &mut buffer[..length as usize];
        guest.read_into(address, now)?;
        return Ok(if *before == *now {
            before.clone()
        } else {
            Data::from(now)
        });
    }
    if length == before.len() as u64 && has_bytes(guest, address, before)? {
        return Ok(before.clone());
    }
    guest.read(address, length).map(Data::from)
}

/// Whether the memory has these bytes.
fn has_bytes(
    guest: &mut (impl GuestMemory + ?Sized),
    address: u64,
    bytes: &[u8],
) -> Result<bool, Inaccessible> {
    let mut buffer = [0; PIECE];
    let mut place = address;
    for piece in bytes.chunks(PIECE) {
        let now = &mut buffer[..piece.len()];
        guest.read_into(place, now)?;
        if now != piece {
            return Ok(false);
        }
        place += piece.len() as u64;
    }
    Ok(true)
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
