//! Hashes of slices of bytes. The base of the price pays for the hash.

use abi::call::Slice;
use abi::imports::Import;

use super::Returned;
use super::call::Call;
use crate::error::Failure;
use crate::invoke::guest::GuestMemory;

/// The hash of all slices, one after the other, 32 bytes.
pub(super) fn hash<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let result = call.argument(2);
    call.check_writable(result, 32)?;
    let hash = match call.syscall {
        Import::Sha256 => digest::<G, sha2::Sha256>(call)?,
        Import::Keccak256 => digest::<G, sha3::Keccak256>(call)?,
        // Only `Blake3` is left.
        _ => {
            let mut hasher = blake3::Hasher::new();
            each_slice(call, |bytes| {
                hasher.update(bytes);
            })?;
            hasher.finalize().into()
        }
    };
    call.write(result, &hash)?;
    Ok(Some(0))
}

fn digest<G: GuestMemory, D: sha2::Digest>(call: &mut Call<'_, G>) -> Result<[u8; 32], Failure> {
    let mut digest = D::new();
    each_slice(call, |bytes| digest.update(bytes))?;
    let mut hash = [0; 32];
    hash.copy_from_slice(&digest.finalize());
    Ok(hash)
}

/// Passes the bytes of each slice to `update`.
fn each_slice<G: GuestMemory>(
    call: &mut Call<'_, G>,
    mut update: impl FnMut(&[u8]),
) -> Result<(), Failure> {
    let slices: Vec<Slice> = call.read_list(call.argument(0), call.argument(1))?;
    for slice in slices {
        update(&call.read(slice.address, slice.length)?);
    }
    Ok(())
}
