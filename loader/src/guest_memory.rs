//! The guest's memory, as the loader reaches it: every access is checked.

use polkavm::{MemoryProtection, RawInstance};

/// Fails if the guest may not do what was asked.
#[derive(Debug)]
pub(crate) struct Inaccessible;

/// Reads `length` bytes at `address`, if the guest may.
pub(crate) fn read(
    instance: &mut RawInstance,
    address: u64,
    length: u64,
) -> Result<Vec<u8>, Inaccessible> {
    let (address, length) = range(address, length)?;
    if length == 0 {
        return Ok(Vec::new());
    }
    // Asked first, because the buffer is made before the memory is looked at.
    if !instance.is_memory_accessible(address, length, MemoryProtection::Read) {
        return Err(Inaccessible);
    }
    instance
        .read_memory(address, length)
        .map_err(|_| Inaccessible)
}

/// Reads a value at `address`, if the guest may.
pub(crate) fn read_pod<T: bytemuck::Pod>(
    instance: &mut RawInstance,
    address: u64,
) -> Result<T, Inaccessible> {
    let (address, _) = range(address, size_of::<T>() as u64)?;
    let mut value = T::zeroed();
    instance
        .read_memory_into(address, bytemuck::bytes_of_mut(&mut value))
        .map_err(|_| Inaccessible)?;
    Ok(value)
}

/// Writes `bytes` at `address`, if the guest may.
pub(crate) fn write(
    instance: &mut RawInstance,
    address: u64,
    bytes: &[u8],
) -> Result<(), Inaccessible> {
    let (address, _) = range(address, bytes.len() as u64)?;
    if bytes.is_empty() {
        return Ok(());
    }
    instance
        .write_memory(address, bytes)
        .map_err(|_| Inaccessible)
}

/// Addresses have 32 bits, and no range wraps around.
fn range(address: u64, length: u64) -> Result<(u32, u32), Inaccessible> {
    let end = address.checked_add(length).ok_or(Inaccessible)?;
    if end > 1 << 32 {
        return Err(Inaccessible);
    }
    let address = u32::try_from(address).map_err(|_| Inaccessible)?;
    let length = u32::try_from(length).map_err(|_| Inaccessible)?;
    Ok((address, length))
}
