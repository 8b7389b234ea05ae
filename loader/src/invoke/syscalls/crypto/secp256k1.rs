//! Public keys from signatures of secp256k1, as Ethereum's `ecrecover`.
//!
//! The rules are those of the runtime's crate `rialo-s-secp256k1-recover`, which uses `k256` too.
//! It rejects a signature whose s is in the upper half, because anyone can change it into another
//! valid signature.

use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};

use super::super::Returned;
use super::super::call::Call;
use super::SUCCESS;
use crate::invoke::guest::GuestMemory;

/// The value for the program if the recovery id is not 0 to 3.
const INVALID_RECOVERY_ID: Returned = Ok(Some(2));

/// The value for the program if the signature is invalid.
const INVALID_SIGNATURE: Returned = Ok(Some(3));

/// Writes the 64 bytes of the public key whose owner signed a hash of 32 bytes.
pub(in super::super) fn recover<G: GuestMemory>(call: &mut Call<'_, G>) -> Returned {
    let result = call.argument(3);
    call.check_writable(result, 64)?;
    let hash: [u8; 32] = call.read_array(call.argument(0))?;
    let signature: [u8; 64] = call.read_array(call.argument(2))?;
    let recovery_id = u8::try_from(call.argument(1)).ok();
    let Some(recovery_id) = recovery_id.and_then(RecoveryId::from_byte) else {
        return INVALID_RECOVERY_ID;
    };
    let key = Signature::from_slice(&signature)
        .and_then(|signature| VerifyingKey::recover_from_prehash(&hash, &signature, recovery_id));
    let Ok(key) = key else {
        return INVALID_SIGNATURE;
    };
    // The first byte says that both coordinates follow.
    call.write(result, &key.to_encoded_point(false).as_bytes()[1..])?;
    SUCCESS
}
